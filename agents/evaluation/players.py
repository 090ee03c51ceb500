"""Anything that can play: a scripted strategy, a bundled or trained agent, a user's own object, by
one word.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde


def batch_player(word: str, env_id: str, index: int, seed: int, game_kwargs: dict[str, Any]) -> Any:
    """A player of many games at once (`reset(B)`, `act(observations [B, ...]) -> [B]`) by name.

    Args:
        word: a strategy of this game (`tit_for_tat`), an agent that comes with the package
            (`bundled:NAME`), or a run folder or checkpoint (any word with a `/` or `.` in it, or
            the name of a folder here).
        env_id: the game.
        index: which player it is.
        seed: fixes its random choices.
        game_kwargs: arguments of the game.

    Raises:
        ValueError: an unknown name (the nearest are named), or an agent of another game.
    """
    if not is_agent(word):
        return sde.make_strategy(word, env_id, player=index, seed=seed, **game_kwargs)
    from agents.evaluation.agent import AgentPlayer, load_agents  # imports torch

    seats = load_agents(word)
    agent = seats[0]
    if agent.env_id != env_id:
        raise ValueError(f"{word} plays {agent.env_id}, not {env_id}")
    check_game(word, env_id, agent.game_kwargs, game_kwargs)
    return AgentPlayer(seats[index], seed)


def check_game(name: str, env_id: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    """Raises ValueError if an agent of one game would misread another of the same kind.

    Payoffs may differ.
    """
    trained, played = (sde.spec(env_id).game(**kwargs) for kwargs in (theirs, ours))
    for what in ("observation_shape", "view", "moves"):
        then, now = (getattr(game, what, None) for game in (trained, played))
        if then != now:
            raise ValueError(f"{name} was trained with {what} {then}, this game has {now}")


def is_agent(word: str) -> bool:
    """Whether a word names a trained agent rather than a strategy."""
    return word.startswith("bundled:") or "/" in word or "." in word or Path(word).is_dir()


class Single:
    """A player of one game by name (see `batch_player`): observation -> action."""

    def __init__(
        self, word: str, env_id: str, index: int, seed: int, game_kwargs: dict[str, Any]
    ) -> None:
        self.player = batch_player(word, env_id, index, seed, game_kwargs)

    def reset(self) -> None:
        """Begins an episode."""
        self.player.reset(1)

    def __call__(self, observation: np.ndarray) -> int:
        """The move."""
        return int(self.player.act(observation[None])[0])


def play_episode(env: Any, policies: Sequence[Single], seed: int | None = None) -> Any:
    """Plays one episode; yields the rewards by agent after every step."""
    observations, _ = env.reset(seed=seed)
    for policy in policies:
        policy.reset()
    while env.agents:
        actions = {
            agent: policy(observations[agent])
            for agent, policy in zip(env.agents, policies, strict=True)
        }
        observations, rewards, *_ = env.step(actions)
        yield rewards
