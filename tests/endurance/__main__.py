"""Promise 11 and others, long and large: `python -m tests.endurance [NAME ...] [--share .1]`.

Ten million steps, ten thousand resets, renders, windows and updates, batches of 2^20 games, ten
thousand runs of a benchmark that is killed three times.  Each in a process of its own; the table
says how often, by how much the process grew after the first tenth, and what failed.  A new game or
learner is in it on the day it is registered.
"""

import argparse
import json
import subprocess
import sys

LIMIT = 5.0  # MB that a process may grow by after its first tenth


def one(name: str, share: float) -> dict[str, float]:
    """Runs one subject here."""
    # Inside: what prints the table needs none of it.
    from tests.endurance.subjects import SUBJECTS, measure

    return measure(SUBJECTS[name], share)


def apart(name: str, share: float) -> dict[str, float | str]:
    """Runs one subject in a process of its own."""
    line = [sys.executable, "-m", "tests.endurance", "--one", name, "--share", str(share)]
    done = subprocess.run(line, capture_output=True, text=True)
    try:
        found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        reason = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return {"tries": 0, "grown": 0.0, "seconds": 0.0, "failed": reason[:120]}
    return found


def row(name: str, found: dict[str, float | str]) -> tuple[str, bool]:
    """A line of the table, and whether the subject failed."""
    grown, failed = float(found["grown"]), found["failed"]
    if not failed and grown >= LIMIT:
        failed = f"grew by {grown:.1f} MB"
    numbers = f"{int(found['tries']):,} | {grown:+.1f} | {float(found['seconds']):.0f}"
    return f"| {name} | {numbers} | {failed or 'none'} |", bool(failed)


def main(words: list[str] | None = None) -> int:
    """The command line; returns how many subjects failed."""
    from tests.endurance.subjects import SUBJECTS

    parser = argparse.ArgumentParser(
        prog="python -m tests.endurance", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--share", type=float, default=1.0, help="of all tries (default 1)")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.one is not None:
        print(json.dumps(one(asked.one, asked.share)))
        return 0

    names = [name for name in SUBJECTS if not asked.names or name.startswith(tuple(asked.names))]
    failures = 0
    print("| what | tries | grown by, MB | core-seconds | failures |\n|---|---|---|---|---|")
    for name in names:
        line, failed = row(name, apart(name, asked.share))
        failures += failed
        print(line, flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(main())
