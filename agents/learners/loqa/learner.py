"""LOQA and Advantage Alignment as `train` and `load_agent` know them: settings for a game, a
learner, a trained agent.
"""

from dataclasses import fields, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.agent import Agent
from agents.learners.loqa import advantage_alignment, loqa, loqa_modelled
from agents.learners.loqa.self_play import SelfPlay, networks
from agents.registry import LearnerSpec


def make(
    cfg: loqa.LoqaConfig,
    env_id: str,
    game: dict[str, Any],
    seed: int,
    device: str,
    *,
    loss: Any,
    kind: type = SelfPlay,
) -> SelfPlay:
    """A learner with its games.

    Raises:
        ValueError: one network for all players of a game whose views do not say which player one
            is.
    """
    if cfg.shared and getattr(sde.spec(env_id).game(**game), "view", "") == "joint":
        raise ValueError(
            "view='joint' shows all players the same: with shared=True none knows who it is; shared=False, or view='ego'"
        )
    return kind(
        cfg, fresh_games(env_id, game, cfg.runs * cfg.batch, cfg.horizon, device), loss, seed
    )


def fresh_games(env_id: str, game: dict[str, Any], count: int, horizon: int, device: str) -> Any:
    """That many games on view ids, which begin when told to."""
    how: dict[str, Any] = {
        "backend": "torch",
        "device": device,
        "obs_mode": "state",
        "autoreset": "disabled",
    }
    return sde.make_vec_env(env_id, num_envs=count, max_cycles=horizon, **how, **game)


def agent(
    checkpoint: Checkpoint,
    device: str,
    seed: int,
    *,
    base: Any,
    networks: Any = networks,
    player: int = 0,
) -> Agent:
    """The agent of a checkpoint.

    Of its first run and, where players have networks of their own, of `player`.
    """
    facts = checkpoint.facts
    known = {f.name for f in fields(base)}
    unknown = sorted(set(facts["settings"]) - known)
    if unknown:
        raise CheckpointError(
            f"{checkpoint.path}: it has the setting {unknown[0]!r}, which this version does not know"
        )
    cfg = replace(base, **facts["settings"])
    table, actions = spaces(facts["env_id"], facts["game"], device)
    net = networks(cfg, table, actions)
    name = f"self{player}.theta"
    check_tensors(
        checkpoint.tensors,
        {name: torch.empty(checkpoint_runs(checkpoint, name), net.size)},
        checkpoint.path,
    )
    return Agent(net, checkpoint.tensors[name][:1].to(device), facts, seed)


def checkpoint_runs(checkpoint: Checkpoint, name: str) -> int:
    """How many runs a checkpoint holds."""
    if name not in checkpoint.tensors:
        raise CheckpointError(
            f"{checkpoint.path}: it has no {name!r}: saved by another learner or version"
        )
    return len(checkpoint.tensors[name])


def spaces(env_id: str, game: dict[str, Any], device: str) -> tuple[Tensor, int]:
    """The observations of all views [V, F], and the number of actions."""
    venv: Any = sde.make_vec_env(
        env_id, num_envs=1, backend="torch", device=device, obs_mode="state", **game
    )
    return venv.observation_table, int(venv.single_action_space.n)


LOQA = LearnerSpec(
    "loqa",
    "LOQA: learning with opponent Q-learning awareness (2024)",
    loqa.settings,
    partial(make, loss=loqa.loss),
    partial(agent, base=loqa.LoqaConfig()),
    graphs=True,
)
ADVANTAGE_ALIGNMENT = LearnerSpec(
    "advantage_alignment",
    "Advantage Alignment (2025)",
    advantage_alignment.settings,
    partial(make, loss=advantage_alignment.loss),
    partial(agent, base=advantage_alignment.AlignmentConfig()),
    graphs=True,
)
LOQA_MODELLED = LearnerSpec(
    "loqa_modelled",
    "LOQA with models of the opponents' rewards and values",
    loqa_modelled.settings,
    partial(make, loss=loqa.loss, kind=loqa_modelled.ModelledSelfPlay),
    partial(agent, base=loqa_modelled.ModelledConfig()),
    graphs=True,
)
