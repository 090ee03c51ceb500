"""How the numbers a learner moves become the logits of a memory-one policy with two actions.

    tabular          logit(s) = θ_s
    network          logit(s) = w₂ · tanh(W₁ x_s + b₁) + b₂
    preconditioned   logit(s) = (Q θ)_s

    x_s              own and the other's last action, one-hot each

The gradient of the same policy differs between them, and with it everything LOLA does: POLA's
motivation.

Paper   Zhao, Lu, Grosse, Foerster 2022, POLA, https://arxiv.org/abs/2210.10125, sections 3.1 and
        5.1, appendix B.1.6
Source  https://github.com/Silent-Zebra/POLA, LOLA_exact.py (commit b248b52)

Shapes  R runs, N players, S = 5 states (start, CC, CD, DC, DD, own action first), D parameters a
        player.  θ [..., N, D].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agents.sampling import seeded_generator

STATES = 5
FEATURES = 6
CD, DD = 2, 4  # "I cooperated, the other defected" and "both defected"


@dataclass(frozen=True)
class Parametrisation:
    """A map from θ to logits."""

    name: str  # what to call it
    dim: int  # D
    logits: Callable[[Tensor], Tensor]  # [..., D] -> [..., S, A - 1]
    draw: Callable[[tuple[int, ...], torch.Generator], Tensor]  # (shape without D, generator) -> θ
    actions: int = 2  # A, of the games it is for

    def initial(self, runs: int, seed: int = 0, players: int = 2) -> Tensor:
        """Random θ, float64 on the CPU.  [R, N, D]."""
        return self.draw((runs, players), seeded_generator(seed))


def normal(dim: int, std: float) -> Callable[[tuple[int, ...], torch.Generator], Tensor]:
    """Draws of θ from N(0, std²).  (shape, generator) -> [*shape, D]."""
    return lambda shape, generator: (
        std * torch.randn(*shape, dim, dtype=torch.float64, generator=generator)
    )


def tabular(std: float = 0.1) -> Parametrisation:
    """One logit a state.  The default spread is LOLA_exact.py's."""
    return Parametrisation("tabular", STATES, lambda theta: theta[..., None], normal(STATES, std))


def preconditioner(which: Literal["paper", "appendix"]) -> Tensor:
    """Q: the identity with -2 elsewhere in one column.  [S, S].

    Raising that column's parameter raises one logit and lowers all others twofold.

    Args:
        which: "paper" is the column of CD (section 3.1, one matrix a player in the authors' joint
            order, the same in ours); "appendix" that of DD (B.1.6), which the released code applies
            to every experiment.
    """
    columns = {"paper": CD, "appendix": DD}
    if which not in columns:
        raise ValueError(f"the preconditioner is 'paper' or 'appendix', not {which!r}")

    q = torch.eye(STATES, dtype=torch.float64)
    q[:, columns[which]] = -2
    q[columns[which], columns[which]] = 1
    return q


def preconditioned(which: Literal["paper", "appendix"] = "paper") -> Parametrisation:
    """Logits Q θ with one of the two matrices of `preconditioner`."""
    q = preconditioner(which)

    def logits(theta: Tensor) -> Tensor:
        return (theta @ q.to(theta.device).T)[..., None]

    return Parametrisation(f"preconditioned_{which}", STATES, logits, normal(STATES, 0.1))


def features() -> Tensor:
    """x_s: own and the other's last action as one-hots of (C, D, start).  [S, 6]."""
    own, other = torch.tensor([2, 0, 0, 1, 1]), torch.tensor([2, 0, 1, 0, 1])
    one_hot = torch.eye(3, dtype=torch.float64)
    return torch.cat((one_hot[own], one_hot[other]), 1)


def network(hidden: int = 16) -> Parametrisation:
    """A 6 -> hidden -> 1 network with tanh.

    Weights and biases uniform in ±1/√fan_in, as torch.nn.Linear's defaults.
    """
    sizes = [hidden * FEATURES, hidden, hidden, 1]  # W₁, b₁, w₂, b₂
    fans_in = [FEATURES, FEATURES, hidden, hidden]
    x = features()

    def logits(theta: Tensor) -> Tensor:
        w_1, b_1, w_2, b_2 = torch.split(theta, sizes, -1)
        w_1 = torch.unflatten(w_1, -1, (hidden, FEATURES))
        h = torch.tanh(x.to(theta.device) @ w_1.mT + b_1[..., None, :])
        return h @ w_2[..., None] + b_2[..., None, :]

    def draw(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        parts = [
            (2 * torch.rand(*shape, size, dtype=torch.float64, generator=generator) - 1)
            / fan_in**0.5
            for size, fan_in in zip(sizes, fans_in, strict=True)
        ]
        return torch.cat(parts, -1)

    return Parametrisation(f"network_{hidden}", sum(sizes), logits, draw)


def softmax(actions: int, std: float = 0.1) -> Parametrisation:
    """One logit a state and action, also for the last action.

    A step of size α moves differences of two logits by 2 α.
    """
    states = actions**2 + 1
    dim = states * actions

    def logits(theta: Tensor) -> Tensor:
        each = torch.unflatten(theta, -1, (states, actions))
        return each[..., :-1] - each[..., -1:]

    return Parametrisation(f"softmax_{actions}", dim, logits, normal(dim, std), actions)


PARAMETRISATIONS: dict[str, Callable[[], Parametrisation]] = {
    "tabular": tabular,
    "network": network,
    "preconditioned": preconditioned,
    "preconditioned_appendix": lambda: preconditioned("appendix"),
}
