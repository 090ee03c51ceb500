"""The table of promises, written: `python -m tests.packaging.promises [--run]`.

Without --run the tests are counted, and nothing is said of failures; with it they are run, slow
ones too with --slow, one promise after the other.
"""

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
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
        },
    ),
    Promise(
        "SIGINT and SIGTERM finish the update, save, and exit with 130 and 143",
        {
            "signals": f"{AGENTS}/training/test_signals.py",
            "leaving": f"{AGENTS}/training/test_leaving.py",
            "failures": f"{AGENTS}/training/test_failures.py",
        },
    ),
    Promise(
        "Bad input is one error with a sentence, and changes nothing",
        {
            "one game": f"{ENV}/test_bad_input.py",
            "batch": "tests/env/parity/test_batch_bad_input.py",
            "options": f"{ENV}/test_reset_options.py",
            "any calls": f"{ENV}/test_call_machines.py",
        },
    ),
    Promise("Memory is flat", {"memory": f"{ENV}/test_memory.py"}),
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
    """Tests that passed, failed, and were skipped."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.xml"
        subprocess.run(
            pytest_words(paths, slow, f"--junitxml={path}"), cwd=ROOT, stdout=subprocess.DEVNULL
        )
        return read_results(path.read_text())


def read_results(text: str) -> tuple[int, int, int]:
    """(passed, failed, skipped) of pytest's XML."""
    suites = ElementTree.fromstring(text).iter("testsuite")
    totals = [0, 0, 0]
    for suite in suites:
        wrong = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        tests = int(suite.get("tests", 0))
        for k, number in enumerate((tests - wrong - skipped, wrong, skipped)):
            totals[k] += number
    return totals[0], totals[1], totals[2]


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
        f"| {number} | {promise.words} | {links} | {passed + failed}{more} | {failed or 'none'} |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", action="store_true", help="run the tests: minutes")
    parser.add_argument("--slow", action="store_true", help="the slow ones too: hours")
    arguments = parser.parse_args()

    print("| | promise | tests | tries | failures |\n|---|---|---|---|---|")
    for number, promise in enumerate(PROMISES, 1):
        paths = list(promise.tests.values())
        result = run(paths, arguments.slow) if arguments.run else None
        tests = count(paths, arguments.slow) if result is None else 0
        print(write_row(number, promise, result, tests), flush=True)


if __name__ == "__main__":
    main()
