"""One game as a PettingZoo environment: all players at once (`DilemmaEnv`) or one after the other
(`SequentialEnv`).
"""

import operator
from collections import deque
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from gymnasium.error import DependencyNotInstalled, ResetNeeded
from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv
from pettingzoo.utils import AgentSelector
from pettingzoo.utils.conversions import parallel_to_aec_wrapper
from pettingzoo.utils.wrappers import OrderEnforcingWrapper

from social_dilemmas_env import render
from social_dilemmas_env.engine.python_engine import SingleGame, checked_state, player_names
from social_dilemmas_env.games.game import Game, State
from social_dilemmas_env.render.scene import HISTORY, Move, Scene
from social_dilemmas_env.validation import horizon

RENDER_MODES = ("human", "rgb_array", "ansi")
FRAMES_PER_SECOND = 4

Observations = dict[str, np.ndarray]
Infos = dict[str, dict[str, Any]]


def spaces_of(game: Game) -> tuple[Box, list[Discrete]]:
    """One player's observation space (the same for all) and each player's action space."""
    return Box(0.0, 1.0, game.observation_shape, np.float32), [
        Discrete(n) for n in game.num_actions
    ]


def check_render_mode(render_mode: str | None) -> str | None:
    """A known render mode whose library is installed.

    Raises:
        ValueError: an unknown mode.
        DependencyNotInstalled: pygame is missing.
    """
    if render_mode not in (None, *RENDER_MODES):
        raise ValueError(
            f"render_mode must be None or one of {', '.join(map(repr, RENDER_MODES))}; got {render_mode!r}"
        )
    if render_mode in ("human", "rgb_array") and find_spec("pygame") is None:
        raise DependencyNotInstalled(
            'rendering needs pygame: pip install "social-dilemmas-env[render]"'
        )
    return render_mode


