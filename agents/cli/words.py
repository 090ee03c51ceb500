"""What several commands share: settings as words, and a bar."""

import argparse
import json
from collections.abc import Callable, Sequence
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
        Such as {"grid_size": 5, "variant": "pola"}; values are JSON (or Python's True, False and
        None), or else plain words.

    Raises:
        ValueError: a word without "=".
    """
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and name.isidentifier()):
            raise ValueError(f"a setting looks like name=value, got {word!r}")
        # What Python prints for JSON's words.
        python = value.replace("True", "true").replace("False", "false").replace("None", "null")
        try:
            pairs[name] = json.loads(python)
        except json.JSONDecodeError:  # a plain word
            pairs[name] = value
    return pairs


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
