"""skrl: PPO on dicts of tensors (examples/trainers/with_skrl.py)."""

import pytest

from tests.interop.trainers.learned import DEFECTS, example

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["IPPO", "MAPPO"])
def test_ppo_defects_in_the_dilemma(name, tmp_path):
    rewards = example("skrl", "skrl").mean_rewards(name, tmp_path)
    assert sum(rewards[:50]) / 50 > -1.65
    assert sum(rewards[-50:]) / 50 < DEFECTS