class DilemmaEnv(ParallelEnv):
    """A game in which all players move at once, as a PettingZoo `ParallelEnv`.

    Observations are fresh float32 arrays, rewards floats; the end of the horizon is a truncation.
    An error leaves the state as it was.  Deep copies, pickles and `get_state`/`set_state` continue
    a running game exactly.

    Attributes:
        game: the rules.
        render_mode: None, "human", "rgb_array" or "ansi".
        player_names: what pictures call the players; may be set.
    """

    def __init__(self, env_id: str, game: Game, render_mode: str | None = None):
        """Makes the environment; use `make_env`."""
        self.metadata: dict[str, Any] = {
            "name": env_id,
            "render_modes": list(RENDER_MODES),
            "is_parallelizable": True,
            "render_fps": FRAMES_PER_SECOND,
        }
        self.render_mode = check_render_mode(render_mode)
        self.possible_agents = player_names(game)
        self.agents: list[str] = []
        self.player_names = tuple(self.possible_agents)
        observation_space, action_spaces = spaces_of(game)
        self.observation_spaces = dict.fromkeys(self.possible_agents, observation_space)
        self.action_spaces = dict(zip(self.possible_agents, action_spaces, strict=True))
        self.state_space = Box(0.0, 1.0, game.observation_shape, np.float32)
        self._single = SingleGame(game)
        self._flags = [dict.fromkeys(self.possible_agents, flag) for flag in (False, True)]
        self._limits = game.num_actions
        self._history: deque[Move] | None = deque(maxlen=HISTORY) if render_mode else None
        self._scores = [0.0] * len(self._limits)
        self._window: Any = None

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
        self._single.game = replace(self.game, max_cycles=horizon(value))  # type: ignore[type-var]

    def observation_space(self, agent: str) -> Box:
        """Space of an agent's observations; the same object every time."""
        return self.observation_spaces[agent]

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
            options: ignored.

        Raises:
            TypeError, ValueError: a seed that is not such an integer.
        """
        self._single.reset(seed)
        self.agents = self.possible_agents[:]
        self._scores = [0.0] * len(self.agents)
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
            Observations, rewards, terminations (always False), truncations and infos (empty), each
            by agent.

        Raises:
            ResetNeeded: before the first reset, or after the end of an episode.
            ValueError, TypeError: a missing or unknown agent, an action out of range or of the
                wrong type.
        """
        single, agents = self._single, self.possible_agents
        if single.t < 0 or single.over:
            raise ResetNeeded("call reset() before step()" + ": this episode is over" * single.over)
        moves = self.check_actions(actions)
        rewards = single.step(moves) if self._history is None else self._remember(moves)
        over = single.over
        if over:
            self.agents = []
        if self.render_mode == "human":
            self.render()
        return (
            single.observe(),
            dict(zip(agents, rewards)),  # noqa: B905, one per player, and the check costs time
            self._flags[False].copy(),
            self._flags[over].copy(),
            {agent: {} for agent in agents},
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

    def _check_running(self, what: str) -> None:
        if self._single.t < 0:
            raise ResetNeeded(f"call reset() before {what}()")

    def _remember(self, moves: list[int]) -> list[float]:
        board = self._single.board
        rewards = self._single.step(moves)
        self._scores = [score + reward for score, reward in zip(self._scores, rewards, strict=True)]
        self._history.append(Move(board, tuple(moves), tuple(rewards)))  # type: ignore[union-attr]
        return rewards

    def observations(self) -> Observations:
        """What every agent observes now, as fresh arrays."""
        return self._single.observe()

    def state(self) -> np.ndarray:
        """The whole game as player 0 sees it, for centralised critics: float32, shape of an
        observation.
        """
        self._check_running("state")
        return self._single.observe()["player_0"]

    @property
    def payoffs(self) -> tuple[float, ...]:
        """The reward values of this episode, noise included, by reward code."""
        return tuple(self._single.rewards)

    def get_state(self) -> State:
        """Everything needed to continue this game, as plain integers (fit for JSON)."""
        self._check_running("get_state")
        return self._single.get_state()

    def set_state(self, state: State) -> None:
        """Continues from a state of the same game, from any view or backend.

        Raises:
            ValueError: a state of another game, or no state at all.
        """
        self._single.set_state(state)
        self.agents = [] if self._single.over else self.possible_agents[:]
        self._scores = [0.0] * len(self._limits)
        if self._history is not None:
            self._history.clear()

    def scene(self) -> Scene:
        """What a picture of this moment shows (scores and history only with a render mode)."""
        self._check_running("render")
        single = self._single
        return Scene(
            env_id=self.metadata["name"],
            game=self.game,
            board=single.board,
            t=single.t,
            history=tuple(self._history or ()),
            scores=tuple(self._scores),
            rewards=tuple(single.rewards),
            names=self.player_names,
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
            return render.frame(scene)
        if self._window is None:
            self._window = render.Window(self.metadata["render_fps"])
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
            f"actions must be a dict with an action for each of {agents}, got {type(actions).__name__}"
        )
    missing, unknown = (
        [a for a in agents if a not in actions],
        [a for a in actions if a not in agents],
    )
    return ValueError(
        f"actions must hold exactly the agents {agents}; missing {missing}, unknown {unknown}"
    )


class SequentialState(NamedTuple):
    """A `State` and what the turn-by-turn view knows besides."""

    state: State
    moves: dict[str, int]  # of those who have already moved
    selection: str  # whose turn it is
    agents: list[str]
    rewards: dict[str, float]
    cumulative: dict[str, float]


class SequentialEnv(parallel_to_aec_wrapper):
    """The same game turn by turn, as a PettingZoo `AECEnv`.

    Nobody sees a move before all have moved.
    """

    def step(self, action: int | None) -> None:
        """One player's move, or None from a player whose episode is over.

        A wrong action is an error at once.
        """
        self.env._check_running("step")
        if not self.agents:
            raise ResetNeeded("call reset() before step(): this episode is over")
        agent = self.agent_selection
        if not (self.terminations[agent] or self.truncations[agent]):
            others = {other: 0 for other in self.possible_agents if other != agent}
            action = self.env.check_actions({**others, agent: action})[
                self.possible_agents.index(agent)
            ]
        elif action is not None:
            raise ValueError(
                f"the episode of {agent} is over: its action must be None, got {action!r}"
            )
        super().step(action)

    def get_state(self) -> SequentialState:
        """Everything needed to continue, in the middle of a round too."""
        moved = (
            self.possible_agents[: self.possible_agents.index(self.agent_selection)]
            if self.env.agents
            else []
        )
        moves: dict[str, Any] = {agent: self._actions[agent] for agent in moved}
        return SequentialState(
            self.env.get_state(),
            moves,
            self.agent_selection,
            self.agents[:],
            self.rewards.copy(),
            self._cumulative_rewards.copy(),
        )

    def set_state(self, state: SequentialState) -> None:
        """Continues from a state of this view.

        Raises:
            ValueError: a state of another game or of another view.
            TypeError: a field of the wrong type.
        """
        state = self._checked(state)
        self.env.set_state(state.state)
        over = not self.env.agents
        self.agents = list(state.agents)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, over)
        self.infos: Infos = {agent: {} for agent in self.agents}
        self.rewards, self._cumulative_rewards = dict(state.rewards), dict(state.cumulative)
        self._observations = self.env.observations()
        self._actions = {**dict.fromkeys(self.possible_agents), **state.moves}
        self._agent_selector = AgentSelector(self.possible_agents[:])
        while self._agent_selector.next() != state.selection:
            pass
        self.agent_selection = state.selection
        self._skip_agent_selection = (
            self.possible_agents[-1] if over and self.agents else None
        )  # who moved last

    def _checked(self, state: Any) -> SequentialState:
        """`state` as one of this view; raises what `set_state` documents."""
        if not isinstance(state, tuple | list) or len(state) != len(SequentialState._fields):
            raise ValueError(
                f"not a state of the turn-by-turn view: expected the fields {SequentialState._fields}"
            )
        state, names = SequentialState(*state), self.possible_agents
        over = checked_state(self.env.game, state.state).over
        types = {
            "moves": dict,
            "selection": str,
            "agents": list | tuple,
            "rewards": dict,
            "cumulative": dict,
        }
        for field, expected in types.items():
            if not isinstance(getattr(state, field), expected):
                raise TypeError(f"{field} is of the wrong type: {getattr(state, field)!r}")
        if state.selection not in names:
            raise ValueError(f"selection must be one of {names}, got {state.selection!r}")
        agents, turn = list(state.agents), names.index(state.selection)
        moved = [] if over else names[:turn]
        present = (
            names[turn:] if over and agents else [] if over else names
        )  # after the end they leave one by one
        if agents != present or set(state.moves) != set(moved):
            raise ValueError(
                f"it cannot be the turn of {state.selection} among {agents} after the moves {state.moves}"
            )
        for field, numbers in (("rewards", state.rewards), ("cumulative", state.cumulative)):
            if set(numbers) != set(agents) or not all(
                isinstance(x, int | float) for x in numbers.values()
            ):
                raise ValueError(f"{field} must hold a number for each of {agents}, got {numbers}")
        self.env.check_actions({**dict.fromkeys(names, 0), **state.moves})
        return state


class OrderedEnv(OrderEnforcingWrapper):
    """PettingZoo's wrapper against calls in the wrong order, for which setting a state is as good
    as a reset.
    """

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Starts an episode; one that fails does not count."""
        self.env.reset(seed=seed, options=options)
        self._has_reset = self._has_updated = True

    def set_state(self, state: SequentialState) -> None:
        """See `SequentialEnv.set_state`."""
        self.env.set_state(state)
        self._has_reset = self._has_updated = True
