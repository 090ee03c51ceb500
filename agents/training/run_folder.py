"""The folder of a run, and going on with what is in it.

run.json         what was asked for: learner, game, settings, seed
lock             held by the process that trains (folder_lock.py)
metrics.jsonl    a line every LOG_EVERY iterations (reporting.py)
checkpoints/     the last few (agents/checkpoint.py)
events/          TensorBoard's, where it is installed
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import checkpoint
from agents.atomic_write import write_atomically
from agents.checkpoint import Checkpoint, check_tensors
from agents.errors import CheckpointError
from agents.manifest import MAX_MANIFEST, PROBLEMS, sentence
from agents.registry import RENAMED_SETTINGS, current_name
from social_dilemmas_env.regular_file import read_regular

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
    path = folder / "run.json"
    if not path.exists():
        return
    try:
        differing = _differing(json.loads(read_regular(path, MAX_MANIFEST)), facts)
    except PROBLEMS as error:
        raise CheckpointError(f"{path}: not readable: {sentence(error)}") from error
    if differing:
        raise ValueError(f"{folder} holds another run ({differing}): choose another folder")


def _differing(there: Facts, wanted: Facts) -> str:
    """What differs between the run that is there and the one that is asked for; "" if nothing."""
    names = ("learner", "env_id", "game", "settings", "seed")
    there = _flat({name: there[name] for name in names})
    # As the file would have it: JSON has no tuples.
    wanted = _flat(json.loads(json.dumps({name: wanted[name] for name in names})))
    return ", ".join(
        f"{name}={there.get(name, 'not there yet')!r:.60}"
        for name in {**there, **wanted}
        if there.get(name, "") != wanted.get(name, "")
    )


def _flat(facts: Facts) -> dict[str, Any]:
    """The facts and the settings in one, learner and settings by the names that they have now."""
    settings = {RENAMED_SETTINGS.get(name, name): x for name, x in facts["settings"].items()}
    flat = {**facts, **settings, "learner": current_name(facts["learner"])}
    del flat["settings"]
    return flat


def resume(folder: Path, learner: Any, facts: Facts) -> Checkpoint | None:
    """Puts a learner into the state of the folder's last checkpoint.

    Args:
        folder: the run folder.
        learner: a `Learner`; changed in place.
        facts: of the run that is asked for.

    Returns:
        The checkpoint without its tensors; None if there is none.

    Raises:
        CheckpointError: it is damaged, or of another learner, game, seed or version.
    """
    if not checkpoint.manifests(checkpoints(folder)):
        return None

    saved = checkpoint.load(checkpoints(folder))
    check_tensors(saved.tensors, learner.state(), saved.path)  # names, shapes and dtypes
    _check_facts(saved, facts)
    try:
        learner.load(saved.tensors, saved.step)
    except KeyError as error:  # of a tensor that `state` has not yet, such as a past self
        raise CheckpointError(f"{saved.path}: it has no {error}") from error
    except (ValueError, TypeError, RuntimeError) as error:  # such as past selves of other shapes
        raise CheckpointError(f"{saved.path}: it does not fit: {error}") from error
    return replace(saved, tensors={})


def _check_facts(saved: Checkpoint, facts: Facts) -> None:
    """Raises CheckpointError unless a checkpoint says that it is of this run, in good order."""
    there = saved.facts
    try:
        differing = _differing(there, facts)
        numbers = [there["seconds"], *there["scores"].values()]
        means = there.get("means", {"totals": {}, "count": 0})  # earlier versions kept none
        numbers += [means["count"], *means["totals"].values()]
        sound = all(type(x) in (int, float) and math.isfinite(x) for x in numbers)
    except PROBLEMS as error:
        raise CheckpointError(f"{saved.path}: it is not of a run: {sentence(error)}") from error

    if differing:
        raise CheckpointError(f"{saved.path}: it is of another run ({differing})")
    if not sound or means["count"] < 0 or (means["totals"] and not means["count"]):
        raise CheckpointError(f"{saved.path}: its seconds, scores or means are no numbers")
