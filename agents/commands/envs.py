"""`social-dilemmas envs`: what there is."""

import argparse

import social_dilemmas_env as sde
from agents.cli import settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", nargs="?", help="show the page of this game")
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="arguments of the game")


def run(arguments: argparse.Namespace) -> int:
    """Prints the list, or one page."""
    if arguments.env is None:
        for env_id in sde.list_envs():
            print(line(env_id))
        print('\nmake one: sde.make_env("coin_game_v0");  its page: social-dilemmas envs coin_game_v0')
        return 0
    spec = sde.spec(arguments.env)
    print(spec.page)
    print("\n## Strategies\n\n" + ", ".join(f"`{name}`" for name in sde.list_strategies(spec.id)))
    if arguments.set:
        print(f"\n## These rules\n\n{spec.game(**settings(arguments.set))}")
    return 0


def line(env_id: str) -> str:
    """Id, title and arguments of a game."""
    spec = sde.spec(env_id)
    required = [name for name, parameter in spec.keywords.items() if parameter.default is parameter.empty]
    return f"{env_id:20s} {spec.title:28s} {', '.join(name + ' (required)' * (name in required) for name in spec.keywords)}"
