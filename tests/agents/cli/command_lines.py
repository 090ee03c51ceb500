"""Command lines drawn from the real parsers, and running them without waiting for their ends.

What a parser's action takes is read from the parser; what its words mean, from WORDS.  A command
that computes for long is interrupted, which is one more thing that must end in a sentence.
"""

import argparse
import contextlib
import io
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from hypothesis import strategies as st

import social_dilemmas_env as sde
from agents import LEARNERS, Plan
from agents.cli import main as cli
from agents.exact.learners import LEARNERS as EXACT
from benchmarks import gpu_session
from benchmarks.harness import command as benchmarks_command
from benchmarks.harness.catalogue import catalogue
from benchmarks.throughput import __main__ as throughput

GAMES = ["ipd_v0", "coin_game_v0", *sde.list_envs()]
AGENTS = ["bundled:exact_naive_3x3", "bundled:loqa_ipd", "run", "agent.json", "file.py:player"]
AGENTS += ["bundled:../x", "file.py", "file.py:nothing", "match.json", "policy.npz", "nowhere/"]
PLAYERS = ["random", "tit_for_tat", "always_defect", "always_cooperate", "human", *AGENTS]
NAMES = ["grid_size", "max_cycles", "payoffs", "num_agents", "gamma", "iterations", "batch", "lr"]
NAMES += ["continuation", "action_noise", "observe_time", "ending", "variant", "walls"]
NAMES += [field.name for field in fields(Plan)] + ["no_such", "env_id", "seed", "__class__"]
NAMES += [field.name for field in fields(LEARNERS["loqa"].settings("ipd_v0"))]
VALUES = ["0", "1", "2", "-1", "3", "true", "null", "x", "[1, 2]", "[", "{}", "1e999", "NaN", ""]
VALUES += [".9", "melting_pot"]
VALUES += ["1e-3", "9" * 400, "'", "pola", "[[1,0],[0,1]]", "2147483648", "é", "1,2", "None"]
FILES = [
    "x.json",
    "x.png",
    "x.gif",
    "x.html",
    "x.npz",
    "x.svg",
    "x",
    "",
    ".",
    "..",
    "run",
    "/proc/x",
]
FILES += ["no/such/x.json", "no/x.png", "match.json", "agent.json", "x.jsonl", "x\0.json", "run/x"]
NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "2147483648",
    "9223372036854775808",
    "1" + "0" * 30,
    "9" * 5000,
]
NUMBERS += ["1.5", "nan", "inf", "-inf", "1e400", "x", "", "٣", "0x10", "1_0", "٢.٥"]
JUNK = ["", "-", "--", "-x", "--no-such", "x", "=", "a=b", "--set", "--out", "@x", "\0", "é", "-1"]
JUNK += ["--import", "--help", "--version", "%s", "{}", "*", "\n", "\ud800", "x" * 3000]

SETTING = st.builds(
    lambda name, value: f"{name}={value}", st.sampled_from(NAMES), st.sampled_from(VALUES)
)
# What an argument is called -> what it might be given.
WORDS: dict[str, list[str]] = {
    **dict.fromkeys(("env",), GAMES),
    "learner": [*LEARNERS, *EXACT],
    **dict.fromkeys(("agent", "agents", "sources"), AGENTS),
    **dict.fromkeys(("players", "entries", "against", "cooperator", "defector"), PLAYERS),
    **dict.fromkeys(("file", "save", "out", "merge"), FILES),
    "name": [*catalogue(), "lola_table", "lola_tabel"],
    "device": ["cpu", "auto", "cuda", "cuda:9", "gpu", "meta"],
    "only": ["*", "IPD*", "[", "nothing", "throughput"],
    "memory": ["none", "last_pickup", "pickups", "grudge", "last_action", "1"],
    "address": ["auto", "", "localhost:1", "x"],
    "peer": ["json:loads", "x", "no_such:x", "os:no_such"],
    "note": ["a note", ""],
}
SETTINGS = ("set", "grid")


class Line(NamedTuple):
    """A command line: whose, and its words."""

    program: str
    words: tuple[str, ...]


def parsers() -> dict[str, tuple[argparse.ArgumentParser, Callable[[list[str]], int]]]:
    """The parser of every command, and what runs it; by the words that come first."""
    found: dict[str, Any] = {}
    for name in cli.COMMANDS:
        found[f"social-dilemmas {name}"] = (_sub(cli.make_parser(name), name), cli.main)
    for name in ("list", "run", "report"):
        parser = _sub(benchmarks_command.build_parser(), name)
        found[f"benchmarks {name}"] = (parser, benchmarks_command.main)
    found["throughput"] = (throughput.build_parser(), throughput.main)
    found["gpu_session"] = (gpu_session.build_parser(), gpu_session.main)
    return found


