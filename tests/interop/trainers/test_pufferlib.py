"""PufferLib: its emulation of PettingZoo's parallel environments plays our games."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.interop.trainers.learned import DEFECTS, library

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def _library():
    library("pufferlib")


def emulated(env_id, games):
    import pufferlib.emulation
    import pufferlib.vector

    def make(buf=None, seed=0, **_):
        creator = lambda: sde.make_env(env_id)  # noqa: E731
        return pufferlib.emulation.PettingZooPufferEnv(env_creator=creator, buf=buf, seed=seed)

    return pufferlib.vector.make(make, num_envs=games, backend=pufferlib.vector.Serial, seed=0)


def test_rewards_are_those_of_the_rules():
    env, table = emulated("ipd_v0", 4), sde.payoffs("ipd_v0")
    env.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(120):
        actions = generator.integers(2, size=(4, 2))
        _, rewards, terminated, *_ = env.step(actions.ravel())
        expected = table[actions[:, 0], actions[:, 1]]
        played = np.abs(np.asarray(rewards).reshape(4, 2)).sum(1) > 0  # a reset pays nothing
        assert np.allclose(np.asarray(rewards).reshape(4, 2)[played], expected[played])
        assert not np.asarray(terminated).any() or not played.all()


def test_a_learner_defects_in_the_dilemma():
    pytest.importorskip("torch")
    from tests.interop.trainers.actor_critic import Ppo

    env = emulated("ipd_v0", 16)
    learner = Ppo((5,), 2)
    means = learner.learn(
        lambda: np.array(env.reset(seed=0)[0]),
        lambda actions: tuple(np.array(part) for part in env.step(actions)[:4]),
    )
    assert means[-1] < DEFECTS
