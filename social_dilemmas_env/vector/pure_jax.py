"""One game as pure functions of JAX: what `jax_env` returns.

    env = sde.jax_env("coin_game_v0")
    observations, state = env.reset(0)
    observations, state, rewards, terminations, truncations, info = env.step(state, actions)

Both functions may be compiled (`jax.jit`), made many of (`jax.vmap`) and repeated (`jax.lax.scan`);
a step never compiles anew.  The game of a seed is that of every other backend.
"""

import operator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from social_dilemmas_env import rng
from social_dilemmas_env.engine.array_engine import Array, Encoded, Key
from social_dilemmas_env.engine.jax_compiled import make_engine
from social_dilemmas_env.engine.jax_engine import (
    INT_LIMIT,
    JaxArrays,
    checked_ids,
    chosen,
    wide,
)
from social_dilemmas_env.engine.python_engine import player_names
from social_dilemmas_env.engine.states import checked_batch_state, checked_state
from social_dilemmas_env.games.game import Game, State
from social_dilemmas_env.games.switches import action_noise
from social_dilemmas_env.vector.options import Options, by_tables, single_spaces


class JaxState(NamedTuple):
    """Everything needed to continue a game; a tree of arrays, [B, ...] under `jax.vmap`."""

    seed: Array  # uint32 [2]: its high and its low half
    episode: Array  # uint32: how many episodes the game has started before this one
    key: Key  # uint32 each; see `rng`
    t: Array  # int32: steps taken in this episode
    over: Array  # bool: whether the episode has ended and the next one has not begun
    rewards: Array | None  # float32 [codes]: reward values, where they change with the episode
    encoded: Encoded  # the board, in the form of the engine


Transition = tuple[Array, JaxState, Array, Array, Array, dict[str, Array]]


