"""A game of finite states as learners see it: N policies in, values and their derivatives out.

    π_n(a | s)                       policy of seat n, s as that seat sees it
    p(s, j) = Π_n π_n(j_n | s)       joint policy, s as seat 0 sees it
    V_n = (I - γ P)⁻¹ r_n            values;  score (1 - γ) μ · V_n
    d   = (1 - γ) (I - γ P)⁻ᵀ μ      discounted visits of the states
    Q_n(s, j) = r_n(s, j) + γ V_n'(s, j)

`MarkovGame` is a `DifferentiableGame`: naive learning, LOLA, LookAhead, SOS, consensus and
Meta-MAPG take it as they take a matrix game.  `Play` holds what update rules in policy space are
made of.

Shapes  R runs, N players, S states, A actions, J = A^N joint actions, D parameters a player.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from agents.exact.chain import Chain, Structure, taken
from agents.exact.parametrisations import Parametrisation, softmax, tables
from agents.matrix_games.differentiable import check_theta

if TYPE_CHECKING:
    from social_dilemmas_env.exact.game import ExactGame


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
                "learners share one shape of policy, and the players have "
                f"{', '.join(map(str, game.num_actions))} actions"
            )
        self.structure = Structure(game, device, dtype)
        self.device, self.dtype, self.gamma = self.structure.device, dtype, float(game.gamma)
        self.num_players, self.num_states = game.num_agents, game.num_states
        self.num_actions = int(game.num_actions[0])
        self.parametrisation = parametrisation or tables(game, dtype=dtype)
        self.dim = self.parametrisation.dim
        self.start = torch.as_tensor(game.start, device=device, dtype=dtype)
        rewards = torch.as_tensor(game.rewards, device=device, dtype=dtype)
        self.rewards = rewards.movedim(-1, 0).contiguous()  # [N, S, J]

        # Which entry of a seat's table each of its moves in seat 0's states is, [N, S A];
        # and which of its moves each joint action contains, [N, S J].
        self.seen = torch.as_tensor(game.seen, device=device)
        moves = np.arange(self.num_actions) if game.seen_actions is None else game.seen_actions
        entries = np.asarray(game.seen)[:, :, None] * self.num_actions + moves
        self._entry = torch.as_tensor(entries, device=device).flatten(1)
        joint = np.indices(game.num_actions).reshape(self.num_players, 1, -1)
        parts = np.arange(self.num_states)[:, None] * self.num_actions + joint
        self._part = torch.as_tensor(parts, device=device).flatten(1)

    # -------------------------------------------------------------- what any learner asks of a game

    def policies(self, theta: Tensor) -> Tensor:
        """π_n(a | s), s as seat n sees it.  [..., N, D] -> [..., N, S, A]."""
        return softmax(self.logits(theta))

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
        lead = policies.shape[:-3]
        each = policies.reshape(-1, *policies.shape[-3:]).to(self.dtype)
        joint = self.joint([self.in_play(each[:, n], n) for n in range(self.num_players)])
        visits = self.visits(Chain(self.structure, joint, self.gamma)) / (1 - self.gamma)
        return torch.einsum("rs,rsj,nsj->rn", visits, joint, self.rewards).reshape(*lead, -1)

    def report(self, theta: Tensor) -> Tensor:
        """(1 - γ) V_n, the payoff a step.  [..., N, D] -> [..., N], detached."""
        return (1 - self.gamma) * self.values(theta.detach())

    @cached_property
    def seats_alike(self) -> bool:
        """Whether V_n(s) = V_0(s as seat n sees it) when all play one policy, tried at random."""
        theta = self.parametrisation.initial(1, 1).to(self.device)
        with torch.no_grad():
            policy = softmax(self.parametrisation.logits(theta).to(self.dtype))
            values = Play(self, policy.expand(-1, self.num_players, -1, -1)).values
        tolerance = 1e-4 * float(values.abs().max())  # solved in float32, or by iteration
        return all(
            torch.allclose(values[:, self.seen[n], 0], values[..., n], atol=tolerance)
            and torch.allclose(self.visits_as_seen(self.start[None], n)[0], self.start, atol=1e-6)
            for n in range(1, self.num_players)
        )

    # ------------------------------------------------------------------------ policies as they play

    def in_play(self, policy: Tensor, seat: int) -> Tensor:
        """Seat n's policy in the states as seat 0 sees them.  [R, S, A] -> [R, S, A]."""
        return taken(policy.flatten(1), self._entry[seat]).view(policy.shape)

    def by_joint_action(self, x: Tensor, seat: int) -> Tensor:
        """x(s, j_n) for every joint action j.  [R, S, A] -> [R, S, J]."""
        return taken(x.flatten(1), self._part[seat]).view(len(x), self.num_states, -1)

    def joint(self, played: Sequence[Tensor]) -> Tensor:
        """p(s, j), the first player's action counting most.  N times [R, S, A] -> [R, S, J]."""
        joint = self.by_joint_action(played[0], 0)
        for seat in range(1, self.num_players):
            joint = joint * self.by_joint_action(played[seat], seat)
        return joint

    def marginal(self, x: Tensor, played: Sequence[Tensor], seat: int) -> Tensor:
        """Σ over the others' actions of Π_k π_k(j_k | s) x(s, j).  [R, S, J] -> [R, S, A].

        Args:
            x: by joint actions.
            played: N policies [R, S, A] in seat 0's states; that of the seat itself is not read.
            seat: whose action is left.
        """
        # An axis [A] for each player; all but the seat's are contracted.
        x = x.reshape(*x.shape[:-1], *(self.num_actions,) * self.num_players)
        actions = list(range(self.num_players))
        factors: list[object] = [x, [..., *actions]]
        for other in actions[:seat] + actions[seat + 1 :]:
            factors += [played[other], [..., other]]
        return torch.einsum(*factors, [..., seat])

    def as_seen(self, gradient: Tensor, seat: int) -> Tensor:
        """A derivative by seat n's moves in seat 0's states, as one by seat n's own table.

        The transpose of `in_play`.  [R, S, A] -> [R, S, A].
        """
        table = torch.zeros_like(gradient).flatten(1)
        table.index_add_(1, self._entry[seat], gradient.flatten(1))
        return table.view(gradient.shape)

    def visits_as_seen(self, visits: Tensor, seat: int) -> Tensor:
        """Visits of seat 0's states as visits of the states that seat n sees.  [R, S] -> [R, S]."""
        return torch.zeros_like(visits).index_add(-1, self.seen[seat], visits)

    def visits(self, chain: Chain) -> Tensor:
        """D = (1 - γ) (I - γ P)⁻ᵀ μ.  -> [R, S]."""
        start = self.start.expand(len(chain.joint), -1)[..., None]
        return (1 - self.gamma) * chain.solve_transposed(start)[..., 0]

    def q(self, values: Tensor, player: int) -> Tensor:
        """Q_n(s, j) = r_n(s, j) + γ V_n'(s, j).  [R, S] -> [R, S, J]."""
        after = self.structure.next_values(values)
        return torch.add(self.rewards[player], after, alpha=self.gamma)


