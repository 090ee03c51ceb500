"""What agents do: measured on policies whose conduct is known."""

import numpy as np
import pytest
import torch

from agents.evaluation.agent import TrainedAgent
from agents.evaluation.loading import load_agent, load_agents
from agents.learners.tabular_agent import TabularAgent
from agents.plots.conduct import (
    bar_of,
    conduct,
    memory_one,
    reaction,
    state_names,
    what_is_counted,
)

TIT_FOR_TAT = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])


def tit_for_tat():
    return TabularAgent(TIT_FOR_TAT, {"env_id": "ipd_v0", "game": {}})


class Left(TrainedAgent):
    """Goes left, whatever it sees."""

    def logits(self, observations, hidden=None):
        row = torch.tensor([50.0, 0.0, 0.0, 0.0])
        return row.expand(len(observations), 4), None


def test_tit_for_tat_cooperates_with_itself_and_once_with_a_defector():
    agent = tit_for_tat()
    assert what_is_counted(agent) == "moves that cooperate"
    assert (conduct([agent], "self") == 1).all()
    assert (conduct([agent], "always_defect") == 1 / 50).all()


def test_a_single_run_has_its_interval_over_episodes_and_several_over_runs():
    agent = [tit_for_tat()]
    assert bar_of([agent], "always_defect") == (pytest.approx(1 / 50), 0.0)
    assert bar_of([agent, agent], "self") == (1.0, 0.0)


def test_a_memory_one_policy_is_read_state_by_state():
    agent = tit_for_tat()
    assert memory_one(agent).tolist() == [1, 1, 0, 1, 0]
    assert state_names(agent) == ["start", "CC", "CD", "DC", "DD"]


def test_other_agents_have_no_memory_one_policy():
    assert memory_one(load_agent("bundled:loqa_3x3")) is None


def test_the_exact_agent_takes_back_and_only_then():
    """It was solved so: nothing of the partner's until the partner has stolen."""
    found = reaction(load_agent("bundled:exact_loqa_3x3"))
    assert (found.chance[1] > 0.9).tolist() == [False, False, True]
    assert (found.occasions > 20).all()


def test_who_always_goes_left_takes_what_lies_there():
    """A coin in reach lies in one of four directions, or of three where two coincide."""
    found = reaction(Left({"env_id": "coin_game_v0", "game": {}}))
    total = np.nansum(found.chance * found.occasions) / found.occasions.sum()
    assert 0.1 < total < 0.5


def test_thefts_are_counted_in_the_coin_game():
    agents = load_agents("bundled:exact_loqa_3x3")
    assert what_is_counted(agents[0]) == "coins of others, of all it took"
    assert np.nanmean(conduct(agents, "always_cooperate")) < 0.02
    assert np.nanmean(conduct(agents, "always_defect")) > 0.3


def test_a_reaction_map_is_of_the_coin_game():
    with pytest.raises(ValueError, match="of an agent of the Coin Game"):
        reaction(tit_for_tat())
