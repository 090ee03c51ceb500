"""TorchRL: its multi-agent PPO tutorial on our batch (examples/trainers/with_torchrl.py)."""

import pytest

from tests.interop.trainers.learned import DEFECTS, example

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["MAPPO", "IPPO"])
def test_ppo_defects_in_the_dilemma(name):
    script = example("torchrl", "torchrl")
    means = script.mean_rewards(script.TorchRLEnv("ipd_v0", 64, seed=0), **script.KINDS[name])
    assert means[0] > -1.65
    assert means[-1] < DEFECTS
