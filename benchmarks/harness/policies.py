"""What benchmarks read of trained policies: the only place that looks into run folders.

Shapes  R runs learned side by side, S observations of one seat, A actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from agents.checkpoint import load
from agents.evaluation.agent import TrainedAgent
from agents.evaluation.loading import load_agents, load_policy_table
from agents.evaluation.scoring import score_agent


@dataclass(frozen=True)
class TrainedRun:
    """What the last checkpoint of a run folder says of its training."""

    env_id: str
    game: Mapping[str, Any]  # the game's arguments
    settings: Mapping[str, Any]  # the learner's
    seed: int
    iterations: int  # so far
    seconds: float  # of training, so far


def read_run(run_folder: Path) -> TrainedRun:
    """What is known of a training.

    Raises:
        CheckpointError: no checkpoint, or a damaged one.
    """
    facts = load(run_folder / "checkpoints").facts
    names = ("env_id", "game", "settings", "seed", "iterations", "seconds")
    return TrainedRun(**{name: facts[name] for name in names})


def players_of(run_folder: Path, run: int = 0) -> list[TrainedAgent]:
    """The agents of one run, by seat."""
    return load_agents(run_folder, run=run)


def policies_of(run_folder: Path) -> Tensor:
    """Action probabilities of the first seat, every run, each observation, float64 [R, S, A].

    The observations are in the order of `observation_table`: in iterated matrix games of two
    players start, CC, CD, DC, DD, own action first.
    """
    return load_policy_table(run_folder)[:, 0].double()


def score_of(
    run_folder: Path, episodes: int, seed: int, opponents: Sequence[str] | None = None
) -> dict[str, float]:
    """Mean rewards a step of the first seat's agent, in self-play and against scripted players."""
    agent = players_of(run_folder)[0]
    return score_agent(agent, episodes=episodes, seed=seed, opponents=opponents)
