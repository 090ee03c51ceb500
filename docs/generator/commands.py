"""The command line, from what `--help` prints."""

import contextlib
import io
import os
from pathlib import Path

from agents.cli.main import COMMANDS, main
from benchmarks.harness import command as benchmarks_command
from generator.markdown import page

WIDTH = "80"


def pages(folder: Path) -> dict[str, str]:
    """One page: the command, each of its commands, and that of the benchmarks."""
    parts = [
        "What the commands say of themselves; `train LEARNER --help` lists every setting of a "
        "learner, which [the learners' pages](../learners/index.md) have too.",
        _block("social-dilemmas --help", _said(main, ["--help"])),
    ]
    for name in COMMANDS:
        parts += [
            f"## {name}",
            _block(f"social-dilemmas {name} --help", _said(main, [name, "--help"])),
        ]
    parts += [
        "## Benchmarks",
        _block("python -m benchmarks --help", _said(benchmarks_command.main, ["--help"])),
    ]
    return {"index": page("The command line", *parts)}


def _block(command: str, said: str) -> str:
    return f"```console\n$ {command}\n{said.rstrip()}\n```"


def _said(program: object, words: list[str]) -> str:
    """What a program prints, 80 columns wide."""
    before, out = os.environ.get("COLUMNS"), io.StringIO()
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            program(words)  # type: ignore[operator]
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return out.getvalue()
