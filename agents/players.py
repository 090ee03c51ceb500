"""Anything that can play: a scripted strategy, a bundled or trained agent, a user's own object, by one word."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde

Policy = Callable[[np.ndarray], int]


def batch_player(word: str, env_id: str, index: int, seed: int, game_kwargs: dict[str, Any]) -> Any:
    """A player of many games at once (`reset(B)`, `act(observations [B, ...]) -> [B]`) by name.

    Args:
        word: a strategy of this game (`tit_for_tat`), an agent that comes with the package (`bundled:NAME`), or a run folder
            or checkpoint (any word with a `/` or `.` in it, or the name of a folder here).
        env_id: the game.
        index: which player it is.
        seed: fixes its random choices.
        game_kwargs: arguments of the game.

    Raises:
        ValueError: an unknown name (the nearest are named), or an agent of another game.
    """
    if not is_agent(word):
        return sde.make_strategy(word, env_id, player=index, seed=seed, **game_kwargs)
    from agents.agent import AgentPlayer, load_agent  # imports torch

    agent = load_agent(word)
    if agent.env_id != env_id:
        raise ValueError(f"{word} plays {agent.env_id}, not {env_id}")
    theirs, ours = (sde.spec(env_id).game(**kwargs).observation_shape for kwargs in (agent.game_kwargs, game_kwargs))
    if theirs != ours:
        raise ValueError(f"{word} was trained on observations of shape {theirs}, this game's are {ours}")
    return AgentPlayer(agent, seed)


def is_agent(word: str) -> bool:
    """Whether a word names a trained agent rather than a strategy."""
    return word.startswith("bundled:") or "/" in word or "." in word or Path(word).is_dir()


def player(word: str, env_id: str, index: int, seed: int, game_kwargs: dict[str, Any]) -> Policy:
    """A policy (observation of one game -> action) by name; see `batch_player`."""
    mine = batch_player(word, env_id, index, seed, game_kwargs)
    mine.reset(1)
    return lambda observation: int(mine.act(observation[None])[0])


def play_episode(env: Any, policies: Sequence[Policy], seed: int | None = None) -> Any:
    """Plays one episode; yields the rewards by agent after every step."""
    observations, _ = env.reset(seed=seed)
    while env.agents:
        actions = {agent: policy(observations[agent]) for agent, policy in zip(env.agents, policies, strict=True)}
        observations, rewards, *_ = env.step(actions)
        yield rewards
