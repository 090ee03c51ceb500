"""The exact value of two memory-one policies in an iterated matrix game.

    V_n = p_0ᵀ (I - γ P)⁻¹ r_n                                         (value)

    p_0[ab]     = π_1(a | start) π_2(b | start)                        first joint action
    P[ab, a'b'] = π_1(a' | ab) π_2(b' | ab)                            next joint action
    r_n[ab]                                                            payoff of player n

It is `agents.exact.markov_game.MarkovGame` of the same game with memory one, written out for five
states: values, policies and every update direction agree, from the enumerated rules, to 1e-12
(tests/agents/exact_games/test_matrix_games.py).  It stays beside that for what the general form
does not give: half the time (1,024 runs of LOLA: 7.0 ms of one core an update for 12.7, with 8
promised), a table of payoffs for each run, and seeded results of six benchmarks that are the same
bit for bit.

Paper   Foerster et al. 2018, LOLA, appendix A.2, https://arxiv.org/abs/1709.04326
        (which misprints one factor of P)

States  0 = start, 1 + own action * A + other's action: everyone reads the last joint action with
        its own first.  In the prisoner's dilemma (action 0 = C, 1 = D): start, CC, CD, DC, DD.
Policy  softmax over A actions of (θ_1, ..., θ_{A-1}, 0); for A = 2 the sigmoid of one logit,
        P(cooperate).
Shapes  ... any batch, N = 2 players, A actions, S = A² + 1 states, D = S (A - 1) parameters.
        θ [..., N, D], state-major.
"""

import itertools
from typing import Any

import torch
from torch import Tensor

from agents.matrix_games.differentiable import StatelessGame, check_theta
from agents.matrix_games.parametrisations import Parametrisation
from agents.shapes import check_shapes


def action_probabilities(logits: Tensor) -> tuple[Tensor, ...]:
    """π(a | s) for each a.  [..., S, A - 1] -> A tensors [..., S]."""
    if logits.shape[-1] == 1:
        p = torch.sigmoid(logits[..., 0])
        return p, 1 - p
    return torch.softmax(torch.nn.functional.pad(logits, (0, 1)), -1).unbind(-1)


def log_action_probabilities(logits: Tensor) -> tuple[Tensor, ...]:
    """Log π(a | s) for each a, finite where π underflows.

    [..., S, A - 1] -> A tensors [..., S].
    """
    if logits.shape[-1] == 1:
        # Indexed twice: the order in which derivatives add up is part of the seeded results.
        of_first = torch.nn.functional.logsigmoid(logits[..., 0])
        return of_first, torch.nn.functional.logsigmoid(-logits[..., 0])
    return torch.log_softmax(torch.nn.functional.pad(logits, (0, 1)), -1).unbind(-1)


def other_view(num_actions: int, device: torch.device | str = "cpu") -> Tensor:
    """The state index that player 2 sees when player 1 sees s (an involution).  [S]."""
    joint = torch.arange(num_actions**2, device=device).view(num_actions, num_actions)
    # The start is the start for both.
    return torch.cat((joint.new_zeros(1), 1 + joint.T.flatten()))


def discounted_visits(joint: Tensor, gamma: float) -> Tensor:
    """Expected discounted number of times each joint action is played.

        p_0ᵀ (I - γ P)⁻¹

    Args:
        joint: [..., S, A²], probabilities of joint actions in each state: p_0, then the rows of P.
        gamma: γ in [0, 1).

    Returns:
        [..., A², 1], a column.
    """
    check_shapes("joint: ... J+1 J", joint)
    p_0, P = torch.split(joint, [1, joint.shape[-1]], -2)
    identity = torch.eye(joint.shape[-1], dtype=joint.dtype, device=joint.device)
    # Row-stochastic P and γ < 1 make I - γP strictly diagonally dominant: never singular, so no
    # check, no host sync.
    visits: Tensor = torch.linalg.solve_ex((identity - gamma * P).mT, p_0.mT)[0]
    return visits


