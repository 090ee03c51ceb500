"""The command `social-dilemmas`: see what there is, watch it, train it.

    social-dilemmas envs                                          the games, and how to make them
    social-dilemmas play coin_game_v0 always_cooperate tit_for_tat --render human
    social-dilemmas demo                                          learn, plot, play: a minute

Only the standard library and the environments are imported here; each command imports what it
needs.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

# name -> (module, one line of help); the module offers add_arguments(parser) and run(arguments) ->
# exit status
COMMANDS = {
    "envs": ("agents.cli.envs", "list the games, or show the page of one"),
    "play": ("agents.cli.play", "play a game between strategies or agents, watch or record it"),
    "train": ("agents.cli.train", "train a learner, or go on training"),
    "evaluate": ("agents.cli.evaluate", "an agent in self-play and against scripted players"),
    "league": ("agents.cli.league", "everybody plays everybody"),
    "demo": (
        "agents.cli.demo",
        "train naive and LOLA learners, play the Coin Game, save the pictures",
    ),
}


def parser_of(name: str | None = None) -> argparse.ArgumentParser:
    """The parser.

    With the arguments of command `name` only, so that `--help` imports nothing it does not show.
    """
    parser = argparse.ArgumentParser(
        prog="social-dilemmas",
        description="Social dilemmas: see what there is, watch it, train it.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, (module, line) in COMMANDS.items():
        sub = commands.add_parser(command, help=line, description=line[0].upper() + line[1:] + ".")
        if command == name:
            importlib.import_module(module).add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns the exit status.  A mistake by the user ends in one sentence and status 2.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in words if not word.startswith("-")), None)
    arguments = parser_of(name).parse_args(words)
    try:
        return importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone
        sys.stderr.close()
        return 0
    except (ValueError, TypeError, ImportError, OSError) as error:
        print(f"social-dilemmas {arguments.command}: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if type(error).__name__ != "TrainingError":  # by name: its module imports torch
            raise
        print(f"social-dilemmas {arguments.command}: {error}", file=sys.stderr)
        return 1


def settings(words: Sequence[str]) -> dict[str, Any]:
    """`["grid_size=5", "variant=pola"]` -> {"grid_size": 5, "variant": "pola"}; values are JSON, or
    else plain words.

    Raises:
        ValueError: a word without "=".
    """
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name.isidentifier()):
            raise ValueError(f"a setting looks like name=value, got {word!r}")
        try:
            pairs[name] = json.loads(
                value.replace("True", "true").replace("False", "false").replace("None", "null")
            )
        except json.JSONDecodeError:
            pairs[name] = value
    return pairs


def progress(title: str, total: int) -> Callable[[], None]:
    """A progress bar on stderr.

    Returns a function that moves it by one.  Without `rich`, or a terminal, nothing shows.
    """
    try:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )
    except ImportError:
        return lambda: None
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(title, total=total)
    bar.start()

    def advance() -> None:
        bar.advance(task)
        if bar.finished:
            bar.stop()

    return advance
