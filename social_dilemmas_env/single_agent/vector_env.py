"""Many games, each seen by one learner, as a Gymnasium `VectorEnv`."""

import copy
from collections.abc import Sequence
from enum import Enum
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.vector.utils import batch_space
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.games.flat import shaped
from social_dilemmas_env.modes import Autoreset
from social_dilemmas_env.policy import take_back
from social_dilemmas_env.registry import spec
from social_dilemmas_env.single_agent.horizon import TrueSpec
from social_dilemmas_env.single_agent.opponents import (
    Opponent,
    Opponents,
    SingleState,
    checked_single_state,
)
from social_dilemmas_env.validation import RESET_OPTIONS, integer, one_of, reset_options
from social_dilemmas_env.vector.numpy_env import NumpyBatch
from social_dilemmas_env.vector.options import Options, integer_array


class _Modes(Enum):
    """Gymnasium's modes, for Gymnasium 1.0, which has no name for them yet."""

    NEXT_STEP = "NextStep"
    SAME_STEP = "SameStep"
    DISABLED = "Disabled"


AutoresetMode: Any = getattr(gymnasium.vector, "AutoresetMode", _Modes)
AUTORESET_MODES: dict[str, Autoreset] = {
    "NextStep": "next_step",
    "SameStep": "same_step",
    "Disabled": "disabled",
}


