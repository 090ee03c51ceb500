"""The folder of a run, and going on with what is in it.

run.json         what was asked for: learner, game, settings, seed
metrics.jsonl    a line every LOG_EVERY iterations (reporting.py)
checkpoints/     the last few (agents/checkpoint.py)
events/          TensorBoard's, where it is installed
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import checkpoint
from agents.atomic_write import write_atomically
from agents.checkpoint import Checkpoint, check_tensors
from agents.errors import CheckpointError
from agents.registry import RENAMED_SETTINGS, current_name

Facts = Mapping[str, Any]


def checkpoints(folder: Path) -> Path:
    """Where the checkpoints of a run folder are."""
    return folder / "checkpoints"


def claim(folder: Path, facts: Facts) -> None:
    """Writes `run.json` if there is none."""
    path = folder / "run.json"
    if not path.exists():  # what a run was asked for never changes
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(facts, indent=1).encode())


def check(folder: Path, facts: Facts) -> None:
    """Checks that the run in a folder, if there is one, is the one that is asked for.

    Args:
        folder: the run folder; it need not exist.
        facts: of the run that is asked for.

    Raises:
        ValueError: it holds another run; the message says where they differ.
        CheckpointError: its `run.json` is not readable.
    """
    # What is there.
    path = folder / "run.json"
    if not path.exists():
        return
    try:
        there = _flat(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"{path}: not readable: {error}") from error

    # What is asked for, as the file would have it: JSON has no tuples.
    asked = _flat(json.loads(json.dumps(facts)))
    differing = [
        f"{name}={there.get(name, 'not there yet')!r}"
        for name in {**there, **asked}
        if there.get(name, "") != asked.get(name, "")
    ]
    if differing:
        raise ValueError(
            f"{folder} holds another run ({', '.join(differing)}): choose another folder"
        )


def _flat(facts: Facts) -> dict[str, Any]:
    """The facts and the settings in one, learner and settings by the names that they have now."""
    settings = {RENAMED_SETTINGS.get(name, name): x for name, x in facts["settings"].items()}
    flat = {**facts, **settings, "learner": current_name(facts["learner"])}
    del flat["settings"]
    return flat


def resume(folder: Path, learner: Any) -> Checkpoint | None:
    """Puts a learner into the state of the folder's last checkpoint.

    Args:
        folder: the run folder.
        learner: a `Learner`; changed in place.

    Returns:
        The checkpoint without its tensors; None if there is none.

    Raises:
        CheckpointError: it is damaged, or of another learner, game or version.
    """
    if not checkpoint.manifests(checkpoints(folder)):
        return None

    saved = checkpoint.load(checkpoints(folder))
    check_tensors(saved.tensors, learner.state(), saved.path)  # names, shapes and dtypes
    try:
        learner.load(saved.tensors, saved.step)
    except KeyError as error:  # of a tensor that `state` has not yet, such as a past self
        raise CheckpointError(f"{saved.path}: it has no {error}") from error
    return replace(saved, tensors={})