def _sub(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    """A command's own parser, of those behind the first word."""
    (commands,) = (x for x in parser._actions if isinstance(x, argparse._SubParsersAction))
    return commands.choices[name]


PARSERS = parsers()


def _words_of(action: argparse.Action) -> st.SearchStrategy[str]:
    """One word for an argument, a sensible one more often than not."""
    if action.choices:
        return st.sampled_from([*map(str, action.choices)] * 3 + JUNK)
    if action.dest in SETTINGS:
        return SETTING | SETTING | st.sampled_from(JUNK)
    if action.dest in WORDS:
        return st.sampled_from(WORDS[action.dest] * 3 + JUNK)
    return st.sampled_from(NUMBERS + JUNK[:4])


def _part(action: argparse.Action) -> st.SearchStrategy[tuple[str, ...]]:
    """An argument with all its words."""
    word = _words_of(action)
    if action.nargs == 0:
        own = st.just(())
    elif action.nargs == "+":
        own = st.lists(word, min_size=1, max_size=3).map(tuple)
    elif action.nargs == "?":
        own = st.lists(word, max_size=1).map(tuple)
    else:
        own = st.tuples(word)
    if not action.option_strings:
        return own
    return st.tuples(st.sampled_from(list(action.option_strings)), own).map(lambda x: (x[0], *x[1]))


@st.composite
def command_lines(draw: st.DrawFn) -> Line:
    """Any command, what it asks for, some options, and sometimes a word too many or too few."""
    program = draw(st.sampled_from(sorted(PARSERS)))
    actions = PARSERS[program][0]._actions
    parts = [draw(_part(action)) for action in actions if not action.option_strings]
    options = [action for action in actions if action.option_strings]
    for action in draw(st.lists(st.sampled_from(options), max_size=4)) if options else ():
        parts.append(draw(_part(action)))

    # Settings stand as options, too.
    words = [word for part in parts for word in part]
    if draw(st.integers(0, 3)) == 0:
        name, _, value = draw(SETTING).partition("=")
        words += [f"--{name.replace('_', '-')}", value]
    if draw(st.integers(0, 4)) == 0 and words:
        words.insert(draw(st.integers(0, len(words))), draw(st.sampled_from(JUNK)))
    if draw(st.integers(0, 9)) == 0 and words:
        del words[draw(st.integers(0, len(words) - 1))]
    return Line(program, tuple(words))


# -------------------------------------------------------------------------------------- running it


class Outcome(NamedTuple):
    """How a command line ended."""

    status: int
    out: str
    error: str
    interrupted: bool


def importing(frame: Any) -> bool:
    """Whether a module is being loaded: half of one would be found by all later commands here."""
    while frame is not None and "importlib" not in frame.f_code.co_filename:
        frame = frame.f_back
    return frame is not None


@contextlib.contextmanager
def interrupted_after(seconds: float) -> Iterator[list[int]]:
    """KeyboardInterrupt when so much has been computed, and again until it is over."""
    fired: list[int] = []
    armed = [True]

    def interrupt(number: int, frame: Any) -> None:
        if armed[0] and not importing(frame):
            fired.append(number)
            raise KeyboardInterrupt

    # One that falls into another's callback is said to be ignored, and comes again.
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        yield fired
    finally:
        armed[0] = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        sys.unraisablehook = hook


@contextlib.contextmanager
def memory_limit(more: int) -> Iterator[None]:
    """At most so many bytes more than now: a number of games may be anything."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def run_line(line: Line, seconds: float) -> Outcome:
    """Runs a command in this process, with a standard input that has ended."""
    _, main = PARSERS[line.program]
    first = line.program.split()[1:]
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    error = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    stdin, sys.stdin = sys.stdin, io.StringIO("")
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(error),
            memory_limit(3 << 29),
            interrupted_after(seconds) as fired,
        ):
            status = _status(main, [*first, *line.words])
    finally:
        sys.stdin = stdin
    return Outcome(status, _text(out), _text(error), bool(fired))


def _status(main: Callable[[list[str]], int], words: list[str]) -> int:
    try:
        return main(words)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except KeyboardInterrupt:  # before the command began, or after it
        return 130


def _text(stream: io.TextIOWrapper) -> str:
    if stream.closed:
        return ""
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]


def surroundings() -> list[Any]:
    """What of this process a command must leave as it was.

    Not the state of Python's `random`: help pages are tyro's, which draws from it.
    """
    return [
        str(np.random.get_state()),
        torch.get_rng_state().tolist(),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        os.getcwd(),
        os.environ.get("OMP_NUM_THREADS"),
        [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
    ]


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"/"
        for path in sorted(folder.rglob("*"))
    }
