"""Single files in CleanRL's manner: rows of `make_vec_env`, `gymnasium.make_vec`, SuperSuit.

    pip install -r examples/trainers/requirements/cleanrl.txt -e .
    python examples/trainers/with_cleanrl.py      # half a minute

The file is actor_critic.py: it asks for `reset() -> rows` and `step(actions) -> rows, rewards,
terminated, truncated`, which is two reshapes of a batch.
"""

from pinned import pinned

with pinned("cleanrl"):
    import gymnasium
    import numpy as np
    import torch
    from actor_critic import Ppo, Settings

    import social_dilemmas_env as sde


class Rows:
    """A batch as rows, player by player within each game."""

    def __init__(self, env_id, games):
        self.batch = sde.make_vec_env(env_id, games)

    def reset(self):
        observations, _ = self.batch.reset(seed=0)
        return observations.reshape(-1, *observations.shape[2:])

    def step(self, actions):
        parts = self.batch.step(actions.reshape(self.batch.num_envs, -1))[:4]
        return tuple(x.reshape(-1, *x.shape[2:]) for x in parts)


def both_seats():
    """Mean rewards of each iteration, one network in all seats of 64 dilemmas."""
    rows = Rows("ipd_v0", 64)
    return Ppo((5,), 2).learn(rows.reset, rows.step)


def coin_taker():
    """The same in the Coin Game: observations [B, N, ...] -> actions [B, N]."""
    rows = Rows("coin_game_v0", 64)
    learner = Ppo((4, 3, 3), 4, Settings(iterations=60, lr=1e-3))
    learner.learn(rows.reset, rows.step)

    def act(observations):
        flat = observations.reshape(-1, *observations.shape[2:])
        return learner.act(flat).reshape(observations.shape[:2])

    return act


def against(opponent="tit_for_tat"):
    """Mean rewards of each iteration against a fixed player."""
    env = gymnasium.make_vec("social_dilemmas/ipd-v0", num_envs=64, opponent=opponent)
    learner = Ppo((5,), 2, Settings(iterations=40))
    return learner.learn(lambda: env.reset(seed=0)[0], lambda actions: env.step(actions)[:4])


def through_supersuit():
    """Mean rewards of each iteration on SuperSuit's vector environment of the parallel one."""
    import supersuit

    env = supersuit.pettingzoo_env_to_vec_env_v1(sde.make_env("ipd_v0"))
    env = supersuit.concat_vec_envs_v1(env, 16, num_cpus=0, base_class="gymnasium")
    return Ppo((5,), 2).learn(
        lambda: env.reset(seed=0)[0],
        lambda actions: tuple(map(np.asarray, env.step(actions)[:4])),
    )


def main():
    """Both seats, and one against tit for tat."""
    torch.set_num_threads(1)
    print(f"both seats:          {both_seats()[-1]:+.2f} a step (both defect: -2)")
    print(f"against tit for tat: {against()[-1]:+.2f} a step (both cooperate: -1)")


if __name__ == "__main__":
    main()
