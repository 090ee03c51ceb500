"""Agents of the deep POLA learners, from their checkpoints.

A recurrent policy plays what it was trained on.  A table or an MLP that was shown the Coin Game's
memory remembers by itself: its agent plays the game as it is, without that view, and follows the
memory from the boards it sees (evaluation/memory_agent.py).
"""

import json
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint
from agents.evaluation.agent import Agent, TrainedAgent
from agents.evaluation.loading import load_agent
from agents.evaluation.memory_agent import MemoryAgent
from agents.evaluation.restore import first_theta, known_settings
from agents.evaluation.restore import restore_agent as restore_network
from agents.execution.games import spaces
from agents.learners.pola.config import PolaDiceConfig
from agents.learners.pola.networks import actor_critic
from agents.nn.networks import ActorCritic
from social_dilemmas_env.exact import ExactGame
from social_dilemmas_env.exact.product import memory_columns
from social_dilemmas_env.games.game import encode


def restore_agent(saved: Checkpoint, device: str, seed: int) -> TrainedAgent:
    """The agent of a checkpoint.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    cfg = PolaDiceConfig(**known_settings(saved, PolaDiceConfig))
    game = saved.facts["game"]
    if cfg.actor == "gru" or (cfg.symmetry == "none" and game.get("memory") is None):
        return restore_network(saved, device, seed, base=cfg, networks=actor_critic)

    # By state of the exact game, with what it was shown as its memory.
    table, num_actions = spaces(saved.facts["env_id"], game, device)
    rules = sde.spec(saved.facts["env_id"]).game(**game)
    net = actor_critic(cfg, table, num_actions, rules)
    theta = first_theta(saved, net).to(device)

    exact = remembering_game(saved.facts["env_id"], json.dumps(game), cfg.symmetry != "none")
    policy = policy_by_state(net, theta, exact, rules)
    plain = {name: value for name, value in game.items() if name != "memory"}
    return MemoryAgent(exact, policy, saved.facts, seed, device, game_kwargs=plain)


@cache
def remembering_game(env_id: str, game: str, translations: bool) -> ExactGame:
    """The game whose states are boards and what the view shows of the past.

    Args:
        env_id: the game.
        game: its arguments, as JSON.
        translations: whether boards that differ by one are one state.
    """
    arguments: dict[str, Any] = json.loads(game)
    memory = arguments.pop("memory", None)
    symmetry = "translations" if translations else None
    return sde.exact_game(env_id, memory=memory, symmetry=symmetry, **arguments)


@torch.no_grad()
def policy_by_state(net: ActorCritic, theta: Tensor, exact: ExactGame, rules: Any) -> np.ndarray:
    """What a network without memory does in each state of a game, [S, A].

    Args:
        net: its actor reads observation ids of `rules`.
        theta: [1, P].
        exact: the game whose memory `rules` show.
        rules: the game it was trained on.
    """
    origin = exact.origin
    board = tuple(column[origin.product.board] for column in origin.boards.board)
    memory = memory_columns(origin.memory, origin.product.memory)
    ids = np.asarray(encode((*board, *memory), rules.view_sizes))

    seen = torch.as_tensor(ids, device=theta.device)[None, None]
    chances = torch.softmax(net.logits(theta, seen)[0, 0].double(), -1)
    return chances.cpu().numpy()


def warm_policy(source: str, net: ActorCritic) -> Tensor:
    """The policy's parameters of an agent with the same network, [1, P of the actor].

    Raises:
        ValueError: its network is another, or it has none.
        CheckpointError: see `load_agent`.
    """
    agent, wanted = load_agent(source), net.actor.shapes()
    held = agent.parameters if isinstance(agent, Agent) else {}
    if {name: tuple(x.shape[1:]) for name, x in held.items()} != wanted:
        raise ValueError(
            f"warm_start={source!r} is no agent with the network of this policy: actor, hidden, "
            "layers and the game's view must be its own"
        )
    return torch.cat([held[name].flatten(1) for name in wanted], 1)
