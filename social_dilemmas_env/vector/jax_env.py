"""B games on JAX: the batch behind `make_vec_env(..., backend="jax")`.

A step is played by compiled functions, of whose results the host sees nothing but the outputs.
Seeds, episodes and clocks are kept on the host, in numpy's int64, which JAX lacks by default.  For
games inside of a compiled program, see `jax_env` (`pure_jax`).
"""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
from typing_extensions import override

from social_dilemmas_env.engine.jax_bound import checked_size
from social_dilemmas_env.engine.jax_compiled import Compiled, compiled
from social_dilemmas_env.engine.jax_engine import checked_device, checked_ids
from social_dilemmas_env.engine.numpy_engine import NumpyArrays
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.vector.base import BatchEnv
from social_dilemmas_env.vector.episodes import Array, Lanes, Running
from social_dilemmas_env.vector.options import Options, shape_error

BOOKS = NumpyArrays()


class JaxBatch(BatchEnv):
    """`BatchEnv` whose arrays are JAX's, on `device`; metrics in infos, float64, are numpy's.

    With `reuse_buffers` the memory of the last observations is given up to the next ones: the old
    array may not be looked at any more.
    """

    def __init__(self, env_id: str, game: Game, options: Options):
        """Makes the batch; use `make_vec_env`."""
        self.device = checked_device(options.device)
        checked_ids(game, options.obs_mode)
        checked_size(game, options.num_envs)

        # By name, for copies: a device can be neither copied nor pickled.
        index = jax.devices(self.device.platform).index(self.device)
        options = replace(options, device=f"{self.device.platform}:{index}")
        super().__init__(env_id, game, options)

    @override
    def _make_engine(self) -> Compiled:
        self._same_flags = {value: self._on_device(value) for value in (False, True)}
        return compiled(self.game, self._by_tables, self.obs_mode, self.device)

    @override
    def __getstate__(self) -> dict[str, Any]:
        made_anew = ("device", "_same_flags")
        kept = super().__getstate__().items()
        return {name: value for name, value in kept if name not in made_anew}

    @override
    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({**state, "device": checked_device(state["options"].device)})

    @property
    @override
    def books(self) -> NumpyArrays:
        return BOOKS

    # Episodes

    @override
    def _begun(self, stem: np.ndarray, episode: np.ndarray) -> Running:
        begun = self.engine.begin(stem, BOOKS.word(episode))
        return Running(stem, episode, *begun)

    @override
    def _some_begun(self, stem: np.ndarray, episode: np.ndarray, lanes: Lanes) -> Running:
        mask = np.zeros(self.num_envs, bool)
        mask[lanes] = True
        begun = self.engine.begin_some(self._running[2:], mask, stem, BOOKS.word(episode))
        return Running(stem, episode, *begun)

    @override
    def _ended(self) -> np.ndarray:
        ended = self._clock >= self.game.max_cycles
        if self._random_end is not None:
            ended = ended | self._read(self.engine.ends(self._running.key, self._clock))
        return np.asarray(ended)

    @override
    def _trembled(self, actions: Array) -> Array:
        return self.engine.trembled(self._running.key, self._clock, actions)

    # Arrays

    @override
    def _given(self, array: np.ndarray) -> Array:
        return jax.device_put(array, self.device)

    @override
    def _read(self, array: Array) -> np.ndarray:
        return np.asarray(array)

    @override
    def _flags(self, value: Any) -> Array:
        if isinstance(value, bool):
            return self._same_flags[value]  # nobody can write in them
        return self._on_device(value[:, None])

    def _on_device(self, flags: Any) -> Array:
        return jax.device_put(np.broadcast_to(flags, self._actions_shape), self.device)

    @override
    def _empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        return jax.ShapeDtypeStruct(shape, dtype)

    # Observations

    @override
    def _observe(self, *, keep: bool = False) -> Array:
        encoded = self._running.encoded
        if keep or not self.options.reuse_buffers:
            return self.engine.see(encoded)
        if self._buffer is None:
            self._buffer = self.engine.see(encoded)
        else:
            self._buffer = self.engine.see_into(self._buffer, encoded)
        return self._buffer

    @override
    def observe(self, ids: Array) -> Array:
        return self.engine.observe_many(ids)

    @override
    def state(self) -> Array:
        if self.obs_mode == "state":
            checked_ids(self.game, self.obs_mode, whole=True)
        return super().state()

    # Checks

    @override
    def _may_look(self) -> bool:
        return self.options.validate or self.device.platform == "cpu"

    @override
    def check_actions(self, actions: Any) -> Array:
        if not isinstance(actions, jax.Array | np.ndarray):
            raise TypeError(f"actions must be a JAX array, got {type(actions).__name__}")
        if isinstance(actions, jax.core.Tracer):
            raise TypeError(
                "a batch is stepped from the host, not inside of jit, vmap or scan: "
                f'there, jax_env("{self.env_id}") gives the same games as pure functions'
            )
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions must be integers, got an array of {actions.dtype}")
        if actions.shape != self._actions_shape:
            raise shape_error(actions.shape, self._actions_shape)

        if self._may_look() and not self._in_range(np.asarray(actions)):
            raise self.range_error()
        return actions

    def _in_range(self, actions: np.ndarray) -> bool:
        return bool((actions >= 0).all() and (actions < np.array(self.game.num_actions)).all())
