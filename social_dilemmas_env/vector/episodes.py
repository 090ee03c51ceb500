"""The running episodes of many games: seeds, clocks, keys, boards, and the exchange of states.

key      (start, stride) of each game's word sequence, made once an episode (see `rng`)
clock    steps taken; one host integer while all games run in step, so that nothing has to look
         at B clocks; an array [B] only after a partial reset or `set_state`, until the games
         meet again
over     whether the episode has ended and waits for a reset: likewise one bool, or [B]
encoded  the boards of all games, in the form of the engine
"""

from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import ResetNeeded

from social_dilemmas_env import rng
from social_dilemmas_env.engine.episode_metrics import ManyGames
from social_dilemmas_env.engine.states import checked_batch_state
from social_dilemmas_env.games.game import Game, State
from social_dilemmas_env.modes import Autoreset

Array = Any  # a numpy array, a torch tensor or a JAX array
Lanes = Any  # indices [L] of some games, or None for all


class Running(NamedTuple):
    """The arrays of the running episodes: all that steps without a reset read and write."""

    stem: Array  # [B] words: of each game's seed
    episode: Array  # [B] int64
    key: tuple[Array, Array]  # [B] words each
    rewards: Array | None  # [B, codes] float32: reward values, where they change with the episode
    encoded: tuple[Array, ...]  # columns [B]: the boards, in the form of the engine


