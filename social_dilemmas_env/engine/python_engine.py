"""One game on Python ints: the driver behind the PettingZoo and Gymnasium views of a single game.

numpy costs a microsecond a call, whatever the size of its arrays; one step of one game is therefore
a few look-ups in Python lists made from the tables (`ListDriver`) or, where there are too many
states, the rules themselves on Python ints (`RuleDriver`).  Both give the same integers.
"""

import math
import operator
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np

from social_dilemmas_env import rng as draws
from social_dilemmas_env.engine.tables import (
    fits,
    num_states,
    observations,
    tables,
    view_ids,
)
from social_dilemmas_env.games.game import Board, Game, State, decode, encode
from social_dilemmas_env.validation import integer

MAX_LIST = 1 << 18  # entries of a list: 5 MB of Python objects
MAX_OBSERVATIONS = 1 << 21  # numbers in the observations kept ready: 8 MB


def episode_draw(key: tuple[int, int], t: int, streams: int) -> Any:
    """The `draw(stream, n)` that the rules ask for, at step `t` of an episode (0: the reset)."""

    def draw(stream: int, n: int) -> int:
        return draws.bounded(draws.word(key, t * streams + stream), n) if n > 1 else 0

    return draw


def episode_rewards(game: Game, key: tuple[int, int]) -> Sequence[float]:
    """Reward code -> reward in this episode: the game's values, each plus its own noise."""
    if not game.reward_noise:
        return game.reward_values
    scale = game.reward_noise / 2**31  # word in [0, 2^32) -> [-noise, noise)
    noise = [
        (draws.word(key, -1 - code & draws.MASK) - 2**31) * scale
        for code in range(len(game.reward_values))
    ]
    return [value + shift for value, shift in zip(game.reward_values, noise, strict=True)]


def player_names(game: Game) -> list[str]:
    """player_0, player_1, ..."""
    return [f"player_{i}" for i in range(len(game.num_actions))]


class Driver(Protocol):
    """Moves a position (a board, in the driver's own form) on."""

    game: Game

    def start(self, key: tuple[int, int]) -> Any:
        """The position at the start of an episode."""

    def step(
        self, position: Any, actions: Sequence[int], key: tuple[int, int], t: int
    ) -> tuple[Any, Sequence[int]]:
        """The `t`-th joint move (from 1).

        Returns the new position and a reward code per player.
        """

    def observe(self, position: Any) -> dict[str, np.ndarray]:
        """What each player observes, as fresh float32 arrays."""

    def board(self, position: Any) -> Board:
        """The position as a board."""

    def position(self, board: Board) -> Any:
        """The board as a position."""


class RuleDriver:
    """The rules on Python ints."""

    def __init__(self, game: Game):
        self.game = game
        self.names = player_names(game)
        self.sizes, self.shape = game.sizes, game.observation_shape

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(driver, by_rules=True), (
            self.game,
        )  # else a small game would come back with tables

    def start(self, key: tuple[int, int]) -> Board:
        """See `Driver`."""
        draw = episode_draw(key, 0, self.game.streams)
        return self.game.chance(self.game.start(draw), draw)

    def step(
        self, position: Board, actions: Sequence[int], key: tuple[int, int], t: int
    ) -> tuple[Board, Sequence[int]]:
        """See `Driver`."""
        board, codes = self.game.act(position, actions)
        if any(map(operator.eq, board, self.sizes)):  # something is marked for chance
            board = self.game.chance(board, episode_draw(key, t, self.game.streams))
        return board, codes

    def observe(self, position: Board) -> dict[str, np.ndarray]:
        """See `Driver`."""
        return {name: self._observe(position, player) for player, name in enumerate(self.names)}

    def _observe(self, position: Board, player: int) -> np.ndarray:
        observation = np.zeros(self.shape, np.float32)
        flat = observation.reshape(-1)
        for feature in self.game.features(self.game.view_of(position, player)):
            flat[feature] = 1.0
        return observation

    def board(self, position: Board) -> Board:
        """See `Driver`."""
        return position

    def position(self, board: Board) -> Board:
        """See `Driver`."""
        return board


