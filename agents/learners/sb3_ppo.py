"""Independent PPO through Stable-Baselines3: the baseline that learns to defect.

    python -m agents.learners.sb3_ppo coin_game_v0 runs/ppo --steps 300000 --seed 0

One policy plays all seats, each as if the others were part of the world; in the Coin Game it learns
to take every coin. The result is an ordinary checkpoint: `load_agent`, `social-dilemmas play` and
`league` take it, without Stable-Baselines3.

Paper   Schulman et al. 2017, https://arxiv.org/abs/1707.06347
Code    https://github.com/DLR-RM/stable-baselines3
"""

import argparse
import shlex
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents import checkpoint
from agents.checkpoint import Checkpoint, check_tensors
from agents.evaluation.agent import Agent
from agents.evaluation.scoring import score_agent
from agents.execution.device import device_name
from agents.execution.games import spaces
from agents.learners.bundling import spec_without_loop
from agents.nn.networks import ActorCritic, Mlp


@dataclass(frozen=True)
class PpoConfig:
    """Stable-Baselines3's defaults but for the sizes of a batch, ReLU, and an entropy bonus."""

    steps: int = 300_000  # of one player, in all; ours
    num_envs: int = 64  # games side by side; ours
    horizon: int = 50  # steps of each before an update, and the length of an episode; ours
    hidden: int = 64  # units of both hidden layers; Stable-Baselines3's
    lr: float = 3e-4  # Adam's; Stable-Baselines3's
    gamma: float = 0.96  # γ; the Coin Game's, in all papers
    entropy: float = 0.01  # weight of the entropy bonus; ours


def learn(cfg: PpoConfig, env_id: str, game: dict[str, Any], seed: int) -> Any:
    """The trained `stable_baselines3.PPO`."""
    # Inside: a trained agent is loaded without Stable-Baselines3.
    from stable_baselines3 import PPO

    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    venv = SB3VecEnv(env_id, num_envs=cfg.num_envs, seed=seed, **game)
    policy = {"activation_fn": torch.nn.ReLU, "net_arch": [cfg.hidden, cfg.hidden]}
    model = PPO(
        "MlpPolicy",
        venv,
        n_steps=cfg.horizon,
        batch_size=1600,
        learning_rate=cfg.lr,
        gamma=cfg.gamma,
        ent_coef=cfg.entropy,
        policy_kwargs=policy,
        seed=seed,
        device="cpu",
        verbose=0,
    )
    return model.learn(cfg.steps)


def actor_weights(model: Any) -> Tensor:
    """The policy's weights in the layout of `networks.Mlp`.  [1, P]."""
    weights = model.policy.state_dict()
    layers = ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net")
    parts = [
        part for name in layers for part in (weights[f"{name}.weight"].T, weights[f"{name}.bias"])
    ]
    return torch.cat([part.flatten() for part in parts])[None]


def restore_agent(saved: Checkpoint, device: str, seed: int) -> Agent:
    """The agent of a checkpoint."""
    facts = saved.facts
    table, actions = spaces(facts["env_id"], facts["game"], device)
    net = Mlp(table, actions, (facts["settings"]["hidden"],) * 2)
    both = ActorCritic(net, net)  # the second stands for a critic, and is never asked
    check_tensors(saved.tensors, {"actor": torch.empty(1, both.actor_size)}, saved.path)
    return Agent(both, saved.tensors["actor"].repeat(1, 2).to(device), facts, seed)


def train_ppo(env_id: str, out: str | Path, cfg: PpoConfig, seed: int = 0, **game: Any) -> Path:
    """Trains and saves a checkpoint; returns the run folder."""
    start = time.process_time()
    actor = actor_weights(learn(cfg, env_id, game, seed))
    seconds = round(time.process_time() - start, 1)

    words = ["python", "-m", "agents.learners.sb3_ppo", env_id, str(out)]
    facts: dict[str, Any] = {
        "command": shlex.join([*words, "--steps", str(cfg.steps), "--seed", str(seed)]),
        "learner": "sb3_ppo",
        "env_id": env_id,
        "game": game,
        "settings": asdict(cfg),
        "seed": seed,
        "device": device_name("cpu"),
        "seconds": seconds,
        "iterations": cfg.steps,
    }
    trained = restore_agent(Checkpoint(Path(out), cfg.steps, facts, {"actor": actor}), "cpu", seed)
    facts["scores"] = score_agent(trained, episodes=256, seed=seed)
    checkpoint.save(Path(out) / "checkpoints", cfg.steps, {"actor": actor}, facts)
    return Path(out)


SB3_PPO = spec_without_loop(
    "sb3_ppo",
    "independent PPO (Stable-Baselines3)",
    PpoConfig,
    restore_agent,
    "has a loop of its own: python -m agents.learners.sb3_ppo --help",
)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument("out", help="run folder")
    parser.add_argument("--steps", type=int, default=PpoConfig.steps, help="of one player, in all")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    print(train_ppo(arguments.env, arguments.out, PpoConfig(steps=arguments.steps), arguments.seed))


if __name__ == "__main__":
    main()
