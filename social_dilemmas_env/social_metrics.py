"""How a society fares: metrics of common-pool and public-goods games, with their sources.

    R_i   return of player i, the sum of its rewards      U, E, S, P   Perolat et al. 2017
    rewards [T, ..., N]: time first, players last; whatever lies between (games of a batch) stays

J. Perolat et al., "A multi-agent reinforcement learning model of common-pool resource
appropriation" (NeurIPS 2017, arXiv:1707.06600), section 3; G. Piatti et al., "Cooperate or
Collapse" (NeurIPS 2024, arXiv:2404.16698), section 2.4, for survival and over-use; E. Koutsoupias
and C. Papadimitriou, "Worst-case equilibria" (STACS 1999) for the price of anarchy.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from social_dilemmas_env.validation import real_array

Floats = NDArray[np.float64]


def collective_return(rewards: ArrayLike) -> Floats:
    """sum_i R_i: what all players earn together, float64 [...] of rewards [T, ..., N].

    Divided by T it is Perolat's utilitarian metric U (efficiency).

    Raises:
        ValueError: fewer than two axes.
    """
    return np.asarray(_checked("rewards", rewards).sum((0, -1), dtype=np.float64))


def gini(returns: ArrayLike) -> Floats:
    """Gini coefficient of returns: 0 if all earn the same, (N - 1) / N if one earns everything.

        G = sum_i sum_j |R_i - R_j| / (2 N sum_i R_i)

    Args:
        returns: [..., N], none of them negative.

    Returns:
        float64 [...]; 0 where nobody earns anything.

    Raises:
        ValueError: a negative return, for which shares have no meaning.
        TypeError: no numbers.
    """
    earned = real_array("returns", returns)
    if earned.ndim == 0 or earned.shape[-1] == 0:
        raise ValueError(f"returns must have a last axis of players, got shape {earned.shape}")
    if (earned < 0).any():
        raise ValueError(
            "the Gini coefficient compares shares of a total, so that no return may be negative; "
            f"the least is {earned.min():g}"
        )

    # All pairs; nothing is shared where nothing was earned.
    gaps = np.abs(earned[..., :, None] - earned[..., None, :]).sum((-1, -2))
    total = 2 * earned.shape[-1] * earned.sum(-1)
    shares: Floats = np.divide(gaps, total, out=np.zeros_like(gaps), where=total > 0)
    return shares


def equality(returns: ArrayLike) -> Floats:
    """1 - Gini: Perolat's E, 1 if all earn the same.  [..., N] -> [...]; see `gini`."""
    return np.asarray(1 - gini(returns))


def sustainability(rewards: ArrayLike) -> Floats:
    """Mean time at which rewards are collected: Perolat's S; late where a resource lasts.

        S = 1/N sum_i mean of t over the steps with r_i(t) > 0,  t = 0, 1, ..., T - 1

    Args:
        rewards: [T, ..., N].

    Returns:
        float64 [...]; players who never earned anything are left out, NaN where nobody did.
    """
    paid = _checked("rewards", rewards) > 0
    time = np.arange(len(paid)).reshape(-1, *[1] * (paid.ndim - 1))
    count = paid.sum(0)
    mean = np.divide((paid * time).sum(0), count, out=np.full(count.shape, np.nan), where=count > 0)

    # Over the players who earned something.
    earners = (count > 0).sum(-1)
    total = np.nansum(mean, -1)
    late: Floats = np.divide(total, earners, out=np.full(total.shape, np.nan), where=earners > 0)
    return late


def peace(away: ArrayLike) -> Floats:
    """Mean number of players who are in the game: Perolat's P, N where nobody is ever shot.

    Args:
        away: bool [T, ..., N], who is out of the game (timed out after a shot).

    Returns:
        float64 [...].
    """
    out = _checked("away", away)
    return np.asarray(out.shape[-1] - out.sum(-1, dtype=np.float64).mean(0))


def survival_time(stock: ArrayLike, collapse: float = 0) -> NDArray[np.int64]:
    """For how many steps a resource lasts: Piatti's survival time m.

    Args:
        stock: [T + 1, ...], the resource before the first step and after each.
        collapse: the resource is gone where the stock is at most this.

    Returns:
        int64 [...]: steps after which the stock was still there, before it was first gone; T if it
        never was.
    """
    there = np.asarray(stock) > collapse
    if there.ndim == 0 or not len(there):
        raise ValueError(f"stock must have a first axis of time, got shape {there.shape}")
    return np.asarray(np.logical_and.accumulate(there[1:], 0).sum(0), np.int64)


def over_use(catches: ArrayLike, thresholds: ArrayLike) -> Floats:
    """Part of all catches above the sustainability threshold of their step: Piatti's over-usage o.

    Args:
        catches: [T, ..., N].
        thresholds: [T, ...], the largest catch that everybody could take and keep the stock.

    Returns:
        float64 [...].
    """
    taken = _checked("catches", catches)
    limit = np.asarray(thresholds)
    if limit.shape != taken.shape[:-1]:
        raise ValueError(f"thresholds must have shape {taken.shape[:-1]}, got {limit.shape}")
    return np.asarray((taken > limit[..., None]).mean((0, -1), dtype=np.float64))


def price_of_anarchy(best: float, equilibrium: float) -> float:
    """The best collective return divided by that of an equilibrium, at least 1.

    `exact.best_welfare` computes the best of a game that can be enumerated.

    Raises:
        ValueError: returns that are not positive, of which a ratio says nothing.
    """
    if not (best > 0 and equilibrium > 0):
        raise ValueError(
            "the price of anarchy is a ratio of positive collective returns, got "
            f"{best:g} and {equilibrium:g}"
        )
    return best / equilibrium


def _checked(name: str, values: ArrayLike) -> NDArray[Any]:
    """An array with an axis of time and one of players, neither of them empty."""
    array = np.asarray(values)
    if array.ndim < 2 or not array.size:
        raise ValueError(
            f"{name} must be an array [T, ..., N] that is not empty, got shape {array.shape}"
        )
    return array
