"""Trained agents in many pairs of a league, as one; see groups.py.

Shapes  K pairs, B episodes a pair, T steps, A actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

from agents.evaluation.agent import Agent, AgentPlayer, Hidden, TrainedAgent
from agents.evaluation.groups import Group, Kind, NotExact
from agents.sampling import seeded_generator


def kind_of_agent(player: Any, name: str) -> Kind | None:
    """What a player can be grouped with: agents of its architecture, or itself; None for nothing.

    Args:
        player: whatever has an agent.
        name: the entrant's.
    """
    if type(player) is not AgentPlayer or player.greedy:
        return None
    agent = player.agent
    if type(agent).act is not TrainedAgent.act:
        return None
    if isinstance(agent, Agent) and type(agent).logits is Agent.logits:
        return "network", *agent.architecture
    return "agent", name


class AgentGroup(Group):
    """Agents of one architecture, a parameter set a pair; or one agent in many pairs.

    Args:
        kind: see `kind_of_agent`.
        pairs: which of a chunk's pairs.
        players: of each pair, an `AgentPlayer`.
        watched: whether to compute the first and the last pair alone, too.
    """

    def __init__(self, kind: Kind, pairs: range, players: Sequence[Any], watched: bool) -> None:
        super().__init__(kind, pairs, players)
        agents = [player.agent for player in players]
        first = agents[0]
        self.agent = first.beside(agents[1:]) if kind[0] == "network" else first
        self.watched = {0, len(agents) - 1} if watched and len(agents) > 1 else set[int]()

    @override
    def reset(self, seeds: Sequence[int], games: int, steps: int) -> None:
        self.games, self.hidden = games, None
        self.alone: dict[int, Hidden] = dict.fromkeys(self.watched)

        # Each pair's own generator, asked for the whole episode at once.
        shape, dtype = (steps, games, 1), self.agent.uniform_dtype
        each = [torch.rand(shape, generator=seeded_generator(seed), dtype=dtype) for seed in seeds]
        self.uniforms = iter(torch.cat(each, 1))

    @override
    def act(self, observations: np.ndarray) -> np.ndarray:
        chances, self.hidden = self.agent.probabilities(observations, self.hidden)
        for k in self.watched:
            self._check(k, observations, chances)

        # As `TrainedAgent.act` has it.
        below = chances.cumsum(-1)[:, :-1]
        actions: np.ndarray = (next(self.uniforms) >= below).sum(-1).numpy()
        return actions

    def _check(self, k: int, observations: np.ndarray, chances: Tensor) -> None:
        """Raises NotExact unless a pair's agent gives the same bits by itself."""
        rows = slice(k * self.games, (k + 1) * self.games)
        agent = self.players[k].agent
        expected, self.alone[k] = agent.probabilities(observations[rows], self.alone[k])
        if not torch.equal(expected, chances[rows]):
            raise NotExact(self.kind)
