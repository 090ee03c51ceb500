"""`social-dilemmas plot`: learning curves, conduct and policies of runs and agents."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.cli.words import check_folder
from social_dilemmas_env.extras import need_found

SUFFIXES = (".png", ".svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="RUN",
        help="run folders (those that differ in the seed alone are one curve with its interval), "
        "or agents such as bundled:NAME",
    )
    parser.add_argument(
        "--save", default="plot.png", metavar="FILE", help=".png or .svg (default plot.png)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Draws the figure."""
    path = Path(arguments.save)
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(f"--save writes .png or .svg, got {arguments.save!r}")
    check_folder(path)
    need_found("matplotlib", "benchmarks", "plotting")
    # Inside: torch takes a second to import, which --help need not pay.
    from agents.plots.figure import draw_figure

    subjects = find_subjects(arguments.sources)
    draw_figure(subjects, str(path))
    for subject in subjects:
        print(f"{subject.label}: {len(subject.agents)} run{'s' * (len(subject.agents) > 1)}")
    print(f"saved {path}")
    return 0


def find_subjects(sources: Sequence[str]) -> list[Any]:
    """Run folders in groups, then agents.

    Raises:
        ValueError: no such run or agent, or several games.
        CheckpointError: a run without a checkpoint.
    """
    # Inside: see run.
    from agents.evaluation.loading import load_agents
    from agents.plots.figure import Subject
    from agents.plots.runs import grouped, read_run

    # Runs that differ in the seed alone are one subject.
    folders = [source for source in sources if not _is_agent(source)]
    groups = grouped([read_run(folder) for folder in dict.fromkeys(folders)]) if folders else []
    subjects = [
        Subject(group.label, [load_agents(str(run.path)) for run in group.runs], group)
        for group in groups
    ]
    for source in dict.fromkeys(source for source in sources if _is_agent(source)):
        subjects.append(Subject(source.removeprefix("bundled:"), [load_agents(source)]))

    # Curves of different games would be compared.
    games = {
        (agents[0].env_id, str(agents[0].game_kwargs)) for own in subjects for agents in own.agents
    }
    if len(games) > 1:
        shown = " and ".join(sorted(f"{env_id} {kwargs}" for env_id, kwargs in games)[:2])
        raise ValueError(f"these play different games ({shown}): plot them one by one")
    return subjects


def _is_agent(source: str) -> bool:
    """Whether a word names an agent's file, and not a run folder."""
    return source.startswith("bundled:") or source.endswith(".json")