class JaxEnv:
    """The functions of one game; made by `jax_env`, which documents the options.

    Attributes:
        game: the rules.
        env_id: for example "coin_game_v0".
        num_agents: number of players N.
        possible_agents: their names.
        obs_mode, autoreset: as asked for.
        engine: what plays; see `engine.jax_engine`.
        single_observation_space: of one player.
        single_action_space: of one player (`Discrete`); of all (`MultiDiscrete`) if theirs differ.
    """

    single_observation_space: Box | Discrete
    single_action_space: Discrete | MultiDiscrete

    def __init__(self, env_id: str, game: Game, options: Options):
        """Makes the functions; use `jax_env`."""
        checked_ids(game, options.obs_mode)
        self.env_id, self.game = env_id, game
        self.num_agents, self.possible_agents = len(game.num_actions), player_names(game)
        self.obs_mode, self.autoreset = options.obs_mode, options.autoreset
        spaces = single_spaces(game, options.obs_mode)
        self.single_observation_space, self.single_action_space = spaces
        tables = by_tables(game, options.tables)
        self.engine = make_engine(game, tables, options.obs_mode, JaxArrays())

        # Compiled here too, for those who call them one by one.
        self._reset_of, self._step_of = jax.jit(self._reset), jax.jit(self._step)
        self._first_of_many = jax.jit(jax.vmap(self._first))

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.game.max_cycles

    # Seeds

    def seeds(self, seed: int, num_envs: int) -> Array:
        """The seeds of a batch, uint32 [B]: `jax.vmap(env.reset)` of them is the batch.

        Game i has the seed `draw(seed, i)`, as in `make_vec_env(...).reset(seed)`.
        """
        return jnp.asarray(rng.draw(rng.check_seed(seed), np.arange(num_envs)).astype(np.uint32))

    def _halves(self, key: Any) -> Array:
        """High and low half of a seed, uint32 [2]."""
        if not isinstance(key, jax.Array):
            seed = rng.check_seed(key)
            return jnp.array([seed >> 32, seed & rng.MASK], jnp.uint32)

        # A key of JAX's, typed or raw: its last 63 bits.
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
            key = jax.random.key_data(key)
        if not jnp.issubdtype(key.dtype, jnp.integer) or key.shape not in ((), (2,), (4,)):
            raise TypeError(
                "reset takes the seed or the key of one game, an integer or a jax.random.key; got "
                f"{key.dtype} of shape {key.shape}; for many games, jax.vmap(env.reset)"
            )
        if key.ndim:
            return key[-2:].astype(jnp.uint32) & jnp.array([INT_LIMIT - 1, rng.MASK], jnp.uint32)
        return jnp.stack([jnp.zeros((), jnp.uint32), key.astype(jnp.uint32)])

    # Reset and step

    def reset(self, key: Any) -> tuple[Array, JaxState]:
        """The first episode of a seed.

        Args:
            key: an integer in [0, 2^63), which may be a traced one of 32 bits, or a key of
                `jax.random`.

        Returns:
            Observations [N, *obs_shape] (or ids [N]), and the state.

        Raises:
            TypeError, ValueError: a seed of another type or range.
        """
        observations, state = self._reset_of(self._halves(key))
        return observations, state

    def _reset(self, halves: Array) -> tuple[Array, JaxState]:
        with wide(False):
            state = self._first(halves, jnp.zeros((), jnp.uint32))
            return self.engine.see(state.encoded), state

    def step(self, state: JaxState, actions: Array) -> Transition:
        """One joint move.

        With `autoreset="disabled"` a game that is over plays on, truncated, until the caller
        resets it.

        Args:
            state: of `reset` or of the last step.
            actions: integers [N], in range: nothing can be checked here.

        Returns:
            Observations [N, *obs_shape], the state, rewards float32 [N], terminations and
            truncations bool [N], and info: with `autoreset="same_step"` "final_obs", what the
            players saw after the move (costs nothing where it is not used), and "_final_obs", a
            bool, whether the episode has ended; else {}.
        """
        if actions.shape != (self.num_agents,):
            raise ValueError(
                f"actions must have shape [N] = ({self.num_agents},), got {actions.shape}; for "
                "many games, jax.vmap(env.step)"
            )
        observations, state, *outputs = self._step_of(state, actions)
        return observations, state, *outputs

    def _step(self, state: JaxState, actions: Array) -> Transition:
        with wide(False):
            moved, rewards = self._move(state, actions)

            # The episode ends here, and the next one begins now, or when the caller says so.
            if self.autoreset == "disabled":
                return self._transition(moved, rewards, moved.over, {})
            if self.autoreset == "same_step":
                info = {"final_obs": self.engine.see(moved.encoded), "_final_obs": moved.over}
                now = chosen(moved.over, self._next(state), moved)
                return self._transition(now, rewards, moved.over, info)

            # It ended a step ago: nobody moves, and the next one begins.
            now = chosen(state.over, self._next(state), moved)
            rewards = jnp.where(state.over, 0, rewards)
            return self._transition(now, rewards, moved.over & ~state.over, {})

    def _transition(
        self, now: JaxState, rewards: Array, done: Array, info: dict[str, Array]
    ) -> Transition:
        flags = jnp.broadcast_to(done, (self.num_agents,))
        seen = self.engine.see(now.encoded)
        return seen, now, rewards, jnp.zeros_like(flags), flags, info

    def _move(self, state: JaxState, actions: Array) -> tuple[JaxState, Array]:
        """The state after a move, without a reset, and rewards [N]."""
        t = state.t + 1
        if action_noise(self.game) > 0:
            actions = self.engine.trembled(state.key, t, actions)
        encoded, rewards = self.engine.play(state.encoded, actions, state.key, t, state.rewards)
        over = (t >= self.max_cycles) | self.engine.ends(state.key, t)
        return state._replace(t=t, over=over, encoded=encoded), rewards

    def _next(self, state: JaxState) -> JaxState:
        """The first state of the episode after this one."""
        return self._first(state.seed, state.episode + 1)

    def _first(self, seed: Array, episode: Array) -> JaxState:
        """The first state of an episode."""
        with wide():
            high, low = (seed[i].astype(jnp.uint64) for i in range(2))
            stem = rng.stem((high << 32) | low).astype(jnp.uint32)
        t, over = jnp.zeros((), jnp.int32), jnp.zeros((), bool)
        key, rewards, encoded = self.engine.begin(stem, episode)
        return JaxState(seed, episode, key, t, over, rewards, encoded)

    # States

    def get_state(self, state: JaxState) -> State:
        """The state of one game, or of many, as every other backend takes it: plain integers."""
        board = [np.asarray(column).tolist() for column in self.engine.board(state.encoded)]
        high, low = np.moveaxis(np.asarray(state.seed, np.int64), -1, 0)
        return State(
            game=repr(self.game),
            seed=(high << 32 | low).tolist(),
            episode=np.asarray(state.episode).tolist(),
            t=np.asarray(state.t).tolist(),
            board=[list(row) for row in zip(*board, strict=True)] if state.t.ndim else board,
            over=(np.asarray(state.over) * 1).tolist(),
        )

    def set_state(self, state: Any) -> JaxState:
        """The `JaxState` of a `State` of one game, or of many.

        Raises:
            ValueError: a state of another game, or with values out of range.
            TypeError: a field that does not hold integers.
        """
        given = checked_state(self.game, state)
        if not isinstance(given.seed, list | tuple):
            one = State(given.game, *([field] for field in given[1:]))
            lone: JaxState = jax.tree.map(operator.itemgetter(0), self.set_state(one))
            return lone

        # What `checked_batch_state` refuses, and what has more bits than there are here.
        checked = checked_batch_state(self.game, given, len(given.seed))
        if checked.episode.max(initial=0) > rng.MASK:
            raise ValueError(f"jax_env counts to 2^32 episodes, got {checked.episode.max()}")

        # As at the start of their episodes, but for clocks and boards.
        seed = np.stack([checked.seed >> 32, checked.seed & rng.MASK], -1).astype(np.uint32)
        first: JaxState = self._first_of_many(seed, checked.episode.astype(np.uint32))
        columns = tuple(jnp.asarray(column, jnp.int32) for column in checked.board)
        return first._replace(
            t=jnp.asarray(checked.t, jnp.int32),
            over=jnp.asarray(checked.over > 0),
            encoded=self.engine.encoded(columns),
        )

    def __repr__(self) -> str:
        return (
            f"<JaxEnv {self.env_id} obs_mode={self.obs_mode!r} autoreset={self.autoreset!r} "
            f"num_agents={self.num_agents}>"
        )
