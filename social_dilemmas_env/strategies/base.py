"""What all scripted players share: many games at once, on numpy arrays or torch tensors, without
importing torch.

A player keeps its memory as integer arrays [B] beside the observations they came from, made at the
first `act` after a `reset` and updated in place.  It uses only operations that both libraries spell
alike; the two exceptions are `like` and the check of what an array is.

Random moves are counter-based (see `draws`): the word for game i at the t-th call of `act` since
the n-th reset hashes (seed of game i, player, n, t), so that a game's moves depend neither on its
neighbours nor on the backend.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng as draws
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.validation import integer

Array = Any  # numpy array or torch tensor
STREAM = 0x53747261  # keeps a player's words apart from those of a game with the same seed


def is_array(value: object) -> bool:
    """Whether `value` is a numpy array or a torch tensor."""
    return isinstance(value, np.ndarray) or hasattr(value, "new_tensor")


def like(array: Array, values: Sequence[int]) -> Array:
    """`values` as an int64 array of the same library, on the same device, as the int64 array
    `array`.
    """
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

    def __init__(self, game: Game, player: int = 0, seed: int = 0):
        """Makes the player; use `make_strategy`."""
        self.game = game
        self.player = seat(game, player)
        self.num_games: int | None = None
        self._seed: Any = draws.check_seed(seed)
        self._resets = -1
        self._zeros: Array = (
            None  # [B]; None until the first observations tell the library and the device
        )

    @classmethod
    def refusal(cls, game: Game) -> str:
        """Why this player cannot play `game`, as the end of a sentence; "" if it can."""
        return ""

    def reset(self, num_games: int, seed: int | Sequence[int] | None = None) -> None:
        """Forgets everything; the next `act` begins an episode in all games.

        Args:
            num_games: B, at least 1.
            seed: fixes the random moves: an integer (game i then plays by seed `draws.draw(seed,
                i)`), or every game's own. None goes on with the last seed, with new random moves.

        Raises:
            TypeError: an argument that is not an integer.
            ValueError: no games, a seed out of range, a wrong number of seeds.
        """
        num_games = integer("num_games", num_games, 1)
        if isinstance(seed, Sequence | np.ndarray):
            seed = [draws.check_seed(own) for own in seed]
            if len(seed) != num_games:
                raise ValueError(
                    f"seed must be an integer or {num_games} of them, one a game; got {len(seed)}"
                )
        elif seed is not None:
            seed = draws.check_seed(seed)
        elif isinstance(self._seed, list) and len(self._seed) != num_games:
            raise ValueError(
                f"the last seeds were for {len(self._seed)} games: {num_games} games need a seed"
            )
        self._resets = self._resets + 1 if seed is None else 0
        self._seed = self._seed if seed is None else seed
        self.num_games, self._zeros = num_games, None

    def act(self, observations: Array, first: Array | None = None) -> Array:
        """The moves in all games.

        Without a `reset` before it, the first call resets to as many games as it is given.

        Args:
            observations: [B, *observation_shape], what this player observes; a numpy array or a
                torch tensor of numbers.
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
        self._check(observations, first)
        if self.num_games is None:
            self.reset(len(observations))
        if self._zeros is None:
            self._begin(observations)
        restart = self._zeros if first is None else self._zeros + first
        actions = self._choose(observations, restart)
        self._t += 1
        return actions

    def _check(self, observations: Array, first: Array | None) -> None:
        if not is_array(observations):
            raise TypeError(
                f"observations must be a numpy array or a torch tensor, got {type(observations).__name__}"
            )
        shape, games = tuple(observations.shape), "B" if self.num_games is None else self.num_games
        if (
            len(shape) == 0
            or shape[1:] != self.game.observation_shape
            or shape[0] != (self.num_games or shape[0] or 1)
        ):
            expected = ", ".join(map(str, (games, *self.game.observation_shape)))
            raise ValueError(
                f"observations of one player in {games} games must have shape [{expected}], got {shape}"
            )
        if self._zeros is not None and isinstance(observations, np.ndarray) != isinstance(
            self._zeros, np.ndarray
        ):
            raise TypeError(
                f"this player has memory on {type(self._zeros)}: reset() it to go on with another library"
            )
        if first is None:
            return
        if not is_array(first) or isinstance(first, np.ndarray) != isinstance(
            observations, np.ndarray
        ):
            raise TypeError(
                f"first must be an array of the same library as the observations, got {type(first)}"
            )
        if tuple(first.shape) != shape[:1] or "bool" not in str(first.dtype):
            raise ValueError(
                f"first must be bool of shape [{shape[0]}], got {first.dtype} of {tuple(first.shape)}"
            )

    def _begin(self, observations: Array) -> None:
        """Makes the arrays, next to the observations."""
        zeros = (observations.reshape(self.num_games, -1)[:, 0] > 0) * 0
        index = (zeros + 1).cumsum(0) - 1
        seeds = (
            like(zeros, self._seed)
            if isinstance(self._seed, list)
            else draws.draw(self._seed, index)
        )
        self._key = draws.key(draws.draw(seeds, STREAM, self.player), self._resets)
        self._t = like(zeros, [0])
        self._start(zeros)
        self._zeros = zeros

    def _words(self) -> Array:
        """A random 32-bit word for each game, int64 [B]; a player uses at most one a move."""
        return draws.word(self._key, self._t)

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
        raise NotImplementedError

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

    def _choose(self, observations: Array, restart: Array) -> Array:
        return draws.bounded(self._words(), self.game.num_actions[self.player])

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
        """See `make_strategy`."""
        super().__init__(game, player, seed)
        self.action = integer("action", action, 0)
        if action >= game.num_actions[player]:
            raise ValueError(
                f"action must lie in 0 .. {game.num_actions[player] - 1}, got {action}"
            )

    def _choose(self, observations: Array, restart: Array) -> Array:
        return self._zeros + self.action

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        certain = np.eye(self.game.num_actions[self.player])[self.action]
        return np.tile(certain, (len(observations), 1))
