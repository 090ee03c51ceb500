"""The command line of the benchmarks: `list | run NAME | report`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.cli.words import parse_settings
from agents.errors import TrainingError
from agents.tasks.options import add_executor_options, read_executor_options
from agents.tasks.stopping import raising_on_terminate
from benchmarks.harness.benchmark import Result
from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.duration import describe_benchmark
from benchmarks.harness.options import RESULTS, Options
from benchmarks.harness.report import format_interval, format_number, report
from benchmarks.harness.runner import run_benchmark
from social_dilemmas_env.extras import explained


def parse_positive(word: str) -> int:
    """An integer of at least 1."""
    if not (word.isdecimal() and int(word) >= 1):
        raise argparse.ArgumentTypeError(f"must be a positive integer, not {word!r}")
    return int(word)


def parse_natural(word: str) -> int:
    """An integer of at least 0."""
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a non-negative integer, not {word!r}")
    return int(word)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all three commands."""
    about = "The papers' tables and figures, run again."
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
    commands = parser.add_subparsers(dest="command", metavar="list | run | report", required=True)
    commands.add_parser("list", help="the benchmarks, with the time of their full settings")

    about = "run one, or go on with it: finished parts are kept in DIR/NAME.parts"
    run = commands.add_parser("run", help=about)
    run.add_argument("name", metavar="NAME")
    add_options(run)

    page = commands.add_parser("report", help="write DIR/README.md and the pictures")
    for command in (run, page):
        about = "default benchmarks/results"
        command.add_argument("--out", type=Path, default=RESULTS, metavar="DIR", help=about)
    return parser


def add_options(run: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    # What is computed.
    about = "runs a row; rows with a number of their own are left out"
    run.add_argument("--runs", type=parse_positive, metavar="N", help=about)
    run.add_argument("--seed", type=parse_natural, default=0)
    about = "small: a smoke run of seconds"
    run.add_argument("--scale", choices=("full", "small"), default="full", help=about)
    about = "only these cells, e.g. '*Ex'"
    run.add_argument("--only", action="append", default=[], metavar="PATTERN", help=about)
    about = "other settings"
    pairs: dict[str, Any] = {
        "nargs": "+",
        "action": "extend",
        "default": [],
        "metavar": "NAME=VALUE",
    }
    run.add_argument("--set", **pairs, help=about)
    about = "lola_tournament: with the released code's bug"
    run.add_argument("--released-perspective", action="store_true", help=about)

    # Where, and what of before counts.
    add_executor_options(run)
    run.add_argument("--device", choices=("cpu", "cuda", "auto"), default="cpu")
    about = "forget what there is of these cells (needed after a change of a learner)"
    run.add_argument("--fresh", action="store_true", help=about)


def read_options(arguments: argparse.Namespace) -> Options:
    """The options of `run`."""
    changes = parse_settings(arguments.set)
    if arguments.released_perspective:
        changes["released_perspective"] = True
    return Options(
        runs=arguments.runs,
        seed=arguments.seed,
        out=arguments.out,
        small=arguments.scale == "small",
        only=tuple(arguments.only),
        executor=read_executor_options(arguments),
        device=arguments.device,
        fresh=arguments.fresh,
        changes=changes,
    )


def print_result(result: Result, path: Path) -> None:
    """Prints the table of a run: the rows that have a number, and how many have none."""
    rows = [row for row in result["rows"] if row["verdict"] != "not run"]
    width = max((len(row["name"]) for row in rows), default=0)
    head = f"{'paper':>8s} {'ours':>9s}  {'95 % interval':22s} {'runs':>5s}  verdict"
    print(f"{result['title']}\n{'':{width}s} {head}")

    for row in rows:
        digits = row["digits"] + 1  # ours with one more than the paper's
        paper, ours = format_number(row["paper"], digits - 1), format_number(row["ours"], digits)
        numbers = f"{paper:>8s} {ours:>9s}"
        interval = format_interval(row["ci_low"], row["ci_high"], digits)
        runs = f"{row['runs']:5d}  {row['verdict']}"
        print(f"{row['name']:{width}s} {numbers}  {interval:22s} {runs}")

    without = len(result["rows"]) - len(rows)
    if without:
        print(f"{without} rows of other cells were not part of this run")
    print(f"{result['seconds']:.1f} s on {result['device']}; {path}")


def print_list() -> None:
    """Prints every benchmark with the time that it takes."""
    for name, benchmark in catalogue().items():
        print(f"{name:20s} {describe_benchmark(benchmark):>8s}  {benchmark.title}")
    print("\nTimes are those of the full setting on one core, from the stored results where a cell")
    print("has been run at that setting, and rough otherwise.")


def run_command(arguments: argparse.Namespace) -> None:
    """Runs the command that was parsed."""
    if arguments.command == "list":
        print_list()
    elif arguments.command == "report":
        if not arguments.out.is_dir():
            raise ValueError(f"there is no folder {arguments.out} with results in it")
        print(report(arguments.out))
    else:
        result = run_benchmark(arguments.name, read_options(arguments))
        print_result(result, arguments.out / f"{arguments.name}.json")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; a mistake by the user ends in one sentence and status 2, Ctrl-C in 130."""
    arguments = build_parser().parse_args(argv)

    try:
        with raising_on_terminate():
            run_command(arguments)
    except BrokenPipeError:  # the reader of a pipe has gone
        sys.stderr.close()
    except ImportError as error:
        print(f"python -m benchmarks {arguments.command}: {explained(error)}", file=sys.stderr)
        return 2
    except (ValueError, TypeError, OSError, TrainingError) as error:
        print(f"python -m benchmarks {arguments.command}: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, SystemExit) as stop:
        # A training that is told to stop saves, and exits with 130 or 143.
        hint = "stopped; finished parts are kept, the same command goes on from there"
        print(f"\n{hint}", file=sys.stderr)
        return stop.code if isinstance(stop, SystemExit) and isinstance(stop.code, int) else 130
    return 0
