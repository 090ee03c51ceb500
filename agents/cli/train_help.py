"""`social-dilemmas train --help`: the learners, and every setting of one.

Meaning and source of a setting are the comment beside the field of its dataclass; `tyro` reads
them, and the default, and sets them for the width of the terminal.
"""

from contextlib import suppress
from dataclasses import asdict, field, make_dataclass
from textwrap import fill
from typing import Any

import social_dilemmas_env as sde
from agents.registry import LEARNERS, current_name
from agents.training.settings import Plan, Request
from social_dilemmas_env.extras import need
from social_dilemmas_env.validation import nearest

USUAL_GAME = "ipd_v0"  # whose defaults are shown where no game is named: every learner plays it


# Which games learners fit; those that are named nowhere here stand last.
FITS = {
    "any game": ("loqa", "loqa_modelled", "loqa_proximal", "advantage_alignment", "ippo"),
    "any game of two players": ("pola_dice", "pola_om", "lola_dice_gru", "naive_pg_gru"),
    "matrix games of two players": (
        *("naive_exact", "lola_exact", "look_ahead_exact", "sos_exact", "consensus_exact"),
        *("pola_exact", "naive_pg_tabular", "lola_pg_tabular", "lola_dice_tabular"),
        *("meta_mapg", "meta_pg"),
    ),
    "any game, with a command of its own (python -m agents.learners.NAME)": ("sb3_ppo",),
    "games without sampling, likewise": ("exact_policy", "exact_clone"),
}


def list_learners() -> str:
    """Name and title of every learner by the games that it fits, at most 80 columns wide."""
    named = {name for names in FITS.values() for name in names}
    groups = {**FITS, "others": tuple(name for name in LEARNERS if name not in named)}

    lines, indent = [], " " * 25
    for games, names in groups.items():
        lines += [f"  {games}:"] * bool(names)
        lines += [
            fill(f"    {name:20s} {LEARNERS[name].title}", 80, subsequent_indent=indent)
            for name in names
        ]
    return "\n".join(lines)


def show_used(request: Request, device: str, out: str) -> None:
    """Prints what a training would run with, a setting a line."""
    print(f"{request.learner} in {request.env_id}, seed {request.seed}, {device}, into {out}")
    parts = {
        "learner": asdict(request.config),
        "loop": asdict(request.plan),
        "game": {**_defaults(request.env_id), **request.game},
    }
    for part, settings in parts.items():
        print(f"{part}:")
        for name, value in settings.items():
            print(fill(f"  {name:22s} {value}", 80, subsequent_indent=" " * 25))


def _defaults(env_id: str) -> dict[str, Any]:
    """The game's arguments that need not be given.  None: as the variant has it."""
    return {
        name: parameter.default
        for name, parameter in sde.spec(env_id).keywords.items()
        if parameter.default is not parameter.empty
    }


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
    tyro = need("tyro", extra="agents", what="the list of settings")

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
