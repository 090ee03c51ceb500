"""Many games at once: what the numpy and the torch driver share.

A batch is B games of the same rules, each with its own seed, episode and step, none of which ever
depends on another. `BatchEnv` holds everything but the arithmetic: the options, the spaces, the
horizon, the three autoreset modes, seeding and the exchange of states.  A driver
(`batch.NumpyBatch`, `batch_torch.TorchBatch`) adds the arrays and an *engine*, which plays all
games one step, from lookup tables or by the rules.

    key      (start, stride) of each game's word sequence, made once an episode (see `draws`)
    t        steps taken; one host integer while all games run in step, so that nothing has to look at the B clocks; an
             array [B] only after a partial reset or `set_state`, until the games meet again
    over     whether the episode has ended and waits for a reset: likewise one bool, or an array [B]
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded

from social_dilemmas_env import rng as draws
from social_dilemmas_env.engine.array_engine import MAX_TABLE, view_count
from social_dilemmas_env.engine.python_engine import check_columns, checked_state, player_names
from social_dilemmas_env.games.game import Game, State
from social_dilemmas_env.vector.options import Options, by_tables, single_spaces

Array = Any  # a numpy array or a torch tensor
Lanes = Any  # indices [L] of some games, or None for all
Infos = dict[str, Array]
Step = tuple[Array, Array, Array, Array, Infos]


class BatchEnv(ABC):
    """B games at once; made by `make_vec_env`, which documents the options.

    Attributes:
        game: the rules.
        env_id: for example "coin_game_v0".
        num_envs: number of games B.
        num_agents: number of players N.
        possible_agents: their names.
        backend, device, obs_mode, autoreset: as asked for.
        single_observation_space: of one player of one game.
        single_action_space: of one player (`Discrete`); of one game (`MultiDiscrete`, [N]) if the
            players' differ.
    """

    device: Any = "cpu"
    _seed: Array  # [B] int64
    _stem: Array  # [B] words
    _key: tuple[Array, Array]  # [B] words each
    _values: (
        Array | None
    )  # [B, codes] float32 reward values of the running episodes; None where they are certain
    _position: tuple[Array, ...]  # columns [B], in the form of the engine

    def __init__(self, env_id: str, game: Game, options: Options):
        """Makes the batch; use `make_vec_env`."""
        self.env_id, self.game, self.options = env_id, game, options
        self.num_envs, self.num_agents = int(options.num_envs), len(game.num_actions)
        self.backend = options.backend
        self.obs_mode, self.autoreset = options.obs_mode, options.autoreset
        self.possible_agents = player_names(game)
        self.single_observation_space, self.single_action_space = single_spaces(
            game, options.obs_mode
        )
        self.render_mode = None
        self._t: Any = None  # not reset yet
        self._over: Any = False
        self._episode: Array = None  # [B] int64
        self._by_tables = by_tables(game, options.tables)
        self._buffer: Array = None  # of the observations, where it is reused
        self._shape = (self.num_envs, self.num_agents, *game.observation_shape)
        self._engine = self._make_engine()
        self._xp = self._engine.xp

    # --------------------------------------------------------------------------- what a driver adds

    @abstractmethod
    def _make_engine(self) -> Any:
        """The engine, with its tables and scratch arrays.

        Nothing of it needs to be kept in a copy.
        """

    @abstractmethod
    def _mask(self, mask: Any) -> Array:
        """A caller's mask as a bool array [B]; raises TypeError, ValueError."""

    @abstractmethod
    def _check_actions(self, actions: Any) -> Array:
        """Actions [B, N] that may be played; raises what `step` documents."""

    @abstractmethod
    def _flags(self, value: Any) -> Array:
        """A fresh bool array [B, N]: of one value, or of one value for each game."""

    @abstractmethod
    def _empty(self, shape: tuple[int, ...], dtype: str) -> Array:
        """An array to be filled."""

    def _may_look(self) -> bool:
        """Whether a check may wait for the device."""
        return True

    # ------------------------------------------------------------------------------- reset and step

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.game.max_cycles

    @property
    def clock(self) -> Any:
        """Steps taken in the running episodes.

        An int while all games run in step, else an integer array [B]; None before the first reset.
        """
        return self._t

    @property
    def over(self) -> Any:
        """Whether the games have ended and wait for a reset: a bool for all, or a bool array [B]."""
        return self._over

    @property
    def unwrapped(self) -> "BatchEnv":
        """This batch."""
        return self

    def reset(self, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Array, Infos]:
        """Starts an episode in every game, or in some.

        Args:
            seed: an integer in [0, 2^63): game i starts the first episode of seed `draws.draw(seed,
                i)`; or a list of B integers, each game's own seed.  None: every game goes on to its
                next episode (the first time: of the seed given at construction, or of one from the
                operating system).
            options: {"reset_mask": bool[B]} restarts the marked games only; other keys are ignored.

        Returns:
            Observations [B, N, *obs_shape] of all games, and {}.

        Raises:
            TypeError, ValueError: a seed or a mask of another type, range or shape.
            ResetNeeded: a mask, before all games were reset once.
        """
        mask = (options or {}).get("reset_mask")
        if mask is not None:
            mask = self._mask(mask)
            if self._t is None:
                raise ResetNeeded(
                    "the first reset must be of all games: call reset() without a reset_mask"
                )
        lanes = None if mask is None or bool(mask.all()) else self._xp.lanes(mask)
        if seed is None and self._t is None:
            seed = draws.fresh_seed() if self.options.seed is None else self.options.seed
        if seed is None:
            self._next_episode(lanes)
        else:
            self._first_episode(self._seeds(seed), lanes)
        return self._observe(), {}

    def step(self, actions: Array) -> Step:
        """One joint move in every game.

        Args:
            actions: integers [B, N].

        Returns:
            Observations [B, N, *obs_shape], rewards float32 [B, N], terminations and truncations
            bool [B, N], and infos: with `autoreset="same_step"`, and only if a game has just ended,
            "final_obs" [B, N, *obs_shape], the last observations of the ended episodes (of other
            games: the present ones), and "_final_obs" bool [B], which ended.

        Raises:
            ResetNeeded: before the first reset; `autoreset="disabled"`: a game is over (torch, if
                games are not in step: only with `validate=True`, and the game plays on, truncated,
                until it is reset).
            TypeError, ValueError: actions of another type, shape, device or range (torch: range
                only with `validate=True`).
        """
        if self._t is None:
            raise ResetNeeded("call reset() before step()")
        actions = self._check_actions(actions)
        if not isinstance(self._t, int):
            return self._step_apart(actions)
        if self._over:
            return self._step_over()
        self._t += 1
        rewards = self._play(actions, self._t)
        if self._t < self.game.max_cycles:
            return self._observe(), rewards, self._flags(False), self._flags(False), {}
        infos = {}
        if self.autoreset == "same_step":
            infos = {
                "final_obs": self._observe(keep=True),
                "_final_obs": self._episode >= 0,
            }  # all of them
            self._next_episode(None)
        else:
            self._over = True
        return self._observe(), rewards, self._flags(False), self._flags(True), infos

    def _step_over(self) -> Step:
        """The step after the end of all games."""
        if self.autoreset != "next_step":
            raise ResetNeeded("all games are over: call reset() before step()")
        self._next_episode(None)
        return (
            self._observe(),
            self._xp.zeros((self.num_envs, self.num_agents)),
            self._flags(False),
            self._flags(False),
            {},
        )

    def _step_apart(self, actions: Array) -> Step:
        """A step of games that are not in step with each other."""
        self._check_none_over()
        waited, infos = self._over, {}
        self._t = self._t + 1
        rewards = self._play(actions, self._t)
        done = (self._t >= self.game.max_cycles) & ~waited
        if self.autoreset == "same_step":
            if bool(done.any()):
                infos = {"final_obs": self._observe(keep=True), "_final_obs": done}
                self._next_episode(self._xp.lanes(done))
        elif self.autoreset == "next_step":
            self._over = done
            rewards[waited] = 0
            if bool(waited.any()):
                self._next_episode(self._xp.lanes(waited))
        else:
            self._over = done
        return self._observe(), rewards, self._flags(False), self._flags(done), infos

    def _check_none_over(self) -> None:
        if self.autoreset == "next_step" or not self._may_look():
            return
        if bool(self._over.any()):
            first = self._xp.lanes(self._over)[:5].tolist()
            raise ResetNeeded(
                f'games {first} ... are over: reset(options={{"reset_mask": ...}}) before step()'
            )

    def _play(self, actions: Array, t: Any) -> Array:
        """Moves all games on.

        The t-th move of their episodes (an int, or [B]).  Returns float32 rewards [B, N].
        """
        self._position, rewards = self._engine.play(
            self._position, actions, self._key, t, self._values
        )
        return rewards

    # --------------------------------------------------------------------------- episodes and seeds

    def _seeds(self, seed: Any) -> Array:
        if isinstance(seed, list | tuple | np.ndarray):
            if len(seed) != self.num_envs:
                raise ValueError(
                    f"a list of seeds must hold one for each of {self.num_envs} games, got {len(seed)}"
                )
            return self._xp.column([draws.check_seed(s) for s in seed])
        return draws.draw(draws.check_seed(seed), self._xp.arange(self.num_envs))

    def _first_episode(self, seeds: Array, lanes: Lanes) -> None:
        if lanes is None:
            self._adopt(seeds, self._xp.arange(self.num_envs) * 0)
        else:
            seed, episode = self._seed + 0, self._episode + 0
            seed[lanes], episode[lanes] = seeds[lanes], 0
            self._adopt(seed, episode)
        self._begin(lanes)

    def _next_episode(self, lanes: Lanes) -> None:
        if lanes is None:
            self._episode = self._episode + 1
        else:
            self._episode[lanes] += 1
        self._rekey(lanes)
        self._begin(lanes)

    def _adopt(self, seed: Array, episode: Array) -> None:
        self._seed, self._episode = seed, episode
        self._stem = self._xp.word(draws.stem(seed))
        self._rekey(None)

    def _rekey(self, lanes: Lanes) -> None:
        """Makes the keys of the episodes that these games have come to, and their noisy rewards."""
        if lanes is None:
            self._key = draws.key_of(self._stem, self._xp.word(self._episode))
            self._values = self._engine.values(self._key)
            return
        key = draws.key_of(self._stem[lanes], self._xp.word(self._episode[lanes]))
        for column, part in zip(self._key, key, strict=True):
            column[lanes] = part
        if self._values is not None:
            self._values[lanes] = self._engine.values(key)

    def _begin(self, lanes: Lanes) -> None:
        """Sets up the first board of an episode, with the present keys."""
        if lanes is None:
            self._position = self._engine.start(self._key)
            self._t, self._over = 0, False
            return
        start = self._engine.start(tuple(part[lanes] for part in self._key))
        for column, part in zip(self._position, start, strict=True):
            column[lanes] = part
        if isinstance(self._t, int):
            zeros = self._xp.arange(self.num_envs) * 0
            self._t, self._over = zeros + self._t, zeros + int(self._over) > 0
        self._t[lanes], self._over[lanes] = 0, False
        self._meet()

    def _meet(self) -> None:
        """Goes back to one clock if all games are in step again."""
        t, over = int(self._t[0]), bool(self._over[0])
        if bool(((self._t == t) & (self._over == over)).all()):
            self._t, self._over = t, over

    # --------------------------------------------------------------------------------------- states

    def get_state(self) -> State:
        """Everything needed to continue, as lists of plain integers (fit for JSON); element i is
        game i's.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._t is None:
            raise ResetNeeded("call reset() before get_state()")
        together = isinstance(self._t, int)
        return State(
            game=repr(self.game),
            seed=self._seed.tolist(),
            episode=self._episode.tolist(),
            t=[self._t] * self.num_envs if together else self._t.tolist(),
            board=[
                list(row)
                for row in zip(
                    *[c.tolist() for c in self._engine.board(self._position)], strict=True
                )
            ],
            over=[int(self._over)] * self.num_envs if together else (self._over * 1).tolist(),
        )

    def set_state(self, state: Any) -> None:
        """Continues from a `State`, from any backend or device, or its fields as JSON gives them
        back.

        Raises:
            ValueError: a state of another game or batch size, or with values out of range; nothing
                is changed.
            TypeError: a field that does not list integers.
        """
        state = checked_state(self.game, state)
        seed, episode, t, over = (self._counts(state, n) for n in ("seed", "episode", "t", "over"))
        board = self._boards(state.board)
        if t.max() > self.game.max_cycles or over.max() > 1:
            raise ValueError(
                f"not a state of this game: t must lie in 0 .. {self.game.max_cycles}, over in 0 .. 1"
            )
        self._adopt(self._xp.column(seed), self._xp.column(episode))
        self._position = self._engine.position(tuple(self._xp.column(column) for column in board))
        self._t, self._over = self._xp.column(t), self._xp.column(over) > 0
        self._meet()

    def _counts(self, state: State, name: str) -> np.ndarray:
        values = getattr(state, name)
        if not isinstance(values, list | tuple) or len(values) != self.num_envs:
            got = f"{len(values)}" if isinstance(values, list | tuple) else repr(values)
            raise ValueError(
                f"{name} must list an integer for each of {self.num_envs} games, got {got}"
            )
        if not all(
            isinstance(value, int | np.integer) and not isinstance(value, bool) for value in values
        ):
            raise TypeError(f"{name} must list integers, got {values[:5]}")
        if min(values) < 0 or max(values) >= draws.SEED_LIMIT:
            raise ValueError(f"{name} must list integers in [0, 2^63), got {values[:5]}")
        return np.array(values, dtype=np.int64)

    def _boards(self, board: Any) -> list[np.ndarray]:
        try:
            rows = np.array(board)
        except ValueError:  # rows of different lengths
            rows = np.zeros(0)
        if rows.shape != (self.num_envs, len(self.game.sizes)):
            expected = f"{self.num_envs} boards of {len(self.game.sizes)} columns"
            raise ValueError(f"board must list {expected}, got an array of shape {rows.shape}")
        columns = list(rows.T)
        check_columns(self.game, columns)
        return columns

    def __getstate__(self) -> dict[str, Any]:
        dropped = (
            "_engine",
            "_xp",
            "_buffer",
        )  # made anew, or shared: a copy is small and has arrays of its own
        return {name: value for name, value in self.__dict__.items() if name not in dropped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._engine, self._buffer = self._make_engine(), None
        self._xp = self._engine.xp

    # --------------------------------------------------------------------------------- observations

    def _observe(self, *, keep: bool = False) -> Array:
        """What the players see now, in the `obs_mode`; in an array of its own if `keep`."""
        if self.obs_mode == "state":
            return self._engine.view_ids(self._position)
        out = self._buffer
        if out is None or keep:
            out = self._empty(
                (self.num_envs, self.num_agents * self._engine.numbers), self.obs_mode
            )
            if self.options.reuse_buffers and not keep:
                self._buffer = out
        return self._engine.observe(self._position, out).reshape(self._shape)

    def observe(self, ids: Array) -> Array:
        """float32 observations [..., *obs_shape] of view ids [...] (see `obs_mode="state"`), all in
        range.
        """
        return self._engine.observe_views(ids).reshape(*ids.shape, *self.game.observation_shape)

    @property
    def observation_table(self) -> Array:
        """float32 observations of all views, flat: [V, prod(obs_shape)]; `(table @ weights)[ids]`
        is a first layer.

        Raises:
            ValueError: there are too many views to keep.
        """
        views, numbers = view_count(self.game), self._engine.numbers
        if views * numbers > MAX_TABLE:
            raise ValueError(
                f"{views} views x {numbers} numbers are too many for a table; use observe(ids)"
            )
        return self._engine.view_rows()

    def close(self) -> None:  # noqa: B027
        """Nothing to close."""

    def __repr__(self) -> str:
        options = self.options
        return (
            f"<{type(self).__name__} {self.env_id} num_envs={self.num_envs} device={str(self.device)!r} "
            f"obs_mode={options.obs_mode!r} autoreset={options.autoreset!r}>"
        )
