"""`social-dilemmas schelling`: what cooperators and defectors earn, by how many defect."""

import argparse
import json
from pathlib import Path
from typing import Any

from agents.atomic_write import write_atomically
from agents.cli.words import add_set, check_folder, parse_settings
from agents.evaluation.schelling import Diagram, play_schelling
from social_dilemmas_env.extras import need
from social_dilemmas_env.strategies import list_strategies

# Who cooperates and who defects where nobody says so: the first that the game knows.
PAIRS = (("restrained", "greedy"), ("cleaner", "free_rider"), ("always_cooperate", "always_defect"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    words = "a strategy, bundled:NAME, a run folder, or FILE.py:NAME"
    parser.add_argument("--cooperator", metavar="PLAYER", help=f"who cooperates: {words}")
    parser.add_argument("--defector", metavar="PLAYER", help="who defects")
    parser.add_argument(
        "--episodes", type=int, default=128, help="games a number of defectors (default 128)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the games (default 0)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="FILE.json, or a plot FILE.png")
    add_set(parser, "arguments of the game, e.g. num_agents=3")


def run(arguments: argparse.Namespace) -> int:
    """Prints the table."""
    game = parse_settings(arguments.set)
    names = choose_pair(arguments.env, game, arguments.cooperator, arguments.defector)
    save = arguments.save
    if save is not None:
        check_target(save)

    diagram = play_schelling(
        arguments.env, names, episodes=arguments.episodes, seed=arguments.seed, **game
    )
    print(diagram.table())

    if save is not None and save.suffix == ".json":
        write_atomically(save, (json.dumps(diagram.json(), indent=1) + "\n").encode())
    elif save is not None:
        plot(diagram, save)
    return 0


def choose_pair(
    env_id: str, game: dict[str, Any], cooperator: str | None, defector: str | None
) -> tuple[str, str]:
    """Who plays: as asked for, or the game's own cooperator and defector.

    Raises:
        ValueError: nobody is named, and the game has no such pair.
    """
    if cooperator and defector:
        return cooperator, defector
    known = list_strategies(env_id, **game)
    for pair in PAIRS:
        if set(pair) <= set(known):
            return cooperator or pair[0], defector or pair[1]
    raise ValueError(
        f"{env_id} has no scripted cooperator and defector: name them with --cooperator and "
        "--defector"
    )


def check_target(save: Path) -> None:
    """Known before the first game.

    Raises:
        ValueError: a file that cannot be written, or of an unknown kind.
        ImportError: a plot without matplotlib.
    """
    if save.suffix not in (".json", ".png", ".svg"):
        raise ValueError(f"--save takes FILE.json, FILE.png or FILE.svg, got {save.name}")
    check_folder(save)
    if save.suffix != ".json":
        need("matplotlib", extra="benchmarks", what="a plot")


def plot(diagram: Diagram, path: Path) -> None:
    """Both curves over the number of others who defect, with intervals."""
    # Inside: drawing takes a second to import, which the table need not pay.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    last = len(diagram.points) - 1
    kinds = (("cooperate", 0, "#0072b2", "o"), ("defect", 1, "#d55e00", "s"))
    for kind, itself, color, marker in kinds:
        points = [p for p in diagram.points if itself <= p.defectors <= last - 1 + itself]
        others = [p.defectors - itself for p in points]
        means, halves = zip(*(getattr(p, kind) for p in points), strict=True)
        name = diagram.names[itself]
        axes.errorbar(others, means, halves, color=color, marker=marker, capsize=3, label=name)

    axes.set_xlabel("others who defect")
    axes.set_ylabel("return an episode")
    axes.set_title(f"{diagram.env_id}: {diagram.episodes} games a point", fontsize=10)
    axes.legend()
    figure.savefig(path, dpi=150)
