"""Everything that waits for a GPU, in the minutes that there are: `make cuda`.

    python -m benchmarks.gpu_session --minutes 12              # on CUDA
    python -m benchmarks.gpu_session --rehearse                # the same path on the CPU, tiny
    python -m benchmarks.gpu_session --merge DIR               # what another machine has measured

Parts, in this order, each with a share of the time; a part that gets none says "not run":

    tests         those marked cuda, recording of graphs among them
    throughput    env-steps a second, step by step and captured, beside a copy on the device
    loqa          LOQA's published setting on 3x3: seconds of training until it is strong
    pola          POLA-DiCE on the Coin Game: outer steps a minute, and how far they have come

Trainings lie in `<out>/gpu_session.runs` and go on there in the next session.  After every part
`<out>/gpu_session.json` is written anew, so that a session that is cut off loses one part.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from agents import Plan, train
from agents.training.settings import split_settings
from benchmarks.harness.json_files import check_folder, plain, read_object, write_json
from benchmarks.harness.options import RESULTS
from benchmarks.harness.policies import read_run, score_of
from benchmarks.harness.provenance import commit, describe_device, versions
from benchmarks.loqa_scalability import PAPER, THRESHOLDS
from benchmarks.throughput import cuda_rows

RESULT = "gpu_session.json"
LONGEST = 7 * 24 * 60  # minutes; waiting for a part takes no number of any size
ROOT = Path(__file__).parents[1]
STEPS_SCALE = 2  # rewards of the thresholds: times 2 floor(3 / 2), see loqa_scalability


@dataclass(frozen=True)
class Session:
    """One sitting at a device.

    Attributes:
        device: "cuda", or "cpu" in a rehearsal.
        out: folder of the results.
        ends: on the clock of `time.monotonic`.
        small: sizes of a rehearsal.
    """

    device: str
    out: Path
    ends: float
    small: bool

    def minutes_left(self) -> float:
        """Until the end."""
        return max(0.0, (self.ends - time.monotonic()) / 60)

    def folder(self, name: str) -> Path:
        """Of a training that goes on in the next session."""
        return self.out / "gpu_session.runs" / (name + "-small" * self.small)


Rows = list[dict[str, Any]]
Part = Callable[[Session, float], Rows]  # session, minutes -> rows


def make_row(name: str, ours: float | None, unit: str, **more: Any) -> dict[str, Any]:
    """A row of the file of results; without a number it is "not run"."""
    verdict = "not run" if ours is None else "reduced" if more.pop("reduced", False) else "holds"
    row = {"name": name, "paper": None, "ours": ours, "ci_low": ours, "ci_high": ours}
    return {**row, "runs": int(ours is not None), "unit": unit, "verdict": verdict, **more}


def run_tests(session: Session, minutes: float) -> Rows:
    """The tests that need the device; in a rehearsal one file of them, which skips."""
    where = ["tests/env/parity/test_cuda_graph.py"] if session.small else ["tests"]
    line = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "-p", "no:cacheprovider", *where]
    try:
        process = subprocess.run(
            line, cwd=ROOT, timeout=60 * minutes, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        note = f"not done after {minutes:.1f} minutes"
        return [make_row("cuda tests that fail", None, "tests", note=note)]

    # pytest's last line: "3 failed, 120 passed, 2 skipped in 41.20s"
    words = (process.stdout.strip().splitlines() or ["no output"])[-1].split()
    counts = {word.strip(","): int(n) for n, word in pairwise(words) if n.isdecimal()}
    failed, passed = counts.get("failed", 0) + counts.get("error", 0), counts.get("passed", 0)
    ran = failed + passed > 0
    note = f"{passed} passed, {counts.get('skipped', 0)} skipped"
    return [make_row("cuda tests that fail", float(failed) if ran else None, "tests", note=note)]


def run_throughput(session: Session, minutes: float) -> Rows:
    """Coin Game 3x3, all rows; their whole table goes into env_throughput.json by --merge."""
    # The whole table, or why there is none.
    measured = cuda_rows.measure_cuda()
    if measured["verdict"] != "run":
        return [make_row("env-steps a second", None, "1/s", note=measured["reason"])]

    # The largest batches here, everything in a file of its own.
    rows = []
    for row in measured["rows"]:
        if row["captured"] and row["num_envs"] == max(cuda_rows.BATCHES):
            note = f"{row['fraction_of_copy']:.2f} of the bytes a second of a copy"
            rows.append(make_row(row["name"], row["steps_per_second"], "1/s", note=note))
    write_json(session.out / "gpu_throughput.json", plain(measured), indent=1)
    return rows


def run_loqa(session: Session, minutes: float) -> Rows:
    """Trains in slices until the strong threshold; the seconds are those of training alone."""
    every, last = (2, 4) if session.small else (100, 6000)
    training = Training("loqa", {"batch": 16 if session.small else 2048}, session)
    folder = training.folder

    # A slice, then scores, until it is strong or the time is over.
    stop, passed = time.monotonic() + 60 * minutes, dict[str, float]()
    iterations, seconds, scores = 0, 0.0, dict[str, float]()
    while iterations < last and "strong" not in passed and time.monotonic() < stop:
        left = max(0.01, (stop - time.monotonic()) / 60)
        before = iterations
        iterations = training.advance(iterations + every, left)
        if iterations == before:
            break
        run = read_run(folder)
        iterations, seconds = run.iterations, run.seconds
        scores = score_of(folder, 8 if session.small else 128, iterations, ("always_defect",))
        for name, (alone, against) in THRESHOLDS.items():
            if STEPS_SCALE * scores["self"] > alone and (
                STEPS_SCALE * scores["vs always_defect"] > against
            ):
                passed.setdefault(name, seconds)

    note = f"{iterations} iterations, {seconds:.0f} s, self {scores.get('self', float('nan')):.3f}"
    return [
        make_row(
            f"loqa 3x3 {name}, s",
            passed.get(name),
            "s",
            paper=float(paper),
            reduced=session.small,
            note=f"published: A100; {note}",
        )
        for name, paper in zip(THRESHOLDS, PAPER[3], strict=True)
    ]


def run_pola(session: Session, minutes: float) -> Rows:
    """Outer steps as far as the time goes; the next session goes on."""
    settings: dict[str, Any] = {"horizon": 8, "batch": 8, "outer_steps": 1} if session.small else {}
    training, begun = Training("pola_dice", settings, session), time.monotonic()
    folder = training.folder
    before = read_run(folder).iterations if (folder / "run.json").exists() else 0
    limit = before + 2 if session.small else 100_000
    after = training.advance(limit, minutes)

    # How fast it was, and how far it has come.
    spent = (time.monotonic() - begun) / 60
    rate = (after - before) / spent if after > before else None
    own = None
    if rate is not None:
        own = score_of(folder, 8 if session.small else 512, after, ("always_defect",))["self"]
    reduced = {"reduced": True, "note": f"after {after} updates of this run, all sessions together"}
    return [
        make_row("pola_dice 3x3, updates a minute", rate, "1/min", **reduced),
        make_row("pola_dice 3x3, self-play", own, "reward a step", **reduced),
    ]


@dataclass(frozen=True)
class Training:
    """One of the session's trainings, in the 3x3 Coin Game, seed 42.

    Attributes:
        learner: a name in LEARNERS.
        settings: its own, that differ from its defaults.
        session: where.
    """

    learner: str
    settings: dict[str, Any]
    session: Session

    @property
    def folder(self) -> Path:
        """Where it goes on in the next session."""
        return self.session.folder(self.learner)

    def advance(self, iterations: int, minutes: float) -> int:
        """Trains on, to a number of iterations or for some minutes; returns how many there are."""
        graphs = self.session.device == "cuda"
        words = {"eval_every": 0, "quiet": True, "save_minutes": 1.0, "cuda_graphs": graphs}
        plan = Plan(iterations=iterations, minutes=minutes, **words)
        config, _, game = split_settings(self.learner, "coin_game_v0", self.settings)

        asked = {"config": config, "plan": plan, "game": game, "seed": 42, "out": self.folder}
        train(self.learner, "coin_game_v0", device=self.session.device, **asked)
        return read_run(self.folder).iterations


# name -> (part, its share of what is left when it begins)
PARTS: dict[str, tuple[Part, float]] = {
    "tests": (run_tests, 0.2),
    "throughput": (run_throughput, 0.25),
    "loqa": (run_loqa, 0.7),
    "pola": (run_pola, 0.95),
}
LEAST = 0.2  # minutes that a part is begun with


def hold_session(session: Session, minutes: float, only: Sequence[str] = ()) -> dict[str, Any]:
    """All parts in turn; the file of results is written after each.

    Args:
        session: where.
        minutes: of all parts together, for the settings in the file.
        only: names of parts; none for all.
    """
    # Each part gets its share of what is left when it begins.
    begun, rows = time.monotonic(), Rows()
    report: dict[str, Any] = {}
    for name, (part, share) in PARTS.items():
        left = session.minutes_left()
        if (only and name not in only) or left < LEAST:
            reason = "not asked for" if only and name not in only else "no time was left"
            rows.append(make_row(f"{name}: all rows", None, "", note=reason))
            continue

        print(f"{name}: {share * left:.1f} of {left:.1f} minutes", file=sys.stderr, flush=True)
        try:
            rows += part(session, share * left)
        except (RuntimeError, ValueError, OSError) as error:
            rows.append(make_row(f"{name}: all rows", None, "", note=str(error).split("\n")[0]))

        report = {
            "benchmark": "gpu_session",
            "title": "What waits for a GPU",
            "command": f"python -m benchmarks.gpu_session --minutes {minutes:g}",
            "device": describe_device(session.device),
            "versions": {**versions(), **commit()},
            "settings": {"minutes": minutes, "small": session.small},
            "seconds": round(time.monotonic() - begun, 1),
            "rows": rows,
        }
        write_json(session.out / RESULT, plain(report), indent=1)
    return report


def merge(folder: Path, results: Path = RESULTS) -> list[str]:
    """Puts what a session has measured among the committed results; returns what was written.

    Raises:
        ValueError: a rehearsal, which measures nothing; or a file that is damaged.
        OSError: no session's file in the folder.
    """
    report = read_object(folder / RESULT, "benchmark", "settings", "rows")
    settings = report["settings"]
    if not isinstance(settings, dict) or settings.get("small", True):
        raise ValueError(f"{folder / RESULT} is of a rehearsal: it measures nothing")
    write_json(results / RESULT, report, indent=1)
    written = [RESULT]

    # The table of env-steps belongs to that of the CPU.
    table = folder / "gpu_throughput.json"
    if table.exists():
        throughput = read_object(results / "env_throughput.json", "cuda", "rows")
        throughput["cuda"] = read_object(table, "rows")
        write_json(results / "env_throughput.json", throughput, indent=1)
        written.append("env_throughput.json")
    return written


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_session", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--minutes", type=float, default=12.0, help="of all parts (default 12)")
    parser.add_argument("--out", type=Path, default=Path("runs/gpu_session"))
    parser.add_argument("--only", action="append", default=[], choices=tuple(PARTS))
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, at tiny sizes")
    parser.add_argument("--merge", type=Path, metavar="DIR", help="take over a session's results")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; a mistake by the user ends in one sentence and status 2."""
    words = build_parser().parse_args(argv)

    try:
        if words.merge is not None:
            print("written:", ", ".join(merge(words.merge)))
            return 0
        if not 0 < words.minutes <= LONGEST:
            about = f"--minutes must lie above 0 and be at most {LONGEST}, a week"
            raise ValueError(f"{about}; got {words.minutes}")
        device = "cpu" if words.rehearse else "cuda"
        if not words.rehearse:
            check_cuda()
        check_folder(words.out)
        ends = time.monotonic() + 60 * words.minutes
        session = Session(device, words.out, ends, words.rehearse)
        report = hold_session(session, words.minutes, words.only)
    except (ValueError, OSError) as error:
        print(f"python -m benchmarks.gpu_session: {error}", file=sys.stderr)
        return 2

    for row in report["rows"]:
        ours = "-" if row["ours"] is None else f"{row['ours']:.4g} {row['unit']}"
        print(f"{row['verdict']:8} {row['name']}: {ours}  ({row.get('note', '')})")
    return 0


def check_cuda() -> None:
    """Raises ValueError where there is no CUDA device."""
    import torch

    if not torch.cuda.is_available():
        raise ValueError("no CUDA device: --rehearse walks the same path on the CPU")


if __name__ == "__main__":
    sys.exit(main())
