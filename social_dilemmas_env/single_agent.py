"""One learner among fixed players, as Gymnasium environments.

    env = gymnasium.make("social_dilemmas/coin_game-v0", opponent="always_defect")
    envs = gymnasium.make_vec("social_dilemmas/coin_game-v0", num_envs=64, opponent="tit_for_tat")

`SingleEnv` is one game, `SingleVectorEnv` many on the numpy batch; game i of the second, made with
the seed of the first, is the same game against the same moves.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete
from gymnasium.vector.utils import batch_space

from social_dilemmas_env import rng as draws
from social_dilemmas_env.envs.parallel import FRAMES_PER_SECOND, RENDER_MODES, DilemmaEnv
from social_dilemmas_env.games.game import State
from social_dilemmas_env.make import make_vec_env
from social_dilemmas_env.registry import spec
from social_dilemmas_env.strategies import make_strategy
from social_dilemmas_env.strategies.base import seat
from social_dilemmas_env.validation import choice

Opponent = Any  # a name, an object with `act`, a function of observations, or a list of these, one for each other player


class _Modes(Enum):
    """Gymnasium's modes, for Gymnasium 1.0, which has no name for them yet."""

    NEXT_STEP = "NextStep"
    SAME_STEP = "SameStep"
    DISABLED = "Disabled"


AutoresetMode: Any = getattr(gymnasium.vector, "AutoresetMode", _Modes)
AUTORESETS = {"NextStep": "next_step", "SameStep": "same_step", "Disabled": "disabled"}


class SingleState(NamedTuple):
    """Everything needed to continue, opponents included."""

    game: State
    opponents: list[Any]  # copies of the opponents
    first: list[bool]  # per game, whether its episode has just begun


class Opponents:
    """The other players of B games.

    Attributes:
        seats: which player each of them is.
        players: strategies, other objects with `act`, or functions.
    """

    def __init__(self, env_id: str, player: int, opponent: Opponent, game_kwargs: dict[str, Any]):
        """Makes the players; raises what `SingleEnv` documents."""
        game = spec(env_id).game(**game_kwargs)
        self.seats = [n for n in range(len(game.num_actions)) if n != seat(game, player)]
        each = (
            list(opponent) if isinstance(opponent, list | tuple) else [opponent] * len(self.seats)
        )
        if len(each) != len(self.seats):
            raise ValueError(
                f"opponent must list a player for each of the seats {self.seats}, got {len(each)}"
            )
        if len({id(one) for one in each if hasattr(one, "reset")}) < sum(
            hasattr(one, "reset") for one in each
        ):
            raise ValueError(
                f"one object with a memory cannot play {len(each)} seats: give a list of {len(each)} opponents"
            )
        self.players: list[Any] = [
            make_strategy(one, env_id, player=n, **game_kwargs)
            if isinstance(one, str)
            else _checked(one)
            for n, one in zip(self.seats, each, strict=True)
        ]

    def reset(self, num_games: int, seed: Any) -> None:
        """Begins anew; `seed` is that of the games, or a list of each game's own."""
        for player in self.players:
            if hasattr(player, "reset"):
                player.reset(num_games, seed=seed)

    def act(self, observations: np.ndarray, first: np.ndarray, joint: np.ndarray) -> None:
        """Writes the moves of all opponents into `joint` [B, N], given observations [B, N, ...] and
        first bool [B].
        """
        for n, player in zip(self.seats, self.players, strict=True):
            act = getattr(player, "act", player)
            moves = (
                act(observations[:, n], first=first)
                if _takes_first(act)
                else act(observations[:, n])
            )
            moves = np.asarray(moves)
            if moves.dtype.kind not in "iu" or moves.shape != first.shape:
                raise TypeError(
                    f"the opponent in seat {n} must return integers {first.shape}, got {moves.dtype} {moves.shape}"
                )
            joint[:, n] = moves


def _takes_first(act: Callable[..., Any]) -> bool:
    try:
        return "first" in inspect.signature(act).parameters
    except (TypeError, ValueError):  # some built-in functions have no signature
        return False


def _checked(one: Any) -> Any:
    if callable(getattr(one, "act", one)):
        return one
    raise TypeError(
        f"an opponent is the name of a strategy, an object with act(observations) or a function, got {one!r}"
    )


