"""Run folders as curves: what was asked for, and metrics by iteration.

Runs of one group differ in their seeds alone.

Shapes  R runs of a group, K lines of metrics.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.evaluation.intervals import half_interval
from agents.manifest import MAX_MANIFEST, PROBLEMS, sentence
from social_dilemmas_env.regular_file import read_regular

MAX_METRICS = 1 << 28  # bytes


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        path: the folder.
        facts: of its run.json.
        iterations: [K].
        metrics: name -> [K]; lines without a metric hold NaN.
    """

    path: Path
    facts: dict[str, Any]
    iterations: np.ndarray
    metrics: dict[str, np.ndarray]


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seeds.

    Attributes:
        label: for legends.
        runs: R.
    """

    label: str
    runs: tuple[Run, ...]

    def curve(self, metric: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A metric at the iterations that all runs have.

        Returns:
            Iterations [K], means over runs [K], half the 95 % intervals [K] (NaN for one run).
        """
        common = set.intersection(*(set(run.iterations.tolist()) for run in self.runs))
        iterations = np.array(sorted(common), np.int64)
        rows = np.stack(
            [run.metrics[metric][np.isin(run.iterations, iterations)] for run in self.runs]
        )
        halves = np.array([half_interval(column) for column in rows.T])
        return iterations, rows.mean(0), halves


def read_run(folder: str | Path) -> Run:
    """A run folder.

    Raises:
        ValueError: there is none, or it is not readable, or it has no metrics yet.
    """
    path = Path(folder)
    if not (path / "run.json").is_file():
        raise ValueError(f"{path} is no run folder: it has no run.json")
    try:
        facts = json.loads(read_regular(path / "run.json", MAX_MANIFEST))
        lines = read_regular(path / "metrics.jsonl", MAX_METRICS).decode().splitlines()
        rows = [json.loads(line) for line in lines if line.endswith("}")]
        iterations = np.array([int(row["iteration"]) for row in rows])
        names = sorted({name for row in rows for name in row} - {"iteration", "seconds"})
        metrics = {name: np.array([float(row.get(name, np.nan)) for row in rows]) for name in names}
        identity(facts)
    except FileNotFoundError:
        raise ValueError(f"{path} has no metrics yet: let it train for 20 iterations") from None
    except PROBLEMS as error:
        raise ValueError(f"{path}: not a readable run: {sentence(error)}") from error

    if not rows:
        raise ValueError(f"{path} has no metrics yet: let it train for 20 iterations")
    return Run(path, facts, iterations, metrics)


def identity(facts: dict[str, Any]) -> str:
    """What was asked for, but for the seed."""
    wanted = {name: facts[name] for name in ("learner", "env_id", "game", "settings")}
    return json.dumps(wanted, sort_keys=True)


def grouped(runs: Sequence[Run]) -> list[Group]:
    """Runs of the same settings together, in the order in which they were given.

    Raises:
        ValueError: runs of different games.
    """
    games = {json.dumps([run.facts["env_id"], run.facts["game"]], sort_keys=True) for run in runs}
    if len(games) > 1:
        shown = " and ".join(sorted({_game(run) for run in runs})[:2])
        raise ValueError(f"these runs play different games ({shown}): plot them one by one")

    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(identity(run.facts), []).append(run)

    # The learner's name, and the folder's where that is not enough.
    names = [own[0].facts["learner"] for own in found.values()]
    return [
        Group(_label(name, own, names.count(name) > 1), tuple(own))
        for name, own in zip(names, found.values(), strict=True)
    ]


def _game(run: Run) -> str:
    arguments = [f"{name}={value}" for name, value in run.facts["game"].items()]
    return " ".join([run.facts["env_id"], *arguments])


def _label(learner: str, runs: list[Run], ambiguous: bool) -> str:
    count = f", {len(runs)} seeds" if len(runs) > 1 else ""
    return f"{learner} ({runs[0].path.name}{count})" if ambiguous else f"{learner}{count}"
