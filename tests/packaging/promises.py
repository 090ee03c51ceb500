"""The table of promises, written: `python -m tests.packaging.promises [--run] [--out FILE]`.

Without --run the tests are counted, and nothing is said of failures; with it they are run, slow
ones too with --slow, one promise after the other.  With --results it is made of what a run of the
suite has written (`make coverage`; pytest's --junitxml).  A test counts as one try, unless it says
how many it makes: `record_property("tries", 1000)`.
"""

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Promise(NamedTuple):
    """What is promised, and the tests that would fail otherwise: label -> path."""

    words: str
    tests: dict[str, str]


ENV, AGENTS = "tests/env/promises", "tests/agents"
PROMISES = [
    Promise(
        "Same seed, same game: in any API, backend, batch, process, thread",
        {
            "same seed": f"{ENV}/test_same_seed.py",
            "parity": "tests/env/parity/test_parity.py",
            "threads and processes": f"{ENV}/test_threads_and_processes.py",
            "large batches": "tests/endurance",
        },
    ),
    Promise(
        "A game does not depend on its neighbours, and your random state is never touched",
        {
            "batch": "tests/env/parity/test_batch_promises.py",
            "caller": f"{ENV}/test_caller_state.py",
        },
    ),
    Promise(
        "Copy, pickle, get/set state at any step: the continuation is identical",
        {
            "continuation": f"{ENV}/test_continuation.py",
            "states": "tests/env/parity/test_batch_states.py",
        },
    ),
    Promise(
        "The rules are the documented ones",
        {"histories": "tests/env/rules", "properties": "tests/env/properties"},
    ),
    Promise("Gradients are exact: enumerated, not sampled", {"exact": f"{AGENTS}/exact"}),
    Promise(
        "The end of the horizon is truncation, and the last observation is available",
        {
            "truncation": f"{ENV}/test_truncation.py",
            "autoreset": "tests/env/parity/test_batch_modes.py",
        },
    ),
    Promise(
        "Training is deterministic on CPU, and resuming is exact",
        {"training": f"{AGENTS}/training", "learners": f"{AGENTS}/learners"},
    ),
    Promise(
        "A kill or a full disk never loses the last checkpoint; a bad file is one error",
        {
            "robustness": f"{AGENTS}/robustness",
            "every learner": f"{AGENTS}/faults",
            "fuzzed readers": "tests/fuzz",
            "lost workers": f"{AGENTS}/tasks",
            "benchmarks": "tests/benchmarks/test_resume.py",
        },
    ),
    Promise(
        "SIGINT and SIGTERM finish the update, save, and exit with 130 and 143",
        {
            "signals": f"{AGENTS}/training/test_signals.py",
            "leaving": f"{AGENTS}/training/test_leaving.py",
            "failures": f"{AGENTS}/training/test_failures.py",
            "during a save": f"{AGENTS}/faults/test_moments.py",
            "commands": f"{AGENTS}/faults/test_interrupted_commands.py",
        },
    ),
    Promise(
        "Bad input is one error with a sentence, and changes nothing",
        {
            "one game": f"{ENV}/test_bad_input.py",
            "batch": "tests/env/parity/test_batch_bad_input.py",
            "options": f"{ENV}/test_reset_options.py",
            "any calls": f"{ENV}/test_call_machines.py",
            "states": f"{ENV}/test_refused_states.py",
            "command lines": f"{AGENTS}/cli/test_command_lines.py",
        },
    ),
    Promise(
        "Memory is flat",
        {"memory": f"{ENV}/test_memory.py", "long runs": "tests/endurance"},
    ),
    Promise(
        "Every number printed as a result names its runs, interval, settings and device",
        {"benchmarks": "tests/benchmarks/test_results.py"},
    ),
]


def pytest_words(paths: list[str], slow: bool, *more: str) -> list[str]:
    """The command."""
    marks = ["-m", ""] if slow else []
    return [sys.executable, "-m", "pytest", "-q", *marks, *more, *paths]


