"""Intervals of an agent's scores: of the same games as the scores."""

import numpy as np
import pytest

from agents.evaluation.intervals import half_interval
from agents.evaluation.loading import load_agent
from agents.evaluation.scoring import play_matches, score_agent, score_intervals

GAMES = {"episodes": 32, "seed": 3, "opponents": ("always_defect",)}


def test_they_are_over_the_episodes_that_were_scored():
    agent = load_agent("bundled:exact_loqa_3x3")
    scores, halves = score_agent(agent, **GAMES), score_intervals(agent, **GAMES)
    assert set(halves) == set(scores) - {"adversarial"}
    (_, alone), (name, met) = play_matches(agent, 32, 3, ("always_defect",))
    assert name == "always_defect"
    assert scores["self"] == pytest.approx(alone["rewards"].mean())
    means = met["rewards"][..., 0].mean(0, dtype=np.float64)
    assert halves["vs always_defect"] == half_interval(means)
