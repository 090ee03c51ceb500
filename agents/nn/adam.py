"""Adam, clipping and averaging on flat parameters [K, P], each of the K sets by itself.

    m ← β₁ m + (1 - β₁) g,      v ← β₂ v + (1 - β₂) g²                         (moments)
    m̂ = m / (1 - β₁ᵗ),          v̂ = v / (1 - β₂ᵗ)                             (without their bias)
    θ ← θ - lr m̂ / (√v̂ + ε)                                                   (step)

`Adam` and `adam_direction` are the same rule in two orders of rounding; seeded results that are
published depend on the last bit of either.

Paper   Kingma & Ba 2015, https://arxiv.org/abs/1412.6980
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.999), 1e-8


def clip(grad: Tensor, max_norm: float | None) -> Tensor:
    """G min(1, c / |g|) for each set.  [K, P] -> [K, P]."""
    if max_norm is None:
        return grad
    norm: Tensor = grad.norm(dim=1, keepdim=True)
    return grad * (max_norm / norm.clamp(min=max_norm))


@dataclass
class Adam:
    """Running moments and their age.

    Attributes:
        first: [K, P], m.
        second: [K, P], v.
        steps: t.
    """

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

        # Both corrections of the bias in one number, so that no tensor is made for m̂ and v̂.
        scale = (1 - BETAS[1] ** self.steps) ** 0.5
        rate = lr * (scale / (1 - BETAS[0] ** self.steps))
        moved: Tensor = theta - rate * self.first / self.second.sqrt().add_(EPSILON * scale)
        return moved

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """The moments by name; their age is the business of whoever saves them."""
        return {f"{prefix}first": self.first.detach(), f"{prefix}second": self.second.detach()}

    def load(self, tensors: Mapping[str, Tensor], prefix: str, steps: int) -> None:
        """Sets what `tensors` gave, on the device where it is."""
        self.first = tensors[f"{prefix}first"].to(self.first.device)
        self.second = tensors[f"{prefix}second"].to(self.second.device)
        self.steps = steps


def adam_direction() -> Callable[[Tensor], Tensor]:
    """Direction -> m̂ / (√v̂ + ε), with moments kept from call to call.

    Works element by element, so runs do not mix; tensors of any shape.
    """
    first = second = torch.zeros(())
    time = 0

    def step(f: Tensor) -> Tensor:
        nonlocal first, second, time
        time += 1
        first = BETAS[0] * first + (1 - BETAS[0]) * f
        second = BETAS[1] * second + (1 - BETAS[1]) * f**2
        return first / (1 - BETAS[0] ** time) / ((second / (1 - BETAS[1] ** time)).sqrt() + EPSILON)

    return step
