"""The command `social-dilemmas`: see what there is, watch it, train it.

    social-dilemmas envs                                          the games, and how to make them
    social-dilemmas play coin_game_v0 always_cooperate tit_for_tat --render human
    social-dilemmas demo                                          learn, plot, play: a minute

Only the standard library and the environments are imported here; each command imports what it
needs.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence

from agents.errors import TrainingError

# name -> (module, one line of help); the module offers add_arguments(parser) and run(arguments) ->
# exit status
COMMANDS = {
    "envs": ("agents.cli.envs", "list the games, or show the page of one"),
    "play": ("agents.cli.play", "play a game between strategies or agents, watch or record it"),
    "train": ("agents.cli.train", "train a learner, or go on training"),
    "evaluate": ("agents.cli.evaluate", "an agent in self-play and against scripted players"),
    "export": ("agents.cli.export", "make one small pair of files of a trained agent, with scores"),
    "exploit": ("agents.cli.exploit", "how much better than an agent one can do against it"),
    "league": ("agents.cli.league", "everybody plays everybody"),
    "demo": (
        "agents.cli.demo",
        "train naive and LOLA learners, play the Coin Game, save the pictures",
    ),
}


def make_parser(name: str | None = None) -> argparse.ArgumentParser:
    """The parser.

    With the arguments of command `name` only, so that `--help` imports nothing it does not show.
    """
    parser = argparse.ArgumentParser(
        prog="social-dilemmas",
        description="Social dilemmas: see what there is, watch it, train it.",
    )

    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command, (module, line) in COMMANDS.items():
        description = line[0].upper() + line[1:] + "."
        sub = commands.add_parser(
            command, help=line, description=description, add_help=command != "train"
        )  # `train --help` depends on the words before it: train.py
        if command == name:
            importlib.import_module(module).add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        argv: the words of the command line; those of this process if None.

    Returns:
        The exit status.  A mistake by the user ends in one sentence and status 2, a training that
        cannot go on in one sentence and status 1.
    """
    # The first word that is no option is the command; its module adds its arguments.
    words = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in words if not word.startswith("-")), None)
    parser = make_parser(name)

    # Options that a parser does not know are settings, where a command takes any.
    arguments, options = parser.parse_known_args(words)
    if options and not hasattr(arguments, "options"):
        parser.error(f"unrecognized arguments: {' '.join(options)}")
    arguments.options = options

    try:
        status: int = importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone
        sys.stderr.close()
        return 0
    except (ValueError, TypeError, ImportError, OSError) as error:
        print(f"social-dilemmas {arguments.command}: {error}", file=sys.stderr)
        return 2
    except TrainingError as error:
        print(f"social-dilemmas {arguments.command}: {error}", file=sys.stderr)
        return 1
    return status
