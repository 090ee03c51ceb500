"""`social-dilemmas demo`: exact learners on three games, their play, pictures; half a minute."""

import argparse
import time
from pathlib import Path

from agents.cli import demo_coin, demo_matrix


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "--out", default="demo_output", help="folder for the pictures (default demo_output)"
    )
    parser.add_argument(
        "--runs",
        type=int,
        default=1000,
        help="independent runs of each learner of the matrix games (default 1000; the Coin Game "
        f"has {demo_coin.RUNS})",
    )
    parser.add_argument("--seed", type=int, default=0, help="fixes everything (default 0)")


def run(arguments: argparse.Namespace) -> int:
    """Learns, prints the tables, plots, plays, records."""
    if arguments.runs < 2:
        raise ValueError("--runs must be at least 2")
    begin = time.perf_counter()
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)

    # The Coin Game: the rules known, no samples.
    game, learned = demo_coin.learn_all(min(arguments.runs, demo_coin.RUNS), arguments.seed)
    scores = demo_coin.score_all(game, learned)
    print(demo_coin.table(game, learned, scores))
    demo_coin.plot(learned, scores, out / "coin_learning.png")
    print("\n" + demo_coin.record(game, learned, out / "coin_game.gif", arguments.seed))

    # Two matrix games, beside LOLA's paper.
    results = demo_matrix.learn(arguments.runs, arguments.seed)
    print()
    demo_matrix.print_table(results)
    demo_matrix.plot(results, out / "learning.png")

    seconds = time.perf_counter() - begin
    print(f"\n{seconds:.0f} s; look at these in {out}:")
    print("  coin_learning.png  what the learners of the Coin Game earn, update by update")
    print("  coin_game.gif      how they play: with themselves, and with one that steals")
    print("  learning.png       the prisoner's dilemma and matching pennies")
    return 0
