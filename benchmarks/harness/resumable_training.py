"""Trainings inside a part: each in a folder of its own that survives a kill.

So hours of work go on where they were. The folder goes when the part's result is stored
(`forget_training`, which runner.py calls), or when `--fresh` asks for the part again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agents import train
from agents.registry import LEARNERS
from agents.training.folder_lock import FolderLock
from agents.training.settings import split_settings
from benchmarks.harness.benchmark import Settings
from benchmarks.harness.json_files import canonical, write_json
from benchmarks.harness.provenance import versions

UNFINISHED = Path("runs") / "benchmarks"  # of the working directory


def training_folder(name: str, settings: Settings, runs: int, seed: int) -> Path:
    """Where the training of a benchmark's part lies until the part is done.

    It goes by all that a part goes by.
    """
    return UNFINISHED / name / _digest([dict(settings), runs, seed, versions()])


def forget_training(name: str, settings: Settings, runs: int, seed: int) -> None:
    """Removes what a part's training has left, if it left anything."""
    shutil.rmtree(training_folder(name, settings, runs, seed), ignore_errors=True)


def train_in_stages(
    folder: Path,
    stages: Iterable[int],
    evaluate: Callable[[Path], Any],
    learner: str,
    env_id: str,
    **arguments: Any,
) -> Iterator[tuple[int, Any]]:
    """Trains to each of the iterations of `stages`, and evaluates the run folder there.

    Args:
        folder: of `training_folder`.
        stages: numbers of iterations, increasing.
        evaluate: run folder -> JSON, kept in `folder`.
        learner: of `agents.train`, like the rest. With other defaults than before an interruption
            it starts again.
        env_id: as there.
        **arguments: as there.

    Yields:
        The number of iterations, and its evaluation, of now or of before an interruption.

    Raises:
        OSError: another process is at it.
    """
    folder = folder / _digest(asdict(LEARNERS[learner].settings(env_id)))
    folder.mkdir(parents=True, exist_ok=True)
    seed, device = arguments.pop("seed", 0), arguments.pop("device", "auto")
    config, plan, game = split_settings(learner, env_id, arguments)
    fixed = {"config": config, "game": game, "seed": seed, "device": device, "out": folder / "run"}

    with FolderLock(folder):
        path = folder / "found.json"
        evaluations = json.loads(path.read_text()) if path.exists() else []
        for k, iterations in enumerate(stages):
            # Stages of before an interruption are neither trained nor evaluated again.
            if k == len(evaluations):
                stage = replace(plan, iterations=iterations, eval_every=0, quiet=True)
                train(learner, env_id, plan=stage, **fixed)
                evaluations.append(evaluate(folder / "run"))
                write_json(path, evaluations)
            yield iterations, evaluations[k]


def read_metric(run: Path, name: str) -> list[float]:
    """A column of a run's metrics: means of `agents.training.loop.LOG_EVERY` iterations."""
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [entry[name] for entry in map(json.loads, lines) if name in entry]


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(canonical(data), sort_keys=True).encode()).hexdigest()[:16]