@dataclass(frozen=True)
class Play:
    """Policies, what they lead to, and what that is worth; all constants.

    Attributes:
        game: the game.
        policies: [R, N, S, A], each as its own seat sees the states.
        alike: all seats are in the same situation and play one policy; spares solves.
    """

    game: MarkovGame
    policies: Tensor
    alike: bool = False
    _q: dict[int, Tensor] = field(default_factory=dict, repr=False)  # what was computed
    _by_own: dict[tuple[int, int], Tensor] = field(default_factory=dict, repr=False)

    @cached_property
    def played(self) -> tuple[Tensor, ...]:
        """Each seat's policy in seat 0's states.  N times [R, S, A]."""
        game = self.game
        return tuple(game.in_play(self.policies[:, n], n) for n in range(game.num_players))

    @cached_property
    def joint(self) -> Tensor:
        """p(s, j).  [R, S, J]."""
        return self.game.joint(self.played)

    @cached_property
    def chain(self) -> Chain:
        """I - γ P, factorised."""
        return Chain(self.game.structure, self.joint, self.game.gamma)

    @cached_property
    def values(self) -> Tensor:
        """V_n = (I - γ P)⁻¹ r_n.  [R, S, N]."""
        rewards = self.game.rewards[:1] if self.alike else self.game.rewards
        values = self.chain.solve(torch.stack([(self.joint * r).sum(-1) for r in rewards], -1))
        if not self.alike:
            return values
        return torch.stack([values[:, seen, 0] for seen in self.game.seen], -1)

    @cached_property
    def score(self) -> Tensor:
        """(1 - γ) μ · V_n.  [R, N]."""
        return (1 - self.game.gamma) * torch.einsum("s,rsn->rn", self.game.start, self.values)

    @cached_property
    def visits(self) -> Tensor:
        """D = (1 - γ) (I - γ P)⁻ᵀ μ.  [R, S]."""
        return self.game.visits(self.chain)

    @cached_property
    def q(self) -> tuple[Tensor, ...]:
        """Q_n(s, j) of each player.  N times [R, S, J]."""
        return tuple(self.q_by_player(n) for n in range(self.game.num_players))

    def q_by_player(self, player: int) -> Tensor:
        """Q_n(s, j) of one player.  [R, S, J]."""
        if player not in self._q:
            self._q[player] = self.game.q(self.values[..., player], player)
        return self._q[player]

    def q_of_own(self, player: int, seat: int) -> Tensor:
        """Q of `player` by the action of `seat` alone, the others' as they play.  [R, S, A]."""
        if (player, seat) not in self._by_own:
            self._by_own[player, seat] = self._marginal_q(player, seat)
        return self._by_own[player, seat]

    def _marginal_q(self, player: int, seat: int) -> Tensor:
        # Of two alike, the other's is what mine is in the state that it sees: a gather only.
        if self.alike and player == 1 and self.game.num_players == 2:
            return self.game.in_play(self.q_of_own(0, 1 - seat), 1)
        return self.game.marginal(self.q_by_player(player), self.played, seat)

    def gradient(self, seat: int, weights: Mapping[int, Tensor], decay: float = 1.0) -> Tensor:
        """∂ [(1 - γ) μ · V_i + Σ_n w_n · V_n] / ∂ π_i(a | s).

        It is d(s) Q_i(s, a) + Σ_n y_n(s) Q_n(s, a) with the weights' own visits y_n.

        Args:
            seat: i, whose policy moves.
            weights: w_n [R, S], constants: start weights of the states for others' values.
            decay: λ: y_n = (I - γ λ P)⁻ᵀ w_n; 1 for the derivative as it stands.

        Returns:
            [R, S, A], in the states as that seat sees them; not yet projected onto distributions.
        """
        game = self.game
        by_move = self.visits[..., None] * self.q_of_own(seat, seat)
        if weights:
            # Visits that follow the credited joint actions.
            chain = self.chain
            if decay < 1:
                chain = Chain(game.structure, self.joint, decay * game.gamma)
            y = chain.factors.solve_transposed(torch.stack(list(weights.values()), -1))
            for k, player in enumerate(weights):
                by_move = by_move + y[..., k, None] * self.q_of_own(player, seat)
        return game.as_seen(by_move, seat)
