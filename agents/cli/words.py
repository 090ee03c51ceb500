"""What several commands share: settings as words, and a bar."""

import argparse
import ast
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agents.progress import ProgressBar


def add_set(parser: argparse.ArgumentParser, words: str) -> None:
    """Adds `--set NAME=VALUE ...`; `words` say what may be set."""
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE", help=words
    )


def parse_settings(words: Sequence[str]) -> dict[str, Any]:
    """Settings by name.

    Args:
        words: such as ["grid_size=5", "variant=pola"].

    Returns:
        Such as {"grid_size": 5, "variant": "pola"}; see `parse_value`.

    Raises:
        ValueError: a word without "=", or a value that begins as a list, a dict or a string and
            is none.
    """
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name.isidentifier()):
            raise ValueError(f"a setting looks like name=value, got {word!r}")
        pairs[name] = parse_value(name, value)
    return pairs


def parse_value(name: str, text: str) -> Any:
    """A value as it is typed: JSON, what Python prints for the same, or else a plain word.

    Args:
        name: what is set, for the error.
        text: such as "5", ".5", "true", "None", "[1, 2]", "['a', 'b']" or "pola".

    Raises:
        ValueError: it begins as a list, a dict or a string and is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass

    # Python's literals, nothing that is run: .5, True, ('a', 'b').
    try:
        return _as_json(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass

    if text.lstrip()[:1] in tuple("[({\"'"):
        raise ValueError(f"{name}={text} is neither JSON nor a Python literal; are quotes missing?")
    return text


def _as_json(value: Any) -> Any:
    """A literal as JSON reads it back; raises TypeError for what JSON has not (sets, bytes)."""
    return json.loads(json.dumps(value))


def options_as_settings(words: Sequence[str]) -> list[str]:
    """Options as the words of `--set`: ["--grid-size", "5", "--no-shared"] -> ["grid_size=5", ...].

    Args:
        words: options `--name value`, `--name=value`, or `--name` and `--no-name` alone for true
            and false.

    Raises:
        ValueError: a word that belongs to no option.
    """
    settings: list[str] = []
    rest = list(words)
    while rest:
        # The name, and the value if there is one.
        option = rest.pop(0)
        if not option.startswith("--"):
            raise ValueError(f"unexpected word {option!r}")
        name, equals, value = option[2:].partition("=")
        if not equals and rest and not rest[0].startswith("--"):
            equals, value = "=", rest.pop(0)

        # Options have dashes where settings have underscores.
        name = name.replace("-", "_")
        if equals:
            settings.append(f"{name}={value}")
        elif name.startswith("no_"):  # as --help shows switches
            settings.append(f"{name[3:]}=false")
        else:
            settings.append(f"{name}=true")
    return settings


def progress(title: str, total: int) -> Callable[[], None]:
    """A progress bar on stderr, until it is full.

    Returns:
        What moves it by one.
    """
    bar = ProgressBar(title, total, transient=True)
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        bar.advance()
        if done == total:
            bar.close()

    return advance


def check_folder(path: Path) -> None:
    """Raises ValueError where there is no folder to save a file in."""
    if not path.absolute().parent.is_dir():
        raise ValueError(f"there is no folder {path.parent} to save in")


def add_episodes(parser: argparse.ArgumentParser, default: int) -> None:
    """`--episodes` and `--seed` of commands that play pairs."""
    text = f"games a pair (default {default})"
    parser.add_argument("--episodes", type=int, default=default, help=text)
    parser.add_argument("--seed", type=int, default=0, help="of the games (default 0)")


def check_episodes(arguments: argparse.Namespace) -> None:
    """Raises ValueError where there are none to play."""
    if arguments.episodes < 1:
        raise ValueError("--episodes must be at least 1")
