"""What plays games on JAX: pure functions of static shapes, for one game or for many.

Columns have any shape: [] for one game, so that `jax.vmap` makes many of it, or [B].  The integers
of JAX have 32 bits unless the caller says otherwise, and nothing here needs that: columns are
int32, words uint32.  Where `rng` needs 64 bits for a moment, and the noise of payoffs float64,
`wide` allows them there and then; whatever the caller has set, results have the same types.
"""

from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.engine.array_engine import (
    Array,
    Arrays,
    Encoded,
    Key,
    RuleEngine,
)
from social_dilemmas_env.engine.array_tables import observation_count
from social_dilemmas_env.engine.static_engine import StaticRules, StaticTables
from social_dilemmas_env.engine.tables import num_states
from social_dilemmas_env.games.game import (
    Column,
    Draw,
    Game,
    is_bound,
    player_0_sees_all,
    random_end,
)
from social_dilemmas_env.games.switches import trembled

INT_LIMIT = 1 << 31  # of int32
PLATFORMS = ("cpu", "gpu", "cuda", "rocm", "tpu")

# Tables on their devices, for as long as some engine holds them.
_SHARED: WeakValueDictionary[Any, Any] = WeakValueDictionary()


def wide(allowed: bool = True) -> Any:
    """A context in which numbers may have 64 bits; or, whatever the caller has set, may not."""
    return jax.enable_x64(allowed)


def checked_device(device: Any) -> Any:
    """The device.

    Args:
        device: "cpu", "gpu", "cuda:1", "tpu", or a device of JAX's.

    Raises:
        ValueError: no name of a device.
        RuntimeError: a device that is not there.
    """
    if isinstance(device, jax.Device):
        return device
    platform, _, index = device.partition(":") if isinstance(device, str) else ("", "", "")
    if platform not in PLATFORMS or not (index.isdigit() or not index):
        raise ValueError(
            f'device must be "cpu", "gpu", "cuda", "tpu", one of them with a number ("gpu:1"), or '
            f"a jax.Device, got {device!r}"
        )

    try:
        there = jax.devices(platform)
    except RuntimeError:
        raise RuntimeError(
            f"device={device!r}: JAX {jax.__version__} finds no {platform} here, only "
            f'{jax.default_backend()}; use device="cpu", or install JAX for it '
            f'(pip install "jax[cuda13]" for an NVIDIA GPU)'
        ) from None
    if int(index or 0) >= len(there):
        raise RuntimeError(f"device={device!r}: there are {len(there)} {platform} devices here")
    return there[int(index or 0)]


def checked_ids(game: Game, obs_mode: str, *, whole: bool = False) -> None:
    """Checks that ids of what players see, or of whole boards, fit the integers of JAX.

    Raises:
        ValueError: they need 64 bits, which JAX is not allowed.
    """
    by_boards = whole and not player_0_sees_all(game)
    count = num_states(game) if by_boards else observation_count(game)
    allowed = jax.dtypes.canonicalize_dtype(np.int64) == np.int64
    if obs_mode == "state" and not is_bound(game) and count > INT_LIMIT and not allowed:
        raise ValueError(
            f'obs_mode="state": this game has {count} ids, more than an int32 holds; allow JAX 64 '
            'bits, jax.config.update("jax_enable_x64", True), or choose another obs_mode'
        )


class JaxArrays(Arrays):
    """Words are uint32, integers int32 (int64 where `wide` allows it).

    Attributes:
        device: where tables lie; None: wherever JAX puts them.
    """

    def __init__(self, device: Any = None):
        self.device = device

    @override
    def column(self, values: Any) -> Array:
        return jnp.asarray(values, dtype=int, device=self.device)

    @override
    def arange(self, n: int) -> Array:
        return jnp.arange(n, dtype=int)

    def constant(self, table: np.ndarray) -> Array:
        """A numpy table as an array on the device."""
        with wide(), jax.ensure_compile_time_eval():  # else a table made while tracing is traced
            return jax.device_put(table, self.device)

    @override
    def shared(self, make: Callable[..., np.ndarray], *args: Any) -> Array:
        name = (make, args, self.device)
        table = _SHARED.get(name)
        if table is None:
            _SHARED[name] = table = self.constant(make(*args))
        return table

    @override
    def word(self, column: Column) -> Column:
        return column & rng.MASK if isinstance(column, int) else column.astype(jnp.uint32)

    @override
    def words(self, key: Key, counter: Column) -> Array:
        with wide():  # the constants of `rng` are larger than an int32
            return rng.word(key, counter)

    @override
    def uniform(self, key: Key, counter: Column, n: Column) -> Array:
        with wide():
            word = self.words(key, self.word(counter)).astype(jnp.uint64)
            n = n if isinstance(n, int) else n.astype(jnp.uint64)
            return rng.bounded(word, n).astype(jnp.int32)

    @override
    def integer(self, word: Array) -> Array:
        return word.astype(int)

    @override
    def lanes(self, mask: Array) -> Array:
        return np.flatnonzero(mask)

    @override
    def columns(self, rows: Array) -> Sequence[Array]:
        return [rows[..., n].astype(jnp.int32) for n in range(rows.shape[-1])]

    @override
    def stack(self, columns: Sequence[Array]) -> Array:
        return jnp.stack(columns, -1)

    def take(self, table: Array, index: Array) -> Array:
        """table[index]: entries, or rows, of a table."""
        return jnp.take(table, index, axis=0, mode="clip")

    @override
    def zeros(self, shape: tuple[int, ...]) -> Array:
        return jnp.zeros(shape, jnp.float32)

    @override
    def fill_one_hot(self, one_positions: Sequence[Array], numbers: int, out: Any) -> Array:
        """A fresh array like `out`, of which the type counts alone."""
        index = jnp.stack(one_positions, -1)
        zeros = jnp.zeros((*index.shape[:-1], numbers), out.dtype)
        return jnp.put_along_axis(zeros, index, 1, axis=-1, inplace=False, mode="clip")

    @override
    def cast(self, column: Array, dtype: str) -> Array:
        return column.astype(dtype)

    @override
    def cleared(self, rows: Array, mask: Any) -> Array:
        return jnp.where(mask[:, None], 0, rows)

    @override
    def product(self, column: Array, factor: float) -> Array:
        return lax.optimization_barrier(column * factor)


