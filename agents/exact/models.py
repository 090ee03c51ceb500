"""What players take the others to be when they cannot see their policies: models of their play.

    Σ_s d(s) Σ_a π_j(a | s) log π̂_j(a | s)                    what the model of player j climbs

It is the expected log-likelihood of a step of endless play, visits d and policies π as they are: a
model has no samples' noise, but knows nothing of states that are never visited.  Models go on from
update to update.  In all that a player imagines, its own policy is known and the others' are
models.

Paper   Zhao, Lu, Grosse, Foerster 2022, POLA-OM, https://arxiv.org/abs/2210.10125, appendix B.1.6,
        where a network climbs the likelihood of batches

Shapes  R runs, N players, S states, A actions, D parameters of a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agents.exact.markov_game import Play
from agents.exact.parametrisations import Parametrisation, softmax
from agents.nn.adam import adam_direction
from social_dilemmas_env.validation import integer


@dataclass(frozen=True)
class ModelConfig:
    """How models are fitted.

    Raises:
        ValueError: fewer than 0 steps, a rate that is not positive.
    """

    model_fits: int = 0  # Adam's steps an update; 0: the others' policies are known
    model_lr: float = 0.1  # Adam's

    def __post_init__(self) -> None:
        integer("model_fits", self.model_fits, 0)
        if not self.model_lr > 0:
            raise ValueError(f"model_lr must be positive, not {self.model_lr}")


class Models:
    """A model of every seat, for R runs; all players see the same play, and share it.

    Args:
        parametrisation: of the models.
        cfg: how they are fitted.
        seed: of their first parameters.
    """

    def __init__(self, parametrisation: Parametrisation, cfg: ModelConfig, seed: int = 0) -> None:
        self.parametrisation, self.cfg, self.seed = parametrisation, cfg, seed
        self._theta: Tensor | None = None  # [R, N, D]
        self._direction = adam_direction()

    def fit(self, play: Play) -> Tensor:
        """Policies of all seats as the others take them, after some steps.  -> [R, N, S, A]."""
        runs, players = play.policies.shape[:2]
        if self._theta is None:
            first = self.parametrisation.initial(runs, players, self.seed)
            self._theta = first.to(play.policies.device)

        # How often each seat is seen where, and what it does there.
        game = play.game
        visits = [game.visits_as_seen(play.visits, seat) for seat in range(players)]
        seen = torch.stack(visits, 1)[..., None] * play.policies
        for _ in range(self.cfg.model_fits):
            theta = self._theta.detach().requires_grad_()
            log_model = torch.log_softmax(self.parametrisation.logits(theta), -1)
            likelihood = (seen.to(log_model.dtype) * log_model).sum()
            ascent = torch.autograd.grad(likelihood, theta)[0]
            self._theta = theta.detach() + self.cfg.model_lr * self._direction(ascent)

        with torch.no_grad():
            return softmax(self.parametrisation.logits(self._theta)).to(play.policies.dtype)


def imagined(play: Play, seat: int, models: Tensor | None) -> Play:
    """What a seat takes to be played: its own policy, and the models [R, N, S, A] of the others."""
    if models is None:
        return play
    policies = models.clone()
    policies[:, seat] = play.policies[:, seat]
    return Play(play.game, policies)
