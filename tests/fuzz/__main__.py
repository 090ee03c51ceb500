"""Coverage-guided fuzzing of everything that reads a file: `python -m tests.fuzz [READER ...]`.

atheris (which `make fuzz` installs in an environment of its own) watches which lines of the readers
a file reaches, and changes those that reach new ones.  Whatever it finds: the reader documents the
error, or reads the same as before; `stranger_files.KINDS` has the readers.  What reached something
new and is small joins the corpus beside this file with --keep, and is read in `make test` from then
on.
"""

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

CORPUS = Path(__file__).parent / "corpus"
LARGEST, MOST = 1000, 12  # bytes of a file that is kept, files of a reader
# Where branches are counted; torch and safetensors are not ours.
WATCHED = [
    *("agents.manifest", "agents.checkpoint", "agents.regular_file", "agents.evaluation.loading"),
    *("agents.evaluation.restore", "agents.plots.runs", "agents.tasks.result_lines"),
    *("agents.training.run_folder", "agents.training.reporting", "agents.training.settings"),
    *("benchmarks.harness", "benchmarks.gpu_session", "social_dilemmas_env.exact.policy_files"),
    *("social_dilemmas_env.replay", "social_dilemmas_env.regular_file", "zipfile", "json"),
]


class Tries(NamedTuple):
    """What came of fuzzing one reader."""

    files: int
    branches: int
    failure: str  # "" for none


def slug(name: str) -> str:
    """A reader's name as that of a folder."""
    return re.sub(r"\W+", "-", name)


def readers() -> list[str]:
    """All that are fuzzed: as they are, and where manifests are signed again after each change."""
    from tests.agents.robustness.stranger_files import KINDS
    from tests.fuzz.signed import SIGNED

    return [*KINDS, *SIGNED]


def fuzz_one(name: str, minutes: float, folder: Path) -> None:
    """Fuzzes one reader; does not return: libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=WATCHED):
        from tests.fuzz.signed import target

    own = folder / "own"
    own.mkdir()
    test, content = target(name, own)
    (folder / "corpus").mkdir()
    (folder / "corpus" / "good").write_bytes(content)

    known = CORPUS / slug(name)
    known.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={round(60 * minutes)}", f"-max_len={max(4096, 4 * len(content))}"]
    quiet = ["-print_final_stats=1", "-verbosity=1", f"-artifact_prefix={folder}/"]
    folders = [str(folder / "corpus"), str(known)]
    atheris.Setup([sys.argv[0], *limits, *quiet, *folders], test)
    atheris.Fuzz()


def fuzz(name: str, minutes: float, keep: bool) -> Tries:
    """Fuzzes one reader in a process of its own."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        words = ["--one", name, "--minutes", str(minutes), "--folder", text]
        line = [sys.executable, "-m", "tests.fuzz", *words]
        done = subprocess.run(line, capture_output=True, text=True, errors="replace")

        # What libFuzzer says of itself, and what it leaves of a failure.
        said = done.stdout + done.stderr
        crashes = sorted(path for path in folder.iterdir() if path.name.startswith("crash-"))
        failure = "" if done.returncode == 0 else _reason(said)
        if keep:
            keep_small(folder / "corpus", CORPUS / slug(name))
            for path in crashes:
                (CORPUS / slug(name) / _name(path.read_bytes())).write_bytes(path.read_bytes())
        files = re.findall(r"number_of_executed_units:\s*(\d+)", said) or re.findall(
            r"#(\d+)", said
        )
        branches = re.findall(r"cov: (\d+)", said)
        return Tries(int(files[-1]) if files else 0, int(branches[-1]) if branches else 0, failure)


def _reason(said: str) -> str:
    """The line that says what went wrong."""
    lines = [line for line in said.splitlines() if re.match(r"\w*(Error|Failed|Exception)\b", line)]
    return (lines or said.strip().splitlines() or ["no word"])[-1][:200]


def keep_small(found: Path, kept: Path) -> None:
    """Copies the smallest files that reached something new, up to MOST of a reader."""
    kept.mkdir(parents=True, exist_ok=True)
    room = MOST - len(list(kept.iterdir()))
    small = sorted((x for x in found.iterdir() if x.name != "good"), key=lambda x: x.stat().st_size)
    for path in small[: max(0, room)]:
        if path.stat().st_size <= LARGEST:
            (kept / _name(path.read_bytes())).write_bytes(path.read_bytes())


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def main(run: Callable[..., Any] = fuzz) -> int:
    """The command line; prints a table, and returns how many readers failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each (default 10)")
    parser.add_argument("--keep", action="store_true", help="small new files join the corpus")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.one is not None:
        fuzz_one(words.one, words.minutes, words.folder)

    failures = 0
    print("| reader | files tried | branches reached | failures |\n|---|---|---|---|")
    for name in words.readers or readers():
        tries = run(name, words.minutes, words.keep)
        failures += bool(tries.failure)
        told = tries.failure or "none"
        print(f"| {name} | {tries.files:,} | {tries.branches} | {told} |", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(main())
