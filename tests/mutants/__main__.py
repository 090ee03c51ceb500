"""Applies every mutant of the catalogue to a copy of the packages and runs the tests that guard it.

    python -m tests.mutants [--only WORD] [--jobs N] [--list]

Prints who was killed and who survived, and exits with 1 if anybody did. It takes about 10 s a
mutant and core, and is no part of `make test`.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("agents", "social_dilemmas_env", "render_assets", "tests", "pyproject.toml", "setup.cfg")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "bundled")
LIMIT = 600  # seconds of tests; a mutant that hangs is dead


def main(words=None):
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants with this in their file or name")
    parser.add_argument("--jobs", type=int, default=1, help="how many at the same time")
    parser.add_argument("--list", action="store_true", help="print the catalogue and stop")
    arguments = parser.parse_args(words)
    chosen = [m for m in catalogue() if arguments.only in f"{m.source}: {m.name}"]
    if arguments.list:
        print("\n".join(f"{m.source}: {m.name}" for m in chosen))
        return 0

    # What is not killed by tests that fail anyway.
    for tests in sorted({m.tests for m in chosen}):
        with tempfile.TemporaryDirectory(prefix="mutant") as folder:
            if not passes(copied(Path(folder)), tests):
                raise SystemExit(f"without any mutant these tests fail: {' '.join(tests)}")

    survivors = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for mutant, dead in zip(chosen, pool.map(dies, chosen), strict=True):
            survivors += [] if dead else [mutant]
            word = "killed  " if dead else "SURVIVED"
            print(f"{word} {mutant.source}: {mutant.name}", flush=True)
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} killed")
    return int(bool(survivors))


def copied(folder):
    """The packages and their tests, in a folder of their own."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def dies(mutant):
    """Whether its tests fail with the mistake in the source."""
    with tempfile.TemporaryDirectory(prefix="mutant") as folder:
        copy = copied(Path(folder))
        source = copy / mutant.source
        source.write_text(mutant.applied(source.read_text()))
        return not passes(copy, mutant.tests)


def passes(copy, tests):
    """Whether all of these tests pass, in a copy."""
    settings = {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env={**os.environ, **settings}, capture_output=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode not in (0, 1):  # not a test that failed, but pytest itself
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
