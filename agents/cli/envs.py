"""`social-dilemmas envs`: what there is."""

import argparse
import json
from pathlib import Path

import social_dilemmas_env as sde
from agents.cli.main import settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", nargs="?", help="show the page of this game")
    parser.add_argument(
        "--agents", action="store_true", help="list the trained agents that come with the package"
    )
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="NAME=VALUE", help="arguments of the game"
    )


def run(arguments: argparse.Namespace) -> int:
    """Prints the list, or one page."""
    if arguments.agents:
        print("\n".join(bundled_lines()) or "there are none")
        return 0
    if arguments.env is None:
        for env_id in sde.list_envs():
            print(line(env_id))
        print(
            '\nmake one: sde.make_env("coin_game_v0");  its page: social-dilemmas envs coin_game_v0'
        )
        return 0
    spec = sde.spec(arguments.env)
    print(spec.page)
    print("\n## Strategies\n\n" + ", ".join(f"`{name}`" for name in sde.list_strategies(spec.id)))
    if arguments.set:
        print(f"\n## These rules\n\n{spec.game(**settings(arguments.set))}")
    return 0


def bundled_lines() -> list[str]:
    """Name, game, training and scores of every bundled agent, from its metadata (no torch
    needed).
    """
    lines = []
    for path in sorted((Path(__file__).parents[1] / "bundled").glob("*.json")):
        facts = json.loads(path.read_text())["facts"]
        scores = ", ".join(
            f"{name} {value:+.3f}" for name, value in facts.get("scores", {}).items()
        )
        game = " ".join(f"{name}={value}" for name, value in facts["game"].items())
        spent = (
            f"{facts['seconds']:.0f} s"
            if facts["seconds"] < 100
            else f"{facts['seconds'] / 3600:.2f} h"
        )
        trained = f"{facts['command']}  ({spent} on {facts['device']})"
        many = facts.get("evaluation", {}).get("episodes")
        scored = f"{scores} (means of {many} episodes)" if many else scores
        name = f"bundled:{path.stem:24s} {facts['env_id']} {game}"
        lines += [name, *(f"    {line}" for line in (trained, scored, facts.get("note")) if line)]
    return lines


def line(env_id: str) -> str:
    """Id, title and arguments of a game."""
    spec = sde.spec(env_id)
    required = [
        name for name, parameter in spec.keywords.items() if parameter.default is parameter.empty
    ]
    return f"{env_id:20s} {spec.title:28s} {', '.join(name + ' (required)' * (name in required) for name in spec.keywords)}"
