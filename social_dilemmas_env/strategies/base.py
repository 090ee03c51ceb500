"""What all scripted players of many games share (`Scripted`); they are policies (policy.py).

They play on numpy arrays or torch tensors, without importing torch.

A player keeps its memory as integer arrays [B] beside the observations they came from, made at the
first `act` after a `reset` and updated in place.  It uses only operations that both libraries spell
alike; the two exceptions are `like` and the check of what an array is.

Random moves are counter-based (see `rng`): the word for game i at the t-th call of `act` since
the n-th reset hashes (seed of game i, player, n, t), so that a game's moves depend neither on its
neighbours nor on the backend.
"""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.games.game import Game, observed_shape
from social_dilemmas_env.games.switches import plays_alike
from social_dilemmas_env.policy import STREAM, Policy, check_seeds
from social_dilemmas_env.validation import integer

Array = Any  # numpy array or torch tensor
Strategy = Policy  # what `make_strategy` returns is one


def is_array(value: object) -> bool:
    """Whether `value` is a numpy array or a torch tensor."""
    return isinstance(value, np.ndarray) or hasattr(value, "new_tensor")


def same_library(a: Array, b: Array) -> bool:
    """Whether both are numpy arrays, or both torch tensors."""
    return isinstance(a, np.ndarray) == isinstance(b, np.ndarray)


def like(array: Array, values: Sequence[int]) -> Array:
    """`values` as int64, of the same library and on the same device as the int64 array `array`."""
    return array.new_tensor(values) if hasattr(array, "new_tensor") else np.array(values, np.int64)


def seat(game: Game, player: int) -> int:
    """`player`, an index of a player of `game`.

    Raises:
        TypeError: not an integer.
        ValueError: out of range.
    """
    if integer("player", player, 0) >= len(game.num_actions):
        raise ValueError(f"player must lie in 0 .. {len(game.num_actions) - 1}, got {player}")
    return int(player)


