"""Many games at once: what the batches on numpy, torch and JAX share.

A batch is B games of the same rules, each with its own seed, episode and step, none of which ever
depends on another.  `BatchEnv` holds everything but the arithmetic: the options, the spaces, the
horizon, the three autoreset modes, and (`episodes`, `seen`) seeding, the exchange of states and
what there is to see.  A batch on numpy (`numpy_env.NumpyBatch`), torch (`torch_env.TorchBatch`) or
JAX (`jax_env.JaxBatch`) adds its checks and arrays, and an *engine*, which plays all games one
step, from lookup tables or by the rules.
"""

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from gymnasium.error import ResetNeeded

from social_dilemmas_env import rng
from social_dilemmas_env.engine.episode_metrics import ManyGames
from social_dilemmas_env.engine.python_engine import player_names
from social_dilemmas_env.games.game import (
    Board,
    Game,
    observed_shape,
    random_end,
)
from social_dilemmas_env.games.switches import action_noise, trembled
from social_dilemmas_env.validation import RESET_OPTIONS, reset_options
from social_dilemmas_env.vector.episodes import Array
from social_dilemmas_env.vector.options import Options, by_tables, range_error, single_spaces
from social_dilemmas_env.vector.seen import SeenEpisodes

Infos = dict[str, Array]
Step = tuple[Array, Array, Array, Array, Infos]

SHOWN = 5  # games that an error names


