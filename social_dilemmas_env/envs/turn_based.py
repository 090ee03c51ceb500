"""One game turn by turn, as a PettingZoo `AECEnv`.

`SequentialEnv` is `DilemmaEnv` through PettingZoo's own conversion, with states and clear errors;
`OrderedEnv` is that through PettingZoo's wrapper against calls in the wrong order.
"""

from functools import cached_property
from typing import Any, NamedTuple

from gymnasium.error import ResetNeeded
from pettingzoo.utils.conversions import parallel_to_aec_wrapper
from pettingzoo.utils.wrappers import OrderEnforcingWrapper
from typing_extensions import override

from social_dilemmas_env.engine.states import checked_state
from social_dilemmas_env.envs.parallel import Infos
from social_dilemmas_env.games.game import State


class SequentialState(NamedTuple):
    """A `State` and what the turn-by-turn view knows besides."""

    state: State
    moves: dict[str, int]  # of those who have already moved
    selection: str  # whose turn it is
    agents: list[str]
    rewards: dict[str, float]
    cumulative: dict[str, float]


FIELD_TYPES: dict[str, Any] = {
    "moves": dict,
    "selection": str,
    "agents": list | tuple,
    "rewards": dict,
    "cumulative": dict,
}


class _Horizon:
    """The horizon is that of the environment inside."""

    env: Any

    @property
    def max_cycles(self) -> int:
        """Rounds after which an episode is truncated; may be set between episodes."""
        cycles: int = self.env.max_cycles
        return cycles

    @max_cycles.setter
    def max_cycles(self, value: int) -> None:
        self.env.max_cycles = value


