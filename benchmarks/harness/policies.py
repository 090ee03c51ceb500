"""What benchmarks read of trained policies: the only place that looks into run folders.

Shapes  R runs learned side by side, S observations of one seat, A actions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, load
from agents.evaluation.agent import Agent, agents_of
from agents.evaluation.scores import scores


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
    facts = _load(run_folder).facts
    names = ("env_id", "game", "settings", "seed", "iterations", "seconds")
    return TrainedRun(**{name: facts[name] for name in names})


def players_of(run_folder: Path, run: int = 0) -> list[Agent]:
    """The agents of one run, by seat."""
    return agents_of(_load(run_folder), run=run)


def policy_of(run_folder: Path, seat: int = 0, run: int = 0) -> Tensor:
    """Action probabilities after each observation, float64 [S, A].

    The observations are in the order of `observation_table`: in iterated matrix games of two
    players start, CC, CD, DC, DD, own action first.
    """
    checkpoint = _load(run_folder)
    return _probabilities(agents_of(checkpoint, run=run)[seat], checkpoint)


def policies_of(run_folder: Path, seat: int = 0) -> Tensor:
    """The same of every run, [R, S, A]."""
    checkpoint = _load(run_folder)
    agents = [agents_of(checkpoint, run=r)[seat] for r in range(_count_runs(checkpoint))]
    return torch.stack([_probabilities(agent, checkpoint) for agent in agents])


def score_of(
    run_folder: Path, episodes: int, seed: int, opponents: Sequence[str] | None = None
) -> dict[str, float]:
    """Mean rewards a step of the first seat's agent, in self-play and against scripted players."""
    agent = players_of(run_folder)[0]
    return scores(agent, episodes=episodes, seed=seed, opponents=opponents)


def _load(run_folder: Path) -> Checkpoint:
    return load(run_folder / "checkpoints")


def _count_runs(checkpoint: Checkpoint) -> int:
    return int(checkpoint.facts["settings"]["runs"])


@torch.no_grad()
def _probabilities(agent: Agent, checkpoint: Checkpoint) -> Tensor:
    env_id, game = checkpoint.facts["env_id"], checkpoint.facts["game"]
    # The table of all observations of one seat, [S, F].
    venv: Any = sde.make_vec_env(env_id, 1, "torch", obs_mode="state", **game)
    logits, _ = agent.logits(venv.observation_table)
    return torch.softmax(logits, -1).double()