class SingleVectorEnv(TrueSpec, gymnasium.vector.VectorEnv):
    """B games, each seen by one learner, on the numpy batch.

    Game i of a batch reset with an integer seed has the seed `draw(seed, i)`; a list gives
    each game its own.  In "SameStep" mode `infos["final_obs"]` is an object array of the last
    observations, as from Gymnasium's `SyncVectorEnv`.

    Args:
        num_envs: number of games B.
        env_id: see `list_envs`.
        opponent: see `SingleEnv`; functions too get the observations of all games [B, ...] and
            return actions [B].  An object with a `reset` whose `act` takes no `first` is reset
            where all games begin together, and no mask may start some of them.
        player: the learner's seat.
        render_mode: None.
        autoreset_mode: "NextStep", "SameStep" or "Disabled", or Gymnasium's `AutoresetMode`.
        flat: see `make_env`.
        info_metrics: infos hold "metrics" of the games that end, as Gymnasium's `SyncVectorEnv`
            would put together those of `SingleEnv`: float64 [B] each; in mode "SameStep" in
            "final_info".
        max_episode_steps: Gymnasium's word for a horizon; the shorter of it and the game's holds.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError, TypeError: as `SingleEnv`.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        env_id: str,
        opponent: Opponent = "random",
        player: int = 0,
        render_mode: None = None,
        autoreset_mode: Any = "NextStep",
        flat: bool = False,
        info_metrics: bool = False,
        max_episode_steps: int | None = None,
        **game_kwargs: Any,
    ):
        mode = getattr(autoreset_mode, "value", autoreset_mode)
        one_of("autoreset_mode", mode, tuple(AUTORESET_MODES))
        if render_mode is not None:
            raise ValueError(
                f"many games are not rendered: render_mode must be None, got {render_mode!r}"
            )

        # The horizon is the game's, or shorter.
        game = spec(env_id).game(**game_kwargs)
        if max_episode_steps is not None:
            most = integer("max_episode_steps", max_episode_steps, 1)
            game_kwargs = {**game_kwargs, "max_cycles": min(most, game.max_cycles)}
            game = spec(env_id).game(**game_kwargs)

        self.opponents = Opponents(env_id, player, opponent, game_kwargs)
        exact: dict[str, Any] = {"exact_rewards": True, "info_metrics": info_metrics}
        options = Options(num_envs, autoreset=AUTORESET_MODES[mode], **exact)
        self.venv = NumpyBatch(env_id, shaped(game, flat), options)
        self.num_envs, self.player, self.render_mode = self.venv.num_envs, int(player), None
        self.autoreset_mode = AutoresetMode(mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}

        # Spaces of the learner.
        self.single_observation_space = self.venv.single_observation_space
        self.single_action_space = Discrete(self.venv.game.num_actions[player])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

        # What the opponents see, and which games have just begun or ended.
        self._observations: np.ndarray = np.zeros(0)  # [B, N, ...]
        self._first = np.ones(self.num_envs, bool)  # games whose episode has just begun
        self._done = np.zeros(self.num_envs, bool)  # games whose episode has just ended
        self._seeded = False

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.venv.max_cycles

    @override
    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode in every game, or in some.

        Args:
            seed: fixes games and opponents' moves (with a mask: the games alone); an integer, or
                a list with each game's own.
            options: {"reset_mask": bool [B]} restarts the marked games only.

        Raises:
            TypeError, ValueError: a seed or a mask of another type, range or shape; an option
                whose name is nearly "reset_mask".
        """
        mask = reset_options(options, RESET_OPTIONS).get("reset_mask")
        if seed is None and not self._seeded:
            seed = rng.fresh_seed()

        # An opponent that cannot be told which games begin refuses before anything changes.
        if mask is not None:
            self.opponents.check_begin(np.asarray(mask))

        self._observations, _ = self.venv.reset(seed, options)
        if seed is not None and mask is None:
            self.opponents.reset(self.num_envs, seed)
        self._seeded = True

        chosen = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask)
        self._first, self._done = self._first | chosen, self._done & ~chosen
        return self._own(self._observations), {}

    @override
    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One joint move in every game.

        Args:
            actions: the learner's, integers [B].

        Returns:
            Observations [B, *obs_shape], rewards float64 [B], terminations and truncations bool
            [B], infos.

        Raises:
            gymnasium.error.ResetNeeded: before the first reset; in mode "Disabled", if a game is
                over.
            ValueError, TypeError: actions out of range, or of another shape or type.
        """
        joint = self._joint(integer_array(actions))
        self._observations, rewards, terminations, truncations, last = self.venv.step(joint)

        # Which games have just begun, and which have just ended.
        done, mode = truncations[:, 0].copy(), self.autoreset_mode.value
        began = {"SameStep": done, "NextStep": self._done, "Disabled": np.zeros_like(done)}
        self._first, self._done = began[mode], done

        # The learner's part.
        infos = self._metrics(last) if "metrics" in last else {}
        if "final_obs" in last:
            infos = self._final(last["final_obs"], last["_final_obs"], infos)
        return (
            self._own(self._observations),
            rewards[:, self.player].astype(np.float64),  # they are already; a copy of its own
            terminations[:, self.player].copy(),
            truncations[:, self.player].copy(),
            infos,
        )

    def _joint(self, actions: np.ndarray) -> np.ndarray:
        """The learner's actions and the opponents', [B, N]."""
        if actions.shape != (self.num_envs,):
            raise ValueError(
                f"actions must have shape ({self.num_envs},), one for each game; "
                f"got {actions.shape}"
            )
        limit = self.venv.game.num_actions[self.player]
        if ((actions < 0) | (actions >= limit)).any():
            raise ValueError(f"actions must lie in 0 .. {limit - 1}")
        if not self._seeded:
            raise ResetNeeded("call reset() before step()")
        mode = self.autoreset_mode.value
        if mode == "Disabled" and self._done.any():
            raise ResetNeeded("games are over: reset them before step()")

        joint = np.zeros((self.num_envs, self.venv.num_agents), np.int64)
        waiting = self._done & (mode == "NextStep")
        if not waiting.all():  # else nobody moves
            self.opponents.act(self._observations, self._first, joint)
            if waiting.any():
                take_back(self.opponents.policies, waiting)
        joint[:, self.player] = actions
        return joint

    def _own(self, observations: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(observations[:, self.player])

    def _metrics(self, last: dict[str, Any]) -> dict[str, Any]:
        """The learner's own, each with its mask."""
        metrics: dict[str, Any] = {}
        for name, values in last["metrics"].items():
            metrics[name] = values[:, self.player].copy()
            metrics[f"_{name}"] = last["_metrics"].copy()
        return {"metrics": metrics, "_metrics": last["_metrics"].copy()}

    def _final(
        self, observations: np.ndarray, ended: np.ndarray, info: dict[str, Any]
    ) -> dict[str, Any]:
        """The infos of Gymnasium's `SyncVectorEnv`."""
        final = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended):
            final[i] = observations[i, self.player].copy()
        return {
            "final_obs": final,
            "_final_obs": ended,
            "final_info": info,
            "_final_info": ended.copy(),
        }

    def set_opponent(self, opponent: Opponent) -> None:
        """Exchanges the opponents, at once; see `SingleEnv.set_opponent`."""
        state = self.venv.get_state() if self._seeded else None
        self.opponents = self.opponents.exchanged(opponent, state)
        self._first = np.ones(self.num_envs, bool)

    def get_state(self) -> SingleState:
        """Everything needed to continue; opponents are copied."""
        opponents = copy.deepcopy(self.opponents.policies)
        return SingleState(self.venv.get_state(), opponents, self._first.tolist())

    def set_state(self, state: SingleState) -> None:
        """Continues from a state of this view with the same opponents.

        Raises:
            ValueError: a state of another game or batch size, or with other opponents.
        """
        state = checked_single_state(state, self.opponents, self.num_envs)
        policies, first = copy.deepcopy(state.opponents), np.array(state.first, bool)

        self.venv.set_state(state.game)
        self.opponents.policies, self._first = policies, first
        self._done = np.array(self.venv.get_state().over) > 0
        self._observations, self._seeded = self.venv.observe_now(), True
