"""Trainings inside a part: each in a folder of its own that survives a kill, so that hours of work go on where they were."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.parts import canonical, write_json

UNFINISHED = Path("runs") / "benchmarks"  # of the working directory


def folder_of(name: str, learner: str, env_id: str, told: Mapping[str, Any]) -> Path:
    """Where a training of a benchmark lies until its part is done; the same for the same settings and learner's defaults."""
    from agents.learners import LEARNERS

    defaults = asdict(LEARNERS[learner].settings(env_id))
    words = json.dumps(canonical([learner, env_id, dict(told), defaults]), sort_keys=True)
    return UNFINISHED / name / hashlib.sha256(words.encode()).hexdigest()[:16]


def stages(
    folder: Path, at: Iterable[int], look: Callable[[Path], Any], learner: str, env_id: str, **how: Any
) -> Iterator[tuple[int, Any]]:
    """Trains to each of the iterations `at`, and looks at the run folder.

    Args:
        folder: of `folder_of`; whoever calls removes it in the end.
        at: increasing.
        look: run folder -> JSON, kept in `folder`.
        learner: of `agents.train`, like the rest.
        env_id: as there.
        **how: as there.

    Yields:
        The iteration, and what was found there, now or before an interruption.
    """
    from agents import train

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "found.json"
    found = json.loads(path.read_text()) if path.exists() else []
    for k, iterations in enumerate(at):
        if k == len(found):
            train(learner, env_id, iterations=iterations, out=folder / "run", eval_every=0, quiet=True, **how)
            found.append(look(folder / "run"))
            write_json(path, found)
        yield iterations, found[k]


def metric(run: Path, name: str) -> list[float]:
    """A column of a run's metrics: means of `agents.training.LOG_EVERY` iterations."""
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [entry[name] for entry in map(json.loads, lines) if name in entry]
