"""How a gradient in policy space moves the parameters.

    adam      θ ← Adam(θ, ∇θ),     ∇θ = (∂π/∂θ)ᵀ g                    through the parametrisation
    mirror    log π' = log π + clip(size · (g - π·g) / d, ± cut)      proximal, in policy space
              tables: θ ← log π'
              networks: a few Adam steps on Σ_s w(s) KL(π' || π_θ), w = d + 1/S

g(s, a) is a derivative by π(a | s), which carries the visits d(s): g / d is an advantage.  The
mirror step is POLA's equations (outer proximal point, then projection onto what the network can
express) taken as they stand; a gradient step through the network is what the parametrisation makes
of it.

Shapes  R runs, M policies that learn (1 if all seats share one), S states, A actions, D parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agents.exact.parametrisations import Parametrisation, centred, softmax
from agents.nn.adam import adam_direction
from social_dilemmas_env.validation import one_of

NETWORKS_LR = 0.003  # of Adam
LEAST_PROBABILITY, LEAST_VISITS = 1e-4, 1e-6  # what a mirror step divides by


@dataclass(frozen=True)
class StepConfig:
    """One of the two kinds of step.

    Raises:
        ValueError: an unknown kind, a rate that is not positive.
    """

    kind: Literal["adam", "mirror"] = "adam"
    lr: float | None = None  # adam: its rate; None: tables take the next one, networks .003
    tables_lr: float = 0.1  # adam, where lr is None: its rate on tables
    size: float = 1.0  # mirror: of the advantage that is added to log π
    cut: float = 0.5  # mirror: largest change of a log probability in one step
    fits: int = 20  # mirror, networks: Adam steps that fit the network to the target
    fit_lr: float = 0.003  # mirror, networks: their rate

    def __post_init__(self) -> None:
        one_of("kind", self.kind, ("adam", "mirror"))
        rates = (self.lr or self.tables_lr, self.tables_lr, self.size, self.cut, self.fit_lr)
        if not all(rate > 0 for rate in rates) or self.lr == 0 or self.fits < 1:
            raise ValueError(
                "lr, tables_lr, size, cut and fit_lr must be positive, fits at least 1"
            )


class Stepper:
    """Moves the parameters of R runs.

    Args:
        parametrisation: how θ becomes logits.
        cfg: the kind of step.
    """

    def __init__(self, parametrisation: Parametrisation, cfg: StepConfig) -> None:
        self.parametrisation, self.cfg = parametrisation, cfg
        usual = cfg.tables_lr if parametrisation.table else NETWORKS_LR
        self.lr = (cfg.lr or usual) if cfg.kind == "adam" else cfg.fit_lr
        self._direction = adam_direction()

    def step(self, theta: Tensor, gradient: Tensor, visits: Tensor) -> Tensor:
        """θ after one step.

        Args:
            theta: [R, M, D].
            gradient: [R, M, S, A], by probabilities.
            visits: [R, M, S], how often each policy is asked in each state, sums to 1.
        """
        if self.cfg.kind == "adam":
            return self._climb(theta, self._through(theta, gradient))
        target = mirror_target(self.parametrisation.logits(theta), gradient, visits, self.cfg)
        target = self.parametrisation.project(target)
        return (
            target.flatten(-2) if self.parametrisation.table else self._fit(theta, target, visits)
        )

    def _climb(self, theta: Tensor, ascent: Tensor) -> Tensor:
        """One step of Adam up along a gradient of θ's shape."""
        return theta + self.lr * self._direction(ascent)

    def _through(self, theta: Tensor, gradient: Tensor) -> Tensor:
        """(∂π/∂θ)ᵀ g.  [R, M, D], [R, M, S, A] -> [R, M, D]."""
        if self.parametrisation.table:  # softmax' by hand: spares two passes
            policy = softmax(self.parametrisation.logits(theta))
            return self.parametrisation.project(policy * centred(gradient, policy)).flatten(-2)
        theta = theta.detach().requires_grad_()
        policy = softmax(self.parametrisation.logits(theta))
        return torch.autograd.grad(policy, theta, gradient.to(policy.dtype))[0]

    def _fit(self, theta: Tensor, target: Tensor, visits: Tensor) -> Tensor:
        """A few Adam steps down Σ_s w(s) KL(target || π_θ)."""
        # Every state counts a little, so that those never visited are not forgotten.
        target = target.to(theta.dtype).softmax(-1)
        weights = visits.to(theta.dtype) + 1 / visits.shape[-1]
        weights = (weights / weights.sum(-1, keepdim=True))[..., None]
        for _ in range(self.cfg.fits):
            theta = theta.detach().requires_grad_()
            log_policy = torch.log_softmax(self.parametrisation.logits(theta), -1)
            agreement = (weights * target * log_policy).sum()
            theta = self._climb(theta, torch.autograd.grad(agreement, theta)[0])
        return theta.detach()


def mirror_target(logits: Tensor, gradient: Tensor, visits: Tensor, cfg: StepConfig) -> Tensor:
    """Logits of the proximal step's target.  [R, M, S, A] twice, [R, M, S] -> [R, M, S, A]."""
    logits = logits.detach().to(gradient.dtype)
    policy = softmax(logits)

    # The derivative by logits, over what it carries: visits and probabilities.
    up = policy * centred(gradient, policy)
    advantage = up / policy.clamp(min=LEAST_PROBABILITY) / visits.clamp(min=LEAST_VISITS)[..., None]
    target = logits + (cfg.size * advantage).clamp(-cfg.cut, cfg.cut)
    return target - target.mean(-1, keepdim=True)
