"""A trained agent as one small pair of files, which says how it was made and how it scores.

This is what makes the agents that come with the package (`agents/bundled/`):

    social-dilemmas export RUN_FOLDER agents/bundled/NAME.json --note "Not selected: seed 42."
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from agents import checkpoint
from agents.checkpoint import Checkpoint
from agents.evaluation.loading import (
    find_checkpoint,
    holds_policies,
    restore_agent,
    select_network,
)
from agents.evaluation.scoring import score_agent, score_intervals
from agents.registry import LEARNERS, current_name

OF_THE_RUN = ("means", "evaluated")  # facts that only going on with a run needs
EPISODES, SEED = 1024, 20261121  # of the scores of the bundled agents


def export_agent(
    source: str | Path,
    path: str | Path,
    *,
    player: int = 0,
    run: int = 0,
    note: str = "",
    opponents: Sequence[str] | None = None,
    episodes: int = EPISODES,
    seed: int = SEED,
) -> Path:
    """Writes an agent, with its scores and the command that trained it.

    Args:
        source: a run folder or checkpoint; see load_agent.
        path: NAME.json; NAME.safetensors is written beside it.
        player: which seat's network, where seats have networks of their own.
        run: which of several runs that were learned side by side.
        note: what else is to be known, such as how the run was selected.
        opponents: scripted players of the scores; None for the usual ones of the game.
        episodes: games a pair for the scores.
        seed: of these games.

    Returns:
        `path`, which `load_agent` takes.

    Raises:
        ValueError: a name that does not end in .json, or no such player or run.
        CheckpointError: no checkpoint of an agent.
        OSError: it could not be written.
    """
    path = Path(path)
    if path.suffix != ".json":
        raise ValueError(f"an agent is exported as NAME.json, not {path.name!r}")

    # Of a deep or tabular learner the one policy; of others, which go on learning, everything.
    saved = checkpoint.load(find_checkpoint(source))
    if holds_policies(saved) or (player, run) != (0, 0):
        saved = select_network(saved, player, run)

    # What it is worth, by games of its own.
    agent = restore_agent(saved)
    games: Any = {"episodes": episodes, "seed": seed, "opponents": opponents}
    scores, halves = score_agent(agent, **games), score_intervals(agent, **games)
    facts = {
        **{name: x for name, x in saved.facts.items() if name not in OF_THE_RUN},
        "scores": {name: round(value, 4) for name, value in scores.items()},
        "half_intervals": {name: round(value, 5) for name, value in halves.items()},
        "command": saved.facts.get("command") or training_command(saved),
        "evaluation": {"episodes": episodes, "seed": seed, "greedy": False},
    }
    if note:
        facts["note"] = note
    return checkpoint.export(path, replace(saved, facts=facts))


def training_command(saved: Checkpoint) -> str:
    """The command that trains a run again: its settings where they are not the defaults."""
    # A run records all of its settings; the command names those that it changes.
    facts = saved.facts
    learner, env_id = current_name(facts["learner"]), facts["env_id"]
    defaults = asdict(LEARNERS[learner].settings(env_id))
    changed = {
        name: value for name, value in facts["settings"].items() if value != defaults.get(name)
    }

    # The number of iterations is where it was stopped, not what was planned.
    asked: dict[str, Any] = {**facts["game"], **changed, "iterations": saved.step}
    words = [f"{name}={value}" for name, value in asked.items()]
    command = ["social-dilemmas", "train", learner, env_id, "--seed", str(facts["seed"]), "--set"]
    return shlex.join([*command, *words])
