"""Intervals and verdicts.

    interval    95 % bootstrap over runs (BCa, scipy), of the mean or the standard deviation;
                a run's players stay together
    verdict     "reproduced"       our interval lies in the row's target
                "not reproduced"   it lies outside; or most runs failed
                "undecided"        it straddles the target's edge; or runs failed; or the target is
                                   so wide that hardly anything could have missed it
                "holds"            a fact without a published number: the interval lies in the
                                   row's own target, or no target is stated; or true by construction
                "reduced"          the row was run at less than its setting, or at another one
                "not run"          it was not

The target is stated in the benchmark's file. Where the file states none, it is where the paper's
number leaves its mean: groups of the paper's n runs are resampled from our runs, for want of the
paper's own spread; the number less the middle 95 % of their deviations, give or take half a unit of
its last digit. A miss by at most one unit of that digit is undecided: estimators differ by as much.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from benchmarks.harness.benchmark import Row

LEVEL = 0.95  # of intervals and of what chance allows
RESAMPLES = 4999  # of an interval
CHANCE = 2000  # groups of the paper's size
CONSTANT = 1e-4  # what samples of 5 digits differ by, at most, where they are equal
VERDICTS = ("reproduced", "not reproduced", "undecided", "holds", "reduced", "not run")
WIDE = 0.5  # of what a quantity can be: a target that is wider says nothing
Interval = tuple[float | None, float | None]  # None: without an end
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
    """Where ours must lie: the row's target, or where the paper's number leaves its mean."""
    if row.target is not None or row.paper is None:
        return row.target
    # How far groups of the paper's size are from the mean; our own spread is in our interval.
    groups = resampled(samples, row.paper_runs, row.statistic, np.random.default_rng(seed))
    deviations = groups - STATISTICS[row.statistic](samples)
    low, high = np.quantile(deviations, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    half_unit = 0.5 * 10.0**-row.digits
    return float(row.paper - high - half_unit), float(row.paper - low + half_unit)


def resampled(
    samples: np.ndarray, size: int, statistic: str, rng: np.random.Generator
) -> np.ndarray:
    """The statistic of CHANCE groups of `size` runs, drawn with replacement."""
    # As many groups at a time as fit in some megabytes.
    together = max(1, 2**20 // (size * max(1, samples[0].size)))
    found = []
    for first in range(0, CHANCE, together):
        picks = rng.integers(len(samples), size=(min(together, CHANCE - first), size))
        groups = samples[picks].reshape(len(picks), -1)
        found.append(STATISTICS[statistic](groups, axis=-1))
    return np.concatenate(found)


def compare(ours: tuple[float, float], goal: Interval) -> str:
    """Our interval and a target: "inside", "outside" or "straddles"."""
    low, high = (-np.inf if goal[0] is None else goal[0], np.inf if goal[1] is None else goal[1])
    if low <= ours[0] and ours[1] <= high:
        return "inside"
    return "outside" if ours[1] < low or high < ours[0] else "straddles"


def cannot_fail(row: Row, goal: tuple[float, float], samples: np.ndarray | None) -> bool:
    """Whether a target is wider than half of what the quantity can be.

    A probability's can be 1, or 100 %.  For a target by chance it is the range of our samples.
    """
    span = 100.0 if row.unit == "%" else row.span
    if row.target is None and samples is not None and row.statistic == "mean":
        seen = float(np.ptp(samples))
        span = seen if span is None else min(span, seen)
    # What is certain, or whose range nobody has stated, can miss.
    return span is not None and span > 0 and goal[1] - goal[0] > WIDE * span


def is_constant(samples: np.ndarray | None) -> bool:
    """Whether the numbers of every run have one mean while they vary, as in a zero-sum game."""
    if samples is None or samples.ndim < 2 or samples.shape[1] < 2 or len(samples) < 2:
        return False
    return bool(np.ptp(samples.mean(1)) < CONSTANT and np.ptp(samples) > CONSTANT)


def verdict(row: Row, scored: Mapping[str, Any], samples: np.ndarray | None = None) -> str:
    """One of VERDICTS; see the top of this file.

    Args:
        row: what is printed.
        scored: "ours", "ci_low", "ci_high", "target", "runs", "failed_runs", "full_setting" of it.
        samples: [runs] or [runs, k], of the runs that did not fail; None if they are not known.
    """
    # What was not done.
    if not scored["runs"]:
        return "not run"
    if not (scored["full_setting"] and row.judged):
        return "reduced"
    failed = scored.get("failed_runs", 0) / scored["runs"]
    if failed > 0.5 or scored["ours"] is None:
        return "not reproduced"

    # Intervals, not points.
    goal = scored["target"]
    if goal is None:
        return "undecided" if failed else "holds"
    ours = scored["ci_low"], scored["ci_high"]
    where = compare(ours, goal)
    if where == "outside":
        gap = max(goal[0] - ours[1], ours[0] - goal[1])
        near = row.target is None and gap <= 10.0**-row.digits
        return "undecided" if near else "not reproduced"

    # What could not have been otherwise is no success; a run that failed lies outside.
    if where == "straddles" or failed or cannot_fail(row, goal, samples):
        return "undecided"
    certain = row.statistic == "mean" and is_constant(samples)
    return "holds" if row.paper is None or certain else "reproduced"


def score_row(row: Row, samples: np.ndarray | None, full: bool) -> dict[str, Any]:
    """The row as it stands in the file of results.

    Args:
        row: what is printed.
        samples: [runs] or [runs, k], not finite where a run failed; None if nothing was run.
        full: whether its setting is the full one.
    """
    scored: dict[str, Any] = {"name": row.name, "paper": row.paper}
    scored |= {"ours": None, "ci_low": None, "ci_high": None}
    extra = {"unit": row.unit, "statistic": row.statistic, "digits": row.digits, "note": row.note}
    if samples is None:
        return scored | {"runs": 0, "verdict": "not run", "target": row.target} | extra

    # Runs that failed are counted, and left out of the number.
    finite = finite_runs(samples)
    goal = row.target
    if len(finite):
        goal = target(row, finite)
        low, high = interval(finite, row.statistic)
        scored |= {"ours": estimate(finite, row.statistic), "ci_low": low, "ci_high": high}
        scored["std"] = float(np.std(finite))

    scored |= {"runs": len(samples), "verdict": "", "target": goal}
    scored |= {"failed_runs": len(samples) - len(finite), "full_setting": full and row.judged}
    scored["verdict"] = verdict(row, scored, finite)
    return scored | extra


def finite_runs(samples: np.ndarray) -> np.ndarray:
    """The runs that did not fail."""
    finite: np.ndarray = samples[np.isfinite(samples).reshape(len(samples), -1).all(-1)]
    return finite


def mark_repeated(scored: list[dict[str, Any]], samples: list[np.ndarray | None]) -> None:
    """One success is not counted twice: a row whose samples are those of a row before it "holds".

    Args:
        scored: rows of one cell; changed in place.
        samples: of each, None where nothing was run.
    """
    for i, row in enumerate(scored):
        for j in range(i):
            before, again = samples[j], samples[i]
            same = before is not None and again is not None and np.array_equal(before, again)
            same = same and row.get("statistic") == scored[j].get("statistic")
            if same and row["verdict"] == scored[j]["verdict"] == "reproduced":
                row["verdict"] = "holds"
