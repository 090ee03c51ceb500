"""What there is to see of the games of a batch: observations, ids, whole states."""

from abc import ABC, abstractmethod

from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete

from social_dilemmas_env.engine.array_tables import MAX_TABLE, observation_count
from social_dilemmas_env.engine.tables import counted
from social_dilemmas_env.games.game import encode, player_0_sees_all
from social_dilemmas_env.games.whole_state import (
    board_positions,
    whole_state_shape,
    whole_state_space,
)
from social_dilemmas_env.modes import ObsMode
from social_dilemmas_env.vector.episodes import Array, Episodes
from social_dilemmas_env.vector.options import Options


class SeenEpisodes(Episodes, ABC):
    """Episodes, and the arrays that show them.

    Attributes:
        options: of the batch.
        obs_mode: as asked for.
        num_agents: number of players N.
    """

    options: Options
    obs_mode: ObsMode
    num_agents: int

    _shape: tuple[int, ...]  # of the observations
    _buffer: Array  # of the observations, where it is reused

    @abstractmethod
    def _empty(self, shape: tuple[int, ...], dtype: str) -> Array:
        """An array to be filled."""

    def observe_now(self) -> Array:
        """What the players see now, in the `obs_mode`: a fresh array [B, N, ...].

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._clock is None:
            raise ResetNeeded("call reset() before observe_now()")
        return self._observe(keep=True)

    def _observe(self, *, keep: bool = False) -> Array:
        """What the players see now, in the `obs_mode`; in an array of its own if `keep`."""
        encoded = self._running.encoded
        if self.obs_mode == "state":
            return self.engine.observation_ids(encoded)

        out = self._buffer
        if out is None or keep:
            numbers = self.num_agents * self.engine.numbers
            out = self._empty((self.num_envs, numbers), self.obs_mode)
            if self.options.reuse_buffers and not keep:
                self._buffer = out
        return self.engine.observe(encoded, out).reshape(self._shape)

    def observe(self, ids: Array) -> Array:
        """float32 observations [..., *obs_shape] of observation ids [...], all in range.

        Args:
            ids: as in the observations of `obs_mode="state"`.
        """
        return self.engine.observe_ids(ids).reshape(*ids.shape, *self.game.observation_shape)

    def state(self) -> Array:
        """Each whole game, for centralised critics: it determines what all its players observe.

        [B, ...] in the `obs_mode`, each in `state_space`; see `games.whole_state`.

        Raises:
            ResetNeeded: before the first reset.
        """
        if self._clock is None:
            raise ResetNeeded("call reset() before state()")
        if player_0_sees_all(self.game):
            return self._observe(keep=True)[:, 0]

        board = self.engine.board(self._running.encoded)
        if self.obs_mode == "state":
            return encode(board, self.game.sizes)
        (numbers,) = whole_state_shape(self.game)
        out = self._empty((self.num_envs, numbers), self.obs_mode)
        return self.engine.xp.fill_one_hot(board_positions(self.game, board), numbers, out)

    @property
    def state_space(self) -> Box | Discrete:
        """Of `state`, of one game."""
        return whole_state_space(self.game, self.obs_mode)

    @property
    def observation_table(self) -> Array:
        """float32 observations of all ids, flat: [V, prod(obs_shape)]; nobody may write in it.

        `(table @ weights)[ids]` is a first layer.

        Raises:
            ValueError: there are too many ids to keep.
        """
        count, numbers = observation_count(self.game), self.engine.numbers
        if count * numbers > MAX_TABLE:
            raise ValueError(
                f"{counted(count)} views x {numbers} numbers are too many for a table; "
                "use observe(ids)"
            )
        return self.engine.observation_table
