"""Tianshou: DQN in both seats and in one (examples/trainers/with_tianshou.py)."""

import pytest

from tests.interop.trainers.learned import COOPERATES, DEFECTS, example

pytestmark = pytest.mark.slow


def test_two_dqns_defect_in_the_dilemma():
    assert example("tianshou", "tianshou").both_seats() < DEFECTS


def test_one_dqn_cooperates_with_tit_for_tat():
    assert example("tianshou", "tianshou").against_tit_for_tat() > COOPERATES
