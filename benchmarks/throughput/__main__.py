"""How many games a second: env-steps per core-second on the CPU, per second on CUDA.

    python -m benchmarks.throughput                       # all rows, about 6 minutes
    python -m benchmarks.throughput --quick               # a few, to see that it works
    python -m benchmarks.throughput --peer my_peers:pola  # also times another project (peer_loop),
                                                          # or several: --peer A:B --peer C:D

One env-step: all players of one game act once.  Protocol: pinned to one core, work divided by
process CPU time, which swings less than the wall clock on shared machines; loops that are compared
are measured in turn, and their ratio is the median of the ratios of neighbouring measurements.
Random actions, rewards, observations of all players and automatic resets are inside the timed loop.
On CUDA: wall time by events.

Writes <out>/env_throughput.json and .png.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.harness.json_files import check_folder, write_json
from benchmarks.harness.options import RESULTS
from benchmarks.harness.provenance import commit, describe_device, versions
from benchmarks.throughput import cpu_rows, cuda_rows
from benchmarks.throughput.figures import compare_figures
from benchmarks.throughput.loops import find_peer
from benchmarks.throughput.picture import plot_throughput
from social_dilemmas_env.extras import need

BATCHES = (1, 64, 1024, 16384, 65536)
QUICK_BATCHES, QUICK_SECONDS = (1, 64), 0.02


def measure_all(batches: tuple[int, ...], seconds: float, peers: Sequence[str]) -> dict[str, Any]:
    """Everything, as a dict fit for JSON.

    Args:
        batches: numbers of games.
        seconds: CPU seconds a row.
        peers: other projects' loops, "module:function".
    """
    start = time.monotonic()
    # First what can fail for reasons that are not ours.  All in one process.
    theirs = cpu_rows.measure_peers(peers, seconds)
    # The picture and the figures come from these rows.
    report: dict[str, Any] = {
        "benchmark": "env_throughput",
        "title": "Env-steps a second: a batch of games against its ceiling and its peers",
        "command": "python -m benchmarks.throughput",
        "device": describe_device("cpu"),
        "versions": {**versions(), **commit()},
        "settings": {
            "batches": list(batches),
            "seconds_per_row": seconds,
            "compared_at": cpu_rows.COMPARED,
        },
        "measurements": cpu_rows.measure_batches(batches, seconds),
        "ratios": cpu_rows.measure_ratios(seconds),
        "single": cpu_rows.measure_single_games(seconds),
        "peers": theirs,
        "memory_bytes": cpu_rows.measure_memory(),
        "cuda": cuda_rows.measure_cuda(),
    }
    report["rows"] = compare_figures(report)
    report["seconds"] = round(time.monotonic() - start, 1)
    return report


def build_parser() -> argparse.ArgumentParser:
    """The options of the command."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=about)
    add = parser.add_argument
    add("--out", type=Path, default=RESULTS, help="folder of the results")
    add("--seconds", type=float, default=1.0, help="CPU seconds a row")
    add("--quick", action="store_true", help="few games, little time: only to see that it works")
    add("--core", type=int, default=None, help="the core to run on (Linux); default: the last")
    about = 'another environment, "module:function"; may be given again; see loops.peer_loop'
    add("--peer", action="append", default=[], help=about)
    return parser


def check_options(options: argparse.Namespace) -> None:
    """Whatever could stop the measurement later is found now.

    Raises:
        ValueError, OSError: a sentence about the option.
    """
    if not 0 < options.seconds < float("inf"):
        raise ValueError(f"--seconds must be a positive number, got {options.seconds}")
    for peer in options.peer:
        find_peer(peer)
    need("matplotlib.pyplot", extra="benchmarks", what="the picture")

    if options.core is not None and hasattr(os, "sched_getaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if options.core not in cores:
            raise ValueError(f"--core must be one of {', '.join(map(str, cores))}")
    check_folder(options.out)  # last: what is refused makes none


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; a mistake by the user ends in one sentence and status 2, before it runs."""
    options = build_parser().parse_args(argv)
    try:
        check_options(options)
        measure(options)
    except KeyboardInterrupt:
        print("\nstopped; nothing is written before the end", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError) as error:
        print(f"python -m benchmarks.throughput: {error}", file=sys.stderr)
        return 2
    return 0


def measure(options: argparse.Namespace) -> None:
    """Measures, writes, draws and prints."""
    # One core: moving between cores costs caches.
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0)) if options.core is None else options.core
        os.sched_setaffinity(0, {core})

    # Measure.
    quick = QUICK_BATCHES, QUICK_SECONDS
    batches, seconds = quick if options.quick else (BATCHES, options.seconds)
    report = measure_all(batches, seconds, options.peer)
    report["settings"]["quick"] = options.quick

    # Write, draw, and say what was reached.
    write_json(options.out / "env_throughput.json", report, indent=1)
    plot_throughput(report, options.out / "env_throughput.png")
    for row in report["rows"]:
        ours = "-" if row["ours"] is None else f"{row['ours']:.4g}"
        bound = next(bound for bound in row["target"] if bound is not None)
        print(f"{row['verdict']:14} {row['name']}: {ours} {row['unit']} (bound {bound:.4g})")


if __name__ == "__main__":
    sys.exit(main())
