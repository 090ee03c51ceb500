"""The games of deep learners: played to the horizon, all at once."""

import pytest

pytest.importorskip("torch", reason="the agents need torch")

from agents.execution.games import make_games


@pytest.mark.parametrize(
    ("env_id", "game"),
    [("ipd_v0", {"continuation": 0.9}), ("commons_harvest_v0", {"ending": "melting_pot"})],
)
def test_random_ends_are_refused(env_id, game):
    with pytest.raises(ValueError, match="leave out continuation and ending"):
        make_games(env_id, game, 2, 5, "cpu")


def test_hands_may_tremble():
    assert make_games("ipd_v0", {"action_noise": 0.1}, 2, 5, "cpu").max_cycles == 5
