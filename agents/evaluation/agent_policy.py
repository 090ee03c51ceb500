"""Trained agents as policies whose games depend on nothing but their own seeds.

`AgentPlayer` (agent.py) draws for all games from one generator, as the committed scores of agents
did; whoever plays against an agent in an environment meets it through `AgentPolicy`.

Shapes  B games, A actions.
"""

import copy
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from agents.evaluation.agent import AgentPlayer, Hidden, TrainedAgent, forget
from agents.evaluation.loading import load_agents
from agents.evaluation.players import check_trained_for
from social_dilemmas_env.policy import GameDraws


class AgentPolicy:
    """An agent in one seat of B games: game i is the single game with its seed.

    It computes in float64, where a matrix product of B rows and one of a single row differ by
    1e-16 and not by 1e-7, and draws by counter.

    Args:
        agent: who plays; it is only read.
        player: the seat.
        greedy: take the likeliest action instead of drawing one.
        seed: of its choices, until `reset` gives another.
    """

    def __init__(
        self, agent: TrainedAgent, player: int = 0, greedy: bool = False, seed: int = 0
    ) -> None:
        self.agent, self.greedy = agent.precise(), greedy
        self.draws = GameDraws(player, seed)
        self.hidden: Hidden = None

    def reset(self, num_games: int, seed: Any = None) -> None:
        """Forgets everything; see `social_dilemmas_env.policy.Policy`."""
        self.draws.reset(num_games, seed)
        self.hidden = None

    @torch.no_grad()
    def act(self, observations: Any, first: Any = None) -> Any:
        """[B, *observation_shape], and the games [B] whose episode has just begun -> [B].

        Raises:
            ValueError: observations of another game, or of another number of games.
        """
        if self.draws.num_games is None:
            self.reset(len(observations))
        if len(observations) != self.draws.num_games:
            raise ValueError(
                f"this agent plays {self.draws.num_games} games, got observations of "
                f"{len(observations)}: reset() it"
            )
        self.hidden = forget(self.hidden, first)
        chances, self.hidden = self.agent.probabilities(observations, self.hidden)

        # Inverse of the distribution function, at one uniform number a game.
        probabilities: np.ndarray = chances.cpu().numpy()
        if self.greedy:
            self.skip()
            actions = probabilities.argmax(-1)
        else:
            below = probabilities.cumsum(-1)[:, :-1]
            actions = (self.draws.uniforms()[:, None] >= below).sum(-1)

        if isinstance(observations, torch.Tensor):
            return torch.as_tensor(actions, device=observations.device)
        return actions

    def skip(self) -> None:
        """Passes over a move: the words of later moves stay what they are."""
        self.draws.skip()

    def take_back(self, games: np.ndarray) -> None:
        """See `GameDraws`."""
        self.draws.take_back(games)

    def __deepcopy__(self, memo: dict[int, Any]) -> "AgentPolicy":
        """The memory is copied; the agent is only read, and shared."""
        twin = copy.copy(self)
        twin.draws, twin.hidden = copy.deepcopy((self.draws, self.hidden), memo)
        return twin


def agent_policy(
    given: Any, env_id: str, player: int, game_kwargs: Mapping[str, Any]
) -> AgentPolicy:
    """A trained agent in one seat; what `opponent=` calls for words and agents.

    Args:
        given: a word (see `load_agents`), a `TrainedAgent` or an `AgentPlayer`.
        env_id: the game.
        player: the seat.
        game_kwargs: the game's arguments.

    Raises:
        ValueError: an unknown name (the nearest are named), or an agent of another game.
        CheckpointError: no checkpoint, or a damaged one.
    """
    name, greedy = "this agent", False
    if isinstance(given, str | os.PathLike):
        name = os.fspath(given)
        seats = load_agents(name)
        agent = seats[player % len(seats)]
    elif isinstance(given, AgentPlayer):
        agent, greedy = given.agent, given.greedy
    else:
        agent = given

    check_trained_for(name, agent, env_id, game_kwargs)
    return AgentPolicy(agent.seated(player, game_kwargs), player, greedy)
