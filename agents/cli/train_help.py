"""`social-dilemmas train --help`: the learners, and every setting of one.

Meaning and source of a setting are the comment beside the field of its dataclass; `tyro` reads
them, and the default, and sets them for the width of the terminal.
"""

from contextlib import suppress
from dataclasses import field, make_dataclass
from textwrap import fill

import social_dilemmas_env as sde
from agents.registry import LEARNERS, current_name
from agents.training.settings import Plan
from social_dilemmas_env.validation import nearest

USUAL_GAME = "ipd_v0"  # whose defaults are shown where no game is named: every learner plays it


def list_learners() -> str:
    """Name and title of every learner, at most 80 columns wide."""
    indent = " " * 23
    return "\n".join(
        fill(f"  {name:20s} {spec.title}", 80, subsequent_indent=indent)
        for name, spec in LEARNERS.items()
    )


def show_settings(learner: str, env_id: str | None = None) -> None:
    """Prints all settings of a learner and of the loop, and the names of the game's arguments.

    Args:
        learner: a name in LEARNERS.
        env_id: the game whose defaults are shown.

    Raises:
        ValueError: an unknown learner or game; the nearest names are given.
        ImportError: tyro is not installed.
    """
    name = current_name(learner)
    if name not in LEARNERS:
        raise ValueError(f"there is no learner {learner!r}; {nearest(learner, LEARNERS)}")
    try:
        import tyro  # inside: only this needs it
    except ImportError as error:
        message = "the list of settings needs tyro: pip install 'social-dilemmas-env[agents]'"
        raise ImportError(message) from error

    # The two dataclasses as one, whose groups keep their docstrings as titles.
    spec, game = LEARNERS[name], sde.spec(env_id or USUAL_GAME)
    config, plan = spec.settings(game.id), Plan()
    shown = make_dataclass(
        "Settings",
        [
            ("learner", type(config), field(default=config)),
            ("loop", Plan, field(default=plan)),
        ],
    )

    with suppress(SystemExit):  # how tyro ends after a help page
        tyro.cli(
            shown,
            args=["--help"],
            prog=f"social-dilemmas train {name} {env_id or 'GAME'}",
            description=f"{spec.title}.",
            config=(tyro.conf.OmitArgPrefixes,),
        )

    # What is no field of the two.
    notes = [f"The defaults are those in {game.id}."]
    if env_id is None:
        notes.append(f"Those in another game: train {name} GAME --help.")
    options = [f"--{word.replace('_', '-')}" for word in game.keywords if word != "max_cycles"]
    if options:
        page = f"social-dilemmas envs {game.id}"
        notes.append(f"Arguments of the game ({page}): {', '.join(options)}.")
    notes.append("Run folder, seed and device: social-dilemmas train --help.")
    print("\n".join(fill(note, 80, break_on_hyphens=False) for note in notes))
