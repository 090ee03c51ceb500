"""What plays the commons on JAX: rules that are bound to a library of arrays.

The rules have the games as the last axis of their arrays, [K, B]; outside of them everything in
JAX has the games first, [..., K], so that `jax.vmap` makes many of one game.  A single game is
played as a batch of one.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from typing_extensions import override

from social_dilemmas_env.engine.array_engine import Array, Encoded, Key
from social_dilemmas_env.engine.bound_engine import BoundEngine
from social_dilemmas_env.engine.jax_engine import INT_LIMIT, JaxArrays, JaxEngine
from social_dilemmas_env.games.commons.arrays import RuleArrays
from social_dilemmas_env.games.game import Board, Game, is_bound, observed_shape


class JaxRuleArrays(JaxArrays, RuleArrays):
    """What the rules of the commons ask for besides: integers have 32 bits, as everywhere here."""

    @override
    def constant(self, table: np.ndarray) -> Array:
        return super().constant(table.astype(np.int32) if table.dtype == np.int64 else table)

    @override
    def cast(self, column: Array, dtype: str) -> Array:
        return column.astype(jax.dtypes.canonicalize_dtype(dtype))  # int64 is int32 here

    @override
    def pile(self, columns: Sequence[Array]) -> Array:
        return jnp.stack(columns)

    @override
    def join(self, arrays: Sequence[Array]) -> Array:
        return jnp.concatenate(arrays)

    @override
    def where(self, mask: Array, this: Any, other: Any) -> Array:
        return jnp.where(mask, this, other)

    @override
    def put(self, array: Array, index: Array, values: Array) -> Array:
        return array.reshape(-1).at[index].set(values).reshape(array.shape)

    @override
    def with_row(self, array: Array, k: int, row: Array) -> Array:
        return array.at[k].set(row)

    @override
    def order(self, keys: Array) -> Array:
        return jnp.argsort(keys, axis=0, stable=True)

    @override
    def count_neighbours(self, neighbours: Array, marked: Array) -> Array:
        return (neighbours @ marked.astype(jnp.float32)).astype(jnp.uint8)

    @override
    def count_up(self, marked: Array) -> Array:
        return jnp.cumsum(marked, axis=0, dtype=jnp.int16)

    @override
    def where_needed(
        self, mask: Array, change: Callable[..., Array], columns: Sequence[Array]
    ) -> Array:
        return change(*columns)  # of all games: shapes depend on nothing that happens

    @override
    def look(self, ground: Array, windows: Array, where: Array) -> Array:
        index = self.take(windows, where).reshape(len(ground), -1)
        seen = jnp.take_along_axis(ground, index, axis=1, mode="clip")
        return seen.reshape(*where.shape, -1)


class JaxBound(JaxEngine, BoundEngine):
    """The rules on arrays; encoded boards are arrays [..., K]."""

    def __init__(self, game: Game, xp: JaxArrays, obs_mode: str):
        BoundEngine.__init__(self, game, JaxRuleArrays(xp.device), obs_mode, static=True)
        self.shape = (len(self.players), *observed_shape(game, obs_mode))

    @override
    def start(self, key: Key) -> Encoded:
        games = key[0].shape
        rows = super().start((key[0].reshape(-1), key[1].reshape(-1)))
        return self._games_first(rows, games)

    @override
    def play(
        self, encoded: Encoded, actions: Array, key: Key, t: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        games, key = key[0].shape, (key[0].reshape(-1), key[1].reshape(-1))
        given = actions.reshape(-1, actions.shape[-1])
        rows, rewards = super().play(_games_last(encoded), given, key, t, episode_rewards)
        return self._games_first(rows, games), rewards.reshape(actions.shape)

    @override
    def see(self, encoded: Encoded) -> Array:
        games = encoded[0].shape[:-1]
        seen = self.rules.observe(_games_last(encoded))
        if self.obs_mode == "uint8":
            return seen.reshape(*games, *self.shape)

        # A plane for each class.
        classes = jnp.arange(self.shape[1], dtype=seen.dtype)[:, None]
        return (seen[:, :, None] == classes).astype(jnp.float32).reshape(*games, *self.shape)

    # Boards

    @override
    def board(self, encoded: Encoded) -> Board:
        return tuple(
            array[..., k].astype(jnp.int32) for array in encoded for k in range(array.shape[-1])
        )

    @override
    def encoded(self, board: Board) -> Encoded:
        return self._games_first(super().encoded(board), None)

    def _games_first(self, rows: Encoded, games: tuple[int, ...] | None) -> Encoded:
        """Arrays [K, B] as [*games, K] of the types that boards have; None: as [B, K]."""
        typed = zip(rows, self.rules.dtypes, strict=True)
        first = [self.xp.cast(array, dtype).T for array, dtype in typed]
        return tuple(first if games is None else [a.reshape(*games, -1) for a in first])


def _games_last(encoded: Encoded) -> Encoded:
    """Arrays [..., K] as [K, B]."""
    return tuple(array.reshape(-1, array.shape[-1]).T for array in encoded)


def checked_size(game: Game, num_envs: int) -> None:
    """Raises ValueError for a batch of commons whose cells, seen four ways, int32 cannot count."""
    if not is_bound(game):
        return
    most = (INT_LIMIT - 1) // (4 * (game.lattice.nowhere + 1))  # type: ignore[attr-defined]
    if num_envs > most:
        raise ValueError(
            f'num_envs must be at most {most} for this map with backend="jax", whose integers '
            f"have 32 bits; got {num_envs}"
        )
