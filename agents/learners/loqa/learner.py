"""LOQA and Advantage Alignment as `train` and `load_agent` know them."""

from functools import partial
from typing import Any

from agents.evaluation.restore import restore_agent
from agents.execution.games import check_told_apart, make_games
from agents.learners.loqa import advantage_alignment, loqa, loqa_modelled
from agents.learners.loqa.self_play import Loss, SelfPlay, actor_critic
from agents.protocol import LearnerSpec


def make_self_play(
    cfg: loqa.LoqaConfig,
    env_id: str,
    game: dict[str, Any],
    seed: int,
    device: str,
    *,
    loss: Loss,
    kind: type[SelfPlay] = SelfPlay,
) -> SelfPlay:
    """A learner with its games.

    Args:
        cfg: the settings.
        env_id: the game.
        game: its arguments.
        seed: fixes everything.
        device: where it learns.
        loss: the actor's loss.
        kind: `SelfPlay`, or a class that learns more from the games.

    Raises:
        ValueError: one network for all players of a game whose observations do not say which
            player one is.
    """
    venv = make_games(env_id, game, cfg.runs * cfg.batch, cfg.horizon, device)
    if cfg.shared:
        check_told_apart(venv.game, " or shared=False")
    return kind(cfg, venv, loss, seed)


LOQA = LearnerSpec(
    "loqa",
    "LOQA: learning with opponent Q-learning awareness (2024)",
    loqa.default_config,
    partial(make_self_play, loss=loqa.loss),
    partial(restore_agent, base=loqa.LoqaConfig(), networks=actor_critic),
    graphs=True,
)
ADVANTAGE_ALIGNMENT = LearnerSpec(
    "advantage_alignment",
    "Advantage Alignment (2025)",
    advantage_alignment.default_config,
    partial(make_self_play, loss=advantage_alignment.loss),
    partial(restore_agent, base=advantage_alignment.AlignmentConfig(), networks=actor_critic),
    graphs=True,
)
LOQA_MODELLED = LearnerSpec(
    "loqa_modelled",
    "LOQA with models of the opponents' rewards and values",
    loqa_modelled.default_config,
    partial(make_self_play, loss=loqa.loss, kind=loqa_modelled.ModelledSelfPlay),
    partial(restore_agent, base=loqa_modelled.ModelledConfig(), networks=actor_critic),
    graphs=True,
)
