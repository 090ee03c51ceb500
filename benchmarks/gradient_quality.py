"""How good batches of a sampled gradient are, beside the true one.

Runs are independent groups of M batches, so that variances and squared biases of a run are unbiased
and intervals over runs mean what they say.

Shapes  R runs, M batches of each, D parameters.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

TINY = 1e-300  # for parts that are always 0


class Parts(NamedTuple):
    """A gradient, split: at the other's policy as it is, and through the other's answer.

    Attributes:
        own: [..., D].
        shaping: [..., D].
    """

    own: Tensor
    shaping: Tensor

    @property
    def whole(self) -> Tensor:
        """The sum, [..., D]."""
        return self.own + self.shaping


def quality(batches: Tensor, truth: Tensor) -> dict[str, Tensor]:
    """One number a run and quantity; m is the mean of a run's batches, t the truth.

        norm        |t|²
        kept        m · t / |t|²: 1 if there is no bias along the truth
        bias        |E m - t|² / |t|², estimated without bias: it may come out below 0
        direction   cosine of E m with t, see `mean_cosine`
        deviation   √(E |batch - E batch|²) / |t|
        cosine      of one batch with t, mean over batches
        signal      m · t / |t| over the deviation: what one batch shows of the truth

    Args:
        batches: [R, M, D], M at least 2.
        truth: [D], not 0.
    """
    count, size = batches.shape[1], truth.norm()
    mean = batches.mean(1)
    variance = (batches - mean[:, None]).square().sum((1, 2)) / (count - 1)

    # The mean's own noise is neither bias nor length.
    off = (mean - truth).square().sum(-1) - variance / count
    length = mean.square().sum(-1) - variance / count
    along = mean @ truth / size**2
    cosines = torch.cosine_similarity(batches, truth.expand_as(batches), -1)
    deviation = variance.sqrt() / size
    return {
        "norm": size.square().expand(len(batches)),
        "kept": along,
        "bias": off / size**2,
        "direction": mean_cosine(along, length / size**2),
        "deviation": deviation,
        "cosine": cosines.mean(1),
        "signal": along / deviation.clamp(min=TINY),
    }


def mean_cosine(along: Tensor, length: Tensor) -> Tensor:
    """The cosine of the mean of all runs, as a number for each run: jackknife pseudo-values.

    A ratio of means is no mean of ratios; with x the ratio of all R runs and x_r that of all but
    run r, run r counts R x - (R - 1) x_r, whose mean is x but for its bias.

    Args:
        along: [R], m · t / |t|².
        length: [R], |E m|² / |t|², estimated without bias.
    """
    runs = len(along)
    if runs == 1:
        return _ratio(along, length)
    without = [(x.sum() - x) / (runs - 1) for x in (along, length)]
    values = runs * _ratio(along.mean(), length.mean()) - (runs - 1) * _ratio(*without)
    return values


def _ratio(along: Tensor, length: Tensor) -> Tensor:
    """A cosine; noise may have made the length shorter than what lies along the truth."""
    return along / torch.maximum(length, along**2).sqrt().clamp(min=TINY)
