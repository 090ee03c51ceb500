"""Shares of tit for tat and of the uniform equilibrium, on policies written by hand."""

import pytest
import torch

from agents.matrix_games.policy_metrics import (
    finds_tft,
    nash_rate,
    tft_rate,
    tit_for_tat,
)

TFT = [1.0, 1.0, 0.0, 1.0, 0.0]  # start, CC, CD, DC, DD: own action first
ALLD = [0.0] * 5
ALLC = [1.0] * 5


def policies(*runs):
    p = torch.tensor(runs, dtype=torch.float64)
    return torch.stack((p, 1 - p), -1)


def test_tit_for_tat_repeats_the_other():
    assert tit_for_tat(2).tolist() == [0, 0, 1, 0, 1]
    assert tit_for_tat(3).tolist() == [0, 0, 1, 2, 0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize(
    ("pair", "per_state", "all_states", "agents"),
    [
        ((TFT, TFT), 1.0, 1.0, 1.0),
        ((ALLD, ALLD), 0.2, 0.0, 0.0),  # DD only: in CD and DC one of the two should cooperate
        ((ALLC, ALLC), 0.4, 0.0, 0.0),  # start and CC
        ((TFT, ALLD), 0.4, 0.0, 0.5),  # DD, and the state in which the second should defect
        ((TFT, ALLC), 0.6, 0.0, 0.5),
    ],
)
def test_tft_rate(pair, per_state, all_states, agents):
    assert tuple(tft_rate(policies(pair))) == pytest.approx((per_state, all_states, agents))


def test_agents_are_compared_in_the_same_joint_state():
    """The first defects wrongly in DC, the second in CD: one joint state is lost, not two."""
    first, second = TFT.copy(), TFT.copy()
    first[3], second[2] = 0.0, 1.0
    assert tft_rate(policies((first, second))).per_state == pytest.approx(0.8)
    second = TFT.copy()
    second[3] = 0.0
    assert tft_rate(policies((first, second))).per_state == pytest.approx(0.6)


def test_rates_average_over_runs():
    found = tft_rate(policies((TFT, TFT), (ALLD, ALLD)))
    assert tuple(found) == pytest.approx((0.6, 0.5, 0.5))


def test_most_likely_means_more_than_half():
    weak = [0.6, 0.51, 0.49, 0.9, 0.4]
    assert tft_rate(policies((weak, weak))).all_states == 1.0


def test_nash_rate():
    half, edge, out = [0.5] * 5, [0.75, 0.25, 0.5, 0.5, 0.5], [0.8, 0.5, 0.5, 0.5, 0.5]
    assert tuple(nash_rate(policies((half, edge)))) == (1.0, 1.0, 1.0)
    found = nash_rate(policies((half, out)))
    assert tuple(found) == pytest.approx((0.8, 0.0, 0.5))
    assert nash_rate(policies((half, out)), tolerance=0.31).all_states == 1.0
    assert nash_rate(torch.full((3, 2, 10, 3), 1 / 3, dtype=torch.float64)).all_states == 1.0


def test_finds_tft():
    good = torch.tensor([[0.3, 0.3]])
    assert finds_tft(good, policies((TFT, TFT)), 1.33).tolist() == [True]
    assert finds_tft(good * 0.5, policies((TFT, TFT)), 1.33).tolist() == [False]
    for state in (2, 4):
        for player in (0, 1):
            soft = [TFT.copy(), TFT.copy()]
            soft[player][state] = 0.7
            assert finds_tft(good, policies(tuple(soft)), 1.33).tolist() == [False]
    forgiving = [1.0, 1.0, 0.64, 1.0, 0.64]
    assert finds_tft(good, policies((forgiving, forgiving)), 1.33).tolist() == [True]
