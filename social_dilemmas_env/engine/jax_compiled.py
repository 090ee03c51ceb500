"""The functions of an engine on JAX, compiled for batches."""

import copy
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import jax
import numpy as np

from social_dilemmas_env.engine.array_engine import MAX_READY, Array, Encoded, Key
from social_dilemmas_env.engine.array_tables import observation_count
from social_dilemmas_env.engine.jax_bound import JaxBound
from social_dilemmas_env.engine.jax_engine import (
    JaxArrays,
    JaxEngine,
    JaxRules,
    JaxTables,
    wide,
)
from social_dilemmas_env.games.game import Board, Game, is_bound


def make_engine(game: Game, by_tables: bool, obs_mode: str, xp: JaxArrays) -> JaxEngine:
    """What plays a game: its tables, its rules on columns, or those on arrays."""
    if is_bound(game):
        return JaxBound(game, xp, obs_mode)
    return (JaxTables if by_tables else JaxRules)(game, xp, obs_mode)


class Compiled:
    """The functions of an engine, compiled once for all batches of the same rules.

    Its tables are arguments of them: as constants they would be part of every program.

    Attributes:
        engine: what is compiled.
        game, xp, numbers: the engine's.
    """

    def __init__(self, engine: JaxEngine):
        self.engine, self.game, self.xp = engine, engine.game, engine.xp
        self.numbers = engine.numbers
        self.begin, self.begin_some = self._function("begin"), self._function("begin_some")
        self.see, self.board = self._function("see"), self._function("board")
        self.observe_many = self._function("observe_many")
        self.see_into = self._function("see_into", donate_argnums=1, keep_unused=True)
        self._play, self._ends = self._function("play"), self._function("ends")
        self._trembled = self._function("trembled")

    def _function(self, name: str, **options: Any) -> Callable[..., Any]:
        engine = self.engine

        def on_tables(tables: dict[str, Array], *args: Any) -> Any:
            twin = copy.copy(engine)
            vars(twin).update(tables)
            with wide(False):  # whatever the caller has set
                return getattr(twin, name)(*args)

        function = jax.jit(on_tables, **options)
        return lambda *args: function(self.tables, *args)

    @cached_property
    def tables(self) -> dict[str, Array]:
        """The engine's arrays."""
        if observation_count(self.game) * self.numbers <= MAX_READY:
            _ = self.engine.observation_table  # made now, not while a function is traced
        found = vars(self.engine).items()
        return {name: value for name, value in found if isinstance(value, jax.Array)}

    @property
    def observation_table(self) -> Array:
        """See `RuleEngine`."""
        return self.engine.observation_table

    def play(
        self, encoded: Encoded, actions: Array, key: Key, t: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        """See `RuleEngine`; t is an int or a numpy array."""
        played: tuple[Encoded, Array]
        played = self._play(encoded, actions, key, _clock(t), episode_rewards)
        return played

    def ends(self, key: Key, t: Any) -> Array:
        """See `JaxEngine`."""
        return self._ends(key, _clock(t))

    def trembled(self, key: Key, t: Any, actions: Array) -> Array:
        """See `JaxEngine`."""
        return self._trembled(key, _clock(t), actions)

    def encoded(self, board: Board) -> Encoded:
        """The columns of boards, encoded."""
        return self.engine.encoded(board)


def _clock(t: Any) -> Any:
    """A host's clock, or clocks, as a compiled function takes them."""
    return np.int32(t) if isinstance(t, int) else t.astype(np.int32)


@lru_cache(maxsize=32)
def compiled(game: Game, by_tables: bool, obs_mode: str, device: Any) -> Compiled:
    """What plays the games of all batches of these rules on this device."""
    return Compiled(make_engine(game, by_tables, obs_mode, JaxArrays(device)))
