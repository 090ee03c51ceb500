"""Every kind of file that this project reads, and what its reader documents.

A new reader gets a line in KINDS, and with it every test of test_files_from_strangers.py.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

import social_dilemmas_env as sde
from agents import checkpoint, load_agent
from agents.checkpoint import CheckpointError
from agents.evaluation.loading import BUNDLED
from agents.plots.runs import read_run
from agents.tasks.result_lines import ResultLines
from agents.training import run_folder
from agents.training.reporting import MetricsFile
from benchmarks.gpu_session import RESULT as SESSION
from benchmarks.gpu_session import merge
from benchmarks.harness.benchmark import Cell
from benchmarks.harness.merging import BY_CELL, ORIGIN, read_stored
from benchmarks.harness.part_store import PartStore, split
from benchmarks.harness.report import KEYS, ROW_KEYS, read_result
from benchmarks.harness.resumable_training import (
    FOUND,
    read_evaluations,
    read_metric,
    write_evaluations,
)
from social_dilemmas_env.exact import load_policy, save_policy
from social_dilemmas_env.replay import ReplayError, episode_json, read_episode
from social_dilemmas_env.replay.page import replay_page
from tests.env.replay.recordings import recorded

STEP = "state-00000007"
FACTS = {
    "learner": "loqa",
    "env_id": "ipd_v0",
    "game": {},
    "settings": {"actor_lr": 0.001, "π": [1, None]},
    "seed": 3,
}
GAME = sde.exact_game("ipd_v0")
PART = split(Cell("plain", {"faces": 6}, 30, (), chunk=15), 0)[1]
AGENT_NAME = "exact_naive_3x3"  # the smallest
TASKS = [{"seed": k, "pair": [k, 2]} for k in range(4)]


@dataclass(frozen=True)
class Kind:
    """Files of one kind.

    Attributes:
        write: (empty folder) -> the file that is damaged, after writing all that belongs to it.
        read: (that file) -> what the reader makes of it, comparable by ==.
        errors: what the reader documents; the message names the file or its folder.
        absent: a damaged file, or a damaged line of it, counts as none: (None, ...).
        signed: every change of a value is noticed.  Where False, only errors are promised.
    """

    write: Callable[[Path], Path]
    read: Callable[[Path], Any]
    errors: tuple[type[Exception], ...]
    absent: bool = False
    signed: bool = True


def put(path: Path, text: str | bytes) -> Path:
    """Writes a file."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --------------------------------------------------------------------------------- checkpoints