class Scripted:
    """B copies of one scripted player, one for each of B games.

    Copies and pickles continue in the middle of a game.

    Attributes:
        name: the name `make_strategy` knows it by.
        game: the rules of the game it plays.
        player: which player it is.
        num_games: B; None before the first `reset`.
        num_memories: how many states its memory has; it is in state 0 when it sees the first board.
        memory: the memory of an exact game (see `exact_game`) that expresses it; None for none.
    """

    name: ClassVar[str] = ""
    num_memories: ClassVar[int] = 1
    memory: ClassVar[str | None] = None
    _t: Array  # moves since the reset; [B] once some were taken back

    def __init__(self, game: Game, player: int = 0, seed: int = 0):
        """Makes the player; use `make_strategy`."""
        self.game = game
        self.player = seat(game, player)
        self.num_games: int | None = None
        self._seed: Any = rng.check_seed(seed)
        self._resets = -1
        # int64 [B]; None until the first observations tell the library and the device.
        self._zeros: Array = None

    @classmethod
    def refusal(cls, game: Game) -> str:
        """Why this player cannot play `game`, as the end of a sentence; "" if it can."""
        return ""

    def check_seat(self, game: Game, player: int) -> None:
        """Whether it can sit here: it reads boards by the rules and the seat it was made for.

        Raises:
            ValueError: other rules; or another seat, where players do not see their own side first.
        """
        if not plays_alike(self.game, game):
            raise ValueError(
                f"this {self.name} was made for another game: give make_strategy the same id and "
                "arguments as the environment's"
            )
        if getattr(game, "view", "ego") == "joint" and self.player != player:
            raise ValueError(
                f'with view="joint" this {self.name} can only be player {self.player}, for which '
                f"it was made: make_strategy(..., player={player})"
            )

    def reset(self, num_games: int, seed: int | Sequence[int] | None = None) -> None:
        """Forgets everything; the next `act` begins an episode in all games.

        Args:
            num_games: B, at least 1.
            seed: fixes the random moves: an integer (game i then plays by seed
                `rng.draw(seed, i)`), or every game's own.  None goes on with the last seed, with
                new random moves.

        Raises:
            TypeError: an argument that is not an integer.
            ValueError: no games, a seed out of range, a wrong number of seeds.
        """
        # Look at everything before anything is changed.
        num_games = integer("num_games", num_games, 1)
        seed = check_seeds(seed, num_games, self._seed)

        # A new seed starts over; without one, the count of resets makes new random moves.
        self._resets = self._resets + 1 if seed is None else 0
        self._seed = self._seed if seed is None else seed
        self.num_games, self._zeros = num_games, None

    def act(self, observations: Array, first: Array | None = None) -> Array:
        """The moves in all games.

        Without a `reset` before it, the first call resets to as many games as it is given.

        Args:
            observations: [B, *observation_shape], what this player observes, or the same numbers
                flat, [B, numbers]; a numpy array or a torch tensor of numbers.
            first: bool [B], the games whose episode has just begun (after an automatic reset); they
                forget what happened before.  Without it, players of matrix games go by the start
                state that they observe; those of the Coin Game, where nothing marks the start, take
                the last board and the new one for one step.

        Returns:
            int64 [B], an array of the same library on the same device; never a view of the input or
            of memory.

        Raises:
            TypeError: not an array, or one of another library than since the last reset.
            ValueError: a wrong shape or number of games.
        """
        # Look at everything before anything is changed.
        self._check_observations(observations)
        if first is not None:
            self._check_first(observations, first)

        # The first observations say how many games there are, and on which device.
        if self.num_games is None:
            self.reset(len(observations))
        if self._zeros is None:
            self._begin(observations)

        # 1 where an episode begins, else 0.
        restart = self._zeros if first is None else self._zeros + first
        actions = self._choose(observations, restart)
        self._t += 1
        return actions

    def take_back(self, games: Array) -> None:
        """The last move of these games, bool [B], was none: they waited for their reset."""
        self._t = self._t - games * 1

    def _check_observations(self, observations: Array) -> None:
        """Raises TypeError or ValueError unless they are what `act` documents."""
        if not is_array(observations):
            kind = type(observations).__name__
            raise TypeError(f"observations must be a numpy array or a torch tensor, got {kind}")

        shape, expected = tuple(observations.shape), self.game.observation_shape
        games_fit = len(shape) > 0 and shape[0] == (self.num_games or shape[0] or 1)
        compact = observed_shape(self.game, "uint8")
        known = (expected, (math.prod(expected),), compact, (math.prod(compact),))
        if not games_fit or shape[1:] not in known:
            games = "B" if self.num_games is None else self.num_games
            wanted = ", ".join(map(str, (games, *expected)))
            raise ValueError(
                f"observations of one player in {games} games must have shape [{wanted}], "
                f"got {shape}"
            )

        if self._zeros is not None and not same_library(observations, self._zeros):
            raise TypeError(
                f"this player has memory on {type(self._zeros)}: "
                "reset() it to go on with another library"
            )

    def _check_first(self, observations: Array, first: Array) -> None:
        """Raises TypeError or ValueError unless it is what `act` documents."""
        if not is_array(first) or not same_library(first, observations):
            raise TypeError(
                f"first must be an array of the same library as the observations, got {type(first)}"
            )
        shape, games = tuple(first.shape), len(observations)
        if shape != (games,) or "bool" not in str(first.dtype):
            raise ValueError(f"first must be bool of shape [{games}], got {first.dtype} of {shape}")

    def _begin(self, observations: Array) -> None:
        """Makes the arrays, next to the observations."""
        zeros = (observations.reshape(self.num_games, -1)[:, 0] > 0) * 0

        # Random moves: a key for each game.
        if isinstance(self._seed, list):
            seeds = like(zeros, self._seed)
        else:
            index = (zeros + 1).cumsum(0) - 1  # 0 .. B - 1
            seeds = rng.draw(self._seed, index)
        self._key = rng.key(rng.draw(seeds, STREAM, self.player), self._resets)
        self._t = like(zeros, [0])

        # Tables and memory.
        self._start(zeros)
        self._zeros = zeros

    def _words(self) -> Array:
        """A random 32-bit word for each game, int64 [B]; a player uses at most one a move."""
        return rng.word(self._key, self._t)

    def _start(self, zeros: Array) -> None:
        """Makes tables and memory; `zeros` is int64 [B]."""

    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        """With which probability it chooses each action; changes nothing.

        Args:
            observations: [B, *observation_shape], a numpy array.
            memory: the state of its memory, having seen them.

        Returns:
            float64 [B, A].
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how likely its actions are")

    def next_memory(self, memory: int, before: Any, observations: Any) -> Any:
        """The state of its memory after a step; changes nothing.

        Args:
            memory: the state before.
            before: [B, *observation_shape], what it observed then, a numpy array.
            observations: of the same shape, what it observes now.

        Returns:
            int64 [B].
        """
        return np.zeros(len(observations), np.int64)

    def _choose(self, observations: Array, restart: Array) -> Array:
        """The moves, as a fresh int64 [B]; `restart` is 1 where an episode begins, else 0."""
        raise NotImplementedError


class Random(Scripted):
    """Chooses every action with the same probability, whatever happened before.

    Axelrod's first tournament: R. Axelrod, "Effective Choice in the Prisoner's Dilemma", J.
    Conflict Resolution 24 (1980).
    """

    name = "random"

    @override
    def _choose(self, observations: Array, restart: Array) -> Array:
        return rng.bounded(self._words(), self.game.num_actions[self.player])

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        actions = self.game.num_actions[self.player]
        return np.full((len(observations), actions), 1 / actions)


class Constant(Scripted):
    """Chooses the same action (`action=`, an integer) always.

    A pure strategy of the stage game, repeated.
    """

    name = "constant"

    def __init__(self, game: Game, player: int = 0, seed: int = 0, *, action: int):
        super().__init__(game, player, seed)
        self.action = integer("action", action, 0)
        last = game.num_actions[player] - 1
        if action > last:
            raise ValueError(f"action must lie in 0 .. {last}, got {action}")

    @override
    def _choose(self, observations: Array, restart: Array) -> Array:
        return self._zeros + self.action

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        certain = np.eye(self.game.num_actions[self.player])[self.action]
        return np.tile(certain, (len(observations), 1))