class ListDriver:
    """The tables as Python lists; a position is the code of a board."""

    def __init__(self, game: Game):
        self.game = game
        table = tables(game)
        self.num_states, self.span = table.num_states, table.span
        self.choices = [(stream, base) for stream, base in enumerate(table.bases) if base > 1]
        self.after, self.outcomes = table.after.tolist(), table.outcomes.tolist()
        self.codes = list(map(tuple, table.rewards.tolist()))
        views = view_ids(game, np.arange(self.num_states))
        arrays = observations(game, np.arange(views.max() + 1))
        self.ready = list(arrays[views])  # of each position, what all players observe
        self.seats = list(enumerate(player_names(game)))
        self.rules, self.num_actions, self.streams = (
            RuleDriver(game),
            game.num_actions,
            game.streams,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return driver, (self.game,)

    def start(self, key: tuple[int, int]) -> int:
        """See `Driver`."""
        return encode(self.rules.start(key), self.game.sizes)

    def step(
        self, position: int, actions: Sequence[int], key: tuple[int, int], t: int
    ) -> tuple[int, Sequence[int]]:
        """See `Driver`."""
        entry = position
        for action, count in zip(actions, self.num_actions):  # noqa: B905, one check costs a tenth of the step
            entry = entry * count + action
        after = self.after[entry]
        if after >= self.num_states:
            after = self.outcomes[(after - self.num_states) * self.span + self._rank(key, t)]
        return after, self.codes[entry]

    def _rank(self, key: tuple[int, int], t: int) -> int:
        """Which outcome chance picks; see `tables`."""
        rank, counter = 0, t * self.streams
        for stream, base in self.choices:
            rank = rank * base + (draws.word(key, counter + stream) * base >> 32)
        return rank

    def observe(self, position: int) -> dict[str, np.ndarray]:
        """See `Driver`."""
        arrays = self.ready[position].copy()
        return {name: arrays[i] for i, name in self.seats}

    def board(self, position: int) -> Board:
        """See `Driver`."""
        return decode(position, self.game.sizes)

    def position(self, board: Board) -> int:
        """See `Driver`."""
        return encode(board, self.game.sizes)


@lru_cache(maxsize=64)
def driver(game: Game, *, by_rules: bool = False) -> Driver:
    """The faster driver that fits; shared by all environments with the same rules."""
    if (
        by_rules
        or num_states(game) * math.prod(game.observation_shape) * len(game.num_actions)
        > MAX_OBSERVATIONS
    ):
        return RuleDriver(game)
    return ListDriver(game) if fits(game, MAX_LIST) else RuleDriver(game)


class SingleGame:
    """One game being played: seed, episode, step and position, without any API around it.

    Attributes:
        game: the rules.
        t: steps taken in this episode; -1 before the first reset.
        over: whether the episode has ended.
    """

    def __init__(self, game: Game, *, by_rules: bool = False):
        self.game = game
        self.driver = driver(game, by_rules=by_rules)
        self.seed: int | None = None
        self.episode, self.t, self.over = 0, -1, False
        self._position: Any = None
        self._key = (0, 1)
        self.rewards: Sequence[float] = game.reward_values

    def __deepcopy__(self, memo: dict[int, Any]) -> "SingleGame":
        twin = object.__new__(type(self))
        twin.__dict__.update(
            self.__dict__
        )  # every attribute is immutable, or never written in place
        return twin

    def reset(self, seed: int | None = None) -> None:
        """Starts the next episode; with a seed, the first episode of that seed."""
        if seed is not None:
            self.seed, self.episode = draws.check_seed(seed), 0
        elif self.seed is None:
            self.seed, self.episode = draws.fresh_seed(), 0
        else:
            self.episode += 1
        self.t, self.over = 0, False
        self._new_key()
        self._position = self.driver.start(self._key)

    def _new_key(self) -> None:
        self._key = draws.key(self.seed, self.episode)
        self.rewards = episode_rewards(self.game, self._key)

    def step(self, actions: Sequence[int]) -> list[float]:
        """One joint move of checked actions; returns the rewards."""
        self.t = t = self.t + 1
        self._position, codes = self.driver.step(self._position, actions, self._key, t)
        self.over = t >= self.game.max_cycles
        rewards = self.rewards
        return [rewards[code] for code in codes]

    def observe(self) -> dict[str, np.ndarray]:
        """What each player observes now, as fresh float32 arrays."""
        return self.driver.observe(self._position)

    @property
    def board(self) -> Board:
        """The columns of the board."""
        return self.driver.board(self._position)

    def get_state(self) -> State:
        """Everything needed to continue, as plain integers."""
        return State(
            repr(self.game), self.seed, self.episode, self.t, list(self.board), int(self.over)
        )

    def set_state(self, state: Any) -> None:
        """Continues from a `State` (or its fields in order, as JSON gives them back).

        Raises:
            ValueError: a state of another game, or a field out of range.
            TypeError: a field that does not hold integers.
        """
        state = checked_state(self.game, state)
        seed, (episode, t, over) = draws.check_seed(state.seed), checked_clock(state)
        if not isinstance(state.board, list | tuple):
            raise TypeError(f"board must be a list of integers, got {state.board!r}")
        check_columns(self.game, [np.asarray([column]) for column in state.board])
        self.seed, self.episode, self.t, self.over = seed, episode, t, over
        self._new_key()
        self._position = self.driver.position(tuple(int(column) for column in state.board))


def checked_state(game: Game, state: Any) -> State:
    """`state` as a `State` of this game.

    Raises:
        ValueError: it is not a state, or belongs to another game.
    """
    try:
        state = State(**state) if isinstance(state, dict) else State(*state)
    except TypeError:
        raise ValueError(
            f"not a state: expected the fields {', '.join(State._fields)}, got {type(state).__name__}"
        ) from None
    if state.game != repr(game):
        raise ValueError(f"this state belongs to another game: {state.game}; this one is {game!r}")
    return state


def checked_clock(state: State) -> tuple[int, int, bool]:
    """Episode, step and whether it is over, of the state of one game.

    Raises:
        ValueError: a field out of range.
        TypeError: a field that is not an integer.
    """
    episode, t, over = (
        integer("episode", state.episode, 0),
        integer("t", state.t, 0),
        integer("over", state.over, 0),
    )
    if over > 1:
        raise ValueError(f"over must be 0 or 1, got {over}")
    return episode, t, bool(over)


def check_columns(game: Game, columns: Sequence[np.ndarray]) -> None:
    """Checks the range of each column of a board.

    Raises:
        ValueError: a column is missing or out of range.
    """
    if len(columns) != len(game.sizes):
        raise ValueError(
            f"a board of this game has {len(game.sizes)} columns {game.columns}, got {len(columns)}"
        )
    for name, size, column in zip(game.columns, game.sizes, columns, strict=True):
        if column.dtype.kind not in "iu" or (column < 0).any() or (column >= size).any():
            raise ValueError(
                f"{name} must hold integers in 0 .. {size - 1}, got {column.tolist()[:5]}"
            )