class Episodes:
    """B games that are being played; what `BatchEnv` is built on.

    Attributes:
        game: the rules.
        num_envs: number of games B.
        autoreset: what follows the end of an episode.
        engine: what plays; see `engine.array_engine`.
    """

    game: Game
    num_envs: int
    autoreset: Autoreset
    engine: Any

    _seed: Array  # [B] int64
    _running: Running
    _clock: Any = None  # nothing runs before the first reset
    _over: Any = False
    _metrics: ManyGames | None = None  # what infos tell of episodes, with `info_metrics`

    @property
    def books(self) -> Any:
        """The `Arrays` that seeds, episodes and clocks are kept in."""
        return self.engine.xp

    @property
    def clock(self) -> Any:
        """Steps taken in the running episodes.

        An int while all games run in step, else an integer array [B]; None before the first reset.
        """
        return self._clock

    @property
    def over(self) -> Any:
        """Whether the games have ended and wait for a reset.

        A bool for all, or a bool array [B] while they are not in step.
        """
        return self._over

    def _end(self) -> None:
        """All episodes have ended: the next ones begin, or the games wait for a reset."""
        if self.autoreset == "same_step":
            self._next_episode(None)
        else:
            self._over = True

    # Episodes and seeds

    def _seeds(self, seed: Any) -> Array:
        """Each game's own seed, int64 [B]."""
        if not isinstance(seed, list | tuple | np.ndarray) or getattr(seed, "ndim", 1) == 0:
            return rng.draw(rng.check_seed(seed), self.books.arange(self.num_envs))
        if len(seed) != self.num_envs:
            raise ValueError(
                f"a list of seeds must hold one for each of {self.num_envs} games, got {len(seed)}"
            )
        return self.books.column([rng.check_seed(s) for s in seed])

    def _first_episode(self, seeds: Array, lanes: Lanes) -> None:
        """Starts the first episode of these seeds [B], in some games or in all."""
        xp = self.books
        if lanes is None:
            seed, episode = seeds, xp.arange(self.num_envs) * 0
        else:
            seed, episode = self._seed + 0, self._running.episode + 0
            seed[lanes], episode[lanes] = seeds[lanes], 0
        self._seed = seed
        self._start(xp.word(rng.stem(seed)), episode, lanes)

    def _next_episode(self, lanes: Lanes) -> None:
        """Starts the episode after the present one, in some games or in all."""
        stem, episode = self._running.stem, self._running.episode
        if lanes is None:
            episode = episode + 1
        else:
            episode[lanes] += 1
        self._start(stem, episode, lanes)

    def _start(self, stem: Array, episode: Array, lanes: Lanes) -> None:
        """Starts these episodes [B], in some games or in all: keys, noisy rewards, boards."""
        if self._metrics is not None:
            self._metrics.clear(lanes)
        if lanes is None:
            self._running = self._begun(stem, episode)
            self._clock, self._over = 0, False
            return

        # A clock for each game, until they meet again.
        self._running = self._some_begun(stem, episode, lanes)
        if isinstance(self._clock, int):
            self._part()
        self._clock[lanes], self._over[lanes] = 0, False
        self._meet()

    def _begun(self, stem: Array, episode: Array) -> Running:
        """These episodes [B], at their start."""
        key = self._key(stem, episode)
        rewards = self.engine.episode_rewards(key)
        return Running(stem, episode, key, rewards, self.engine.start(key))

    def _some_begun(self, stem: Array, episode: Array, lanes: Lanes) -> Running:
        """The running episodes, but at their start in some games: written among the others."""
        start, stride = self._running.key
        old = self._running._replace(key=(start + 0, stride + 0))  # others know keys by the arrays
        key = self._key(stem[lanes], episode[lanes])
        if old.rewards is not None:
            old.rewards[lanes] = self.engine.episode_rewards(key)
        fresh = (*key, *self.engine.start(key))
        for column, part in zip((*old.key, *old.encoded), fresh, strict=True):
            column[..., lanes] = part
        return old._replace(stem=stem, episode=episode)

    def _key(self, stem: Array, episode: Array) -> tuple[Array, Array]:
        start, stride = rng.key_of(stem, self.books.word(episode))
        return start, stride

    def _part(self) -> None:
        """Gives each game a clock of its own."""
        zeros = self.books.arange(self.num_envs) * 0
        self._clock, self._over = zeros + self._clock, zeros + int(self._over) > 0

    def _meet(self) -> None:
        """Goes back to one clock if all games are in step again."""
        t, over = int(self._clock[0]), bool(self._over[0])
        if bool(((self._clock == t) & (self._over == over)).all()):
            self._clock, self._over = t, over

    # Running games from outside, many steps in one go (see `cuda_graph`)

    @property
    def running(self) -> Running:
        """The arrays of the running episodes, not copies of them.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._clock is None:
            raise ResetNeeded("reset the batch first")
        return self._running

    def put_back(self, running: Running, num_steps: int) -> None:
        """Goes on from what `num_steps` steps, without a reset, have made of `running`.

        If the episodes have come to their end, the next ones begin ("same_step"), or all games
        wait for a reset.

        Args:
            running: arrays that are the batch's own from now on.
            num_steps: at most what is left of the episodes, which are all at the same step.
        """
        self._running = running
        self._clock += num_steps
        if self._clock == self.game.max_cycles:
            self._end()

    # States

    def get_state(self) -> State:
        """Everything needed to continue, as lists of plain integers (fit for JSON).

        Element i is game i's.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._clock is None:
            raise ResetNeeded("call reset() before get_state()")

        clock, over = self._clock, self._over
        together = isinstance(clock, int)
        columns = self.engine.board(self._running.encoded)
        return State(
            game=repr(self.game),
            seed=self._seed.tolist(),
            episode=self._running.episode.tolist(),
            t=[clock] * self.num_envs if together else clock.tolist(),
            board=[list(row) for row in zip(*[c.tolist() for c in columns], strict=True)],
            over=[int(over)] * self.num_envs if together else (over * 1).tolist(),
        )

    def set_state(self, state: Any) -> None:
        """Continues from a `State`, from any backend or device, or its fields as JSON gives them.

        Raises:
            ValueError: a state of another game or batch size, or with values out of range; nothing
                is changed.
            TypeError: a field that does not list integers.
        """
        checked, books = checked_batch_state(self.game, state, self.num_envs), self.books

        # Their episodes from the start on, but for the boards.
        seed, episode = books.column(checked.seed), books.column(checked.episode)
        begun = self._begun(books.word(rng.stem(seed)), episode)
        columns = tuple(self.engine.xp.column(column) for column in checked.board)
        running = begun._replace(encoded=self.engine.encoded(columns))
        clock, over = books.column(checked.t), books.column(checked.over) > 0

        # Nothing can fail any more.
        self._seed, self._running = seed, running
        self._clock, self._over = clock, over
        if self._metrics is not None:
            self._metrics.clear(None)
        self._meet()