class SequentialEnv(_Horizon, parallel_to_aec_wrapper):  # type: ignore[misc]  # untyped
    """The same game turn by turn, as a PettingZoo `AECEnv`.

    Nobody sees a move before all have moved.
    """

    # What PettingZoo's conversion keeps, which has no types.
    agent_selection: str
    terminations: dict[str, bool]
    truncations: dict[str, bool]
    infos: Infos
    _actions: dict[str, int | None]
    _observations: dict[str, Any]
    _cumulative_rewards: dict[str, float]

    @override
    def step(self, action: int | None) -> None:
        """One player's move, or None from a player whose episode is over.

        A wrong action is an error at once.
        """
        self.env.check_running("step")
        if not self.agents:
            raise ResetNeeded("call reset() before step(): this episode is over")

        agent, agents = self.agent_selection, self.possible_agents
        if self.terminations[agent] or self.truncations[agent]:
            if action is not None:
                raise ValueError(
                    f"the episode of {agent} is over: its action must be None, got {action!r}"
                )
            super().step(action)
            return

        # What is plainly an action needs no longer look.
        turn = agents.index(agent)
        if action.__class__ is not int or not 0 <= action < self._limits[turn]:
            action = self.env.check_actions({**self._zeros, agent: action})[turn]

        self._actions[agent] = action
        if turn == len(agents) - 1:
            self._move_all()
        else:
            if turn == 0:
                self._clear_rewards()
            self.agent_selection = agents[turn + 1]

    def _move_all(self) -> None:
        """The round that all have moved in; what the conversion does, without copies of copies."""
        outputs = self.env.step(self._actions)
        self._observations, self.rewards, self.terminations, self.truncations, self.infos = outputs
        self._cumulative_rewards = self.rewards.copy()

        # Whose turn it is: the first's, or at the end that of the first to leave.
        if self.env.agents:
            self.agent_selection = self.possible_agents[0]
        else:
            self._deads_step_first()

    @override
    def last(self, observe: bool = True) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Observation, reward, termination, truncation and info of the one whose turn it is."""
        agent = self.agent_selection
        return (
            self._observations[agent] if observe else None,
            self._cumulative_rewards[agent],
            self.terminations[agent],
            self.truncations[agent],
            self.infos[agent],
        )

    @cached_property
    def _limits(self) -> tuple[int, ...]:
        """How many actions each player has."""
        limits: tuple[int, ...] = self.env.game.num_actions
        return limits

    @cached_property
    def _zeros(self) -> dict[str, int]:
        """Some action for every player."""
        return dict.fromkeys(self.possible_agents, 0)

    def get_state(self) -> SequentialState:
        """Everything needed to continue, in the middle of a round too."""
        turn = self.possible_agents.index(self.agent_selection) if self.env.agents else 0
        moved = self.possible_agents[:turn]
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

        # The game.
        self.env.set_state(state.state)
        over = not self.env.agents

        # What PettingZoo's conversion knows besides.
        self.agents = list(state.agents)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, over)
        self.infos = {agent: {} for agent in self.agents}
        self.rewards, self._cumulative_rewards = dict(state.rewards), dict(state.cumulative)
        self._observations = self.env.observations()
        self._actions = {**dict.fromkeys(self.possible_agents), **state.moves}

        # Whose turn it is; after the end, who moved last.
        self.agent_selection = state.selection
        self._skip_agent_selection = self.possible_agents[-1] if over and self.agents else None

    def _checked(self, state: Any) -> SequentialState:
        """`state` as one of this view; raises what `set_state` documents."""
        if not isinstance(state, tuple | list) or len(state) != len(SequentialState._fields):
            raise ValueError(
                "not a state of the turn-by-turn view: expected the fields "
                f"{SequentialState._fields}"
            )
        given = SequentialState(*state)
        over = bool(checked_state(self.env.game, given.state).over)

        # Types.
        for field, expected in FIELD_TYPES.items():
            if not isinstance(getattr(given, field), expected):
                raise TypeError(f"{field} is of the wrong type: {getattr(given, field)!r}")

        # Whose turn it can be, and what has been played.
        self._check_turn(given, over)
        for field, numbers in (("rewards", given.rewards), ("cumulative", given.cumulative)):
            known = set(numbers) == set(given.agents)
            if not known or not all(isinstance(x, int | float) for x in numbers.values()):
                raise ValueError(
                    f"{field} must hold a number for each of {list(given.agents)}, got {numbers}"
                )
        self.env.check_actions({**dict.fromkeys(self.possible_agents, 0), **given.moves})
        return given

    def _check_turn(self, state: SequentialState, over: bool) -> None:
        """Those before the selected player have moved; after the end they leave one by one."""
        names, agents = self.possible_agents, list(state.agents)
        if state.selection not in names:
            raise ValueError(f"selection must be one of {names}, got {state.selection!r}")

        turn = names.index(state.selection)
        moved = [] if over else names[:turn]
        leaving = names[turn:] if agents else []
        present = leaving if over else names
        if agents != present or set(state.moves) != set(moved):
            raise ValueError(
                f"it cannot be the turn of {state.selection} among {agents} after the moves "
                f"{state.moves}"
            )


class OrderedEnv(_Horizon, OrderEnforcingWrapper):  # type: ignore[misc]  # untyped
    """PettingZoo's wrapper against calls in the wrong order.

    Setting a state is as good as a reset.
    """

    @override
    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Starts an episode; one that fails does not count."""
        self.env.reset(seed=seed, options=options)
        self._has_reset = self._has_updated = True

    # Once a game runs, nothing is in the wrong order, and the wrapper's questions need no asking.
    # Loops over `agent_iter` ask for two attributes at each turn, which are found sooner here.

    @property
    def agents(self) -> list[str]:
        """Those who still play, or whose episode has just ended."""
        if not self._has_reset:
            raise AttributeError("agents cannot be accessed before reset")
        found: list[str] = self.env.agents
        return found

    @property
    def agent_selection(self) -> str:
        """Whose turn it is."""
        if not self._has_reset:
            raise AttributeError("agent_selection cannot be accessed before reset")
        found: str = self.env.agent_selection
        return found

    def __getattr__(self, name: str) -> Any:
        if name[0] != "_" and self.__dict__.get("_has_reset"):
            return getattr(self.env, name)
        return super().__getattr__(name)

    @override
    def last(self, observe: bool = True) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Observation, reward, termination, truncation and info of the one whose turn it is."""
        found: tuple[Any, float, bool, bool, dict[str, Any]]
        try:
            found = self.env.last(observe) if self._has_reset else super().last(observe)
        except KeyError:  # nobody's turn: all have left
            raise ResetNeeded("call reset() before last(): this episode is over") from None
        return found

    @override
    def step(self, action: int | None) -> None:
        """One player's move; a step after the end is a warning of PettingZoo's."""
        if self._has_reset and self.env.agents:
            self._has_updated = True
            self.env.step(action)
        else:
            super().step(action)

    def set_state(self, state: SequentialState) -> None:
        """Continues from a state; raises what `SequentialEnv.set_state` does."""
        self.env.set_state(state)
        self._has_reset = self._has_updated = True
