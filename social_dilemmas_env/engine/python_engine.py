"""One game on Python ints: what plays behind the PettingZoo and Gymnasium forms of a single game.

numpy costs a microsecond a call, whatever the size of its arrays; one step of one game is therefore
a few look-ups in Python lists made from the tables (`ListDriver`) or, where there are too many
states, the rules themselves on Python ints (`RuleDriver`).  Both give the same integers.
"""

import math
import operator
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Protocol, Self

import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.engine.bound_driver import BoundDriver
from social_dilemmas_env.engine.states import checked_single_state
from social_dilemmas_env.engine.tables import (
    fits,
    num_states,
    observation_ids,
    observations,
    tables,
)
from social_dilemmas_env.games.game import (
    Board,
    Draw,
    Game,
    State,
    decode,
    encode,
    is_bound,
    random_end,
)
from social_dilemmas_env.games.switches import action_noise, trembled

MAX_LIST = 1 << 18  # entries of a list: 5 MB of Python objects
MAX_OBSERVATIONS = 1 << 21  # numbers in the observations kept ready: 8 MB

Key = tuple[int, int]  # start and stride of an episode's words; see `rng`


def episode_draw(key: Key, t: int, streams: int) -> Draw:
    """The `draw(stream, n)` that the rules ask for, at step `t` of an episode (0: the reset)."""

    def draw(stream: int, n: int) -> int:
        return rng.bounded(rng.word(key, t * streams + stream), n) if n > 1 else 0

    return draw


def episode_rewards(game: Game, key: Key) -> Sequence[float]:
    """Reward code -> reward in this episode: the game's values, each plus its own noise."""
    if not game.reward_noise:
        return game.reward_values

    scale = game.reward_noise / 2**31  # word in [0, 2^32) -> [-noise, noise)
    words = [rng.word(key, -1 - code & rng.MASK) for code in range(len(game.reward_values))]
    noise = [(word - 2**31) * scale for word in words]
    return [value + shift for value, shift in zip(game.reward_values, noise, strict=True)]


def player_names(game: Game) -> list[str]:
    """player_0, player_1, ..."""
    return [f"player_{i}" for i in range(len(game.num_actions))]


class Driver(Protocol):
    """Moves a game on; it keeps a board in its own form, *encoded*."""

    game: Game

    def start(self, key: Key) -> Any:
        """The encoded board at the start of an episode."""

    def step(
        self, encoded: Any, actions: Sequence[int], key: Key, t: int
    ) -> tuple[Any, Sequence[int]]:
        """The `t`-th joint move (from 1).

        Returns the new encoded board and a reward code per player.
        """

    def observe(self, encoded: Any) -> dict[str, np.ndarray]:
        """What each player observes, as fresh float32 arrays."""

    def board(self, encoded: Any) -> Board:
        """The columns of an encoded board."""

    def encoded(self, board: Board) -> Any:
        """The columns of a board, encoded."""


class RuleDriver(Driver):
    """The rules on Python ints; a board is its columns."""

    def __init__(self, game: Game):
        self.game = game
        self.names = player_names(game)
        self.sizes, self.shape = game.sizes, game.observation_shape

    def __reduce__(self) -> tuple[Any, ...]:
        # Else a small game would come back with tables.
        return partial(driver, by_rules=True), (self.game,)

    @override
    def start(self, key: Key) -> Board:
        draw = episode_draw(key, 0, self.game.streams)
        return self.game.chance(self.game.start(draw), draw)

    @override
    def step(
        self, encoded: Board, actions: Sequence[int], key: Key, t: int
    ) -> tuple[Board, Sequence[int]]:
        board, codes = self.game.act(encoded, actions)
        if any(map(operator.eq, board, self.sizes)):  # something is marked for chance
            board = self.game.chance(board, episode_draw(key, t, self.game.streams))
        return board, codes

    @override
    def observe(self, encoded: Board) -> dict[str, np.ndarray]:
        return {name: self._observation(encoded, player) for player, name in enumerate(self.names)}

    def _observation(self, board: Board, player: int) -> np.ndarray:
        observation = np.zeros(self.shape, np.float32)
        flat = observation.reshape(-1)
        for one_position in self.game.features(self.game.view_of(board, player)):
            flat[one_position] = 1.0
        return observation

    @override
    def board(self, encoded: Board) -> Board:
        return encoded

    @override
    def encoded(self, board: Board) -> Board:
        return board


