"""Half the 95 % interval of a mean, by Student's t, without scipy."""

import math

import numpy as np

Z = 1.959963984540054  # the normal distribution's .975 quantile


def t_quantile(freedom: int) -> float:
    """The .975 quantile of Student's t; within .1 % (Abramowitz and Stegun 26.7.5).

    Raises:
        ValueError: fewer than 1 degree of freedom.
    """
    if freedom < 1:
        raise ValueError(f"freedom must be at least 1, got {freedom}")
    # The expansion in 1 / freedom is not good enough for the first two, which have closed forms.
    if freedom == 1:
        return math.tan(0.475 * math.pi)
    if freedom == 2:
        return 0.95 * math.sqrt(2 / (4 * 0.975 * 0.025))

    terms = (
        (Z**3 + Z) / 4,
        (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96,
        (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384,
        (79 * Z**9 + 776 * Z**7 + 1482 * Z**5 - 1920 * Z**3 - 945 * Z) / 92160,
    )
    return Z + math.fsum(term / float(freedom) ** power for power, term in enumerate(terms, 1))


def half_interval(values: np.ndarray) -> float:
    """Half the 95 % interval of the mean of independent values [R]; NaN for one."""
    if len(values) < 2:
        return math.nan
    error = float(values.std(ddof=1)) / math.sqrt(len(values))
    return t_quantile(len(values) - 1) * error
