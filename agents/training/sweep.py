"""One learner at many seeds and settings: each run a task with a run folder of its own.

    sweep = plan_sweep("loqa", "coin_game_v0", seeds=range(10), grid={"actor_lr": [1e-3, 3e-3]})
    for run, result in run_sweep(sweep, Path("runs/sweep"), choose_executor(ExecutorOptions())):

A run is what `train` makes of its seed and settings, whatever else is in the sweep and wherever it
is computed. The same sweep again, or a larger one, goes on where the last one stopped: finished
runs are in `results.jsonl`, the others in their checkpoints.

With the setting `runs=R` each training is R of them side by side, on one axis, and all are scored:
fewer core-seconds where networks are small (docs/learners/costs.md). They are independent, but none
is the training of another seed: what happens to it follows from the seed and from its place.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from agents import checkpoint
from agents.checkpoint import Checkpoint
from agents.errors import CheckpointError, TrainingError
from agents.evaluation.loading import count_runs, restore_agents
from agents.evaluation.scoring import score_agent
from agents.tasks.executors import Executor
from agents.tasks.result_lines import Result, ResultLines
from agents.training.folder_lock import FolderLock
from agents.training.loop import train
from agents.training.run_folder import checkpoints
from agents.training.settings import Request, Settings, make_request, split_settings

RESULTS = "results.jsonl"
SECONDS_TO_END = 60  # for a process that was at a run when its machine was given up


@dataclass(frozen=True, eq=False)
class SweepRun:
    """One training of a sweep.  Compared by identity."""

    learner: str
    env_id: str
    seed: int
    point: Settings  # of the grid: what differs between runs, but for the seed
    common: Settings  # all other settings, flat as the command has them
    device: str = "auto"

    def __str__(self) -> str:
        """Such as "actor_lr=0.001,seed=3"; the name of its folder, too."""
        words = [f"{name}={value}" for name, value in self.point.items()]
        name = ",".join([*words, f"seed={self.seed}"])

        # What no folder may be called gets a digest instead.
        safe = re.sub(r"[^\w=.,+-]", "_", name)[:120]
        digest = hashlib.sha256(name.encode()).hexdigest()[:6]
        return safe if safe == name else f"{safe}.{digest}"

    def request(self) -> Request:
        """What it asks `train` for, checked.

        Raises:
            ValueError: an unknown name, or a bad value.
        """
        config, plan, game = split_settings(
            self.learner, self.env_id, {**self.common, **self.point}
        )
        return make_request(
            self.learner, self.env_id, config=config, plan=plan, game=game, seed=self.seed
        )

    def facts(self) -> dict[str, Any]:
        """Everything that its result goes by."""
        request = self.request()
        plan = {name: getattr(request.plan, name) for name in ("iterations", "eval_episodes")}
        return {**request.facts, **plan, "minutes": request.plan.minutes}


def plan_sweep(
    learner: str,
    env_id: str,
    *,
    seeds: Iterable[int],
    grid: Mapping[str, Sequence[Any]] | None = None,
    common: Settings | None = None,
    device: str = "auto",
) -> list[SweepRun]:
    """All runs of a sweep, checked: every point of the grid at every seed.

    Args:
        learner: a name in LEARNERS.
        env_id: a game.
        seeds: one run each.
        grid: setting -> its values; of the learner, the plan or the game.
        common: settings of all runs.
        device: see `train`.

    Raises:
        ValueError: an unknown name (the nearest are given), a learner that `train` does not drive,
            a bad value, or a run twice.
    """
    grid, common = dict(grid or {}), dict(common or {})
    if both := sorted(grid.keys() & common.keys()):
        raise ValueError(f"{both[0]} is both in the grid and among the settings of all runs")

    points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    runs = [
        SweepRun(learner, env_id, seed, point, common, device)
        for point, seed in product(points, seeds)
    ]
    if not runs:
        raise ValueError("a sweep needs at least one seed, and one value of each setting")

    # Two runs in one folder would wait for each other.
    names = [str(run) for run in runs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} is in the sweep twice")
    for run in runs:
        spec = run.request().spec
        if spec.instead:
            raise ValueError(f"{learner} {spec.instead}")
    return runs


def run_sweep(
    runs: Sequence[SweepRun], folder: Path, executor: Executor
) -> Iterator[tuple[SweepRun, Result]]:
    """Trains what is not finished yet.

    Args:
        runs: of `plan_sweep`.
        folder: of the run folders and `results.jsonl`; on a disk that all workers share.
        executor: where they are trained.

    Yields:
        Runs with their results, those that were finished before first: "scores", "iterations",
        "seconds", "state" (a digest of all tensors); with `runs` > 1 "scores" are means over what
        was learned side by side, and "side_by_side" has the scores of each; or "error" alone, of a
        training that cannot go on, which the next call tries again.

    Raises:
        ChildProcessError: workers were lost too often with some runs; all others are stored.
        BlockingIOError: another process is at work in this folder.
        OSError: something could not be written.
    """
    with FolderLock(folder):
        lines = ResultLines(folder / RESULTS)
        facts = {str(run): run.facts() for run in runs}
        for run in runs:
            if facts[str(run)] in lines:
                yield run, lines[facts[str(run)]]

        missing = [run for run in runs if facts[str(run)] not in lines]
        for run, result in executor(partial(train_run, folder), missing):
            if "error" not in result:
                check_shared(folder / str(run))
                lines.add([(facts[str(run)], result)])
            yield run, result


def train_run(folder: Path, run: SweepRun) -> Result:
    """Trains one run, or goes on with it; what a worker does.

    Returns:
        See `run_sweep`; a training that cannot go on is an "error", for the others can.
    """
    request, out = run.request(), folder / str(run)
    asked = {"config": request.config, "game": request.game, "seed": run.seed, "out": out}
    asked |= {"plan": replace(request.plan, quiet=True), "device": run.device}
    try:
        when_free(partial(train, run.learner, run.env_id, **asked))
    except (TrainingError, CheckpointError, ArithmeticError, MemoryError) as error:
        return {"error": " ".join(str(error).split()) or "out of memory"}

    # Scores of the end, whenever the run was stopped and gone on with.
    saved = checkpoint.load(checkpoints(out))
    scored = [
        score_agent(agents, episodes=request.plan.eval_episodes, seed=saved.step)
        for agents in (restore_agents(saved, run=i) for i in range(count_runs(saved)))
    ]
    result = {
        "run": str(run),
        "scores": {name: fmean(each[name] for each in scored) for name in scored[0]},
        "iterations": saved.step,
        "seconds": saved.facts["seconds"],
        "state": state_digest(saved),
    }
    return {**result, "side_by_side": scored} if len(scored) > 1 else result


def when_free(work: Callable[[], Any]) -> None:
    """Works in a folder that another process may still hold.

    A machine that was given up may be alive: its processes end when they notice.

    Raises:
        BlockingIOError: it holds the folder for longer than SECONDS_TO_END.
    """
    for _ in range(SECONDS_TO_END):
        try:
            work()
            return
        except BlockingIOError:
            time.sleep(1)
    work()


def check_shared(out: Path) -> None:
    """Raises OSError if a worker has trained in a folder that is not seen from here."""
    if not (out / "run.json").exists():
        raise FileNotFoundError(
            f"a worker has trained into {out}, which is not here: all machines of a cluster must "
            "share the disk of --out"
        )


def state_digest(saved: Checkpoint) -> str:
    """All tensors of a checkpoint, bit for bit, in 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(saved.tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