class MatrixGame:
    """A 2-player iterated matrix game as a `DifferentiableGame` of memory-one policies.

    Args:
        payoffs: [A, A, 2], entry [a, b, n] is the payoff of player n when player 0 plays a and
            player 1 plays b; or [M, A, A, 2], a table for each of M runs: θ then ends in [M, N, D].
        gamma: discount in [0, 1).
        device: where to compute; float64 always.
        parametrisation: how θ becomes logits (parametrisations.py); θ are the logits themselves if
            None.

    Raises:
        ValueError: payoffs of another shape or not finite, gamma outside [0, 1), a parametrisation
            of other games.
    """

    num_players = 2

    def __init__(
        self,
        payoffs: Any,
        gamma: float,
        device: str | torch.device = "cpu",
        parametrisation: Parametrisation | None = None,
    ) -> None:
        self.payoffs = check_payoffs(payoffs, device)
        if not 0 <= gamma < 1:
            raise ValueError(f"the discount must lie in [0, 1), not {gamma!r}")
        self.gamma, self.device = float(gamma), self.payoffs.device

        # Sizes: A, S and D.
        self.num_actions = self.payoffs.shape[-2]
        self.num_states = self.num_actions**2 + 1
        self.dim = self.num_states * (self.num_actions - 1)

        self.parametrisation = parametrisation
        if parametrisation is not None:
            if self.num_actions != parametrisation.actions:
                words = f"{parametrisation.name} is for games of {parametrisation.actions} actions"
                raise ValueError(f"{words}, not {self.num_actions}")
            self.dim = parametrisation.dim

        self._rewards = self.payoffs.flatten(-3, -2)  # [..., A², N]
        self._other_view = other_view(self.num_actions, self.device)

    def to_logits(self, parameters: Tensor) -> Tensor:
        """Parameters of any number of players as logits.  [..., D] -> [..., S, A - 1]."""
        if self.parametrisation is not None:
            return self.parametrisation.logits(parameters)
        return torch.unflatten(parameters, -1, (self.num_states, self.num_actions - 1))

    def logits(self, theta: Tensor) -> Tensor:
        """θ of both players as logits, or ValueError.  [..., N, D] -> [..., N, S, A - 1]."""
        check_theta(theta, self)
        return self.to_logits(theta)

    def policies(self, theta: Tensor) -> Tensor:
        """π_n(a | s), s in player n's own words.  [..., N, D] -> [..., N, S, A]."""
        return torch.stack(action_probabilities(self.logits(theta)), -1)

    def log_policies(self, theta: Tensor) -> Tensor:
        """Log π_n(a | s), s in player n's own words.  [..., N, D] -> [..., N, S, A]."""
        return torch.stack(log_action_probabilities(self.logits(theta)), -1)

    def in_one_view(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Each player's logits, states in player 1's words.

        [..., N, S, A - 1] -> two [..., S, A - 1].
        """
        first, second = logits.unbind(-3)
        return first, second.index_select(-2, self._other_view)

    def joint_policy(self, logits: Tensor) -> Tensor:
        """π_1(a | s) π_2(b | s), s in player 1's words.  [..., N, S, A - 1] -> [..., S, A²]."""
        first, second = (action_probabilities(x) for x in self.in_one_view(logits))
        # In the order of joint actions a A + b.
        return torch.stack([a * b for a in first for b in second], -1)

    def joint_log_policy(self, logits: Tensor) -> Tensor:
        """Log of `joint_policy`, finite where that underflows.

        [..., N, S, A - 1] -> [..., S, A²].
        """
        first, second = (log_action_probabilities(x) for x in self.in_one_view(logits))
        return torch.stack([a + b for a in first for b in second], -1)

    def values_of_logits(self, logits: Tensor) -> Tensor:
        """V_n = p_0ᵀ (I - γ P)⁻¹ r_n.  [..., N, S, A - 1] -> [..., N]."""
        visits = discounted_visits(self.joint_policy(logits), self.gamma)
        values: Tensor = (visits.mT @ self._rewards)[..., 0, :]
        return values

    def values(self, theta: Tensor) -> Tensor:
        """V_n = p_0ᵀ (I - γ P)⁻¹ r_n.  [..., N, D] -> [..., N]."""
        return self.values_of_logits(self.logits(theta))

    def report(self, theta: Tensor) -> Tensor:
        """(1 - γ) V_n, the payoff a step.  [..., N, D] -> [..., N], detached."""
        return (1 - self.gamma) * self.values(theta.detach())


def check_payoffs(payoffs: Any, device: str | torch.device = "cpu") -> Tensor:
    """`payoffs` as a float64 tensor [A, A, 2] or [M, A, A, 2], or ValueError."""
    table: Tensor = torch.as_tensor(payoffs, dtype=torch.float64, device=device)
    shape = tuple(table.shape[-3:])  # of one game's table
    if table.dim() not in (3, 4) or shape[0] != shape[1] or shape[0] < 2 or shape[2] != 2:
        raise ValueError(
            "payoffs of a 2-player game have shape (A, A, 2) with A >= 2 actions, "
            f"not {tuple(table.shape)}"
        )

    if not torch.isfinite(table).all():
        raise ValueError("payoffs must be finite numbers")
    return table


def one_shot(payoffs: Any, device: str | torch.device = "cpu") -> StatelessGame:
    """The same matrix played once.

        V_n = Σ_ab π_1(a) π_2(b) r_n[ab],      D = A - 1

    Args:
        payoffs: [A, A, 2].
        device: where to compute.
    """
    table = check_payoffs(payoffs, device)
    if table.dim() != 3:
        raise ValueError("a game played once has one table of payoffs")
    rewards, num_actions = table.flatten(0, 1), table.shape[0]

    def payoff(theta: Tensor) -> Tensor:
        first, second = (action_probabilities(x) for x in theta.unsqueeze(-2).unbind(-3))
        joint = zip(itertools.product(first, second), rewards, strict=True)
        return sum((a * b * r for (a, b), r in joint), start=table.new_zeros(()))

    return StatelessGame(payoff, dim=num_actions - 1, device=table.device)
