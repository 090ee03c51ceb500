"""`social-dilemmas envs`: what there is."""

import argparse
import json
from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from agents.cli.words import add_set, parse_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", nargs="?", help="show the page of this game")
    parser.add_argument(
        "--agents", action="store_true", help="list the trained agents that come with the package"
    )
    add_set(parser, "arguments of the game")


def run(arguments: argparse.Namespace) -> int:
    """Prints the list, or one page."""
    if arguments.agents:
        print("\n".join(describe_bundled()) or "there are none")
        return 0

    # The list ...
    if arguments.env is None:
        for env_id in sde.list_envs():
            print(describe_game(env_id))
        print('\nmake one: sde.make_env("coin_game_v0")')
        print("its page: social-dilemmas envs coin_game_v0")
        return 0

    # ... or a page, and what is not in it.
    spec = sde.spec(arguments.env)
    print(spec.page)
    print("\n## Strategies\n\n" + ", ".join(f"`{name}`" for name in sde.list_strategies(spec.id)))
    if arguments.set:
        print(f"\n## These rules\n\n{spec.game(**parse_settings(arguments.set))}")
    return 0


def describe_bundled() -> list[str]:
    """Name, game, training and scores of every bundled agent, from its metadata (no torch)."""
    lines = []
    for path in sorted((Path(__file__).parents[1] / "bundled").glob("*.json")):
        facts = json.loads(path.read_text())["facts"]
        game = " ".join(f"{name}={value}" for name, value in facts["game"].items())
        lines.append(f"bundled:{path.stem:24s} {facts['env_id']} {game}")

        # How it was made, and what it is worth.
        details = [_training(facts), _scores(facts), facts.get("note")]
        lines += [f"    {detail}" for detail in details if detail]
    return lines


def _training(facts: dict[str, Any]) -> str:
    seconds = facts["seconds"]
    spent = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 3600:.2f} h"
    return f"{facts['command']}  ({spent} on {facts['device']})"


def _scores(facts: dict[str, Any]) -> str:
    scores = ", ".join(f"{name} {value:+.3f}" for name, value in facts.get("scores", {}).items())
    episodes = facts.get("evaluation", {}).get("episodes")
    return f"{scores} (means of {episodes} episodes)" if episodes else scores


def describe_game(env_id: str) -> str:
    """Id, title and arguments of a game."""
    spec = sde.spec(env_id)
    arguments = ", ".join(
        f"{name} (required)" if parameter.default is parameter.empty else name
        for name, parameter in spec.keywords.items()
    )
    return f"{env_id:20s} {spec.title:28s} {arguments}"
