"""POLA's objective on a finite game: what my policy is worth once the others have answered it.

    V_i(π_i, q^K(π_i)),      q^0 = the others' policies, and for each other j, K times               (outer objective)

    mirror      log q^{k+1} = log q^k + Q_j(π_i, q^k) / β                a proximal step, linearised: exact in policy space
    proximal    log q^{k+1} = log q^0 + Q_j(π_i, q^k) / β                its fixed point is the proximal point itself
    gradient    logits q^{k+1} = logits q^k + η ∇ V_j(π_i, q^k)          LOLA's step, in the logits of tables

The proximal point maximises V_j(π_i, q) - β Σ_s d(s) KL(q(· | s) || q^0(· | s)) with d the visits
under q: setting its derivative to zero gives log q = log q^0 + Q_j / β up to a constant a state.

Paper   Zhao, Lu, Grosse, Foerster 2022, POLA, https://arxiv.org/abs/2210.10125

Shapes  R runs, N players, S states, A actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agents.exact.chain import Chain
from agents.exact.markov_game import MarkovGame, Play
from social_dilemmas_env.validation import choice

SMALLEST = 1e-12  # probability below which a logarithm is cut


@dataclass(frozen=True)
class PolaConfig:
    """The others' imagined steps.

    Raises:
        ValueError: an unknown kind of step, no step, a rate that is not positive.
    """

    inner: Literal["mirror", "proximal", "gradient"] = "mirror"  # see the top of this file
    inner_steps: int = 1  # K
    beta_in: float = 1.0  # β of mirror and proximal steps, on rewards of a step
    eta: float = 300.0  # η of gradient steps: visits make ∇V small

    def __post_init__(self) -> None:
        choice("inner", self.inner, ("mirror", "proximal", "gradient"))
        if self.inner_steps < 1 or not min(self.beta_in, self.eta) > 0:
            raise ValueError(
                f"inner_steps must be at least 1, beta_in and eta positive, not "
                f"{self.inner_steps}, {self.beta_in}, {self.eta}"
            )


def outer_gradient(play: Play, seat: int, cfg: PolaConfig) -> tuple[Tensor, Tensor]:
    """∇ (1 - γ) μ · V_i(π_i, q^K(π_i)) by π_i(a | s), and the visits under π_i and q^K.

    -> [R, S, A], [R, S]; both in the states as the seat sees them.
    """
    own = play.policies[:, seat].detach().requires_grad_()
    value, visits = outer_value(own, play, seat, cfg)
    (gradient,) = torch.autograd.grad(value.sum(), own)
    return gradient, play.game.visits_as_seen(visits.detach(), seat)


def outer_value(own: Tensor, play: Play, seat: int, cfg: PolaConfig) -> tuple[Tensor, Tensor]:
    """(1 - γ) μ · V_i(π_i, q^K(π_i)), attached to π_i, and its visits.

    [R, S, A] -> [R], [R, S].
    """
    game = play.game
    joint = _joint(own, answers(own, play, seat, cfg), seat, game)
    visits = _visits(Chain(game.structure, joint), game)
    return torch.einsum("rs,rsj,sj->r", visits, joint, game.rewards[seat]), visits


def answers(own: Tensor, play: Play, seat: int, cfg: PolaConfig) -> Tensor:
    """q^K(π_i): everybody after the others' imagined steps, in seat 0's states.

    [R, S, A] -> [R, N, S, A]; the entry of the seat itself is not read.
    """
    game = play.game
    played = [game.in_play(play.policies[:, n], n) for n in range(game.num_players)]
    first = torch.log(torch.stack(played, 1).clamp(min=SMALLEST))
    logits = first
    for _ in range(cfg.inner_steps):
        steps = _steps(own, torch.softmax(logits, -1), seat, game, cfg)
        logits = (first if cfg.inner == "proximal" else logits) + steps
    return torch.softmax(logits, -1)


def _steps(own: Tensor, others: Tensor, seat: int, game: MarkovGame, cfg: PolaConfig) -> Tensor:
    """What is added to everybody's logits.  [R, S, A], [R, N, S, A] -> [R, N, S, A]."""
    joint = _joint(own, others, seat, game)
    chain = Chain(game.structure, joint)
    rewards = torch.einsum("rsj,nsj->rsn", joint, game.rewards)
    values = chain.solve(rewards)
    visits = _visits(chain, game) if cfg.inner == "gradient" else None
    steps = []
    for j in range(game.num_players):
        if j == seat:
            steps.append(torch.zeros_like(own))
            continue
        q = game.rewards[j] + game.gamma * game.structure.next_values(values[..., j])
        q = game.marginal(q, _without(own, others, seat, j, game), j)
        if visits is None:
            steps.append(q / cfg.beta_in)
        else:  # ∇V by the logits of a table: d π (Q - V)
            policy = others[:, j]
            centred = q - (policy * q).sum(-1, keepdim=True)
            steps.append(cfg.eta * visits[..., None] * policy * centred)
    return torch.stack(steps, 1)


def _visits(chain: Chain, game: MarkovGame) -> Tensor:
    """(1 - γ) (I - γ P)⁻ᵀ μ.  -> [R, S]."""
    start = game.start.expand(len(chain.joint), -1)[..., None]
    return (1 - game.gamma) * chain.solve_transposed(start)[..., 0]


def _joint(own: Tensor, others: Tensor, seat: int, game: MarkovGame) -> Tensor:
    """The joint policy with `own` in its seat.  [R, S, A], [R, N, S, A] -> [R, S, J]."""
    return _product([*_everybody(own, others, seat, game)])


def _without(own: Tensor, others: Tensor, seat: int, without: int, game: MarkovGame) -> Tensor:
    """The same, one player's part left out.  -> [R, S, J]."""
    parts = _everybody(own, others, seat, game)
    parts[without] = torch.ones_like(parts[without])
    return _product(parts)


def _everybody(own: Tensor, others: Tensor, seat: int, game: MarkovGame) -> list[Tensor]:
    parts = list(others.unbind(1))
    parts[seat] = game.in_play(own, seat)
    return parts


def _product(policies: list[Tensor]) -> Tensor:
    joint = policies[0]
    for policy in policies[1:]:
        joint = (joint[..., :, None] * policy[..., None, :]).flatten(-2)
    return joint
