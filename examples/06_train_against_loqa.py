"""PPO against a trained LOQA agent in the Coin Game: the thief is taught to share.

    pip install -c constraints.txt -e ".[agents,sb3]"
    python examples/06_train_against_loqa.py      # minutes; --steps N, --opponent NAME

PPO knows nothing of its opponent.  Against itself it learns to take every coin; LOQA's agent
answers thefts, so that taking only one's own coins pays.
"""

import argparse

import numpy as np
import torch
from stable_baselines3 import PPO

from social_dilemmas_env.adapters.sb3 import SB3VecEnv

GAMES, HORIZON = 64, 50
SETTINGS = {"n_steps": HORIZON, "batch_size": 1600, "learning_rate": 1e-3, "gamma": 0.96}


def coins(model: PPO, env: SB3VecEnv) -> tuple[float, float]:
    """Over one episode a game: mean reward a step, and the share of own coins among those taken."""
    observations, rewards, own, all_coins = env.reset(), [], 0.0, 0.0
    for _ in range(HORIZON):
        actions, _ = model.predict(observations, deterministic=False)
        observations, reward, _, infos = env.step(actions)
        rewards.append(reward.mean())
    for info in infos:  # of the last step: what each episode came to
        own += info["metrics"]["own_coins"]
        all_coins += info["metrics"]["own_coins"] + info["metrics"]["stolen_coins"]
    return float(np.mean(rewards)), own / max(all_coins, 1)


def main(words: list[str] | None = None) -> tuple[float, float]:
    """Runs it; gives mean reward and share of own coins at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=400_000)
    parser.add_argument("--opponent", default="bundled:loqa_3x3")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)

    env = SB3VecEnv("coin_game_v0", GAMES, opponent=arguments.opponent, info_metrics=True)
    model = PPO(
        "MlpPolicy", env, seed=0, device="cpu", ent_coef=0.01,
        policy_kwargs={"activation_fn": torch.nn.ReLU}, **SETTINGS,
    )  # fmt: skip
    for part in range(5):
        reward, share = coins(model, env)
        print(
            f"{part * arguments.steps // 4:8d} steps: {reward:+.3f} a step, {share:.0%} own coins"
        )
        if part < 4:
            model.learn(arguments.steps // 4, reset_num_timesteps=False)
    return reward, share


if __name__ == "__main__":
    main()
