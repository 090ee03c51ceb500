"""A benchmark's settings as those of a meta-learner."""

from __future__ import annotations

from typing import Any

from agents.learners.meta_mapg.config import MetaLearnerConfig
from benchmarks.harness.benchmark import Settings


def meta_learner_config(settings: Settings, runs: int, **more: Any) -> MetaLearnerConfig:
    """The configuration of runs side by side.

    Args:
        settings: "batch", "chain", "games", "rate" and "lr_outer".
        runs: R.
        **more: the other settings, by the learner's names.
    """
    return MetaLearnerConfig(
        runs=runs,
        batch=settings["batch"],
        chain=settings["chain"],
        games=settings["games"],
        lr_inner=settings["rate"],
        lr_outer=settings["lr_outer"],
        **more,
    )