def count(paths: list[str], slow: bool) -> int:
    """How many tests there are, without running any."""
    words = pytest_words(paths, slow, "--collect-only")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    return sum("::" in line for line in done.stdout.splitlines())


def run(paths: list[str], slow: bool) -> tuple[int, int, int]:
    """Tries that passed, tests that failed, and tests that were skipped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.xml"
        subprocess.run(
            pytest_words(paths, slow, f"--junitxml={path}"), cwd=ROOT, stdout=subprocess.DEVNULL
        )
        return read_results(path.read_text()) if path.exists() else (0, 1, 0)


def read_results(text: str, paths: Sequence[str] = ("",)) -> tuple[int, int, int]:
    """(tries that passed, tests that failed, tests that were skipped) of pytest's XML.

    Args:
        text: of a run.
        paths: files and folders whose tests count.
    """
    # Where pytest says tests.env.test_x, we say tests/env/test_x.py.
    places = [path.removesuffix(".py").replace("/", ".") for path in paths]
    passed = failed = skipped = 0
    for test in ElementTree.fromstring(text).iter("testcase"):
        where = f"{test.get('classname')}."
        if not any(not place or where.startswith(f"{place}.") for place in places):
            continue
        if test.find("skipped") is not None:
            skipped += 1
        elif test.find("failure") is not None or test.find("error") is not None:
            failed += 1
        else:
            passed += _tries(test)
    return passed, failed, skipped


def _tries(test: ElementTree.Element) -> int:
    """What a test says that it has tried; else one."""
    said = [x.get("value", "1") for x in test.iter("property") if x.get("name") == "tries"]
    return int(said[-1]) if said else 1


def write_row(
    number: int, promise: Promise, result: tuple[int, int, int] | None, tests: int
) -> str:
    """A line of the table."""
    links = ", ".join(f"[{label}]({path})" for label, path in promise.tests.items())
    if result is None:
        return f"| {number} | {promise.words} | {links} | {tests} | not run |"
    passed, failed, skipped = result
    more = f" ({skipped} skipped)" if skipped else ""
    return (
        f"| {number} | {promise.words} | {links} | {passed + failed:,}{more} | {failed or 'none'} |"
    )


def put_table(path: Path, table: list[str]) -> None:
    """Writes a table in the place of the one with the same head, or as the whole of a new file.

    Raises:
        ValueError: a file without such a table.
    """
    lines = path.read_text().splitlines() if path.exists() else table[:1]
    if table[0] not in lines:
        raise ValueError(f"{path} has no table that begins with {table[0]}")

    # A table ends with its last row.
    first = last = lines.index(table[0])
    while last < len(lines) and lines[last].startswith("|"):
        last += 1
    path.write_text("\n".join([*lines[:first], *table, *lines[last:]]) + "\n")


def main() -> None:
    """Prints the table, and writes it where it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", action="store_true", help="run the tests: minutes")
    parser.add_argument("--slow", action="store_true", help="the slow ones too: hours")
    about = "of a run of the suite, by pytest's --junitxml"
    parser.add_argument("--results", type=Path, metavar="FILE", help=about)
    parser.add_argument("--only", type=int, action="append", metavar="N", help="one promise")
    parser.add_argument("--out", type=Path, metavar="FILE", help="put the table there, too")
    arguments = parser.parse_args()

    lines = ["| | promise | tests | tries | failures |", "|---|---|---|---|---|"]
    print("\n".join(lines))
    for number, promise in enumerate(PROMISES, 1):
        if arguments.only and number not in arguments.only:
            continue
        paths = list(promise.tests.values())
        if arguments.results is not None:
            result = read_results(arguments.results.read_text(), paths)
        else:
            result = run(paths, arguments.slow) if arguments.run else None
        tests = count(paths, arguments.slow) if result is None else 0
        lines.append(write_row(number, promise, result, tests))
        print(lines[-1], flush=True)

    if arguments.out is not None:
        put_table(arguments.out, lines)


if __name__ == "__main__":
    main()
