"""`social-dilemmas envs`: what there is."""

import argparse
import inspect
from textwrap import fill, indent, wrap
from typing import Any

import social_dilemmas_env as sde
from agents.cli.words import add_set, parse_settings
from agents.evaluation.cards import bundled_facts, list_bundled, model_card
from social_dilemmas_env.strategies import STRATEGIES

WIDTH = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", nargs="?", help="show the page of this game")
    parser.add_argument(
        "--agents",
        nargs="?",
        const="",
        metavar="NAME",
        help="list the trained agents that come with the package; with a name, all about one",
    )
    parser.add_argument(
        "--strategies", action="store_true", help="the scripted players of this game, a line each"
    )
    add_set(parser, "arguments of the game")


def run(arguments: argparse.Namespace) -> int:
    """Prints the list, or one page."""
    if arguments.agents is not None:
        print("\n".join(describe_bundled(arguments.agents.removeprefix("bundled:"))))
        return 0
    if arguments.strategies:
        if arguments.env is None:
            raise ValueError("--strategies needs a game: social-dilemmas envs GAME --strategies")
        print(describe_strategies(arguments.env, parse_settings(arguments.set)))
        return 0

    # The list ...
    if arguments.env is None:
        for env_id in sde.list_envs():
            print(describe_game(env_id))
        print('\nmake one: sde.make_env("coin_game_v0")')
        print("its page: social-dilemmas envs coin_game_v0")
        print("its scripted players: social-dilemmas envs coin_game_v0 --strategies")
        print("trained agents: social-dilemmas envs --agents")
        return 0

    # ... or a page, and what is not in it; a mistake is told before it.
    spec = sde.spec(arguments.env)
    rules = spec.game(**parse_settings(arguments.set)) if arguments.set else None
    print(spec.page)
    print("\n## Strategies\n\n" + ", ".join(f"`{name}`" for name in sde.list_strategies(spec.id)))
    if rules is not None:
        print(f"\n## These rules\n\n{rules}")
    return 0


def describe_strategies(env_id: str, game_kwargs: dict[str, Any]) -> str:
    """Name and first line of every scripted player that a game has, 80 columns wide."""
    lines = []
    for name in sde.list_strategies(env_id, **game_kwargs):
        classes = STRATEGIES[name]
        # Of several classes of one name, the one that plays this game.
        game = None if _wants_payoffs(env_id, game_kwargs) else sde.spec(env_id).game(**game_kwargs)
        fitting = next(cls for cls in classes if game is None or not cls.refusal(game))
        about = " ".join((inspect.getdoc(fitting) or "").partition("\n\n")[0].split())
        lines.append(fill(f"{name:22s} {about}", WIDTH, subsequent_indent=" " * 23))
    return "\n".join(lines)


def _wants_payoffs(env_id: str, game_kwargs: dict[str, Any]) -> bool:
    return "payoffs" in sde.spec(env_id).needs and "payoffs" not in game_kwargs


def describe_bundled(name: str = "") -> list[str]:
    """A line for every bundled agent, or all about one, from its metadata (no torch).

    Raises:
        ValueError: an unknown name (the nearest are given).
    """
    if name:
        return narrow(model_card(name))

    lines = [f"{'':38s}{'self':>7s}{'vs AD':>8s}  game"]
    for stem in list_bundled():
        known = bundled_facts(stem)
        game = " ".join([known["env_id"], *(f"{k}={v}" for k, v in known["game"].items())])
        scores = known.get("scores", {})
        alone, met = (_number(scores.get(key)) for key in ("self", "vs always_defect"))
        row = f"{'bundled:' + stem:38s}{alone:>7s}{met:>8s}  {game}"
        lines.append(row if len(row) <= WIDTH else row[: WIDTH - 3] + "...")
    about = "Mean reward a step with itself, and against always_defect (AD)."
    return [*lines, "", about, "all about one: social-dilemmas envs --agents NAME"]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"


def narrow(markdown: str) -> list[str]:
    """A page of Markdown for a terminal of 80 columns: tables in columns, long lines folded."""
    lines: list[str] = []
    for line in markdown.splitlines():
        if line.startswith("| "):
            cells = line.replace("\\|", "\0").strip("| ").split(" | ")
            first, *rest = (cell.replace("\0", "|").strip() for cell in cells)
            row = f"{first:26s}  {'   '.join(rest)}".rstrip()
            lines += [] if first == "---" else wrap(row, WIDTH, subsequent_indent=" " * 28)
        else:
            lines += wrap(line, WIDTH, subsequent_indent=" " * 4 * line.startswith("social-")) or [
                ""
            ]
    return lines


def describe_game(env_id: str) -> str:
    """Id, title and arguments of a game, 80 columns wide."""
    spec = sde.spec(env_id)
    arguments = ", ".join(
        f"{name} (required)" if parameter.default is parameter.empty else name
        for name, parameter in spec.keywords.items()
    )
    below = indent(fill(arguments, WIDTH - 24), " " * 24)
    return f"{env_id:22s}  {spec.title}\n{below}"
