"""Intervals and verdicts.

    interval    95 % bootstrap over runs (BCa, scipy), of the mean or the standard deviation;
                a run's players stay together
    verdict     "reproduced"       ours lies in the row's target, and the row was run at its full
                                   setting
                "not reproduced"   ours does not
                "not run"          the row was not run, or only at a reduced setting; or it states
                                   nothing to compare with

The target is stated in the benchmark's file. Where the file states none, it is what chance allows:
the paper's number comes from n runs and ours from m, so groups of n and of m are resampled from our
runs; the paper's number minus ours, give or take half a unit of its last digit, has to lie in the
middle 95 % of the differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from scipy.stats import bootstrap

from benchmarks.harness.benchmark import Row

LEVEL = 0.95  # of intervals and of what chance allows
RESAMPLES = 4999  # of an interval
CHANCE = 2000  # groups of the paper's size, and of ours
VERDICTS = ("reproduced", "not reproduced", "not run")
STATISTICS: dict[str, Callable[..., np.ndarray]] = {"mean": np.mean, "std": np.std}


def estimate(samples: np.ndarray, statistic: str = "mean") -> float:
    """The statistic of all numbers.  samples [runs] or [runs, k]."""
    return float(STATISTICS[statistic](samples))


def interval(samples: np.ndarray, statistic: str = "mean", seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval over runs; a point if all runs are equal, or there is only one.

    Args:
        samples: [runs] or [runs, k]; the k numbers of a run are resampled together.
        statistic: "mean" or "std".
        seed: of the resampling.
    """
    columns = tuple(np.atleast_2d(samples.T))  # k arrays [runs]
    if len(columns[0]) < 2 or all(np.ptp(column) == 0 for column in columns):
        return (estimate(samples, statistic),) * 2

    def of_columns(*parts: np.ndarray, axis: int = -1) -> np.ndarray:
        return STATISTICS[statistic](np.concatenate(parts, axis), axis=axis)

    # BCa is undefined where leaving any one run out changes nothing.
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bounds = bootstrap(
                columns,
                of_columns,
                paired=True,
                vectorized=True,
                axis=-1,
                confidence_level=LEVEL,
                method=method,
                n_resamples=RESAMPLES,
                batch=max(1, 2**22 // samples.size),
                rng=np.random.default_rng(seed),
            ).confidence_interval
        if np.isfinite(bounds).all():
            break
    return float(bounds.low), float(bounds.high)


def target(row: Row, samples: np.ndarray, seed: int = 0) -> tuple[float, float] | None:
    """Where ours must lie: the row's target, or what chance allows around the paper's number."""
    if row.target is not None or row.paper is None:
        return row.target
    rng, statistic = np.random.default_rng(seed), STATISTICS[row.statistic]

    def resample(size: int) -> np.ndarray:
        picks = (rng.integers(len(samples), size=size) for _ in range(CHANCE))
        return np.array([statistic(samples[pick]) for pick in picks])

    # What groups of the paper's size and of ours differ by.
    differences = resample(row.paper_runs) - resample(len(samples))
    low, high = np.quantile(differences, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    half_unit = 0.5 * 10.0**-row.digits
    return float(row.paper - high - half_unit), float(row.paper - low + half_unit)


def verdict(ours: float | None, goal: tuple[float, float] | None, full: bool) -> str:
    """One of VERDICTS; see the top of this file."""
    if ours is None or goal is None or not full:
        return "not run"
    return "reproduced" if goal[0] <= ours <= goal[1] else "not reproduced"


def score_row(row: Row, samples: np.ndarray | None, full: bool) -> dict[str, object]:
    """The row as it stands in the file of results.

    Args:
        row: what is printed.
        samples: [runs] or [runs, k], not finite where a run failed; None if nothing was run.
        full: whether its setting is the full one.
    """
    scored: dict[str, object] = {"name": row.name, "paper": row.paper}
    scored |= {"ours": None, "ci_low": None, "ci_high": None}
    full = full and row.judged
    extra = {"unit": row.unit, "statistic": row.statistic, "digits": row.digits, "note": row.note}
    if samples is None:
        return scored | {"runs": 0, "verdict": "not run", "target": row.target} | extra

    # Runs that failed are counted, and left out of the number.
    finite = samples[np.isfinite(samples).reshape(len(samples), -1).all(-1)]
    if not len(finite):
        goal, ours = row.target, None
        word = "not reproduced" if full else "not run"
    else:
        goal, ours = target(row, finite), estimate(finite, row.statistic)
        word = verdict(ours, goal, full)
        low, high = interval(finite, row.statistic)
        scored |= {"ours": ours, "ci_low": low, "ci_high": high, "std": float(np.std(finite))}

    scored |= {"runs": len(samples), "verdict": word, "target": goal}
    scored |= {"failed_runs": len(samples) - len(finite), "full_setting": full}
    return scored | extra
