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
from agents.tasks.attempts import MODULES
from social_dilemmas_env.version import __version__

# name -> (module, one line of help); the module offers add_arguments(parser) and run(arguments) ->
# exit status
COMMANDS = {
    "envs": ("agents.cli.envs", "list the games, or show the page of one"),
    "play": ("agents.cli.play", "play a game: you, strategies, agents; watch or record it"),
    "replay": ("agents.cli.replay", "show an episode that was saved, in any mode"),
    "train": ("agents.cli.train", "train a learner, or go on training"),
    "sweep": ("agents.cli.sweep", "train one learner at many seeds and settings"),
    "evaluate": ("agents.cli.evaluate", "an agent in self-play and against scripted players"),
    "export": ("agents.cli.export", "make one small pair of files of a trained agent, with scores"),
    "exploit": ("agents.cli.exploit", "how much better than an agent one can do against it"),
    "league": ("agents.cli.league", "everybody plays everybody"),
    "schelling": ("agents.cli.schelling", "what cooperators and defectors earn, by their number"),
    "plot": ("agents.cli.plot", "learning curves, cooperation, policies of runs and agents"),
    "solve": ("agents.cli.solve", "learn a game without sampling, in seconds"),
    "demo": (
        "agents.cli.demo",
        "solve the Coin Game, learn, play, save the pictures; half a minute",
    ),
}

# What a command cannot do without, looked for before it computes anything: (module, extra) pairs.
NETWORKS = (("torch", "agents"), ("safetensors", "agents"))
EXACT = (("torch", "agents"), ("scipy", "exact"))
NEEDS = {
    "train": NETWORKS,
    "sweep": NETWORKS,
    "evaluate": NETWORKS,
    "export": NETWORKS,
    "plot": NETWORKS,
    "solve": EXACT,
    "demo": (
        *NETWORKS,
        ("scipy", "benchmarks"),
        ("matplotlib", "benchmarks"),
        ("pygame", "render"),
        ("PIL.Image", "render"),
    ),
}


def make_parser(name: str | None = None) -> argparse.ArgumentParser:
    """The parser.

    With the arguments of command `name` only, so that `--help` imports nothing it does not show.
    """
    parser = argparse.ArgumentParser(
        prog="social-dilemmas",
        description="Social dilemmas: see what there is, watch it, train it.",
        epilog="one command: social-dilemmas COMMAND --help",
    )
    parser.add_argument("--version", action="version", version=f"social-dilemmas {__version__}")
    parser.add_argument(
        "--import",
        action="append",
        default=[],
        dest="modules",
        metavar="MODULE",
        help="import this first, from here or from Python's path: it registers games or learners",
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
    words = list(sys.argv[1:] if argv is None else argv)
    if status := import_modules(words):
        return status

    # The first word that is no option is the command; its module adds its arguments.
    name = next((word for word in words if not word.startswith("-")), None)
    parser = make_parser(name)

    # Options that a parser does not know are settings, where a command takes any.
    arguments, options = parser.parse_known_args(words)
    if options and not hasattr(arguments, "options"):
        parser.error(f"unrecognized arguments: {' '.join(options)}")
    arguments.options = options

    return run_command(arguments)


def import_modules(words: list[str]) -> int:
    """Takes `--import MODULE` out of the words before the command, and imports the modules.

    Returns:
        0; or the exit status, after a sentence, where a module is not to be had.
    """
    while words and words[0].startswith("--import"):
        option, equals, module = words.pop(0).partition("=")
        if option != "--import" or not (equals or words):
            print("social-dilemmas: --import needs the name of a module", file=sys.stderr)
            return 2
        module = module if equals else words.pop(0)

        # As `python -m` does: what lies here is found first.
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            importlib.import_module(module)
            MODULES.append(module)
        except (ImportError, ValueError, TypeError) as error:
            print(f"social-dilemmas: --import {module}: {_one_line(error)}", file=sys.stderr)
            return 2
    return 0


def run_command(arguments: argparse.Namespace) -> int:
    """Runs the command that was parsed; whatever goes wrong is one sentence and a status."""
    from social_dilemmas_env.extras import explained, need_found

    name = f"social-dilemmas {arguments.command}"
    try:
        for module, extra in NEEDS.get(arguments.command, ()):
            need_found(module, extra, name)
        status: int = importlib.import_module(COMMANDS[arguments.command][0]).run(arguments)
    except KeyboardInterrupt:
        print(f"\n{name}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone
        sys.stderr.close()
        return 0
    except ImportError as error:
        print(f"{name}: {_one_line(explained(error))}", file=sys.stderr)
        return 2
    except (ValueError, TypeError, OSError) as error:
        print(f"{name}: {_one_line(error)}", file=sys.stderr)
        return 2
    except (TrainingError, ArithmeticError, MemoryError) as error:
        print(f"{name}: {_one_line(error) or 'out of memory'}", file=sys.stderr)
        return 1
    return status


def _one_line(error: BaseException) -> str:
    """What went wrong, without the number of the system's error."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())
