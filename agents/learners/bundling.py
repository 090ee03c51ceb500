"""Agents that a command of its own makes, one of a few recipes, for agents/bundled/.

python -m agents.learners.exact_policy exact_loqa_3x3 agents/bundled/exact_loqa_3x3.json
"""

import argparse
import shlex
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from agents.checkpoint import Checkpoint
from agents.evaluation.agent import TrainedAgent
from agents.protocol import LearnerSpec
from social_dilemmas_env.extras import explained


def check_bundle(name: str, path: str | Path, recipes: Collection[str]) -> Path:
    """The file that a recipe is written to.

    Raises:
        ValueError: an unknown name, or a path that does not end in .json.
    """
    path = Path(path)
    if name not in recipes:
        raise ValueError(f"no recipe {name!r}; there are {', '.join(recipes)}")
    if path.suffix != ".json":
        raise ValueError(f"an agent is written as NAME.json, not {path.name!r}")
    return path


def bundle_words(module: str, name: str, seed: int) -> str:
    """The command that makes an agent again."""
    words = ["python", "-m", f"agents.learners.{module}", name, f"agents/bundled/{name}.json"]
    return shlex.join([*words, "--seed", str(seed)])


def bundle_command(
    description: str,
    recipes: Mapping[str, Any],
    make: Callable[[str, str, int], Path],
    seed: str = "fixes everything",
) -> None:
    """The command line of a module that makes bundled agents.

    Args:
        description: what it does.
        recipes: by name.
        make: (name, path, seed) -> the file that was written.
        seed: what it decides.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("name", choices=recipes)
    parser.add_argument("file", help="NAME.json; NAME.safetensors is written beside it")
    parser.add_argument("--seed", type=int, default=0, help=seed)
    arguments = parser.parse_args()
    try:
        print(make(arguments.name, arguments.file, arguments.seed))
    except (ValueError, TypeError, OSError, ImportError) as error:
        parser.error(str(explained(error)) if isinstance(error, ImportError) else str(error))


def spec_without_loop(
    name: str,
    title: str,
    config: Callable[[], Any],
    restore: Callable[[Checkpoint, str, int], TrainedAgent],
    instead: str,
) -> LearnerSpec[Any]:
    """A learner that `train` does not drive, but whose agents are loaded as all others'.

    Args:
        name: its key in LEARNERS.
        title: one line.
        config: its default settings.
        restore: (checkpoint, device, seed) -> agent.
        instead: how it is trained, the end of a sentence.
    """

    def refuse(*_: Any) -> Any:
        raise ValueError(f"{name} {instead}")

    return LearnerSpec(name, title, lambda env_id: config(), refuse, restore, instead=instead)
