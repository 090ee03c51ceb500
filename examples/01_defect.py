"""Two PPO learners in the prisoner's dilemma learn to defect.

    pip install -c constraints.txt -e ".[sb3,benchmarks]"
    python examples/01_defect.py                  # half a minute; --out FOLDER, --steps N

Each of two networks learns against the other as it is now: the learners take turns, each sees the
other as a part of its environment.  Mutual cooperation pays -1 a step, mutual defection -2; they
end near -2.
"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from stable_baselines3 import PPO

from social_dilemmas_env.adapters.sb3 import SB3VecEnv

HORIZON = 50  # steps of an episode
SETTINGS = {"n_steps": HORIZON, "batch_size": 800, "learning_rate": 3e-3, "gamma": 0.96}


def learn(steps: int, rounds: int = 20, seed: int = 0) -> list[tuple[float, float]]:
    """Trains both; mean reward a step of each after every round, against the other.

    Args:
        steps: that each learner plays in all.
        rounds: how often they take turns.
        seed: fixes everything.
    """
    envs = [SB3VecEnv("ipd_v0", 32, opponent="random", player=seat) for seat in (0, 1)]
    learners = [
        PPO("MlpPolicy", env, seed=seed + seat, device="cpu", **SETTINGS)
        for seat, env in enumerate(envs)
    ]

    curve = []
    for _ in range(rounds):
        for seat, learner in enumerate(learners):
            envs[seat].env_method("set_opponent", learners[1 - seat])
            learner.learn(steps // rounds, reset_num_timesteps=False)
        curve.append((score(learners[0], envs[0]), score(learners[1], envs[1])))
    return curve


def score(model: PPO, env: SB3VecEnv) -> float:
    """Mean reward a step over one episode in each game, actions drawn from the policy."""
    observations, rewards = env.reset(), []
    for _ in range(HORIZON):
        actions, _ = model.predict(observations, deterministic=False)
        observations, reward, _, _ = env.step(actions)
        rewards.append(reward.mean())
    return float(np.mean(rewards))


def draw(curve: list[tuple[float, float]], path: Path) -> None:
    """The learning curves, with what mutual cooperation and mutual defection pay."""
    figure, axes = plt.subplots(figsize=(6, 3.5))
    for seat in (0, 1):
        axes.plot([means[seat] for means in curve], label=f"PPO, player {seat}")
    axes.axhline(-1, color="grey", linestyle=":", label="both cooperate")
    axes.axhline(-2, color="grey", linestyle="--", label="both defect")
    axes.set(xlabel="round", ylabel="mean reward a step", ylim=(-3.05, 0.05))
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, bbox_inches="tight")


def main(words: list[str] | None = None) -> list[tuple[float, float]]:
    """Runs it; gives the curve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=64_000, help="of each learner")
    parser.add_argument("--out", type=Path, default=Path("runs/examples"))
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)

    curve = learn(arguments.steps, rounds=min(20, max(arguments.steps // 1600, 1)))
    draw(curve, arguments.out / "01_defect.png")
    print(f"at first {np.mean(curve[0]):+.2f} a step, in the end {np.mean(curve[-1]):+.2f}")
    return curve


if __name__ == "__main__":
    main()
