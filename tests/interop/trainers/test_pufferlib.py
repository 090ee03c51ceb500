"""PufferLib: its emulation of parallel environments (examples/trainers/with_pufferlib.py)."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.interop.trainers.learned import DEFECTS, example

pytestmark = pytest.mark.slow


def test_rewards_are_those_of_the_rules():
    env = example("pufferlib", "pufferlib", "torch").emulated("ipd_v0", 4)
    table, generator = sde.payoffs("ipd_v0"), np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(120):
        actions = generator.integers(2, size=(4, 2))
        _, rewards, terminated, *_ = env.step(actions.ravel())
        expected = table[actions[:, 0], actions[:, 1]]
        played = np.abs(np.asarray(rewards).reshape(4, 2)).sum(1) > 0  # a reset pays nothing
        assert np.allclose(np.asarray(rewards).reshape(4, 2)[played], expected[played])
        assert not np.asarray(terminated).any() or not played.all()


def test_a_learner_defects_in_the_dilemma():
    assert example("pufferlib", "pufferlib", "torch").both_seats()[-1] < DEFECTS
