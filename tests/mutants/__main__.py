"""Applies every mutant of the catalogue to a copy of the packages and runs the tests that guard it.

    python -m tests.mutants [--only WORD] [--new] [--sound] [--jobs N] [--list | --table]

Prints who was killed and who survived, keeps it in verdicts.json and SCORES.md, and exits with 1 if
anybody survived without a reason.  It takes some seconds of computing a mutant, and is no part of
`make test`.
"""

import argparse
import contextlib
import importlib
import io
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.mutants.catalogue import catalogue
from tests.mutants.verdicts import SCORES, is_open, load, page, save, verdict_of

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("agents", "social_dilemmas_env", "render_assets", "tests", "pyproject.toml", "setup.cfg")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "bundled", "interop", "benchmarks", "rendering")
LIMIT = 600  # seconds of tests; a mutant that hangs is dead
# Imported once; each mutant's process is a copy of one that has them.
OTHERS = ("torch", "numpy", "pytest", "hypothesis", "gymnasium", "pettingzoo", "safetensors")


def main(words=None):
    """The command; returns its exit status."""
    arguments = parsed(words)
    everyone, verdicts = catalogue(), load()
    chosen = [m for m in everyone if arguments.only in str(m)]
    if arguments.new:
        chosen = [m for m in chosen if is_open(m, verdicts)]
    if arguments.table:
        return finish(everyone, [], verdicts)
    if arguments.list:
        print("\n".join(f"{verdict_of(m, verdicts):10}{m}" for m in chosen))
        return 0

    for name in OTHERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    with multiprocessing.get_context("fork").Pool(arguments.jobs, maxtasksperchild=1) as pool:
        # Nobody is killed by tests that fail anyway.
        guards = [] if arguments.sound else sorted({m.tests for m in chosen})
        for tests, passed in zip(guards, pool.imap(sound, guards, 1), strict=True):
            if not passed:
                raise SystemExit(f"without any mutant these tests fail: {' '.join(tests)}")

        # Written one by one: what was tried is kept if the command is stopped.
        for mutant, dead in zip(chosen, pool.imap(dies, chosen, 1), strict=True):
            verdicts[str(mutant)] = [mutant.digest, "killed" if dead else "survived"]
            save(verdicts, everyone)
            print(f"{'killed  ' if dead else 'SURVIVED'} {mutant}", flush=True)
    return finish(everyone, chosen, verdicts)


def parsed(words):
    """The arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants with this in their file or name")
    parser.add_argument(
        "--new", action="store_true", help="only those not tried, or survivors without a reason"
    )
    parser.add_argument("--sound", action="store_true", help="the tests are known to pass as it is")
    parser.add_argument("--jobs", type=int, default=1, help="how many at the same time")
    parser.add_argument("--list", action="store_true", help="print the catalogue and stop")
    parser.add_argument("--table", action="store_true", help="write SCORES.md anew and stop")
    return parser.parse_args(words)


def finish(everyone, chosen, verdicts):
    """Writes the table; 1 if a mutant survived without a reason."""
    SCORES.write_text(page(everyone, verdicts))
    words = [verdict_of(m, verdicts) for m in chosen]
    print(f"{words.count('killed')} of {len(chosen)} killed; {SCORES.name} has the table")
    return int("survived" in words)


def dies(mutant):
    """Whether its tests fail with the mistake in the source."""
    with tempfile.TemporaryDirectory(prefix="mutant") as folder:
        source = copied(Path(folder)) / mutant.source
        source.write_text(mutant.applied(source.read_text()))
        return not passes(Path(folder), mutant.tests)


def sound(tests):
    """Whether they pass with the sources as they are."""
    with tempfile.TemporaryDirectory(prefix="mutant") as folder:
        return passes(copied(Path(folder)), tests)


def copied(folder):
    """The packages and their tests, in a folder of their own."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def passes(copy, tests):
    """Whether all of these tests pass, in a copy; this process ends thereafter."""
    import pytest

    # Ours come from the copy, from now on, and nothing of them is kept for the next mutant.
    sys.dont_write_bytecode = True
    sys.path[:] = [str(copy)] + [p for p in sys.path if Path(p or ".").resolve() != ROOT]
    for name in [n for n in sys.modules if n.split(".")[0] == "tests"]:
        del sys.modules[name]
    os.chdir(copy)

    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LIMIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--rootdir", str(copy), *tests])
    signal.alarm(0)
    os.chdir(ROOT)
    # A mistake may already break what tests import; anything else is pytest's own trouble.
    broken = re.search(r"^\d* ?(warnings?, )?\d+ errors? in ", printed.getvalue(), re.MULTILINE)
    if status not in (0, 1) and not broken:
        raise RuntimeError(f"pytest {' '.join(tests)}:\n{printed.getvalue()}")
    return status == 0


def _too_long(*_):
    raise TimeoutError


if __name__ == "__main__":
    raise SystemExit(main())
