"""`social-dilemmas league`: a round robin of strategies, bundled agents and run folders.

With `--axelrod` it is a tournament of the Axelrod library, with its matches and its ranking.
"""

import argparse
import json
import sys
from pathlib import Path

from agents.atomic_write import write_atomically
from agents.cli.words import add_episodes, add_set, check_episodes, check_folder, parse_settings
from agents.evaluation.axelrod_bridge import axelrod_tournament
from agents.evaluation.league import League
from agents.evaluation.league_tasks import LeagueSpec, run_league
from agents.tasks.executors import choose_executor
from agents.tasks.options import add_executor_options, read_executor_options
from agents.tasks.result_lines import ResultLines
from agents.tasks.stopping import raising_on_terminate

LARGE = 20  # entries from which on a ranking is shown instead of the table


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
    about = "where the league goes; its pairs go to FILE.jsonl as they are played, and are kept"
    parser.add_argument("--save", metavar="FILE.json", help=about)
    parser.add_argument(
        "--axelrod",
        action="store_true",
        help="as a tournament of the Axelrod library; --episodes are its repetitions",
    )
    add_set(parser, "arguments of the game, e.g. grid_size=5")
    add_executor_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Prints the table."""
    check_episodes(arguments)
    # Known before the first game: a long league must not be lost at its end.
    save = Path(arguments.save) if arguments.save else None
    if save is not None:
        check_folder(save)
    if save is not None and save.suffix == ".jsonl":
        raise ValueError("--save takes FILE.json: the pairs go to FILE.jsonl")

    if arguments.axelrod:
        return run_axelrod(arguments, save)
    spec = LeagueSpec(
        tuple(arguments.entries),
        arguments.env,
        game=json.dumps(parse_settings(arguments.set)),
        episodes=arguments.episodes,
        seed=arguments.seed,
    )
    executor = choose_executor(read_executor_options(arguments))
    lines = ResultLines(save.with_suffix(".jsonl")) if save is not None else None
    with raising_on_terminate(lines.hint if lines is not None else ""):
        league = run_league(spec, executor, lines, say)

    print(shown(league))
    if save is not None:
        write_atomically(save, json.dumps(league.json(), indent=1).encode())
    return 0


def run_axelrod(arguments: argparse.Namespace, save: Path | None) -> int:
    """Prints the ranking of a tournament of the library."""
    ranking = axelrod_tournament(
        arguments.entries,
        arguments.env,
        repetitions=arguments.episodes,
        seed=arguments.seed,
        **parse_settings(arguments.set),
    )
    print(ranking.table())
    if save is not None:
        write_atomically(save, json.dumps(ranking.json(), indent=1).encode())
    return 0


def shown(league: League) -> str:
    """The table, or what there is room for."""
    return league.table() if len(league.names) <= LARGE else league.ranking()


def say(sentence: str) -> None:
    """A line on standard error."""
    print(sentence, file=sys.stderr, flush=True)
