"""What independent PPO has learned: networks of the observations themselves, and an agent.

Shapes  K parameter sets, N players, n games, F' numbers of an observation as it is kept, F as a
        network reads it.
"""

import math
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint
from agents.evaluation.agent import Agent
from agents.evaluation.restore import first_theta, known_settings
from agents.learners.ippo.ippo import IppoConfig
from agents.nn.networks import ActorCritic, Mlp


def networks(cfg: IppoConfig, game: Any, device: str) -> ActorCritic:
    """A policy and a state value, of all F numbers of an observation."""
    # Of the table of observations a network needs only how many numbers one has: there are too
    # many observations to number them.
    table = torch.empty(0, math.prod(game.observation_shape), device=device)
    hidden = (cfg.hidden,) * cfg.layers
    return ActorCritic(Mlp(table, int(game.num_actions[0]), hidden), Mlp(table, 1, hidden))


def class_count(game: Any) -> int:
    """How many classes a cell of `obs_mode="uint8"` may have; 0 if it shows the planes."""
    return len(getattr(game, "classes", ()))


def planes(observed: Tensor, classes: int) -> Tensor:
    """Observations as networks and agents read them, a plane for each class.

    uint8 [..., F'] -> float32 [..., F].
    """
    if not classes:
        return observed.float()
    every = torch.arange(classes, dtype=observed.dtype, device=observed.device)
    return (observed[..., None, :] == every[:, None]).flatten(-2).float()


def by_player(observed: Tensor) -> Tensor:
    """[n, N, ...] -> [N, n, F'], a copy: a batch may write into its arrays again."""
    return observed.flatten(2).movedim(1, 0).contiguous().clone()


def restore_agent(saved: Checkpoint, device: str, seed: int) -> Agent:
    """The agent of a checkpoint: the shared network, or player 0's.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    facts = saved.facts
    cfg = IppoConfig(**known_settings(saved, IppoConfig))
    net = networks(cfg, sde.spec(facts["env_id"]).game(**facts["game"]), device)
    return Agent(net, first_theta(saved, net).to(device), facts, seed)