class BatchEnv(SeenEpisodes):
    """B games at once; made by `make_vec_env`, which documents the options.

    Attributes:
        game: the rules.
        env_id: for example "coin_game_v0".
        num_envs: number of games B.
        num_agents: number of players N.
        possible_agents: their names.
        backend, device, obs_mode, autoreset: as asked for.
        options: all of them.
        engine: what plays; see `engine.array_engine`.
        single_observation_space: of one player of one game.
        single_action_space: of one player (`Discrete`); of one game (`MultiDiscrete`, [N]) if the
            players' differ.
    """

    device: Any = "cpu"

    def __init__(self, env_id: str, game: Game, options: Options):
        """Makes the batch; use `make_vec_env`."""
        self.env_id, self.game, self.options = env_id, game, options
        self.num_envs, self.num_agents = int(options.num_envs), len(game.num_actions)
        self.possible_agents = player_names(game)
        self.backend = options.backend
        self.render_mode: str | None = None  # batches draw nothing; an adapter may
        self.obs_mode, self.autoreset = options.obs_mode, options.autoreset
        spaces = single_spaces(game, options.obs_mode)
        self.single_observation_space, self.single_action_space = spaces

        self._actions_shape = (self.num_envs, self.num_agents)
        self._shape = (*self._actions_shape, *observed_shape(game, options.obs_mode))
        self._buffer: Array = None  # of the observations, where it is reused
        self._by_tables = self._wants_tables()
        self._random_end, self._trembles = random_end(game), action_noise(game) > 0
        self.engine = self._make_engine()
        if options.info_metrics:
            self._metrics = ManyGames(game, self.num_envs, self.books)

    # What a batch on numpy, torch or JAX adds

    def _wants_tables(self) -> bool:
        """Whether to play from tables; raises ValueError where they are wanted and too large."""
        return by_tables(self.game, self.options.tables)

    @abstractmethod
    def _make_engine(self) -> Any:
        """The engine, with its tables and scratch arrays.

        Nothing of it needs to be kept in a copy.
        """

    @abstractmethod
    def check_actions(self, actions: Any) -> Array:
        """Actions [B, N] that may be played; raises what `step` documents."""

    @abstractmethod
    def _flags(self, value: Any) -> Array:
        """A fresh bool array [B, N]: of one value, or of one value for each game."""

    def _mask(self, mask: Any) -> Array:
        """A caller's mask as a bool array [B] of the books; raises TypeError, ValueError."""
        given = np.asarray(mask)
        if given.dtype != bool:
            raise TypeError(f"reset_mask must be an array of bool, got {given.dtype}")
        if given.shape != (self.num_envs,):
            raise ValueError(f"reset_mask must have shape ({self.num_envs},), got {given.shape}")
        return given

    def _given(self, array: Array) -> Array:
        """An array of the books as callers get it."""
        return array

    def _read(self, array: Array) -> Array:
        """An array that callers get as one of the books."""
        return array

    def _may_look(self) -> bool:
        """Whether a check may wait for the device."""
        return True

    # What there is to see

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.game.max_cycles

    @property
    def unwrapped(self) -> Self:
        """This batch."""
        return self

    # Reset and step

    def reset(self, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Array, Infos]:
        """Starts an episode in every game, or in some.

        Args:
            seed: an integer in [0, 2^63): game i starts the first episode of seed `draw(seed, i)`;
                or a list of B integers, each game's own seed.  None: every game goes on to its
                next episode (the first time: of the seed given at construction, or of one from the
                operating system).
            options: {"reset_mask": bool[B]} restarts the marked games only; see `reset_options`.

        Returns:
            Observations [B, N, *obs_shape] of all games, and {}.

        Raises:
            TypeError, ValueError: a seed or a mask of another type, range or shape; an option
                whose name is nearly "reset_mask".
            ResetNeeded: a mask, before all games were reset once.
        """
        # Which games.
        mask = reset_options(options, RESET_OPTIONS).get("reset_mask")
        if mask is not None:
            mask = self._mask(mask)
            if self._clock is None:
                raise ResetNeeded(
                    "the first reset must be of all games: call reset() without a reset_mask"
                )
        lanes = None if mask is None or bool(mask.all()) else self.books.lanes(mask)

        # Which episodes.
        if seed is None and self._clock is None:
            seed = rng.fresh_seed() if self.options.seed is None else self.options.seed
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
            games: the present ones), and "_final_obs" bool [B], which ended.  With
            `info_metrics=True`, if a game has just ended, "metrics", a dict of float64 [B, N] (0
            for other games), and "_metrics" bool [B]; see `engine.episode_metrics`.

        Raises:
            ResetNeeded: before the first reset; `autoreset="disabled"`: a game is over (torch, if
                games are not in step: only with `validate=True`, and the game plays on, truncated,
                until it is reset).
            TypeError, ValueError: actions of another type, shape, device or range (torch: range
                only with `validate=True`).
        """
        if self._clock is None:
            raise ResetNeeded("call reset() before step()")
        actions = self.check_actions(actions)
        if not isinstance(self._clock, int):
            return self._step_apart(actions)
        if self._over:
            return self._step_over()
        if self._random_end is not None and self._random_end.may_end(self._clock + 1):
            self._part()
            return self._step_apart(actions)

        # Move all games.
        self._clock += 1
        rewards = self._play(actions)
        if self._clock < self.game.max_cycles:
            return self._observe(), rewards, self._flags(False), self._flags(False), {}

        # All episodes have ended.
        infos = {}
        if self._metrics is not None:
            infos = self._metrics.infos(self._running.episode >= 0)
        if self.autoreset == "same_step":
            infos["final_obs"] = self._observe(keep=True)
            infos["_final_obs"] = self._given(self._running.episode >= 0)  # all of them
        self._end()
        return self._observe(), rewards, self._flags(False), self._flags(True), infos

    def _step_over(self) -> Step:
        """The step after the end of all games: with "next_step" it resets, and nobody moves."""
        if self.autoreset != "next_step":
            raise ResetNeeded("all games are over: call reset() before step()")
        self._next_episode(None)
        zeros = self.engine.xp.zeros(self._actions_shape)
        return self._observe(), zeros, self._flags(False), self._flags(False), {}

    def _step_apart(self, actions: Array) -> Step:
        """A step of games that are not in step with each other."""
        self._check_none_over()
        waited, infos = self._over, dict[str, Array]()

        # Move all games; those that waited for their reset do not count.
        self._clock = self._clock + 1
        rewards = self._play(actions)
        done = self._ended() & ~waited

        if self._metrics is not None and bool(done.any()):
            infos = self._metrics.infos(done)

        # Games that end start again at once, in the next step, or wait for the caller.
        lanes = self.books.lanes
        if self.autoreset == "same_step":
            if bool(done.any()):
                infos |= {"final_obs": self._observe(keep=True), "_final_obs": self._given(done)}
                self._next_episode(lanes(done))
        elif self.autoreset == "next_step":
            self._over = done
            if bool(waited.any()):
                rewards = self.engine.xp.cleared(rewards, waited)
                self._next_episode(lanes(waited))
        else:
            self._over = done
        if self._random_end is not None and not isinstance(self._clock, int):
            self._meet()
        return self._observe(), rewards, self._flags(False), self._flags(done), infos

    def _ended(self) -> Array:
        """Which episodes have come to their end, at the present clocks [B]."""
        ended = self._clock >= self.game.max_cycles
        if self._random_end is not None:
            draw = self.engine.draw(self._running.key, self._clock)
            ended = ended | self._random_end.ends(self._clock, draw)
        return ended

    def _check_none_over(self) -> None:
        if self.autoreset == "next_step" or not self._may_look():
            return
        if bool(self._over.any()):
            first = self.books.lanes(self._over)[:SHOWN].tolist()
            raise ResetNeeded(
                f'games {first} ... are over: reset(options={{"reset_mask": ...}}) before step()'
            )

    def _play(self, actions: Array) -> Array:
        """Moves all games on, to the present clock; returns float32 rewards [B, N]."""
        running, metrics = self._running, self._metrics
        if self._trembles:
            actions = self._trembled(actions)
        before = () if metrics is None else self._boards()
        encoded, rewards = self.engine.play(
            running.encoded, actions, running.key, self._clock, running.rewards
        )
        if encoded is not running.encoded:  # else it was rewritten in place
            self._running = running._replace(encoded=encoded)
        if metrics is not None:
            moved = self._read(actions), self._read(rewards)
            metrics.add((before, self._boards()), *moved, self.books)
        return rewards

    def _boards(self) -> Board:
        """The columns of all boards, in the books."""
        return tuple(map(self._read, self.engine.board(self._running.encoded)))

    def _trembled(self, actions: Array) -> Array:
        """The actions that are played where hands tremble, [B, N]."""
        xp, draw = self.engine.xp, self.engine.draw(self._running.key, self._clock)
        return xp.stack(trembled(self.game, xp.columns(actions), draw))

    def __getstate__(self) -> dict[str, Any]:
        # Made anew, or shared: a copy is small and has arrays of its own.
        dropped = ("engine", "_buffer")
        return {name: value for name, value in self.__dict__.items() if name not in dropped}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.engine, self._buffer = self._make_engine(), None

    def range_error(self) -> ValueError:
        """The error of actions out of range."""
        return range_error(self.env_id, self.game)

    def close(self) -> None:
        """Nothing to close."""

    def __repr__(self) -> str:
        options = self.options
        return (
            f"<{type(self).__name__} {self.env_id} num_envs={self.num_envs} "
            f"device={str(self.device)!r} obs_mode={options.obs_mode!r} "
            f"autoreset={options.autoreset!r}>"
        )
