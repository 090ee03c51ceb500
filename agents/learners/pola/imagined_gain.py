"""The opponent's imagined gain: whether look-ahead steps move it at all, and η that makes them.

Opponent shaping differentiates through what the other would do after its imagined steps.  Steps
that gain it nothing say nothing, however good their gradient (docs/learners/sampled_gradients.md):
η is to be judged by what they gain it, in reward a step of the game.
"""

import warnings

import torch
from torch import Tensor

from agents.learners.pola.config import PolaDiceConfig

LOOK = 100  # outer steps that the warning is about
TOO_LITTLE = 0.002  # reward a step
FASTER, SLOWER = 1.1, 1 / 1.1  # η's change an outer step
TOO_FAR = 0.5  # the same, where the step did harm
RANGE = (1e-2, 1e5)  # η's, times lr_in


def adapted(eta: Tensor, gain: Tensor, cfg: PolaDiceConfig) -> Tensor:
    """η after an outer step: larger where the other gained less than `target_gain`.

    Half as large where it lost half as much: a step that harms the one who takes it is too long.

    [L, 1], [L] -> [L, 1].
    """
    factor = torch.where(gain < cfg.target_gain, FASTER, SLOWER)
    factor = torch.where(gain < -cfg.target_gain / 2, TOO_FAR, factor)
    low, high = (cfg.lr_in * bound for bound in RANGE)
    return (eta * factor[:, None]).clamp(low, high)


class Watch:
    """Warns once, after `LOOK` outer steps in which the opponents gained next to nothing."""

    def __init__(self) -> None:
        self.total: Tensor | float = 0.0
        self.count = 0

    def see(self, gain: Tensor, cfg: PolaDiceConfig) -> None:
        """The gains of an outer step, [L]."""
        if not cfg.inner_steps or self.count > LOOK:
            return
        self.total, self.count = self.total + gain.mean(), self.count + 1
        if self.count < LOOK:
            return

        self.count = LOOK + 1
        mean = float(self.total) / LOOK
        if abs(mean) < TOO_LITTLE:
            setting = "lower beta_in" if cfg.look_ahead == "mirror" else "raise lr_in"
            warnings.warn(
                f"look-ahead steps gain the opponent {mean:.4f} a step of the game: they hardly "
                f"move it, and what they shape is small; {setting}, or set target_gain",
                stacklevel=3,
            )
