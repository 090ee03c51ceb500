"""The actions of all games under test: the same at the same step of every game."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from social_dilemmas_env.testing.findings import Violation, call, read, short
from social_dilemmas_env.testing.records import Record


class ActionTape:
    """Joint actions by step number: every game played from one tape meets the same actions.

    They are drawn from copies of the action spaces, since `Space.sample` would change the
    environment's own.

    Attributes:
        spaces: agent -> copy of its action space.
        joint: step -> agent -> action, as far as it was needed.
    """

    def __init__(self, env: Any, seed: int):
        agents = read(env, "possible_agents")
        self.spaces = {
            agent: copy.deepcopy(call("action_space", env.action_space, agent)) for agent in agents
        }
        for agent, space in self.spaces.items():
            if not isinstance(space, spaces.Space):
                message = f"action_space({agent!r}) is {short(space)}, not a gymnasium Space."
                raise Violation("space_invalid", message)

        # Each space has a seed of its own, so that agents do not act alike.
        for number, space in enumerate(self.spaces.values()):
            space.seed(int(np.random.default_rng([seed, number]).integers(2**31)))
        self.joint: list[dict[Any, Any]] = []

    def at(self, t: int, agents: Iterable[Any], last: Record | None = None) -> dict[Any, Any]:
        """Fresh actions of step `t`, legal where the last record carries an action mask."""
        while len(self.joint) <= t:
            self.joint.append({agent: space.sample() for agent, space in self.spaces.items()})

        try:
            return {agent: copy.deepcopy(self._legal(t, agent, last)) for agent in agents}
        except KeyError as error:
            message = (
                f"env.agents holds {error.args[0]!r}, which is not in env.possible_agents "
                f"{list(self.spaces)}."
            )
            raise Violation("agents_not_possible", message) from error

    def _legal(self, t: int, agent: Any, last: Record | None) -> Any:
        """The agent's action of step `t`, or a legal one instead if its mask forbids it."""
        action, space = self.joint[t][agent], self.spaces[agent]
        mask = action_mask(last, agent)
        if not isinstance(space, spaces.Discrete) or mask.shape != (space.n,):
            return action
        if mask[action - space.start]:
            return action

        legal = np.flatnonzero(mask)
        return space.start + legal[(t + int(action)) % len(legal)] if len(legal) else action


def action_mask(last: Record | None, agent: Any) -> np.ndarray:
    """The agent's action mask, by PettingZoo's two conventions; empty where there is none."""
    for part in ("observations", "infos"):
        value = last.parts[part].get(agent) if last else None
        if isinstance(value, Mapping) and "action_mask" in value:
            return np.asarray(value["action_mask"])
    return np.empty(0)
