"""Anything that can play: a scripted strategy, a bundled or trained agent, a user's own object, by one word."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import social_dilemmas_env as sde

Policy = Callable[[np.ndarray], int]


def player(word: str, env_id: str, index: int, seed: int, game_kwargs: dict[str, Any]) -> Policy:
    """A policy (observation of one game -> action) by name.

    Args:
        word: a strategy of this game (`tit_for_tat`).
        env_id: the game.
        index: which player it is.
        seed: fixes the strategy's own random choices.
        game_kwargs: arguments of the game.

    Raises:
        ValueError: an unknown name (the nearest are named).
    """
    strategy = sde.make_strategy(word, env_id, player=index, seed=seed, **game_kwargs)
    strategy.reset(1)
    return lambda observation: int(strategy.act(observation[None])[0])


def play_episode(env: Any, policies: Sequence[Policy], seed: int | None = None) -> Any:
    """Plays one episode; yields the rewards by agent after every step."""
    observations, _ = env.reset(seed=seed)
    while env.agents:
        actions = {agent: policy(observations[agent]) for agent, policy in zip(env.agents, policies, strict=True)}
        observations, rewards, *_ = env.step(actions)
        yield rewards
