"""RLlib: PPO in both seats and in one, on its own wrappers (examples/trainers/with_rllib.py)."""

import pytest

from tests.interop.trainers.learned import COOPERATES, DEFECTS, example

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script():
    found = example("rllib", "ray", "ray.rllib")
    found.start()
    yield found
    found.ray.shutdown()


def test_two_learners_defect_in_the_dilemma(script):
    assert script.both_seats() < DEFECTS


def test_one_learner_cooperates_with_tit_for_tat(script):
    assert script.against_tit_for_tat() > COOPERATES
