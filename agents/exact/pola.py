"""POLA's objective on a finite game: what my policy is worth once the others have answered it.

    V_i(π_i, q^K(π_i)),    q^0 = the others' policies, and for each other j, K times

    mirror      log q^{k+1} = log q^k + Q_j(π_i, q^k) / β           a proximal step, linearised
    proximal    log q^{k+1} = log q^0 + Q̃_j(π_i, q^k) / β           towards the proximal point
    gradient    logits q^{k+1} = logits q^k + η ∇ V_j(π_i, q^k)     LOLA's step, in tables' logits

all in policy space, each up to a constant a state.  The proximal point maximises

    V_j(π_i, q) - β Σ_t γ^t E KL(q(· | s_t) || q^0(· | s_t))             s_t visited by π_i and q

so that Q̃_j counts a reward r_j - β KL(q^k || q^0) a step from the next one on: soft policy
iteration, which converges to it for a single other player.  Its first step is the mirror step.

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
from agents.exact.parametrisations import centred, softmax
from social_dilemmas_env.validation import one_of

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
    eta: float = 1000.0  # η of gradient steps: visits make ∇V small

    def __post_init__(self) -> None:
        one_of("inner", self.inner, ("mirror", "proximal", "gradient"))
        if self.inner_steps < 1 or not (self.beta_in > 0 and self.eta > 0):
            raise ValueError(
                f"inner_steps must be at least 1, beta_in and eta positive, not "
                f"{self.inner_steps}, {self.beta_in}, {self.eta}"
            )


def outer_gradient(play: Play, seat: int, cfg: PolaConfig) -> tuple[Tensor, Tensor]:
    """∇ (1 - γ) μ · V_i(π_i, q^K(π_i)) by π_i(a | s), and the visits under π_i and q^K.

    -> [R, S, A], [R, S]; both in the states as the seat sees them.
    """
    own = play.policies[:, seat].detach().requires_grad_()  # [R, S, A]
    value, visits = outer_value(own, play, seat, cfg)
    (gradient,) = torch.autograd.grad(value.sum(), own)
    return gradient, play.game.visits_as_seen(visits.detach(), seat)


def outer_value(own: Tensor, play: Play, seat: int, cfg: PolaConfig) -> tuple[Tensor, Tensor]:
    """(1 - γ) μ · V_i(π_i, q^K(π_i)), attached to π_i, and its visits.

    [R, S, A] -> [R], [R, S].
    """
    game = play.game
    played = answers(own, play, seat, cfg)
    joint = game.joint(played)
    visits = game.visits(Chain(game.structure, joint, game.gamma))
    earned = (joint * game.rewards[seat]).sum(-1)
    return (visits * earned).sum(-1), visits


def answers(own: Tensor, play: Play, seat: int, cfg: PolaConfig) -> list[Tensor]:
    """π_i and q^K(π_i): everybody after the others' imagined steps, in seat 0's states.

    [R, S, A] -> N times [R, S, A].
    """
    game = play.game
    others = [j for j in range(game.num_players) if j != seat]

    # Where the others start from: constants, as I see them.
    played = list(play.played)
    played[seat] = game.in_play(own, seat)
    first = {j: torch.log(played[j].clamp(min=SMALLEST)) for j in others}
    logits = dict(first)

    # Their steps, each attached to my policy.
    for _ in range(cfg.inner_steps):
        steps = _steps(played, first, game, cfg)
        for j in others:
            logits[j] = (first if cfg.inner == "proximal" else logits)[j] + steps[j]
            played[j] = softmax(logits[j])
    return played


def _steps(
    played: list[Tensor], first: dict[int, Tensor], game: MarkovGame, cfg: PolaConfig
) -> dict[int, Tensor]:
    """What is added to the others' logits.

    Args:
        played: N policies [R, S, A] in seat 0's states.
        first: log q^0 of each other, [R, S, A].
        game: the game.
        cfg: the kind of step.

    Returns:
        For each other, [R, S, A].
    """
    # Q of what follows under the present policies.
    joint = game.joint(played)
    chain = Chain(game.structure, joint, game.gamma)
    earned = {j: (joint * game.rewards[j]).sum(-1) for j in first}
    if cfg.inner == "proximal":
        for j, log_policy in first.items():
            gap = torch.log(played[j].clamp(min=SMALLEST)) - log_policy
            earned[j] = earned[j] - cfg.beta_in * (played[j] * gap).sum(-1)
    values = chain.solve(torch.stack(list(earned.values()), -1)).unbind(-1)
    q = {
        j: game.marginal(game.q(value, j), played, j)
        for j, value in zip(first, values, strict=True)
    }
    if cfg.inner != "gradient":
        return {j: q[j] / cfg.beta_in for j in first}

    # ∇V by the logits of a table: d π (Q - π · Q).
    visits = cfg.eta * game.visits(chain)[..., None]
    return {j: visits * played[j] * centred(q[j], played[j]) for j in first}