class ListDriver(Driver):
    """The tables as Python lists; a board is its code."""

    def __init__(self, game: Game):
        self.game = game
        self.rules = RuleDriver(game)
        self.num_actions, self.streams = game.num_actions, game.streams

        # Transitions.
        table = tables(game)
        self.num_states, self.span = table.num_states, table.span
        self.choices = [(stream, base) for stream, base in enumerate(table.bases) if base > 1]
        self.next_code, self.outcomes = table.next_code.tolist(), table.outcomes.tolist()
        self.codes = list(map(tuple, table.rewards.tolist()))

        # Of each state, what all players observe: an array [N, *observation_shape].
        ids = observation_ids(game, np.arange(self.num_states))
        self.ready = list(observations(game, np.arange(ids.max() + 1))[ids])
        self.seats = list(enumerate(player_names(game)))

    def __reduce__(self) -> tuple[Any, ...]:
        return driver, (self.game,)

    @override
    def start(self, key: Key) -> int:
        return int(encode(self.rules.start(key), self.game.sizes))

    @override
    def step(
        self, encoded: int, actions: Sequence[int], key: Key, t: int
    ) -> tuple[int, Sequence[int]]:
        # The row of (state, joint action).
        entry = encoded
        # `strict=True` would cost a tenth of the step.
        for action, count in zip(actions, self.num_actions):  # noqa: B905
            entry = entry * count + action

        # What the players do and, where it has something to do, chance.
        next_code = self.next_code[entry]
        if next_code >= self.num_states:
            pending = (next_code - self.num_states) * self.span
            next_code = self.outcomes[pending + self._outcome_index(key, t)]
        return next_code, self.codes[entry]

    def _outcome_index(self, key: Key, t: int) -> int:
        """Which outcome chance picks; see `tables`."""
        index, counter = 0, t * self.streams
        for stream, base in self.choices:
            index = index * base + (rng.word(key, counter + stream) * base >> 32)
        return index

    @override
    def observe(self, encoded: int) -> dict[str, np.ndarray]:
        arrays = self.ready[encoded].copy()
        return {name: arrays[i] for i, name in self.seats}

    @override
    def board(self, encoded: int) -> Board:
        return decode(encoded, self.game.sizes)

    @override
    def encoded(self, board: Board) -> int:
        return int(encode(board, self.game.sizes))


@lru_cache(maxsize=64)
def driver(game: Game, *, by_rules: bool = False) -> Driver:
    """The faster driver that fits; shared by all environments with the same rules."""
    if is_bound(game):
        return BoundDriver(game)
    numbers = num_states(game) * math.prod(game.observation_shape) * len(game.num_actions)
    if by_rules or numbers > MAX_OBSERVATIONS or not fits(game, MAX_LIST):
        return RuleDriver(game)
    return ListDriver(game)


class SingleGame:
    """One game being played: seed, episode, step and board, without any API around it.

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
        self._encoded: Any = None
        self._key = (0, 1)
        self.rewards: Sequence[float] = game.reward_values
        self._random_end, self._trembles = random_end(game), action_noise(game) > 0
        # What was played in the last step: what was chosen, but where hands tremble.
        self.played: Sequence[int] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        # Every attribute is immutable, or never written in place.
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def reset(self, seed: int | None = None) -> None:
        """Starts the next episode; with a seed, the first episode of that seed."""
        if seed is not None:
            self.seed, self.episode = rng.check_seed(seed), 0
        elif self.seed is None:
            self.seed, self.episode = rng.fresh_seed(), 0
        else:
            self.episode += 1

        self.t, self.over = 0, False
        self._new_key()
        self._encoded = self.driver.start(self._key)

    def _new_key(self) -> None:
        self._key = rng.key(self.seed, self.episode)
        self.rewards = episode_rewards(self.game, self._key)

    def step(self, actions: Sequence[int]) -> list[float]:
        """One joint move of checked actions; returns the rewards."""
        self.t = t = self.t + 1
        if self._trembles:
            draw = episode_draw(self._key, t, self.game.streams)
            actions = trembled(self.game, actions, draw)
        self.played = actions
        self._encoded, codes = self.driver.step(self._encoded, actions, self._key, t)
        self.over = t >= self.game.max_cycles or self._ends(t)
        rewards = self.rewards
        return [rewards[code] for code in codes]

    def _ends(self, t: int) -> bool:
        """Whether the episode ends at random, after t steps."""
        if self._random_end is None:
            return False
        return bool(self._random_end.ends(t, episode_draw(self._key, t, self.game.streams)))

    def observe(self) -> dict[str, np.ndarray]:
        """What each player observes now, as fresh float32 arrays."""
        return self.driver.observe(self._encoded)

    @property
    def board(self) -> Board:
        """The columns of the board."""
        return self.driver.board(self._encoded)

    def get_state(self) -> State:
        """Everything needed to continue, as plain integers."""
        return State(
            repr(self.game), self.seed, self.episode, self.t, list(self.board), int(self.over)
        )

    def set_state(self, state: Any) -> None:
        """Continues from a `State` (or its fields in order, as JSON gives them back).

        Raises:
            ValueError: a state of another game, or a field out of range; nothing is changed.
            TypeError: a field that does not hold integers.
        """
        checked = checked_single_state(self.game, state)
        key = rng.key(checked.seed, checked.episode)
        rewards = episode_rewards(self.game, key)
        encoded = self.driver.encoded(checked.board)

        self.seed, self.episode, self.t, self.over, _ = checked
        self._key, self.rewards, self._encoded = key, rewards, encoded
