"""Coverage-guided fuzzing of everything that reads a file: `python -m tests.fuzz [READER ...]`.

atheris (which `make fuzz` installs in an environment of its own) watches which lines of the readers
a file reaches, and changes those that reach new ones.  Whatever it finds: the reader documents the
error, or reads the same as before; `stranger_files.KINDS` has the readers.  What reached something
new and is small joins the corpus beside this file with --keep, and is read in `make test` from then
on.
"""

import argparse
import hashlib
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

CORPUS = Path(__file__).parent / "corpus"
LARGEST, MOST = 1000, 8  # bytes of a file that is kept, files of a reader
# Where branches are counted; torch and safetensors are not ours.
WATCHED = [
    *("agents.manifest", "agents.checkpoint", "agents.evaluation.loading"),
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


def watched() -> Any:
    """tests.fuzz.signed, with the readers' branches counted.

    Raises:
        SystemExit: there is no atheris.
    """
    try:
        import atheris
    except ImportError:
        sys.exit("python -m tests.fuzz needs atheris: make fuzz installs it")
    with atheris.instrument_imports(include=WATCHED):
        return importlib.import_module("tests.fuzz.signed")


def fuzz_here(module: Any, name: str, minutes: float, folder: Path) -> None:
    """Fuzzes one reader; does not return: libFuzzer ends the process."""
    import atheris

    test, content = module.target(name, folder / "own")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "good").write_bytes(content)

    known = CORPUS / slug(name)
    known.mkdir(parents=True, exist_ok=True)
    limits = [f"-max_total_time={round(60 * minutes)}", f"-max_len={max(4096, 4 * len(content))}"]
    words = [*limits, f"-artifact_prefix={folder}/", str(folder / "corpus"), str(known)]
    atheris.Setup([sys.argv[0], *words], test)
    atheris.Fuzz()


def fuzz(module: Any, name: str, minutes: float, keep: bool) -> Tries:
    """Fuzzes one reader in a fork of this process."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        pid = os.fork()
        if pid == 0:
            log = os.open(folder / "said", os.O_WRONLY | os.O_CREAT)
            os.dup2(log, 1)
            os.dup2(log, 2)
            try:
                fuzz_here(module, name, minutes, folder)
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)

        # What libFuzzer says of itself, and what it leaves of a failure.
        said = (folder / "said").read_text(errors="replace")
        if keep:
            keep_small(folder / "corpus", CORPUS / slug(name))
            for path in folder.glob("crash-*"):
                (CORPUS / slug(name) / _name(path.read_bytes())).write_bytes(path.read_bytes())
        return judged(said, status)


def judged(said: str, status: int) -> Tries:
    """What libFuzzer's words say of how often, how far, and what went wrong."""
    files, branches = (
        int((re.findall(pattern, said) or [0])[-1]) for pattern in (r"#(\d+)", r"cov: (\d+)")
    )
    if status == 0:
        return Tries(files, branches, "")
    lines = [line for line in said.splitlines() if re.match(r"\w*(Error|Exception)\b", line)]
    return Tries(files, branches, (lines or [*said.splitlines(), "no word"])[-1][:200])


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


def main(load: Callable[[], Any] = watched, run: Callable[..., Tries] = fuzz) -> int:
    """The command line; prints a table, and returns how many readers failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    parser.add_argument("--minutes", type=float, default=10.0, help="of each (default 10)")
    parser.add_argument("--keep", action="store_true", help="small new files join the corpus")
    words = parser.parse_args()

    module, failures = load(), 0
    print("| reader | files tried | branches reached | failures |\n|---|---|---|---|")
    for name in words.readers or module.ALL:
        tries = run(module, name, words.minutes, words.keep)
        failures += bool(tries.failure)
        told = tries.failure or "none"
        print(f"| {name} | {tries.files:,} | {tries.branches} | {told} |", flush=True)
    return failures


if __name__ == "__main__":
    sys.exit(main())
