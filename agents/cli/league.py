"""`social-dilemmas league`: a round robin of strategies, bundled agents and run folders."""

import argparse
import json
from pathlib import Path

from agents.cli.words import add_episodes, add_set, check_episodes, parse_settings
from agents.evaluation.league import round_robin


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument(
        "entries",
        nargs="+",
        metavar="ENTRY",
        help="a strategy, bundled:NAME, a run folder, a checkpoint, or FILE.py:NAME",
    )
    add_episodes(parser, 32)
    parser.add_argument("--save", metavar="FILE.json")
    add_set(parser, "arguments of the game, e.g. grid_size=5")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table."""
    check_episodes(arguments)
    # Known before the first game: a long league must not be lost at its end.
    if arguments.save and not Path(arguments.save).resolve().parent.is_dir():
        raise ValueError(f"there is no folder {Path(arguments.save).parent} to save in")

    league = round_robin(
        arguments.entries,
        arguments.env,
        episodes=arguments.episodes,
        seed=arguments.seed,
        **parse_settings(arguments.set),
    )

    print(league.table())
    if arguments.save:
        Path(arguments.save).write_text(json.dumps(league.json(), indent=1))
    return 0
