"""Intervals of an agent's scores: of the same games as the scores."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from agents.evaluation.intervals import half_interval
from agents.evaluation.loading import load_agent
from agents.evaluation.scoring import play_episodes, play_matches, score_agent, score_intervals

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


def test_observations_are_kept_for_those_who_read_them():
    """Of 128 games of the commons they would be 4 GB, and nobody reads them."""
    players = [sde.make_strategy("random", "ipd_v0", player=i) for i in range(2)]
    kept = play_episodes("ipd_v0", players, 4, 1)
    bare = play_episodes("ipd_v0", players, 4, 1, keep_observations=False)
    assert set(kept) - set(bare) == {"observations"}
    assert all((kept[name] == bare[name]).all() for name in bare)
    assert len(kept["observations"]) == len(kept["rewards"]) + 1
    assert (np.diff(kept["observations"], axis=0) != 0).any()  # not the same array again


@pytest.mark.parametrize(("name", "kept"), [("exact_loqa_3x3", True), ("loqa_ipd", False)])
def test_scores_keep_what_they_read(name, kept):
    ((_, games),) = play_matches(load_agent(f"bundled:{name}"), 2, 0, ())
    assert ("observations" in games) == kept
