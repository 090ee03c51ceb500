"""One game in which all players move at once, as a PettingZoo `ParallelEnv`."""

import operator
from collections import deque
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from typing_extensions import override

from social_dilemmas_env import render
from social_dilemmas_env.engine.episode_metrics import OneGame
from social_dilemmas_env.engine.python_engine import SingleGame, player_names
from social_dilemmas_env.extras import need_found
from social_dilemmas_env.games.game import Game, State, player_0_sees_all
from social_dilemmas_env.games.switches import with_horizon
from social_dilemmas_env.games.whole_state import (
    board_positions,
    whole_state_shape,
    whole_state_space,
)
from social_dilemmas_env.modes import RENDER_MODES, RenderMode
from social_dilemmas_env.render.scene import HISTORY, Move, Scene
from social_dilemmas_env.validation import flag, horizon, integer, reset_options

FRAMES_PER_SECOND = 4  # in a window, and of recorded videos
MAX_SCALE = 8  # of pictures: 5,120 pixels wide

Observations = dict[str, np.ndarray]
Infos = dict[str, dict[str, Any]]


def spaces_of(game: Game) -> tuple[Box, list[Discrete]]:
    """One player's observation space (the same for all) and each player's action space."""
    observation_space = Box(0.0, 1.0, game.observation_shape, np.float32)
    return observation_space, [Discrete(n) for n in game.num_actions]


def check_render_mode(render_mode: RenderMode | None) -> RenderMode | None:
    """A known render mode, whose library is installed if it opens a window.

    Pictures ask for theirs when they are drawn: Stable-Baselines3's `make_vec_env` wants
    "rgb_array" of every environment.

    Raises:
        ValueError: an unknown mode.
        DependencyNotInstalled: pygame is missing.
    """
    if render_mode not in (None, *RENDER_MODES):
        known = ", ".join(map(repr, RENDER_MODES))
        raise ValueError(f"render_mode must be None or one of {known}; got {render_mode!r}")
    if render_mode == "human":
        need_found("pygame", extra="render", what="rendering")
    return render_mode


