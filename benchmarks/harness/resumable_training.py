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

from agents import checkpoint, train
from agents.manifest import PROBLEMS, sentence
from agents.registry import LEARNERS
from agents.training.folder_lock import FolderLock
from agents.training.reporting import MAX_METRICS
from agents.training.run_folder import checkpoints
from agents.training.settings import split_settings
from benchmarks.harness.benchmark import Settings
from benchmarks.harness.json_files import canonical, read_json, write_json
from benchmarks.harness.provenance import versions
from social_dilemmas_env.regular_file import read_regular

UNFINISHED = Path("runs") / "benchmarks"  # of the working directory
FOUND = "found.json"  # the evaluations, stage by stage, with their digest


def training_folder(name: str, settings: Settings, runs: int, seed: int) -> Path:
    """Where the training of a benchmark's part lies until the part is done.

    It goes by all that a part goes by.
    """
    return UNFINISHED / name / digest([dict(settings), runs, seed, versions()])


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
        ValueError: the evaluations of before are damaged, or lost.
    """
    folder = folder / digest(asdict(LEARNERS[learner].settings(env_id)))
    folder.mkdir(parents=True, exist_ok=True)
    seed, device = arguments.pop("seed", 0), arguments.pop("device", "auto")
    config, plan, game = split_settings(learner, env_id, arguments)
    fixed = {"config": config, "game": game, "seed": seed, "device": device, "out": folder / "run"}

    with FolderLock(folder):
        evaluations = read_evaluations(folder)
        for k, iterations in enumerate(stages):
            # Stages of before an interruption are neither trained nor evaluated again.
            if k == len(evaluations):
                stage = replace(plan, iterations=iterations, eval_every=0, quiet=True)
                train(learner, env_id, plan=stage, **fixed)
                check_stage(folder, iterations)
                evaluations.append(evaluate(folder / "run"))
                write_evaluations(folder, evaluations)
            yield iterations, evaluations[k]


def write_evaluations(folder: Path, evaluations: list[Any]) -> None:
    """Keeps the evaluations so far.

    Raises:
        OSError: they cannot be written; those of before stay.
        ValueError: a number that is not finite.
    """
    content = {"found": evaluations, "sha256": digest(evaluations)}
    write_json(folder / FOUND, content)


def read_evaluations(folder: Path) -> list[Any]:
    """The evaluations of the stages before an interruption.

    Raises:
        ValueError: they are damaged, and the training has gone on since: nothing can make them
            again but training anew.
    """
    path = folder / FOUND
    if not path.exists():
        return []
    try:
        stored = read_json(path)
        if isinstance(stored, list):  # earlier versions wrote no digest
            return stored
        found: list[Any] = stored["found"]
        if stored["sha256"] != digest(found):
            raise ValueError("its content does not match its own digest")
    except PROBLEMS as error:
        reason = f"{path}: not readable: {sentence(error)}"
        raise ValueError(f"{reason}; remove {folder} to train again") from error
    return found


def check_stage(folder: Path, iterations: int) -> None:
    """Raises ValueError where a training is past a stage that has no evaluation yet."""
    step = checkpoint.load(checkpoints(folder / "run")).step
    if step != iterations:
        raise ValueError(
            f"{folder / FOUND} has no evaluation of iteration {iterations}, and the training is at "
            f"{step}; remove {folder} to train again"
        )


def read_metric(run: Path, name: str) -> list[float]:
    """A column of a run's metrics: means of `agents.training.reporting.LOG_EVERY` iterations.

    Raises:
        ValueError: the file is damaged.
    """
    path = run / "metrics.jsonl"
    if not path.exists():
        return []
    try:
        entries = map(json.loads, read_regular(path, MAX_METRICS).decode().splitlines())
        return [float(entry[name]) for entry in entries if entry["iteration"] > 0 and name in entry]
    except PROBLEMS as error:
        raise ValueError(f"{path}: not readable: {sentence(error)}") from error


def digest(data: Any) -> str:
    """What a folder, or a file's content, goes by: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(canonical(data), sort_keys=True).encode()).hexdigest()[:16]
