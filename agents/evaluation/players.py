"""Anything that can play, by one word.

A strategy, a bundled agent, a run folder, a checkpoint, or an object of one's own file.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from social_dilemmas_env.single_agent.files import is_file_word, load_object
from social_dilemmas_env.single_agent.players import Place, as_policy
from social_dilemmas_env.strategies import STRATEGIES
from social_dilemmas_env.strategies.axelrod_player import is_axelrod_word

# (seat, seed) -> a player of many games at once: `reset(B)`, `act(observations [B, ...]) -> [B]`.
PlayerFactory = Callable[[int, int], Any]


def player_factory(word: str, env_id: str, game_kwargs: Mapping[str, Any]) -> PlayerFactory:
    """Players by name; an agent is read once, however many players are made of it.

    Args:
        word: a strategy of this game (`tit_for_tat`) or of the Axelrod library
            (`axelrod:Grudger`), an agent that comes with the package
            (`bundled:NAME`), something of one's own (`./mine.py:Agent`), or a run folder or
            checkpoint (any word with a `/` or `.` in it, or the name of a folder here).
        env_id: the game.
        game_kwargs: its arguments.

    Returns:
        (seat, seed of its random choices) -> a player.

    Raises:
        ValueError: an unknown agent (the nearest are named), or one of another game.  An unknown
            strategy is noticed when a player is made.
    """
    if is_file_word(word):
        own = load_object(word)
        return lambda seat, seed: _seeded_policy(own, env_id, seat, seed, game_kwargs)
    if is_axelrod_word(word):
        return lambda seat, seed: _seeded_policy(word, env_id, seat, seed, game_kwargs)
    if not is_agent(word):
        return lambda seat, seed: sde.make_strategy(
            word, env_id, player=seat, seed=seed, **game_kwargs
        )

    # Inside, since scripted players need no torch.
    from agents.evaluation.agent import AgentPlayer
    from agents.evaluation.loading import load_agents

    agents = load_agents(word)
    check_trained_for(word, agents[0], env_id, game_kwargs)
    return lambda seat, seed: AgentPlayer(agents[seat].seated(seat, game_kwargs), seed)


def _seeded_policy(
    own: Any, env_id: str, seat: int, seed: int, game_kwargs: Mapping[str, Any]
) -> Any:
    """An object of a user as a player; functions get one observation."""
    policy = as_policy(own, Place(env_id, seat, dict(game_kwargs), each=True))
    policy.reset(1, seed)
    return policy


def batch_player(
    word: str, env_id: str, seat: int, seed: int, game_kwargs: Mapping[str, Any]
) -> Any:
    """One player of many games at once by name; see player_factory.

    Args:
        word: who plays.
        env_id: the game.
        seat: which player of the game it is.
        seed: fixes its random choices.
        game_kwargs: arguments of the game.

    Raises:
        ValueError: an unknown name (the nearest are named), or an agent of another game.
    """
    return player_factory(word, env_id, game_kwargs)(seat, seed)


def check_trained_for(name: str, agent: Any, env_id: str, game_kwargs: Mapping[str, Any]) -> None:
    """Raises ValueError if an agent would misread the game: another one, or other observations.

    Payoffs may differ.
    """
    if agent.env_id != env_id:
        raise ValueError(f"{name} plays {agent.env_id}, not {env_id}")
    if agent.seated(0, game_kwargs).game_kwargs == game_kwargs:
        return

    # What an agent was trained to read and to write.
    trained, played = (sde.spec(env_id).game(**kw) for kw in (agent.game_kwargs, game_kwargs))
    for what in ("observation_shape", "view", "moves"):
        then, now = (getattr(game, what, None) for game in (trained, played))
        if then != now:
            raise ValueError(f"{name} was trained with {what} {then}, this game has {now}")


def is_agent(word: str) -> bool:
    """Whether a word names a trained agent rather than a strategy."""
    if word in STRATEGIES:  # also where a folder of that name happens to be
        return False
    return word.startswith("bundled:") or "/" in word or "." in word or Path(word).is_dir()


def remark_on(player: Any) -> str:
    """What those who watch a player should know of it; "" for nothing."""
    remark: str = getattr(getattr(player, "agent", None), "remark", "")
    return remark


class SinglePlayer:
    """A player of one game by name (see `batch_player`): observation -> action."""

    def __init__(
        self, word: str, env_id: str, seat: int, seed: int, game_kwargs: Mapping[str, Any]
    ) -> None:
        self.player = batch_player(word, env_id, seat, seed, game_kwargs)

    def reset(self) -> None:
        """Begins an episode."""
        self.player.reset(1)

    def __call__(self, observation: np.ndarray) -> int:
        """The move."""
        return int(self.player.act(observation[None])[0])
