"""Update rules in policy space: what each player climbs, and its gradient by the policy's own probabilities.

Every rule below is the gradient of a weighted sum of values, Σ_n w_n · V_n, with weights that are
constants:

    naive       w_i = (1 - γ) μ
    LOQA        w_i the same;  w_j = γ Σ_{s,b} of where (s, b) leads, weighted  d(s) p(b | s) A_i(s, b_j) (1 - π̂_j(b_j | s)) / τ
    Advantage   w_i the same;  w_j = γ Σ_{s,b} of where (s, b) leads, weighted  d(s) p(b | s) A_i(s, b) · weight
    Alignment

LOQA (Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035): the opponent is taken to play
π̂_j(b | s) ∝ exp(Q_j(s, b) / τ), and Q_j moves with our policy.  Its gradient is A_i ∇ log π̂_j, of
which ∇Q_j(s, b) = γ ∇V_j of what follows; the normaliser's part leaves the factor 1 - π̂_j(b).
Advantage Alignment (Duque et al. 2024, https://arxiv.org/abs/2406.14662) is the same without the
opponent model's normaliser.  With λ < 1 the later ∇V_j counts λ^k less k steps on.

Shapes  R runs, N players, S states, A actions, J joint actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agents.exact.markov_game import Play
from social_dilemmas_env.validation import choice


@dataclass(frozen=True)
class ShapingConfig:
    """How much of the others' answers a player counts.

    Raises:
        ValueError: an unknown kind, a temperature or weight out of range.
    """

    kind: Literal["none", "loqa", "advantage_alignment"] = "loqa"  # none: naive learning
    weight: float = 1.0  # of the others' values; LOQA and Advantage Alignment: 1
    temperature: float = 1.0  # τ of the opponent model; LOQA: 1

    def __post_init__(self) -> None:
        choice("kind", self.kind, ("none", "loqa", "advantage_alignment"))
        if not (self.temperature > 0 and self.weight >= 0):
            raise ValueError(
                f"temperature must be positive and weight at least 0, not {self.temperature}, "
                f"{self.weight}"
            )


def policy_gradient(play: Play, seat: int, cfg: ShapingConfig) -> tuple[Tensor, Tensor]:
    """The gradient that one seat climbs, by its probabilities, and the visits that it is weighted with.

    -> [R, S, A], [R, S]; both in the states as the seat sees them.
    """
    game = play.game
    start = (1 - game.gamma) * game.start.expand(len(play.policies), -1)
    weights = [
        start if n == seat else shaping_weights(play, seat, n, cfg)
        for n in range(game.num_players)
    ]
    return play.gradient(torch.stack(weights, -1), seat), game.visits_as_seen(play.visits, seat)


def shaping_weights(play: Play, seat: int, other: int, cfg: ShapingConfig) -> Tensor:
    """Start weights w_j of the other's value, see the top of this file.  -> [R, S]."""
    game = play.game
    if cfg.kind == "none" or cfg.weight == 0:
        return torch.zeros_like(play.visits)

    # What my advantage says of every joint action, or of the other's part in it.
    if cfg.kind == "advantage_alignment":
        praise = play.q[seat] - play.values[..., seat, None]
    else:
        praise = _by_joint_action(_praise_of_action(play, seat, other, cfg), other, game.num_players)
    weighted = cfg.weight * play.visits[..., None] * play.joint * praise
    return game.gamma * game.structure.next_weights(weighted)


def _praise_of_action(play: Play, seat: int, other: int, cfg: ShapingConfig) -> Tensor:
    """A_i(s, b_j) (1 - π̂_j(b_j | s)) / τ.  -> [R, S, A]."""
    advantage = play.q_of_own(seat, other) - play.values[..., seat, None]
    model = torch.softmax(play.q_of_own(other, other) / cfg.temperature, -1)
    return advantage * (1 - model) / cfg.temperature


def _by_joint_action(x: Tensor, seat: int, num_players: int) -> Tensor:
    """x(s, j_seat) for every joint action.  [R, S, A] -> [R, S, J]."""
    actions = x.shape[-1]
    shape = [1] * num_players
    shape[seat] = actions
    each = x.unflatten(-1, tuple(shape))
    return each.expand(*x.shape[:-1], *(actions,) * num_players).flatten(2)
