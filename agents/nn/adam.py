"""Adam, clipping and averaging on flat parameters [K, P], each of the K sets by itself.

Paper   Kingma & Ba 2015, https://arxiv.org/abs/1412.6980
"""

from dataclasses import dataclass

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-8


def clip(grad: Tensor, max_norm: float | None) -> Tensor:
    """G min(1, c / |g|) for each set.  [K, P] -> [K, P]."""
    if max_norm is None:
        return grad
    return grad * (max_norm / grad.norm(dim=1, keepdim=True).clamp(min=max_norm))


@dataclass
class Adam:
    """Running moments and their age."""

    first: Tensor
    second: Tensor
    steps: int = 0

    @classmethod
    def of(cls, theta: Tensor) -> "Adam":
        """Fresh moments for parameters θ."""
        return cls(torch.zeros_like(theta), torch.zeros_like(theta))

    def step(self, theta: Tensor, grad: Tensor, lr: float | Tensor) -> Tensor:
        """θ - lr m̂ / (√v̂ + ε); the rate is a number, or one for each parameter."""
        self.steps += 1
        self.first.lerp_(grad, 1 - BETAS[0])
        self.second.mul_(BETAS[1]).addcmul_(grad, grad, value=1 - BETAS[1])
        scale = (1 - BETAS[1] ** self.steps) ** 0.5
        rate = lr * (scale / (1 - BETAS[0] ** self.steps))
        return theta - rate * self.first / self.second.sqrt().add_(EPSILON * scale)
