"""Update rules in policy space: what each player climbs, and its gradient by its own probabilities.

Every rule below is the gradient of a weighted sum of values, Σ_n w_n · V_n, with weights that are
constants: w_i = (1 - γ) μ for one's own, and for the others

    naive                 w_j(s') = 0
    LOQA                  w_j(s') = γ Σ_{s,b} P(s' | s, b) d(s) p(b | s) A_i(s, b_j) ρ_j(s, b_j)
                          ρ_j(s, b_j) = (1 - π̂_j(b_j | s)) / τ
    Advantage Alignment   w_j(s') = γ Σ_{s,b} P(s' | s, b) d(s) p(b | s) A_i(s, b)

times a `weight`; b are joint actions, A_i(s, b) = Q_i(s, b) - V_i(s), and b_j alone means that the
others' parts are averaged over.

LOQA (Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035): the opponent is taken to play
π̂_j(b | s) ∝ exp(Q_j(s, b) / τ), and Q_j moves with our policy.  Its gradient is A_i ∇ log π̂_j, of
which ∇Q_j(s, b) = γ ∇V_j of what follows; the normaliser's part leaves the factor 1 - π̂_j(b).
Advantage Alignment (Duque et al. 2024, https://arxiv.org/abs/2406.14662) is the same without the
opponent model's normaliser.  With λ < 1 a ∇ log π_i that comes k steps after b counts λ^k less: the
derivative of w_j · V_j is Σ_k (γ λ)^k of w_j k steps on, (I - γ λ P)⁻ᵀ w_j, times Q_j.

Shapes  R runs, N players, S states, A actions, J joint actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from agents.exact.markov_game import Play
from agents.exact.parametrisations import softmax
from social_dilemmas_env.validation import one_of


@dataclass(frozen=True)
class ShapingConfig:
    """How much of the others' answers a player counts.

    Raises:
        ValueError: an unknown kind, a temperature, weight or decay out of range.
    """

    kind: Literal["none", "loqa", "advantage_alignment"] = "loqa"  # none: naive learning
    weight: float = 1.0  # of the others' values; LOQA and Advantage Alignment: 1
    temperature: float = 1.0  # τ of the opponent model; LOQA: 1
    decay: float = 1.0  # λ, of credit for what comes later

    def __post_init__(self) -> None:
        one_of("kind", self.kind, ("none", "loqa", "advantage_alignment"))
        if not (self.temperature > 0 and self.weight >= 0 and 0 <= self.decay <= 1):
            raise ValueError(
                f"temperature must be positive, weight at least 0 and decay within 0 and 1, not "
                f"{self.temperature}, {self.weight}, {self.decay}"
            )


def policy_gradient(play: Play, seat: int, cfg: ShapingConfig) -> tuple[Tensor, Tensor]:
    """The gradient that one seat climbs, by its probabilities, and the visits it is weighted with.

    -> [R, S, A], [R, S]; both in the states as the seat sees them.
    """
    shapes = cfg.kind != "none" and cfg.weight > 0
    others = [n for n in range(play.game.num_players) if n != seat] if shapes else []
    weights = {n: shaping_weights(play, seat, n, cfg) for n in others}
    return play.gradient(seat, weights, cfg.decay), play.game.visits_as_seen(play.visits, seat)


def shaping_weights(play: Play, seat: int, other: int, cfg: ShapingConfig) -> Tensor:
    """Start weights w_j of the other's value, see the top of this file.  -> [R, S]."""
    # What my advantage says of every joint action, or of the other's part in it.
    if cfg.kind == "advantage_alignment":
        praise = play.q_by_player(seat) - play.values[..., seat, None]
    else:
        praise = play.game.by_joint_action(_praise_of_action(play, seat, other, cfg), other)

    # Where the praised actions lead.
    scale = cfg.weight * play.game.gamma
    weighted = (scale * play.visits)[..., None] * play.joint * praise
    return play.game.structure.next_weights(weighted)


def _praise_of_action(play: Play, seat: int, other: int, cfg: ShapingConfig) -> Tensor:
    """A_i(s, b_j) (1 - π̂_j(b_j | s)) / τ.  -> [R, S, A]."""
    advantage = play.q_of_own(seat, other) - play.values[..., seat, None]
    model = softmax(play.q_of_own(other, other) / cfg.temperature)
    return advantage * (1 - model) / cfg.temperature
