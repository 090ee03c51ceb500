"""The command line: `python -m benchmarks list | run NAME | report`, from the root of the
repository.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: two threads are slower than one

from agents.cli.words import parse_settings
from agents.errors import TrainingError
from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.report import number, pair, report
from benchmarks.harness.runner import RESULTS, Options, run_benchmark


def positive(word: str) -> int:
    """An integer of at least 1."""
    if not (word.isdecimal() and int(word) >= 1):
        raise argparse.ArgumentTypeError(f"must be a positive integer, not {word!r}")
    return int(word)


def natural(word: str) -> int:
    """An integer of at least 0."""
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a non-negative integer, not {word!r}")
    return int(word)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all three commands."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="The papers' tables and figures, run again."
    )
    commands = parser.add_subparsers(dest="command", metavar="list | run | report", required=True)
    commands.add_parser("list", help="the benchmarks")
    run = commands.add_parser(
        "run", help="run one, or go on with it: finished parts are kept in DIR/NAME.parts"
    )
    run.add_argument("name", metavar="NAME")
    run.add_argument(
        "--runs",
        type=positive,
        metavar="N",
        help="runs a row; rows with a number of their own are left out",
    )
    run.add_argument("--seed", type=natural, default=0)
    run.add_argument(
        "--scale", choices=("full", "small"), default="full", help="small: a smoke run of seconds"
    )
    run.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only these cells, e.g. '*Ex'",
    )
    run.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help="other settings"
    )
    run.add_argument(
        "--released-perspective",
        action="store_true",
        help="lola_tournament: with the released code's bug",
    )
    run.add_argument("--executor", choices=("local", "ray"), default="local")
    run.add_argument(
        "--jobs", type=positive, default=1, help="processes of the local executor (default 1)"
    )
    run.add_argument("--device", choices=("cpu", "cuda", "auto"), default="cpu")
    run.add_argument(
        "--fresh",
        action="store_true",
        help="forget what there is of these cells (needed after a change of a learner)",
    )
    for command in (
        run,
        commands.add_parser("report", help="write DIR/README.md and the pictures"),
    ):
        command.add_argument(
            "--out", type=Path, default=RESULTS, metavar="DIR", help="default benchmarks/results"
        )
    return parser


def options_of(arguments: argparse.Namespace) -> Options:
    """The options of `run`."""
    changes = parse_settings(arguments.set) | (
        {"released_perspective": True} if arguments.released_perspective else {}
    )
    return Options(
        runs=arguments.runs, seed=arguments.seed, out=arguments.out, small=arguments.scale == "small",
        only=tuple(arguments.only), executor=arguments.executor, jobs=arguments.jobs, device=arguments.device,
        fresh=arguments.fresh, changes=changes,
    )  # fmt: skip


def show(name: str, arguments: argparse.Namespace) -> None:
    """Runs a benchmark and prints its table."""
    result = run_benchmark(name, options_of(arguments))
    width = max(len(row["name"]) for row in result["rows"])
    print(
        f"{result['title']}\n{'':{width}s} {'paper':>8s} {'ours':>9s}  {'95 % interval':22s} {'runs':>5s}  verdict"
    )
    for row in result["rows"]:
        digits = row["digits"] + 1
        numbers = f"{number(row['paper'], digits - 1):>8s} {number(row['ours'], digits):>9s}"
        interval = pair(row["ci_low"], row["ci_high"], digits)
        print(
            f"{row['name']:{width}s} {numbers}  {interval:22s} {row['runs']:5d}  {row['verdict']}"
        )
    print(f"{result['seconds']:.1f} s on {result['device']}; {arguments.out / name}.json")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; a mistake by the user ends in one sentence and status 2, Ctrl-C in 130."""
    arguments = make_parser().parse_args(argv)
    before = signal.signal(
        signal.SIGTERM, lambda number, frame: sys.exit(128 + number)
    )  # so that workers end too
    try:
        if arguments.command == "list":
            for name, benchmark in catalogue().items():
                print(f"{name:20s} {benchmark.title}")
        elif arguments.command == "report":
            print(report(arguments.out))
        else:
            show(arguments.name, arguments)
    except BrokenPipeError:  # the reader of a pipe has gone
        sys.stderr.close()
        return 0
    except (ValueError, ImportError, OSError, TrainingError) as error:
        print(f"python -m benchmarks {arguments.command}: {error}", file=sys.stderr)
        return 2
    except (
        KeyboardInterrupt,
        SystemExit,
    ) as stop:  # a training that is told to stop saves, and exits with 130 or 143
        print(
            "\nstopped; finished parts are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return stop.code if isinstance(stop, SystemExit) and isinstance(stop.code, int) else 130
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


if __name__ == "__main__":
    sys.exit(main())
