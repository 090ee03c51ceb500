"""Stable-Baselines3: one network in both seats defects; one learner cooperates with tit for tat.

pip install -r examples/trainers/requirements/sb3.txt -e .
python examples/trainers/with_sb3.py          # a minute
"""

from pinned import pinned

with pinned("sb3"):
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    import social_dilemmas_env.single_agent  # noqa: F401  the names that Gymnasium knows
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

SETTINGS = {"seed": 0, "device": "cpu"}
PPO_SETTINGS = {"n_steps": 50, "batch_size": 800, "learning_rate": 3e-3, "gamma": 0.96}


def mean_reward(model, env, steps=50):
    """A step and seat, with actions drawn from the policy."""
    observations, total = env.reset(), 0.0
    for _ in range(steps):
        actions, _ = model.predict(observations, deterministic=False)
        observations, rewards, *_ = env.step(actions)
        total += rewards.mean() / steps
    return total


def both_seats(kind=PPO, steps=60_000, **settings):
    """Mean reward a step, after one network has learned in both seats of the dilemma."""
    env = SB3VecEnv("ipd_v0", 32)  # a row for each player
    model = kind("MlpPolicy", env, **settings, **SETTINGS).learn(steps)
    return mean_reward(model, env)


def against_tit_for_tat(steps=60_000):
    """Mean reward a step, after PPO has learned against tit for tat."""
    env = make_vec_env("social_dilemmas/ipd-v0", 8, seed=0, env_kwargs={"opponent": "tit_for_tat"})
    model = PPO("MlpPolicy", env, **{**PPO_SETTINGS, "batch_size": 400}, **SETTINGS).learn(steps)
    return mean_reward(model, env)


def coin_taker(steps=256_000):
    """PPO in both seats of the Coin Game: observations [B, N, ...] -> actions [B, N]."""
    env = SB3VecEnv("coin_game_v0", 64)
    network = {"activation_fn": torch.nn.ReLU}
    how = {**PPO_SETTINGS, "batch_size": 1600, "learning_rate": 1e-3, "ent_coef": 0.01}
    model = PPO("MlpPolicy", env, policy_kwargs=network, **how, **SETTINGS).learn(steps)

    def act(observations):
        rows = observations.reshape(-1, *observations.shape[2:])
        return model.predict(rows, deterministic=False)[0].reshape(observations.shape[:2])

    return act


def main():
    """The two that take seconds."""
    torch.set_num_threads(1)
    print(f"both seats:          {both_seats(**PPO_SETTINGS):+.2f} a step (both defect: -2)")
    print(f"against tit for tat: {against_tit_for_tat():+.2f} a step (both cooperate: -1)")


if __name__ == "__main__":
    main()
