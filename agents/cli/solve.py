"""`social-dilemmas solve`: learn a game without sampling, and how good what was learned is."""

import argparse
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.cli.solving import Solved, learn, make_game, score, table
from agents.cli.words import add_set, check_folder, options_as_settings, parse_settings

WIDTH = 80

EXAMPLES = """
examples:
  social-dilemmas solve coin_game_v0 loqa --runs 10
  social-dilemmas solve coin_game_v0 pola --updates 20 --grid-size 5
  social-dilemmas solve ipd_v0 lola --gamma .96 --out lola.npz

The game's rules are known and policies have a finite memory, so values,
gradients and best responses are linear algebra: no episodes, no sampling error.
See docs/exact_games.md.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.set_defaults(options=[])  # options that are none of these are settings

    # What is learned.
    parser.add_argument("env", metavar="GAME", help="a game (social-dilemmas envs)")
    parser.add_argument(
        "learner",
        metavar="LEARNER",
        help="naive, lola, loqa, advantage_alignment, pola, and loqa_proximal, naive_proximal, "
        "advantage_alignment_proximal",
    )
    parser.add_argument(
        "--memory",
        help="what policies read besides the board: none, last_pickup, pickups, last_action, "
        "grudge (default last_pickup in the Coin Game, else none: a matrix game's board is the "
        "last joint action)",
    )
    parser.add_argument("--gamma", type=float, default=0.96, help="discount (default .96)")

    # How often, and where to.
    parser.add_argument("--runs", type=int, default=10, help="independent runs (default 10)")
    parser.add_argument("--seed", type=int, default=0, help="of the first policies (default 0)")
    parser.add_argument("--out", metavar="FILE.npz", help="save the probabilities of all runs")
    add_set(parser, "of the game and the learner (grid_size=5 updates=60); also as --name value")


def run(arguments: argparse.Namespace) -> int:
    """Solves, prints the table, saves."""
    out = None if arguments.out is None else check_out(arguments.out)
    if arguments.runs < 1:
        raise ValueError("--runs must be at least 1")
    if arguments.seed < 0:
        raise ValueError("--seed must be at least 0")

    # Whose setting each word is.
    words = parse_settings([*arguments.set, *options_as_settings(arguments.options)])
    keywords = sde.spec(arguments.env).arguments
    game_kwargs = {name: value for name, value in words.items() if name in keywords}
    settings = {name: value for name, value in words.items() if name not in keywords}
    check_learner(arguments.learner, settings, keywords)

    # Learn.
    game = make_game(arguments.env, arguments.memory, arguments.gamma, game_kwargs)
    solved = learn(game, arguments.learner, arguments.runs, arguments.seed, settings)

    rows = score(game, solved.policies)
    print(describe(arguments, game, solved, words))
    print(table(rows))
    if out is not None:
        np.savez_compressed(out, **contents(arguments, game, solved))
        print(f"saved {out}")
    return 0


def check_out(name: str) -> Path:
    """A file that can be written, found out before anything is computed."""
    path = Path(name)
    if path.suffix != ".npz":
        raise ValueError(f"--out is a file NAME.npz, got {name!r}")
    check_folder(path)

    existed = path.exists()
    with open(path, "ab"):  # raises what a later write would
        pass
    if not existed:
        path.unlink()
    return path


def check_learner(learner: str, settings: dict[str, Any], keywords: list[str]) -> None:
    """Raises ValueError for a learner or a setting that is not there, before a game is built."""
    # Inside: torch takes a second to import, which --help need not pay.
    from agents.exact.learners import with_settings

    try:
        with_settings(learner, **settings)
    except ValueError as error:
        if str(error).startswith("no setting"):
            known = f"; the game's are {', '.join(keywords)}" if keywords else ""
            raise ValueError(f"{error}{known}") from None
        raise


def describe(
    arguments: argparse.Namespace, game: Any, solved: Solved, words: dict[str, Any]
) -> str:
    """What was solved, how and for how long, at most 80 columns wide."""
    runs, players, states, _ = solved.policies.shape
    memory = game.origin.memory.columns
    facts = [
        f"{arguments.learner} in {arguments.env}: {players} players, {states:,} states",
        f"memory {', '.join(memory) or 'none'}",
        f"gamma {game.gamma:g}",
        *(f"{name} {value}" for name, value in words.items()),
        f"{len(solved.curves) - 1} updates",
        f"{runs} runs from seed {arguments.seed}",
        f"{solved.seconds:.2f} s of one core for all runs",
    ]
    notes = (
        "Mean reward a step, discounted, exact; +- is the 95 % interval of the mean over runs "
        "(Student's t).  Epsilon: what the best of all strategies gains over keeping to it."
    )
    return f"{fill('; '.join(facts), WIDTH)}\n{fill(notes, WIDTH)}\n"


def contents(arguments: argparse.Namespace, game: Any, solved: Solved) -> dict[str, Any]:
    """The arrays of the file: probabilities, curves, and what the states are."""
    columns = {f"state_{name}": values for name, values in game.columns.items()}
    return {
        "policies": solved.policies,
        "curves": solved.curves,
        "gamma": np.array(game.gamma),
        "env_id": np.array(arguments.env),
        "learner": np.array(arguments.learner),
        "seed": np.array(arguments.seed),
        **columns,
    }
