"""Seven players and one orchard: PPO learns to eat, then eats everything.

    pip install -c constraints.txt -e ".[sb3]"
    python examples/08_commons.py                # minutes; --updates N, --steps N

One network plays all seats of the Commons Harvest.  Random play earns 20 apples a head in 1,000
steps, because it leaves most of them to grow; all restrained earn 82, all greedy 10.
"""

import argparse

import torch
from stable_baselines3 import PPO

from social_dilemmas_env.adapters.sb3 import SB3VecEnv

GAMES, PLAYERS = 8, 7


def main(words: list[str] | None = None) -> list[float]:
    """Runs it; gives the apples a head of each update's episodes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--steps", type=int, default=1000, help="of an episode")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)

    # A row for each player of each game; an update is an episode of each.
    moves = GAMES * PLAYERS * arguments.steps
    env = SB3VecEnv("commons_harvest_v0", GAMES, flat=True, max_cycles=arguments.steps)
    model = PPO(
        "MlpPolicy", env, seed=0, device="cpu", n_steps=arguments.steps, batch_size=moves // 16,
        n_epochs=4, learning_rate=1e-3, gamma=0.99, ent_coef=0.01,
    )  # fmt: skip

    earned = []
    for update in range(arguments.updates):
        model.learn(moves, reset_num_timesteps=False)
        earned.append(float(model.rollout_buffer.rewards.sum()) / GAMES / PLAYERS)
        print(f"update {update + 1:3d}: {earned[-1]:5.1f} apples a head")
    return earned


if __name__ == "__main__":
    main()
