"""A game of finite states as learners see it: N policies in, values and their derivatives out.

    π_n(a | s)                       policy of seat n, s as that seat sees it (its own position first)
    p(s, j) = Π_n π_n(j_n | s)       joint policy, s as seat 0 sees it
    V_n = (I - γ P)⁻¹ r_n            values;  score (1 - γ) μ · V_n
    d   = (1 - γ) (I - γ P)⁻ᵀ μ      discounted visits of the states
    Q_n(s, j) = r_n(s, j) + γ V_n'(s, j)

`MarkovGame` is a `DifferentiableGame`: naive learning, LOLA, LookAhead, SOS, consensus and Meta-MAPG
take it as they take a matrix game.  `Play` holds what update rules in policy space are made of.

Shapes  R runs, N players, S states, A actions, J = A^N joint actions, D parameters a player.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from agents.exact.chain import Chain, Structure
from agents.exact.parametrisations import Parametrisation, tables
from agents.matrix_games.differentiable import check_theta

if TYPE_CHECKING:
    from social_dilemmas_env.exact import ExactGame


class MarkovGame:
    """An `ExactGame`, differentiable to any order, for R runs at once.

    Args:
        game: as `social_dilemmas_env.exact_game` makes it.
        parametrisation: how parameters become policies; tables of logits if None.
        device: where to compute.
        dtype: of all numbers but a network's.

    Raises:
        ValueError: players with different numbers of actions.
    """

    def __init__(
        self,
        game: ExactGame,
        parametrisation: Parametrisation | None = None,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        if len(set(game.num_actions)) > 1:
            raise ValueError(
                f"learners share one shape of policy, and the players have {game.num_actions} actions"
            )
        self.game, self.structure = game, Structure(game, device, dtype)
        self.device, self.dtype, self.gamma = self.structure.device, dtype, float(game.gamma)
        self.num_players, self.num_states = game.num_agents, game.num_states
        self.num_actions = int(game.num_actions[0])
        self.parametrisation = parametrisation or tables(game, dtype=dtype)
        self.dim = self.parametrisation.dim
        self.start = torch.as_tensor(game.start, device=device, dtype=dtype)
        rewards = torch.as_tensor(game.rewards, device=device, dtype=dtype)
        self.rewards = rewards.movedim(-1, 0).contiguous()  # [N, S, J]
        self.seen = torch.as_tensor(game.seen, device=device)
        relabelled = getattr(game, "seen_actions", None)
        self.seen_actions = (
            None if relabelled is None else torch.as_tensor(relabelled, device=device)
        )

    # --------------------------------------------------------------- what any learner asks of a game

    def policies(self, theta: Tensor) -> Tensor:
        """π_n(a | s), s as seat n sees it.  [..., N, D] -> [..., N, S, A]."""
        return torch.softmax(self.logits(theta), -1)

    def log_policies(self, theta: Tensor) -> Tensor:
        """Log π_n(a | s).  [..., N, D] -> [..., N, S, A]."""
        return torch.log_softmax(self.logits(theta), -1)

    def logits(self, theta: Tensor) -> Tensor:
        """Logits of all players.  [..., N, D] -> [..., N, S, A], or ValueError."""
        check_theta(theta, self)
        return self.parametrisation.logits(theta)

    def values(self, theta: Tensor) -> Tensor:
        """V_n at the start.  [..., N, D] -> [..., N]."""
        return self.values_of(self.policies(theta))

    def values_of(self, policies: Tensor) -> Tensor:
        """V_n = Σ_s d(s) r_n(s) / (1 - γ), by visits: one system for all players.

        [..., N, S, A] -> [..., N].
        """
        joint = self.joint(policies.flatten(0, -4))
        start = self.start.expand(len(joint), -1)[..., None]
        visits = Chain(self.structure, joint).solve_transposed(start)
        values = torch.einsum("rs,rsj,nsj->rn", visits[..., 0], joint, self.rewards)
        return values.unflatten(0, policies.shape[:-3]) if policies.dim() > 3 else values[0]

    def report(self, theta: Tensor) -> Tensor:
        """(1 - γ) V_n, the payoff a step.  [..., N, D] -> [..., N], detached."""
        return (1 - self.gamma) * self.values(theta.detach())

    # ------------------------------------------------------------------------- policies as they play

    def in_play(self, policy: Tensor, seat: int) -> Tensor:
        """Seat n's policy in the states as seat 0 sees them.  [..., S, A] -> [..., S, A]."""
        played = policy.index_select(-2, self.seen[seat])
        if self.seen_actions is None:
            return played
        return played.gather(-1, self.seen_actions[seat].expand(played.shape))

    def joint(self, policies: Tensor) -> Tensor:
        """p(s, j), the first player's action counting most.  [R, N, S, A] -> [R, S, J]."""
        joint = self.in_play(policies[:, 0], 0)
        for seat in range(1, self.num_players):
            other = self.in_play(policies[:, seat], seat)
            joint = (joint[..., :, None] * other[..., None, :]).flatten(-2)
        return joint

    def as_seen(self, gradient: Tensor, seat: int) -> Tensor:
        """A derivative by seat n's moves in seat 0's states, as one by seat n's own table.

        The transpose of `in_play`.  [R, S, A] -> [R, S, A].
        """
        if self.seen_actions is not None:
            by_action = torch.zeros_like(gradient)
            gradient = by_action.scatter_add(-1, self.seen_actions[seat].expand(gradient.shape), gradient)
        return torch.zeros_like(gradient).index_add(-2, self.seen[seat], gradient)

    def visits_as_seen(self, visits: Tensor, seat: int) -> Tensor:
        """Visits of seat 0's states as visits of the states that seat n sees.  [R, S] -> [R, S]."""
        return torch.zeros_like(visits).index_add(-1, self.seen[seat], visits)

    def marginal(self, x: Tensor, others: Tensor, seat: int) -> Tensor:
        """Σ over the others' actions of others(s, j) x(s, j).  [R, S, J] twice -> [R, S, A]."""
        shape = (self.num_actions**seat, self.num_actions, -1)
        return (x * others).unflatten(-1, shape).sum((-3, -1))