class DilemmaEnv(ParallelEnv[str, np.ndarray, int]):  # type: ignore[misc]  # untyped
    """A game in which all players move at once, as a PettingZoo `ParallelEnv`.

    Observations are fresh float32 arrays, rewards floats; the end of the horizon is a truncation.
    An error leaves the state as it was.  Deep copies, pickles and `get_state`/`set_state` continue
    a running game exactly.

    Attributes:
        game: the rules.
        render_mode: None, "human", "rgb_array" or "ansi".
        player_names: what pictures call the players; may be set.
        render_scale: how many times as large as usual pictures are, an integer from 1 to
            MAX_SCALE; may be set.
    """

    def __init__(
        self,
        env_id: str,
        game: Game,
        render_mode: RenderMode | None = None,
        *,
        info_metrics: bool = False,
    ):
        """Makes the environment; use `make_env`."""
        self.metadata: dict[str, Any] = {
            "name": env_id,
            "render_modes": list(RENDER_MODES),
            "is_parallelizable": True,
            "render_fps": FRAMES_PER_SECOND,
        }
        self.render_mode = check_render_mode(render_mode)

        # Agents and their spaces.
        self.possible_agents = player_names(game)
        self.agents: list[str] = []
        self.player_names = tuple(self.possible_agents)
        observation_space, action_spaces = spaces_of(game)
        self.observation_spaces = dict.fromkeys(self.possible_agents, observation_space)
        self.action_spaces = dict(zip(self.possible_agents, action_spaces, strict=True))
        self.state_space = whole_state_space(game)

        # The game, and what steps need besides.
        self._single = SingleGame(game)
        self._flags = [dict.fromkeys(self.possible_agents, flag) for flag in (False, True)]
        self._limits = game.num_actions

        # What pictures show.
        self._history: deque[Move] | None = deque(maxlen=HISTORY) if render_mode else None
        self._scores = [0.0] * len(self._limits)
        self._window: Any = None
        self._scale = 1

        # What infos tell of an episode; a step that nobody looks at takes the short way.
        self._metrics = OneGame(game) if flag("info_metrics", info_metrics) else None
        self._unwatched = self._history is None and self._metrics is None

    @property
    def render_scale(self) -> int:
        """See the class."""
        return self._scale

    @render_scale.setter
    def render_scale(self, value: int) -> None:
        scale = integer("render_scale", value, 1)
        if scale > MAX_SCALE:
            raise ValueError(f"render_scale must be at most {MAX_SCALE}, got {value!r}")
        self._scale = scale

        # A window that is open changes with the next picture.
        if self._window is not None:
            self._window.scale = scale

    @property
    def game(self) -> Game:
        """The rules."""
        return self._single.game

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated; may be set between episodes."""
        return self.game.max_cycles

    @max_cycles.setter
    def max_cycles(self, value: int) -> None:
        self._single.game = with_horizon(self.game, horizon(value))

    @override
    def observation_space(self, agent: str) -> Box:
        """Space of an agent's observations; the same object every time."""
        return self.observation_spaces[agent]

    @override
    def action_space(self, agent: str) -> Discrete:
        """Space of an agent's actions; the same object every time."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, Infos]:
        """Starts an episode.

        Args:
            seed: a non-negative integer below 2^63 fixes this and all later episodes; None goes on
                with the sequence.
            options: there are none; see `reset_options`.

        Raises:
            TypeError, ValueError: a seed that is not such an integer; an option of batches.
        """
        reset_options(options)
        self._single.reset(seed)
        self.agents = self.possible_agents[:]

        # Pictures begin anew.
        self._scores = [0.0] * len(self.agents)
        if self._metrics is not None:
            self._metrics.clear()
        if self._history is not None:
            self._history.clear()
        if self.render_mode == "human":
            self.render()
        return self.observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[Observations, dict[str, float], dict[str, bool], dict[str, bool], Infos]:
        """One joint move.

        Args:
            actions: an integer action for every agent.

        Returns:
            Observations, rewards, terminations (always False), truncations and infos (empty, but
            for "metrics" at the end with `info_metrics=True`), each by agent.

        Raises:
            ResetNeeded: before the first reset, or after the end of an episode.
            ValueError, TypeError: a missing or unknown agent, an action out of range or of the
                wrong type.
        """
        single, agents = self._single, self.possible_agents
        if single.t < 0 or single.over:
            raise ResetNeeded("call reset() before step()" + ": this episode is over" * single.over)
        moves = self.check_actions(actions)

        # All players move.
        rewards = single.step(moves) if self._unwatched else self._remember(moves)
        infos: Infos = {agent: {} for agent in agents}
        over = single.over
        if over:
            self.agents = []
            if self._metrics is not None:
                totals = self._metrics.of_players()
                infos = {agent: {"metrics": totals[n]} for n, agent in enumerate(agents)}
        if self.render_mode == "human":
            self.render()

        return (
            single.observe(),
            dict(zip(agents, rewards)),  # noqa: B905, one per player, and the check costs time
            self._flags[False].copy(),
            self._flags[over].copy(),
            infos,
        )

    def check_actions(self, actions: dict[str, int]) -> list[int]:
        """The actions in the order of the players, as ints; raises what `step` documents."""
        try:
            moves = [actions[agent] for agent in self.possible_agents]
        except (KeyError, TypeError, IndexError):
            raise _action_error(self.possible_agents, actions) from None

        for i, limit in enumerate(self._limits):
            move = moves[i]
            if move.__class__ is not int:
                moves[i] = move = _integer(self.possible_agents[i], move)
            if not 0 <= move < limit:
                raise ValueError(
                    f"action of {self.possible_agents[i]} must lie in 0 .. {limit - 1}, got {move}"
                )

        if len(actions) != len(moves):
            raise _action_error(self.possible_agents, actions)
        return moves

    def check_running(self, what: str) -> None:
        """Raises ResetNeeded, with the name of the method that was called, before a first reset."""
        if self._single.t < 0:
            raise ResetNeeded(f"call reset() before {what}()")

    def _remember(self, moves: list[int]) -> list[float]:
        """Moves on, and keeps what pictures and infos tell of it."""
        board = self._single.board
        rewards = self._single.step(moves)
        played = self._single.played
        if self._metrics is not None:
            self._metrics.add(board, self._single.board, played, rewards)
        if self._history is not None:
            pairs = zip(self._scores, rewards, strict=True)
            self._scores = [score + reward for score, reward in pairs]
            self._history.append(Move(board, tuple(played), tuple(rewards)))
        return rewards

    def observations(self) -> Observations:
        """What every agent observes now, as fresh arrays."""
        return self._single.observe()

    def state(self) -> np.ndarray:
        """The whole game, for centralised critics: it determines what every player observes.

        float32, in `state_space`: player 0's observation, or, where that does not say all (public
        goods of three or more), a one-hot vector of each player's last move.
        """
        self.check_running("state")
        game = self.game
        if player_0_sees_all(game):
            return self._single.observe()["player_0"]

        state = np.zeros(whole_state_shape(game), np.float32)
        state[board_positions(game, self._single.board)] = 1
        return state

    @property
    def payoffs(self) -> tuple[float, ...]:
        """The reward values of this episode, noise included, by reward code."""
        return tuple(self._single.rewards)

    def get_state(self) -> State:
        """Everything needed to continue this game, as plain integers (fit for JSON)."""
        self.check_running("get_state")
        return self._single.get_state()

    def set_state(self, state: State) -> None:
        """Continues from a state of the same game, from any view or backend.

        Raises:
            ValueError: a state of another game, or no state at all.
        """
        self._single.set_state(state)
        self.agents = [] if self._single.over else self.possible_agents[:]
        self._scores = [0.0] * len(self._limits)
        if self._metrics is not None:
            self._metrics.clear()
        if self._history is not None:
            self._history.clear()

    def scene(self) -> Scene:
        """What a picture of this moment shows (scores and history only with a render mode)."""
        self.check_running("render")

        single = self._single
        return Scene(
            env_id=self.metadata["name"],
            game=self.game,
            board=single.board,
            t=single.t,
            history=tuple(self._history or ()),
            scores=tuple(self._scores),
            rewards=tuple(single.rewards),
            names=tuple(str(name).removeprefix("bundled:") for name in self.player_names),
        )

    def render(self) -> np.ndarray | str | None:
        """Draws the game.

        Returns:
            "rgb_array": uint8 [height, width, 3]; "ansi": text; "human": None, and a window shows
            it.

        Raises:
            ResetNeeded: before the first reset.
            ValueError: the environment was made without a render mode.
        """
        if self.render_mode is None:
            raise ValueError(
                f'nothing to render: make_env("{self.metadata["name"]}", render_mode="rgb_array")'
            )

        scene = self.scene()
        if self.render_mode == "ansi":
            return render.text(scene)
        if self.render_mode == "rgb_array":
            return render.frame(scene, self.render_scale)

        if self._window is None:
            self._window = render.Window(self.metadata["render_fps"], self.render_scale)
        self._window.show(scene)
        return None

    def close(self) -> None:
        """Closes the window, if there is one; may be called again."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_window": None}  # a window belongs to its process


def _integer(agent: str, action: Any) -> int:
    if not isinstance(action, bool | np.bool_):
        try:
            return operator.index(action)
        except TypeError:
            pass
    raise TypeError(
        f"action of {agent} must be an integer, got {type(action).__name__}: {action!r}"
    )


def _action_error(agents: list[str], actions: Any) -> Exception:
    if not hasattr(actions, "keys"):
        return TypeError(
            f"actions must be a dict with an action for each of {agents}, "
            f"got {type(actions).__name__}"
        )

    missing = [agent for agent in agents if agent not in actions]
    unknown = [agent for agent in actions if agent not in agents]
    return ValueError(
        f"actions must hold exactly the agents {agents}; missing {missing}, unknown {unknown}"
    )