def write_checkpoint(ending: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        tensors = {"theta": torch.arange(12.0).reshape(1, 12), "count": torch.arange(2)}
        checkpoint.save(folder, 7, tensors, FACTS, {"past0": torch.ones(2)})
        (path,) = folder.glob(ending)
        return path

    return write


def read_checkpoint(path: Path) -> Any:
    saved = checkpoint.load(path.parent / f"{STEP}.json")
    return saved.step, saved.facts, {name: x.tolist() for name, x in saved.tensors.items()}


def write_agent(suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        for each in (".json", ".safetensors"):
            put(folder / f"{AGENT_NAME}{each}", (BUNDLED / f"{AGENT_NAME}{each}").read_bytes())
        return folder / f"{AGENT_NAME}{suffix}"

    return write


def read_agent(path: Path) -> Any:
    manifest = path.with_suffix(".json")
    tensors = {name: x.tolist() for name, x in checkpoint.load(manifest).tensors.items()}
    return load_agent(manifest).facts, tensors


# ------------------------------------------------------------------------------- runs, results


def write_run(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        put(folder / "run.json", json.dumps(FACTS, indent=1))
        lines = [{"iteration": 20 * k, "reward": 0.5 * k, "seconds": k / 7} for k in (1, 2, 3)]
        put(folder / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        return folder / name

    return write


def read_curves(path: Path) -> Any:
    run = read_run(path.parent)
    return run.facts, run.iterations.tolist(), {k: x.tolist() for k, x in run.metrics.items()}


def read_metrics(path: Path) -> Any:
    MetricsFile(path.parent, 10**6)
    return path.read_bytes() if path.exists() else b""


def read_column(path: Path) -> Any:
    return read_metric(path.parent, "reward") or nothing_yet(path)


def nothing_yet(path: Path) -> Any:
    """What the first of several stages finds; here it must not be what a damaged file is."""
    raise FileNotFoundError(path)


def write_found(folder: Path) -> Path:
    write_evaluations(folder, [{"self": 0.25, "gains": [1.5, -2.0]}, {"self": 0.5, "gains": []}])
    return folder / FOUND


def read_found(path: Path) -> Any:
    return read_evaluations(path.parent) or nothing_yet(path)


def write_session(folder: Path) -> Path:
    report = {"benchmark": "gpu_session", "settings": {"small": False}, "rows": [1]}
    return put(folder / SESSION, json.dumps(report))


def read_session(path: Path) -> Any:
    with tempfile.TemporaryDirectory() as results:
        merge(path.parent, Path(results))
        return json.loads((Path(results) / SESSION).read_text())


def write_lines(folder: Path) -> Path:
    path = folder / "league.jsonl"
    results = [{"pair": ["a", "b"], "means": [k / 3, -1.0], "errors": None} for k in range(4)]
    ResultLines(path).add(zip(TASKS, results, strict=True))
    return path


def read_lines(path: Path) -> Any:
    lines = ResultLines(path)
    return tuple(lines[task] if task in lines else None for task in TASKS)  # noqa: SIM401


def store(folder: Path) -> PartStore:
    return PartStore(folder, {"benchmark": "toy", "versions": {"torch": "2"}})


def write_part(folder: Path) -> Path:
    values = [[k / 3, k] for k in range(15)]
    store(folder).save(PART, {"samples": {"mean": values}, "curves": {}, "extra": ["kept"]})
    return folder / PART.file_name


def write_result(folder: Path) -> Path:
    words = [*ORIGIN, *BY_CELL, *KEYS]
    rows = [dict.fromkeys(ROW_KEYS, 1)]
    result = {name: {"a": 1.5} for name in words} | {"benchmark": "toy", "rows": rows}
    return put(folder / "toy.json", json.dumps(result, indent=1))


def read_stored_result(path: Path) -> Any:
    return (read_stored(path, "toy"),)


# -------------------------------------------------------------------------- replays, policies


EPISODE = recorded("ipd_v0", telling=True, max_cycles=4)
COIN = recorded("coin_game_v0", telling=True, max_cycles=3)


def write_replay(folder: Path) -> Path:
    return put(folder / "match.json", episode_json(EPISODE))


def write_page(folder: Path) -> Path:
    """The part of a page that is read, and some of what is not."""
    begin, mark, rest = replay_page(COIN).partition('<script type="application/json" id="episode">')
    return put(folder / "match.html", begin[-200:] + mark + rest[:3000])


def write_policy(folder: Path) -> Path:
    save_policy(folder / "policy.npz", "tit_for_tat", GAME)
    return folder / "policy.npz"


def read_policy(path: Path) -> Any:
    return load_policy(path, GAME).tolist()


CHECKPOINT = Kind(write_checkpoint(f"{STEP}.json"), read_checkpoint, (CheckpointError,))
AGENT = Kind(write_agent(".json"), read_agent, (CheckpointError,))
RUN = Kind(write_run("run.json"), read_curves, (ValueError,), signed=False)
RESULT = Kind(write_result, read_result, (ValueError, OSError), signed=False)
KINDS = {
    "manifest of a checkpoint": CHECKPOINT,
    "tensors of a checkpoint": replace(CHECKPOINT, write=write_checkpoint(f"{STEP}.safetensors")),
    "kept tensors": replace(CHECKPOINT, write=write_checkpoint("kept-*")),
    "manifest of an agent": AGENT,
    "tensors of an agent": replace(AGENT, write=write_agent(".safetensors")),
    "run.json, to go on": Kind(
        write_run("run.json"),
        lambda path: run_folder.check(path.parent, FACTS),
        (ValueError, CheckpointError),
    ),
    "run.json, to plot": RUN,
    "metrics.jsonl, to plot": replace(RUN, write=write_run("metrics.jsonl")),
    "metrics.jsonl, to go on": Kind(
        write_run("metrics.jsonl"), read_metrics, (CheckpointError, OSError), signed=False
    ),
    "metrics.jsonl of a benchmark": replace(
        RUN, write=write_run("metrics.jsonl"), read=read_column, errors=(ValueError, OSError)
    ),
    "evaluations of a benchmark's training": Kind(write_found, read_found, (ValueError, OSError)),
    "report of a session at a GPU": Kind(
        write_session, read_session, (ValueError, OSError), signed=False
    ),
    "league, sweep or exploit lines": Kind(
        write_lines, read_lines, (OSError, ValueError), absent=True
    ),
    "part of a benchmark": Kind(
        write_part, lambda path: (store(path.parent).load(PART),), (), absent=True
    ),
    "result of a benchmark": RESULT,
    "stored result of a benchmark": Kind(
        write_result, read_stored_result, (), absent=True, signed=False
    ),
    "replay": Kind(write_replay, read_episode, (ReplayError,)),
    "page of a replay": Kind(write_page, read_episode, (ReplayError,)),
    "policy table": Kind(write_policy, read_policy, (ValueError, FileNotFoundError)),
}
