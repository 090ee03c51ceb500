"""OpenSpiel: its repeated games are ours, and its learners learn in ours
(examples/trainers/with_openspiel.py)."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.interop.trainers.learned import DEFECTS, example

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script():
    return example("openspiel", "pyspiel")


@pytest.mark.parametrize("env_id", ["ipd_v0", "stag_hunt_v0", "chicken_v0", "imp_v0", "rps_v0"])
def test_returns_are_those_of_its_repeated_game(script, env_id):
    state = script.repeated(env_id).new_initial_state()
    env = sde.make_env(env_id, max_cycles=script.TURNS)
    env.reset(seed=0)
    generator, total = np.random.default_rng(0), np.zeros(2)
    for _ in range(script.TURNS):
        actions = generator.integers(env.action_space("player_0").n, size=2).tolist()
        state.apply_actions(actions)
        _, rewards, *_ = env.step(dict(zip(env.possible_agents, actions, strict=True)))
        total += [rewards[agent] for agent in env.possible_agents]
    assert state.is_terminal()
    assert state.returns() == pytest.approx(total.tolist())


def test_two_tabular_q_learners_defect(script):
    earned = script.q_learners()
    assert np.mean(earned[-20:]) < DEFECTS + 0.1  # they go on exploring, at a fifth of the moves