@dataclass(frozen=True)
class Play:
    """Policies, what they lead to, and what that is worth; all constants.

    Attributes:
        game: the game.
        policies: [R, N, S, A], each as its own seat sees the states.
    """

    game: MarkovGame
    policies: Tensor

    @cached_property
    def joint(self) -> Tensor:
        """p(s, j).  [R, S, J]."""
        return self.game.joint(self.policies)

    @cached_property
    def chain(self) -> Chain:
        """I - γ P, factorised."""
        return Chain(self.game.structure, self.joint)

    @cached_property
    def values(self) -> Tensor:
        """V_n.  [R, S, N]."""
        rewards = torch.einsum("rsj,nsj->rsn", self.joint, self.game.rewards)
        return self.chain.solve(rewards)

    @cached_property
    def score(self) -> Tensor:
        """(1 - γ) μ · V_n.  [R, N]."""
        return (1 - self.game.gamma) * torch.einsum("s,rsn->rn", self.game.start, self.values)

    @cached_property
    def visits(self) -> Tensor:
        """D = (1 - γ) (I - γ P)⁻ᵀ μ.  [R, S]."""
        start = self.game.start.expand(len(self.policies), -1)[..., None]
        return (1 - self.game.gamma) * self.chain.solve_transposed(start)[..., 0]

    @cached_property
    def q(self) -> tuple[Tensor, ...]:
        """Q_n(s, j) of each player.  N times [R, S, J]."""
        game = self.game
        return tuple(
            game.rewards[n] + game.gamma * game.structure.next_values(self.values[..., n])
            for n in range(game.num_players)
        )

    def others(self, seat: int) -> Tensor:
        """Π over all players but one of π_n(j_n | s).  [R, S, J]."""
        policies = self.policies.clone()
        policies[:, seat] = 1
        return self.game.joint(policies)

    def q_of_own(self, player: int, seat: int) -> Tensor:
        """Q of `player` by the action of `seat` alone, the others' as they play.  [R, S, A]."""
        return self.game.marginal(self.q[player], self.others(seat), seat)

    def gradient(self, weights: Tensor, seat: int) -> Tensor:
        """∂ Σ_n w_n · V_n / ∂ π(a | s) of one seat: Σ_n y_n(s) Q_n(s, a), y_n = (I - γ P)⁻ᵀ w_n.

        Args:
            weights: [R, S, N], constants: start weights of the states, for each player's value.
            seat: whose policy moves.

        Returns:
            [R, S, A], in the states as that seat sees them; not yet projected onto distributions.
        """
        y = self.chain.factors.solve_transposed(weights)
        by_move = sum(
            y[..., n, None] * self.q_of_own(n, seat) for n in range(self.game.num_players)
        )
        return self.game.as_seen(by_move, seat)
