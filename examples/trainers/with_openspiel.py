"""OpenSpiel: our payoffs as one of its repeated games, and its Q-learners in our environment.

pip install -r examples/trainers/requirements/openspiel.txt -e .
python examples/trainers/with_openspiel.py    # seconds
"""

from pinned import pinned

with pinned("openspiel"):
    import numpy as np
    import pyspiel
    from open_spiel.python.algorithms import tabular_qlearner
    from open_spiel.python.rl_environment import StepType, TimeStep

    import social_dilemmas_env as sde

TURNS = 50


def repeated(env_id):
    """One of our matrix games as a repeated game of OpenSpiel."""
    table = sde.payoffs(env_id)
    names = [str(action) for action in range(table.shape[0])]
    rows, columns = table[..., 0].tolist(), table[..., 1].tolist()
    stage = pyspiel.create_matrix_game(env_id, env_id, names, names, rows, columns)
    return pyspiel.create_repeated_game(stage, {"num_repetitions": TURNS})


class Ours:
    """Our parallel environment as OpenSpiel's `rl_environment`."""

    def __init__(self, env_id):
        self.env = sde.make_env(env_id, max_cycles=TURNS)
        self.agents = self.env.possible_agents
        self.actions = list(range(int(self.env.action_space("player_0").n)))

    def time_step(self, observations, rewards, last=False):
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


def q_learners(episodes=120):
    """Mean reward a step in each episode of two tabular Q-learners."""
    np.random.seed(0)  # its learners draw from numpy's global state
    env = Ours("ipd_v0")
    learners = [tabular_qlearner.QLearner(i, 2, discount_factor=0.5) for i in range(2)]
    earned = []
    for _ in range(episodes):
        step, total = env.reset(), 0.0
        while not step.last():
            step = env.step([learner.step(step).action for learner in learners])
            total += sum(step.rewards) / 2
        for learner in learners:
            learner.step(step)
        earned.append(total / TURNS)
    return earned


def main():
    """The Q-learners."""
    earned = q_learners()
    print(f"two Q-learners: {earned[0]:+.2f} a step at first, {np.mean(earned[-20:]):+.2f} at last")


if __name__ == "__main__":
    main()