class JaxEngine(RuleEngine):
    """What the two engines below share.

    Attributes:
        obs_mode: what `see` gives.
    """

    obs_mode: str

    @override
    def draw(self, key: Key, t: Any) -> Draw:
        return super().draw(key, t if isinstance(t, int) else t.astype(jnp.uint32))

    def trembled(self, key: Key, t: Any, actions: Array) -> Array:
        """The actions that are played where hands tremble, [..., N]."""
        moves = trembled(self.game, self.xp.columns(actions), self.draw(key, t))
        return self.xp.stack(moves)

    def ends(self, key: Key, t: Any) -> Array:
        """Whether episodes end at random after t steps."""
        rules = random_end(self.game)
        return t < 0 if rules is None else rules.ends(t, self.draw(key, t))

    @override
    def episode_rewards(self, key: Key) -> Array | None:
        with wide():
            return super().episode_rewards(key)

    @override
    def rewards(self, codes: Array, episode_rewards: Array | None) -> Array:
        if episode_rewards is None:
            return self.xp.take(self.reward_table, codes)
        return jnp.take_along_axis(episode_rewards, codes, axis=-1, mode="clip")

    @override
    def observation_ids(self, encoded: Encoded) -> Array:
        with wide(observation_count(self.game) > INT_LIMIT):
            return super().observation_ids(tuple(self.xp.integer(column) for column in encoded))

    def begin(self, stem: Array, episode: Array) -> tuple[Key, Array | None, Encoded]:
        """Starts episodes: keys, noisy rewards, boards.

        Args:
            stem: uint32 [...], of each game's seed; see `rng`.
            episode: uint32 [...], the low bits of its number.
        """
        with wide():
            key = rng.key_of(stem, episode)
        return key, self.episode_rewards(key), self.start(key)

    def begin_some(
        self, old: tuple[Any, ...], mask: Array, stem: Array, episode: Array
    ) -> tuple[Key, Array | None, Encoded]:
        """What `begin` gives for the games that `mask` [...] marks, and `old` for the others."""
        begun: tuple[Key, Array | None, Encoded] = chosen(mask, self.begin(stem, episode), old)
        return begun

    def see(self, encoded: Encoded) -> Array:
        """What all players observe, in the `obs_mode`: [..., N, *obs_shape], or ids [..., N]."""
        if self.obs_mode == "state":
            return self.observation_ids(encoded)
        flat = self.observe(encoded, jax.ShapeDtypeStruct((), self.obs_mode))
        return flat.reshape(*flat.shape[:-1], len(self.players), *self.game.observation_shape)

    def see_into(self, out: Array, encoded: Encoded) -> Array:
        """`see`, in the memory of an array that nobody will look at any more."""
        return self.see(encoded)

    def observe_many(self, ids: Array) -> Array:
        """float32 observations [..., *obs_shape] of observation ids [...]."""
        return self.observe_ids(ids).reshape(*ids.shape, *self.game.observation_shape)


def chosen(mask: Array, new: Any, old: Any) -> Any:
    """Of two trees of columns [..., *any], the one's entries where `mask` [...] says so."""

    def choose(yes: Array, no: Array) -> Array:
        return jnp.where(mask.reshape(mask.shape + (1,) * (yes.ndim - mask.ndim)), yes, no)

    return jax.tree.map(choose, new, old)


class JaxRules(JaxEngine, StaticRules):
    """The rules on JAX arrays."""

    def __init__(self, game: Game, xp: JaxArrays, obs_mode: str):
        super().__init__(game, xp, static=True)
        self.obs_mode = obs_mode


class JaxTables(JaxEngine, StaticTables):
    """Plays from tables."""

    def __init__(self, game: Game, xp: JaxArrays, obs_mode: str):
        super().__init__(game, xp, obs_mode, static=True)
        self.obs_mode = obs_mode

    # What indexes a table is computed first: else compilers compute it again for every number
    # that is looked up.

    @override
    def entry(self, encoded: Encoded, actions: Array) -> Array:
        return lax.optimization_barrier(super().entry(encoded, actions))

    @override
    def observe(self, encoded: Encoded, out: Any) -> Array:
        if self.state_observations is None:
            return super().observe(encoded, out)
        return self.xp.take(self.state_observations, lax.optimization_barrier(encoded[0]))
