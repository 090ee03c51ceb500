"""True gradients of the 3x3 Coin Game by tables of logits, by linear algebra.

    naive, LOQA, Advantage Alignment    agents/exact/rules.py
    POLA-DiCE                           agents/exact/pola.py, gradient steps: what its samples
                                        estimate as games grow many

Shapes  S states, A actions, D = S A parameters, N = 2 players.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.exact.chain import Chain
from agents.exact.markov_game import MarkovGame, Play
from agents.exact.parametrisations import centred
from agents.exact.pola import PolaConfig, answers
from agents.exact.rules import ShapingConfig, policy_gradient
from agents.exact.solve import solve
from benchmarks.gradient_quality import Parts
from social_dilemmas_env.exact import ExactGame

MEMORY = "pickups"  # what each player picked up last: nothing yet, its own coin, the other's
# Where both players stand: updates of naive learning from near uniform (Adam .1, exact gradients).
# After 30 they take nearly every coin.
POLICIES = {"near uniform": 0, "half trained": 10, "two thieves": 30}


@dataclass(frozen=True)
class Coin:
    """Two policies of the Coin Game, as tables and with what they are worth.

    Attributes:
        game: the enumerated game.
        markov: the same, differentiable.
        play: the policies [1, N, S, A], with their values.
    """

    game: ExactGame
    markov: MarkovGame
    play: Play

    def table(self, by_state: Tensor, seat: int) -> Tensor:
        """Numbers of seat 0's states, listed as the seat sees them.  [S] -> [S]."""
        listed = torch.empty_like(by_state)
        listed[self.markov.seen[seat]] = by_state
        return listed


@cache
def coin(policies: str, gamma: float) -> Coin:
    """The game, and both players at one of POLICIES: one table for both seats."""
    game = sde.exact_game("coin_game_v0", memory=MEMORY, gamma=gamma)
    markov = MarkovGame(game)
    learned = solve("naive", game, updates=POLICIES[policies], symmetric=False)
    return Coin(game, markov, Play(markov, learned.policies))


def by_logits(gradient: Tensor, policy: Tensor) -> Tensor:
    """A derivative by probabilities as one by a table's logits.  [S, A] -> [D]."""
    return (policy * centred(gradient, policy)).flatten()


def loqa_gradient(
    coin: Coin, kind: Literal["loqa", "advantage_alignment"], decay: float = 1.0
) -> Parts:
    """What the exact learner in seat 0 climbs: of (1 - γ) μ · V."""
    policy = coin.play.policies[0, 0]
    naive, _ = policy_gradient(coin.play, 0, ShapingConfig("none"))
    whole, _ = policy_gradient(coin.play, 0, ShapingConfig(kind, decay=decay))
    return Parts(by_logits(naive[0], policy), by_logits((whole - naive)[0], policy))


def alignment_mean(coin: Coin, decay: float, steps: int, apart: bool = False) -> Tensor:
    """What batches of Advantage Alignment's shaping term are on average, exactly.

    The loss is a mean over the steps of games cut off at T, with true values as critics:

        (1/T) Σ_k u_k(s) π(a | s) (Q_j^{T-k}(s, a) - V_j(s)) ∇log π(a | s),   Q^h of h steps to go
        u_{k+1}(s') = γλ Σ P(s' | s) u_k(s) + γ Σ P(s' | s, b) d_k(s) p(b | s) A_i(s, b, s')

    Here my advantage is r + γ V_i(s') - V_i(s), of the very game that the other's future is read
    from, so that it knows s'.  The exact learner's praise is A_i(s, b), the average over s'.

    Args:
        coin: the game and the policies.
        decay: λ.
        steps: T.
        apart: with the exact learner's praise, as if the other's future were another game's.

    Returns:
        [D].
    """
    game, play = coin.markov, coin.play
    into, joint, values = game.structure.next_weights, play.joint, play.values
    to_go = _values_to_go(coin, steps)
    visits, credit = game.start[None], torch.zeros_like(values[..., 0])
    total = torch.zeros_like(play.policies[:, 0])

    for k in range(steps):
        theirs = game.marginal(game.q(to_go[steps - k - 1], 1), play.played, 0)
        total += credit[..., None] * (theirs - values[..., 1, None])

        # Praise of this step's joint actions, and the credit of earlier ones, move on.
        weight = visits[..., None] * joint
        if apart:
            praise = into(weight * (play.q[0] - values[..., 0, None]))
        else:
            praise = into(weight * (game.rewards[0] - values[..., 0, None]))
            praise = praise + game.gamma * values[..., 0] * into(weight)
        credit = game.gamma * (decay * into(credit[..., None] * joint) + praise)
        visits = into(weight)
    return by_logits(game.as_seen(total / steps, 0)[0], play.policies[0, 0])


def _values_to_go(coin: Coin, steps: int) -> list[Tensor]:
    """V_1 of h = 0 .. T - 1 steps to go, [1, S] each."""
    play, values = coin.play, [torch.zeros_like(coin.play.values[..., 1])]
    for _ in range(steps - 1):
        values.append((play.joint * coin.markov.q(values[-1], 1)).sum(-1))
    return values


def pola_gradient(coin: Coin, cfg: PolaConfig) -> tuple[Parts, Play]:
    """∇ V_0(θ, φ_K(θ)) of seat 0, and play at θ and φ_K."""
    game, policies = coin.markov, coin.play.policies
    asking, acting = (policies[:, 0].clone().requires_grad_() for _ in range(2))

    # Seat 0's policy once as what is answered, once as what is played against the answer.
    _, answer = answers(asking, coin.play, 0, cfg)
    joint = game.joint([game.in_play(acting, 0), answer])
    visits = game.visits(Chain(game.structure, joint, game.gamma)) / (1 - game.gamma)
    value = (visits * (joint * game.rewards[0]).sum(-1)).sum()
    shaping, own = torch.autograd.grad(value, (asking, acting))

    after = torch.stack((policies[:, 0], game.as_seen(answer.detach(), 1)), 1)
    parts = Parts(*(by_logits(x[0], policies[0, 0]) for x in (own, shaping)))
    return parts, Play(game, after)


def imagined_gain(coin: Coin, after: Play) -> Tensor:
    """What the other's imagined steps gain it, a step of the game.  -> []."""
    return after.score[0, 1] - coin.play.score[0, 1]


def mean_gain(coin: Coin, others: Tensor) -> Tensor:
    """What these policies [L, S, A] would gain the other a step, on average.  -> []."""
    own = coin.play.policies[:, 0].expand_as(others)
    values = coin.markov.values_of(torch.stack((own, others), 1))[:, 1]
    return (1 - coin.markov.gamma) * values.mean() - coin.play.score[0, 1]


def inner_config(eta: float, steps: int, gamma: float) -> PolaConfig:
    """POLA-DiCE's η, which multiplies ∇ μ · V; the exact learner's multiplies (1 - γ) times it."""
    return PolaConfig("gradient", steps, eta=eta / (1 - gamma))
