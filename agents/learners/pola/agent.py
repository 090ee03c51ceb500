"""Agents of the deep POLA learners, from their checkpoints."""

import torch
from torch import Tensor

from agents.checkpoint import Checkpoint, check_tensors, load
from agents.evaluation.agent import TrainedAgent
from agents.evaluation.loading import find_checkpoint
from agents.evaluation.restore import restore_agent as restore_network
from agents.learners.pola.config import PolaDiceConfig
from agents.learners.pola.networks import actor_critic
from agents.nn.networks import ActorCritic


def restore_agent(saved: Checkpoint, device: str, seed: int) -> TrainedAgent:
    """The agent of a checkpoint.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    return restore_network(saved, device, seed, base=PolaDiceConfig(), networks=actor_critic)


def warm_policy(source: str, net: ActorCritic) -> Tensor:
    """The policy's parameters of an agent with the same network, [1, P of the actor].

    Raises:
        ValueError: its network is another.
        CheckpointError: see `load`.
    """
    theta = load(find_checkpoint(source)).tensors.get("self0.theta")
    if theta is None or theta.ndim != 2 or theta.shape[1] < net.actor_size:
        held = "no network" if theta is None else f"{theta.shape[-1]} parameters"
        raise ValueError(
            f"warm_start={source!r} holds {held}, this policy has {net.actor_size}: actor, hidden "
            "and layers must be those of that agent"
        )
    return theta[:1, : net.actor_size]