class SingleEnv(gymnasium.Env):
    """One game, seen by one learner.

    Rewards are the learner's own; the end of the horizon is a truncation.  Deep copies, pickles and
    `get_state`/`set_state` continue a running game with its opponents.

    Args:
        env_id: see `list_envs`.
        opponent: who plays the other seats: the name of a strategy (see `list_strategies`; a player
            of its own in every seat), an object with `act(observations [B, ...], first=None) ->
            actions [B]` and, if it has a memory, `reset(num_games, seed=...)` (B is 1 here), a
            function of one observation that returns an action, or a list of these, one for each
            other seat in order.
        player: the learner's seat.
        render_mode: see `make_env`.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: unknown id, strategy or argument value; a seat that does not exist; another
            number of opponents.
        TypeError: an unknown argument; an opponent that cannot act.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": FRAMES_PER_SECOND}  # noqa: RUF012, as in Gymnasium

    def __init__(
        self,
        env_id: str,
        opponent: Opponent = "random",
        player: int = 0,
        render_mode: str | None = None,
        **game_kwargs: Any,
    ):
        """See the class."""
        self.opponents = Opponents(env_id, player, opponent, game_kwargs)
        self.env = DilemmaEnv(env_id, spec(env_id).game(**game_kwargs), render_mode)
        self.agent, self.player, self.render_mode = (
            self.env.possible_agents[player],
            int(player),
            render_mode,
        )
        self.observation_space = self.env.observation_space(self.agent)
        self.action_space = self.env.action_space(self.agent)
        self._first, self._seeded = True, False
        self._observations: dict[str, np.ndarray] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode; a seed fixes the game and the opponents' moves, in this and all later
        episodes.

        Raises:
            TypeError, ValueError: a seed that is no integer in [0, 2^63).
        """
        if seed is None and not self._seeded:
            seed = draws.fresh_seed()
        self._observations, _ = self.env.reset(seed=seed)
        super().reset(seed=seed)
        if seed is not None:
            self.opponents.reset(1, [int(seed)])
        self._first = self._seeded = True
        return self._observations[self.agent].copy(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One joint move: the learner's action and the opponents'.

        Raises:
            gymnasium.error.ResetNeeded: before the first reset, or after the end of an episode.
            ValueError, TypeError: an action out of range or of the wrong type.
        """
        env, agent = self.env, self.agent
        if env.agents:  # a wrong action is refused before anybody moves
            env.check_actions({**dict.fromkeys(env.agents, 0), agent: action})
        observations, rewards, terminations, truncations, _ = env.step(
            {**self._others(), agent: action}
        )
        self._observations, self._first = observations, False
        return (
            observations[agent].copy(),
            rewards[agent],
            terminations[agent],
            truncations[agent],
            {},
        )

    def _others(self) -> dict[str, int]:
        """What the opponents do now."""
        if not self.env.agents:
            return {}  # not reset, or over: `step` says so
        agents, moves = self.env.possible_agents, {}
        for n, player in zip(self.opponents.seats, self.opponents.players, strict=True):
            observation = self._observations[agents[n]]
            if hasattr(player, "act"):
                first = {"first": np.array([self._first])} if _takes_first(player.act) else {}
                moves[agents[n]] = np.asarray(player.act(observation[None], **first)).reshape(-1)[0]
            else:
                moves[agents[n]] = player(observation)
        return moves

    def get_state(self) -> SingleState:
        """Everything needed to continue; opponents are copied."""
        return SingleState(
            self.env.get_state(), copy.deepcopy(self.opponents.players), [self._first]
        )

    def set_state(self, state: SingleState) -> None:
        """Continues from a state of this view with the same opponents.

        Raises:
            ValueError: a state of another game, or with other opponents.
        """
        state = checked_single_state(state, self.opponents)
        self.env.set_state(state.game)
        self.opponents.players = copy.deepcopy(state.opponents)
        self._first, self._seeded = bool(state.first[0]), True
        self._observations = self.env.observations()

    def render(self) -> Any:
        """See `DilemmaEnv.render`."""
        return self.env.render()

    def close(self) -> None:
        """Closes the window, if there is one."""
        self.env.close()


def checked_single_state(state: Any, opponents: Opponents) -> SingleState:
    """`state` as a `SingleState` with as many opponents of the same kinds.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(state, tuple | list) or len(state) != len(SingleState._fields):
        raise ValueError(
            f"not a state of this view: expected the fields {', '.join(SingleState._fields)}"
        )
    state = SingleState(*state)
    if list(map(type, state.opponents)) != list(map(type, opponents.players)):
        raise ValueError(
            f"this state has other opponents: {state.opponents}; here they are {opponents.players}"
        )
    return state


class SingleVectorEnv(gymnasium.vector.VectorEnv):
    """B games, each seen by one learner, on the numpy batch.

    Game i of a batch reset with an integer seed has the seed `draws.draw(seed, i)`; a list gives
    each game its own.  In "SameStep" mode `infos["final_obs"]` is an object array of the last
    observations, as from Gymnasium's `SyncVectorEnv`.

    Args:
        num_envs: number of games B.
        env_id: see `list_envs`.
        opponent: see `SingleEnv`; functions and objects get the observations of all games [B, ...]
            and return actions [B].
        player: the learner's seat.
        render_mode: None.
        autoreset_mode: "NextStep", "SameStep" or "Disabled", or Gymnasium's `AutoresetMode`.
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
        **game_kwargs: Any,
    ):
        """See the class."""
        mode = choice(
            "autoreset_mode", getattr(autoreset_mode, "value", autoreset_mode), tuple(AUTORESETS)
        )
        if render_mode is not None:
            raise ValueError(
                f"many games are not rendered: render_mode must be None, got {render_mode!r}"
            )
        self.opponents = Opponents(env_id, player, opponent, game_kwargs)
        self.venv = make_vec_env(env_id, num_envs, autoreset=AUTORESETS[mode], **game_kwargs)
        self.num_envs, self.player, self.render_mode = self.venv.num_envs, int(player), None
        self.autoreset_mode = AutoresetMode(mode)
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.single_observation_space = self.venv.single_observation_space
        self.single_action_space = Discrete(self.venv.game.num_actions[player])
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._observations: np.ndarray = np.zeros(0)  # [B, N, ...]
        self._first = np.ones(self.num_envs, bool)  # games whose episode has just begun
        self._done = np.zeros(self.num_envs, bool)  # games whose episode has just ended
        self._seeded = False

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Starts an episode in every game, or in those of options["reset_mask"], bool [B].

        A seed fixes games and opponents' moves (with a mask: the games alone).

        Raises:
            TypeError, ValueError: a seed or a mask of another type, range or shape.
        """
        if seed is None and not self._seeded:
            seed = draws.fresh_seed()
        mask = (options or {}).get("reset_mask")
        self._observations, _ = self.venv.reset(seed, options)
        if seed is not None and mask is None:
            self.opponents.reset(self.num_envs, seed)
        self._seeded = True
        chosen = np.ones(self.num_envs, bool) if mask is None else np.asarray(mask)
        self._first, self._done = self._first | chosen, self._done & ~chosen
        return self._own(self._observations), {}

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
            over. ValueError, TypeError: actions out of range, or of another shape or type.
        """
        joint = self._joint(np.asarray(actions))
        self._observations, rewards, terminations, truncations, last = self.venv.step(joint)
        done, mode = truncations[:, 0].copy(), self.autoreset_mode.value
        self._first = (
            done
            if mode == "SameStep"
            else self._done
            if mode == "NextStep"
            else np.zeros_like(done)
        )
        self._done = done
        infos = self._final(last["final_obs"], last["_final_obs"]) if last else {}
        own = (
            rewards[:, self.player].astype(np.float64),
            terminations[:, self.player],
            truncations[:, self.player],
        )
        return self._own(self._observations), *(part.copy() for part in own), infos

    def _joint(self, actions: np.ndarray) -> np.ndarray:
        """The learner's actions and the opponents', [B, N]."""
        if actions.dtype.kind not in "iu":
            raise TypeError(f"actions must be integers, got an array of {actions.dtype}")
        if actions.shape != (self.num_envs,):
            raise ValueError(
                f"actions must have shape ({self.num_envs},), one for each game; got {actions.shape}"
            )
        limit = self.venv.game.num_actions[self.player]
        if ((actions < 0) | (actions >= limit)).any():
            raise ValueError(f"actions must lie in 0 .. {limit - 1}")
        if not self._seeded or (self._done.any() and self.autoreset_mode.value == "Disabled"):
            raise ResetNeeded(
                "games are over: reset them before step()"
                if self._seeded
                else "call reset() before step()"
            )
        joint = np.zeros((self.num_envs, self.venv.num_agents), np.int64)
        if (
            self.autoreset_mode.value != "NextStep" or not self._done.all()
        ):  # else all games only restart: nobody moves
            self.opponents.act(self._observations, self._first, joint)
        joint[:, self.player] = actions
        return joint

    def _own(self, observations: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(observations[:, self.player])

    def _final(self, observations: np.ndarray, ended: np.ndarray) -> dict[str, Any]:
        """The infos of Gymnasium's `SyncVectorEnv`."""
        final = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended):
            final[i] = observations[i, self.player].copy()
        return {
            "final_obs": final,
            "_final_obs": ended,
            "final_info": {},
            "_final_info": ended.copy(),
        }

    def get_state(self) -> SingleState:
        """Everything needed to continue; opponents are copied."""
        return SingleState(
            self.venv.get_state(), copy.deepcopy(self.opponents.players), self._first.tolist()
        )

    def set_state(self, state: SingleState) -> None:
        """Continues from a state of this view with the same opponents.

        Raises:
            ValueError: a state of another game or batch size, or with other opponents.
        """
        state = checked_single_state(state, self.opponents)
        if len(state.first) != self.num_envs:
            raise ValueError(
                f"this state is of {len(state.first)} games, and not of {self.num_envs}"
            )
        self.venv.set_state(state.game)
        self.opponents.players = copy.deepcopy(state.opponents)
        self._first, self._done = (
            np.array(state.first, bool),
            np.array(self.venv.get_state().over) > 0,
        )
        self._observations, self._seeded = self.venv._observe(), True
