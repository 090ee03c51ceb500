"""Exact learners by name, and one row of the LOLA paper's table with its learning curve.

Paper   Foerster et al. 2018, LOLA, https://arxiv.org/abs/1709.04326, Table 3

Shapes  R independent runs, N players, S states, T updates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from typing import Any

from torch import Tensor

from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.learners.naive.naive_exact import NaiveConfig, naive
from agents.learners.sos.sos import ConsensusConfig, SosConfig, consensus, look_ahead, sos
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.gradient_runs import Direction, History, RunConfig, Stopped, run
from agents.matrix_games.policy_metrics import nash_rate, tft_rate

__all__ = [
    "EXACT_LEARNERS",
    "History",
    "RunConfig",
    "Stopped",
    "exact_learner",
    "exact_table",
    "run",
]

# name -> (direction, its settings)
EXACT_LEARNERS: dict[str, tuple[Callable[..., Tensor], type]] = {
    "naive": (naive, NaiveConfig),
    "lola": (lola, LolaConfig),
    "look_ahead": (look_ahead, SosConfig),
    "sos": (sos, SosConfig),
    "consensus": (consensus, ConsensusConfig),
}


def exact_learner(name: str, **settings: Any) -> Direction:
    """The learner called `name` with its settings, e.g. `exact_learner("lola", order=2)`.

    Raises:
        ValueError: a name that is not in EXACT_LEARNERS, or a setting that the learner does not
            have.
    """
    if name not in EXACT_LEARNERS:
        raise ValueError(f"no exact learner {name!r}; there are {', '.join(EXACT_LEARNERS)}")

    direction, config = EXACT_LEARNERS[name]
    unknown = set(settings) - {field.name for field in fields(config)}
    if unknown:
        raise ValueError(f"{name!r} has no setting {', '.join(sorted(unknown))}")
    return partial(direction, cfg=config(**settings))


def exact_table(
    payoffs: Any,
    gamma: float,
    learners: str | Sequence[str] = "lola",
    cfg: RunConfig | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Runs one exact learner, or one a player: a row of the paper's table and its learning curve.

    Args:
        payoffs: [A, A, 2], as `social_dilemmas_env.payoffs` returns them.
        gamma: discount in [0, 1).
        learners: a name in EXACT_LEARNERS, or one a player.
        cfg: runs, steps, learning rate, seed, device.
        **settings: of the learner, e.g. `order=2`; only with a single name.

    Returns:
        Plain data:
            "learners", "gamma", "runs", "stopped": names, γ, R, one message a stopped run.
            "tft", "nash": dicts {per_state, all_states, agents}, shares in [0, 1].
            "reward_mean", "reward_std": over runs and players; "reward_players": a list of N.
            "curve": mean payoff a step before and after each update, [T + 1].
            "spread": its standard deviation over runs and players, [T + 1].
            "curve_quantiles": {"0.05": [T + 1], "0.5": ..., "0.95": ...} over runs, of the players'
                mean.
            "policies": probability of action 0, an array [R, N, S].
    """
    cfg = cfg or RunConfig()
    game = MatrixGame(payoffs, gamma, cfg.device)

    # One learner for both, or one each.
    if isinstance(learners, str):
        names: tuple[str, ...] = (learners, learners)
        history = run(game, exact_learner(learners, **settings), cfg)
    else:
        names = tuple(learners)
        history = run(game, tuple(map(exact_learner, names)), cfg)

    policies, last = game.policies(history.theta), history.values[-1]
    mean = history.values.mean(-1)  # [T + 1, R], of the players
    return {
        "learners": names,
        "gamma": gamma,
        "runs": cfg.runs,
        "stopped": [str(stopped) for stopped in history.stopped],
        "tft": tft_rate(policies)._asdict(),
        "nash": nash_rate(policies)._asdict(),
        "reward_mean": last.mean().item(),
        "reward_std": last.std(correction=0).item(),
        "reward_players": last.mean(0).tolist(),
        "curve": mean.mean(-1).tolist(),
        "spread": history.values.flatten(1).std(-1, correction=0).tolist(),
        "curve_quantiles": {str(q): mean.quantile(q, dim=-1).tolist() for q in (0.05, 0.5, 0.95)},
        "policies": policies[..., 0].cpu().numpy(),
    }
