"""`social-dilemmas league`: a round robin of strategies, bundled agents and run folders.

With `--axelrod` it is a tournament of the Axelrod library, with its matches and its ranking.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from agents.cli.words import add_episodes, add_set, check_episodes, parse_settings
from agents.evaluation.axelrod_bridge import axelrod_tournament
from agents.evaluation.league import round_robin


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument(
        "entries",
        nargs="+",
        metavar="ENTRY",
        help="a strategy, axelrod:NAME, bundled:NAME, a run folder, a checkpoint, or FILE.py:NAME",
    )
    add_episodes(parser, 32)
    parser.add_argument("--save", metavar="FILE.json")
    parser.add_argument(
        "--axelrod",
        action="store_true",
        help="as a tournament of the Axelrod library; --episodes are its repetitions",
    )
    add_set(parser, "arguments of the game, e.g. grid_size=5")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table."""
    check_episodes(arguments)
    # Known before the first game: a long league must not be lost at its end.
    if arguments.save and not Path(arguments.save).resolve().parent.is_dir():
        raise ValueError(f"there is no folder {Path(arguments.save).parent} to save in")

    league = play(arguments, parse_settings(arguments.set))

    print(league.table())
    if arguments.save:
        Path(arguments.save).write_text(json.dumps(league.json(), indent=1))
    return 0


def play(arguments: argparse.Namespace, game_kwargs: dict[str, Any]) -> Any:
    """Our league, or Axelrod's: something with `table` and `json`."""
    if arguments.axelrod:
        return axelrod_tournament(
            arguments.entries,
            arguments.env,
            repetitions=arguments.episodes,
            seed=arguments.seed,
            **game_kwargs,
        )
    return round_robin(
        arguments.entries,
        arguments.env,
        episodes=arguments.episodes,
        seed=arguments.seed,
        **game_kwargs,
    )
