"""OpenSpiel: its repeated games are ours, and its learners learn in ours."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.interop.trainers.learned import DEFECTS, library

pytestmark = pytest.mark.slow
TURNS = 50


@pytest.fixture(scope="module")
def spiel():
    return library("pyspiel")


def repeated(spiel, env_id):
    table = sde.payoffs(env_id)
    names = [str(action) for action in range(table.shape[0])]
    rows, columns = table[..., 0].tolist(), table[..., 1].tolist()
    stage = spiel.create_matrix_game(env_id, env_id, names, names, rows, columns)
    return spiel.create_repeated_game(stage, {"num_repetitions": TURNS})


@pytest.mark.parametrize("env_id", ["ipd_v0", "stag_hunt_v0", "chicken_v0", "imp_v0", "rps_v0"])
def test_returns_are_those_of_its_repeated_game(spiel, env_id):
    state, env = repeated(spiel, env_id).new_initial_state(), sde.make_env(env_id, max_cycles=TURNS)
    env.reset(seed=0)
    generator, total = np.random.default_rng(0), np.zeros(2)
    for _ in range(TURNS):
        actions = generator.integers(env.action_space("player_0").n, size=2).tolist()
        state.apply_actions(actions)
        _, rewards, *_ = env.step(dict(zip(env.possible_agents, actions, strict=True)))
        total += [rewards[agent] for agent in env.possible_agents]
    assert state.is_terminal()
    assert state.returns() == pytest.approx(total.tolist())


class Ours:
    """Our parallel environment as OpenSpiel's `rl_environment`."""

    def __init__(self, env_id):
        self.env = sde.make_env(env_id, max_cycles=TURNS)
        self.agents = self.env.possible_agents
        self.actions = list(range(int(self.env.action_space("player_0").n)))

    def time_step(self, observations, rewards, last=False):
        from open_spiel.python.rl_environment import StepType, TimeStep

        kind = StepType.LAST if last else StepType.MID
        seen = {
            "info_state": [observations[agent].ravel().tolist() for agent in self.agents],
            "legal_actions": [self.actions] * 2,
            "current_player": -2,
            "serialized_state": [],
        }
        return TimeStep(seen, rewards, [1.0, 1.0], StepType.FIRST if rewards is None else kind)

    def reset(self):
        return self.time_step(self.env.reset()[0], None)

    def step(self, actions):
        chosen = dict(zip(self.agents, map(int, actions), strict=True))
        observations, rewards, *_ = self.env.step(chosen)
        return self.time_step(observations, list(rewards.values()), not self.env.agents)


def test_two_tabular_q_learners_defect(spiel):
    from open_spiel.python.algorithms import tabular_qlearner

    np.random.seed(0)  # its learners draw from numpy's global state
    env = Ours("ipd_v0")
    learners = [tabular_qlearner.QLearner(i, 2, discount_factor=0.5) for i in range(2)]
    earned = []
    for _ in range(120):
        step, total = env.reset(), 0.0
        while not step.last():
            step = env.step([learner.step(step).action for learner in learners])
            total += sum(step.rewards) / 2
        for learner in learners:
            learner.step(step)
        earned.append(total / TURNS)
    assert np.mean(earned[-20:]) < DEFECTS + 0.1  # they go on exploring, at a fifth of the moves
