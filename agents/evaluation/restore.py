"""From a checkpoint back to an agent: the networks that its settings ask for, with its parameters.

A deep learner's checkpoint holds "self0.theta" [R, P], and "self1.theta", ... where players have
networks of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor

from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.agent import Agent
from agents.evaluation.critic import Critic
from agents.execution.games import spaces
from agents.nn.networks import ActorCritic
from agents.registry import RENAMED_SETTINGS

Networks = Callable[[Any, Tensor, int], ActorCritic]


def restore_agent(
    checkpoint: Checkpoint, device: str, seed: int, *, base: Any, networks: Networks
) -> Agent:
    """The agent of a checkpoint: its first player in its first run.

    Args:
        checkpoint: of a deep learner.
        device: where the agent computes.
        seed: of its random choices.
        base: a config, whose fields the checkpoint's settings replace.
        networks: (config, observations [V, F], number of actions) -> the learner's networks.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    facts = checkpoint.facts
    cfg = replace(base, **known_settings(checkpoint, base))
    table, num_actions = spaces(facts["env_id"], facts["game"], device)
    net = networks(cfg, table, num_actions)

    theta = first_theta(checkpoint, net).to(device)
    agent = Agent(net, theta, facts, seed)
    agent.critic = Critic(net.critic, net.unpack(theta, "critic"))
    return agent


def known_settings(checkpoint: Checkpoint, config: Any) -> Mapping[str, Any]:
    """The settings of a checkpoint, by the names they have now.

    Args:
        checkpoint: whose facts name them.
        config: a config, or its class.

    Raises:
        CheckpointError: one of them is no field of the config.
    """
    settings = {RENAMED_SETTINGS.get(k, k): v for k, v in checkpoint.facts["settings"].items()}
    unknown = sorted(set(settings) - {f.name for f in fields(config)})
    if unknown:
        raise CheckpointError(
            f"{checkpoint.path}: it has the setting {unknown[0]!r}, "
            "which this version does not know"
        )
    return settings


def first_theta(checkpoint: Checkpoint, net: ActorCritic) -> Tensor:
    """The parameters of the first player's networks in the first run, on the CPU.  [1, P].

    Raises:
        CheckpointError: they are missing, of another size, or not finite.
    """
    name = "self0.theta"
    runs = len(checkpoint.tensors.get(name, ()))
    # Without memory: the settings may ask for more than there is.
    expected = {name: torch.empty(runs, net.size, device="meta")}
    check_tensors(checkpoint.tensors, expected, checkpoint.path)
    return checkpoint.tensors[name][:1]
