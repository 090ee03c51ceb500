"""`social-dilemmas sweep`: one learner at many seeds and settings."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from agents.atomic_write import write_atomically
from agents.cli.words import add_set, options_as_settings, parse_settings, parse_value
from agents.evaluation.intervals import half_interval
from agents.registry import current_name
from agents.tasks.executors import choose_executor
from agents.tasks.options import add_executor_options, read_executor_options
from agents.tasks.progress import progress
from agents.tasks.stopping import raising_on_terminate

if TYPE_CHECKING:
    from agents.training.sweep import SweepRun

EXAMPLES = """
examples:
  social-dilemmas sweep loqa coin_game_v0 --seeds 10 --grid actor_lr=1e-3,3e-3
  social-dilemmas sweep lola_exact ipd_v0 --grid gamma=0.9,0.96 runs=10 --jobs 2
  social-dilemmas sweep loqa coin_game_v0 --executor ray --gpus .25

Each run is that of `train` with its seed and settings, in a folder of its own.
With runs=R it is R of them side by side, all of which are scored: faster where
networks are small, but none is the training of another seed.
The same command again goes on where it stopped; with more seeds or values it
adds to what is there.
"""
Results = dict[str, dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.set_defaults(options=[])  # options that are none of these are settings

    # Whom to train in what.
    parser.add_argument("learner", help="its settings: social-dilemmas train LEARNER --help")
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument("--seeds", type=int, default=1, help="how many (default 1)")
    parser.add_argument("--first-seed", type=int, default=0, help="the first one (default 0)")
    about = "settings that runs differ in, with their values; several make a grid"
    pairs: dict[str, Any] = {"nargs": "+", "action": "extend", "default": []}
    parser.add_argument("--grid", **pairs, metavar="NAME=VALUE,VALUE", help=about)
    add_set(parser, "settings of all runs; also as --name value")

    # Where.
    parser.add_argument("--out", metavar="FOLDER", help="default runs/sweep-LEARNER-GAME")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    add_executor_options(parser)


def parse_grid(words: list[str]) -> dict[str, list[Any]]:
    """["gamma=0.9,0.96"] -> {"gamma": [0.9, 0.96]}.

    Raises:
        ValueError: a word without "=", or a setting twice.
    """
    grid: dict[str, list[Any]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.replace("-", "_")
        if not (equals and name.isidentifier() and text):
            raise ValueError(f"--grid looks like name=value,value, got {word!r}")
        if name in grid:
            raise ValueError(f"--grid has {name} twice: {name}=value,value,...")
        grid[name] = _parse_values(name, text)
    return grid


def _parse_values(name: str, text: str) -> list[Any]:
    """Values between commas; those in brackets are JSON."""
    try:
        values: list[Any] = json.loads(f"[{text}]")
        return values
    except ValueError:
        return [parse_value(name, each) for each in text.split(",")]


def run(arguments: argparse.Namespace) -> int:
    """Trains all runs; prints and saves what they came to."""
    # Inside: torch takes a second to import, and --help needs none.
    from agents.training.sweep import plan_sweep, run_sweep

    words = [*arguments.set, *options_as_settings(arguments.options)]
    if arguments.seeds < 1:
        raise ValueError(f"--seeds must be at least 1, not {arguments.seeds}")
    runs = plan_sweep(
        current_name(arguments.learner),
        arguments.env,
        seeds=range(arguments.first_seed, arguments.first_seed + arguments.seeds),
        grid=parse_grid(arguments.grid),
        common=parse_settings(words),
        device=arguments.device,
    )

    # Nothing is written before there is somebody to compute it.
    executor = choose_executor(read_executor_options(arguments))
    folder = Path(arguments.out or f"runs/sweep-{arguments.learner}-{arguments.env}")
    results: Results = {}
    try:
        with raising_on_terminate(), progress(f"{len(runs)} runs", len(runs)) as advance:
            for each, result in run_sweep(runs, folder, executor):
                results[str(each)] = result
                advance(1, result.get("error") or f"{each} ({result['seconds']:.0f} s)")
    except (KeyboardInterrupt, SystemExit):
        hint = "the same command goes on from there, bit for bit"
        print(f"stopped; {len(results)} of {len(runs)} runs are done, {hint}", file=sys.stderr)
        raise
    finally:
        if results:
            print("\n".join(table(runs, results)))
    save_summary(folder, runs, results)
    return report_errors(folder, results)


def table(runs: list[SweepRun], results: Results) -> list[str]:
    """Means over runs, with 95 % intervals: a paragraph for each point of the grid."""
    lines = []
    for point in {json.dumps(run.point): run.point for run in runs}.values():
        of_point = [results.get(str(run), {}) for run in runs if run.point == point]
        done = [result for result in of_point if "scores" in result]
        scores = [
            each for result in done for each in result.get("side_by_side", [result["scores"]])
        ]

        # Runs side by side count one by one: they are independent.
        words = ", ".join(f"{name}={value}" for name, value in point.items())
        count = f"{len(done)} seeds"
        if len(scores) > len(done):
            count += f", {len(scores)} runs side by side"
        lines.append(f"{words or 'all runs'}: {count}, mean reward a step")
        for name in scores[0] if scores else ():
            values = np.array([each[name] for each in scores])
            half = half_interval(values)
            interval = "" if math.isnan(half) else f" ± {half:.4f}"
            lines.append(f"  {name:28s}{values.mean():+.4f}{interval}")
    return lines


def save_summary(folder: Path, runs: list[SweepRun], results: Results) -> None:
    """Writes `summary.json`: the runs in order, without times, equal wherever they were trained."""
    rows = [
        {"run": str(run), "seed": run.seed, **run.point, **_without_times(results[str(run)])}
        for run in runs
    ]
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "summary.json", json.dumps({"runs": rows}, indent=1).encode())


def _without_times(result: dict[str, Any]) -> dict[str, Any]:
    return {name: x for name, x in result.items() if name not in ("seconds", "run")}


def report_errors(folder: Path, results: Results) -> int:
    """Says which trainings could not go on; the exit status."""
    errors = {name: result["error"] for name, result in results.items() if "error" in result}
    for name, error in errors.items():
        print(f"{name}: {error}", file=sys.stderr)
    if errors:
        print(f"{len(errors)} of {len(results)} runs failed", file=sys.stderr)
    print(folder)
    return 1 if errors else 0
