"""One game, seen by one learner, as a Gymnasium `Env`."""

import copy
from typing import Any

import gymnasium
import numpy as np
from typing_extensions import override

from social_dilemmas_env import rng
from social_dilemmas_env.envs.parallel import FRAMES_PER_SECOND, DilemmaEnv
from social_dilemmas_env.games.flat import shaped
from social_dilemmas_env.modes import RENDER_MODES, RenderMode
from social_dilemmas_env.registry import spec
from social_dilemmas_env.single_agent.horizon import TrueSpec
from social_dilemmas_env.single_agent.opponents import (
    Opponent,
    Opponents,
    SingleState,
    checked_single_state,
)
from social_dilemmas_env.validation import reset_options


class SingleEnv(TrueSpec, gymnasium.Env[np.ndarray, Any]):
    """One game, seen by one learner.

    Rewards are the learner's own; the end of the horizon is a truncation.  Deep copies, pickles and
    `get_state`/`set_state` continue a running game with its opponents.

    Args:
        env_id: see `list_envs`.
        opponent: who plays the other seats: the name of a strategy (see `list_strategies`; a player
            of its own in every seat); "axelrod:NAME", of the Axelrod library; a trained agent
            ("bundled:NAME", a run folder, what `load_agent` returns); "FILE.py:NAME"; an object
            with `predict`, of Stable-Baselines3, as it is now; a `Policy` (B is 1 here); a function
            of one observation that returns an action; an `OpponentPool` of these; or a list of
            these, one for each other seat in order.  The environment plays against a copy of its
            own.  An object with a `reset` whose `act` takes no `first` is reset at the start of
            each episode.
        player: the learner's seat.
        render_mode, flat, info_metrics: see `make_env`.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: unknown id, strategy or argument value; a seat that does not exist; another
            number of opponents.
        TypeError: an unknown argument; an opponent that cannot act, or cannot be copied.
        ModuleNotFoundError: a trained agent, without torch.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012, as in Gymnasium
        "render_modes": list(RENDER_MODES),
        "render_fps": FRAMES_PER_SECOND,
    }

    def __init__(
        self,
        env_id: str,
        opponent: Opponent = "random",
        player: int = 0,
        render_mode: RenderMode | None = None,
        *,
        flat: bool = False,
        info_metrics: bool = False,
        **game_kwargs: Any,
    ):
        self.opponents = Opponents(env_id, player, opponent, game_kwargs, each=True)
        self.metadata = copy.deepcopy(type(self).metadata)  # libraries write into it
        game = shaped(spec(env_id).game(**game_kwargs), flat)
        self.env = DilemmaEnv(env_id, game, render_mode, info_metrics=info_metrics)
        self.render_mode = render_mode

        # The learner's own seat.
        self.agent, self.player = self.env.possible_agents[player], int(player)
        self.observation_space = self.env.observation_space(self.agent)
        self.action_space = self.env.action_space(self.agent)

        self._first, self._seeded = True, False
        self._observations: dict[str, np.ndarray] = {}

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.env.max_cycles

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode.

        Args:
            seed: fixes the game and the opponents' moves, in this and all later episodes.
            options: there are none; see `reset_options`.

        Raises:
            TypeError, ValueError: a seed that is no integer in [0, 2^63); an option of batches.
        """
        reset_options(options)
        # The game and the opponents share a seed, drawn here if nobody gives one.
        if seed is None and not self._seeded:
            seed = rng.fresh_seed()
        self._observations, _ = self.env.reset(seed=seed)
        super().reset(seed=seed)
        if seed is not None:
            self.opponents.reset(1, [int(seed)])
        self._first = self._seeded = True
        return self._observations[self.agent].copy(), {}

    @override
    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One joint move: the learner's action and the opponents'.

        Raises:
            gymnasium.error.ResetNeeded: before the first reset, or after the end of an episode.
            ValueError, TypeError: an action out of range or of the wrong type.
        """
        env, agent = self.env, self.agent

        # A wrong action is refused before anybody moves.
        if env.agents:
            env.check_actions({**dict.fromkeys(env.agents, 0), agent: action})

        moves = {**self._others(), agent: action}
        observations, rewards, terminations, truncations, infos = env.step(moves)
        self._observations, self._first = observations, False
        own = observations[agent].copy()
        return own, rewards[agent], terminations[agent], truncations[agent], infos[agent]

    def _others(self) -> dict[str, int]:
        """What the opponents do now."""
        if not self.env.agents:
            return {}  # not reset, or over: `step` says so

        # They see a batch of one game.
        first = np.array([self._first])
        moves = {}
        for i, n in enumerate(self.opponents.seats):
            agent = self.env.possible_agents[n]
            moves[agent] = self.opponents.moves(i, self._observations[agent][None], first)[0]
        return moves

    def set_opponent(self, opponent: Opponent) -> None:
        """Exchanges the opponents, at once; a running game is their first to see as it stands.

        Args:
            opponent: as at construction.

        Raises:
            ValueError, TypeError: as at construction; the former opponents then play on.
        """
        state = self.env.get_state() if self._seeded else None
        self.opponents = self.opponents.exchanged(opponent, state)
        self._first = True

    def get_state(self) -> SingleState:
        """Everything needed to continue; opponents are copied."""
        opponents = copy.deepcopy(self.opponents.policies)
        return SingleState(self.env.get_state(), opponents, [self._first])

    def set_state(self, state: SingleState) -> None:
        """Continues from a state of this view with the same opponents.

        Raises:
            ValueError: a state of another game, or with other opponents.
        """
        state = checked_single_state(state, self.opponents, 1)
        policies, first = copy.deepcopy(state.opponents), bool(state.first[0])

        self.env.set_state(state.game)
        self.opponents.policies, self._first, self._seeded = policies, first, True
        self._observations = self.env.observations()

    @override
    def render(self) -> Any:
        """Draws the game, as `DilemmaEnv.render` does."""
        return self.env.render()

    @override
    def close(self) -> None:
        """Closes the window, if there is one."""
        self.env.close()
