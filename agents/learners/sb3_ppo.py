"""Independent PPO through Stable-Baselines3: the baseline that learns to defect.

    python -m agents.learners.sb3_ppo coin_game_v0 runs/ppo --steps 300000 --seed 0

One policy plays all seats, each as if the others were part of the world; in the Coin Game it learns
to take every coin. The result is an ordinary checkpoint: `load_agent`, `social-dilemmas play` and
`league` take it, without Stable-Baselines3.

Paper   Schulman et al. 2017, https://arxiv.org/abs/1707.06347;  https://github.com/DLR-RM/stable-baselines3
"""

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents import checkpoint
from agents.checkpoint import Checkpoint, check_tensors
from agents.evaluation.agent import Agent
from agents.execution.games import spaces
from agents.learners.protocol import LearnerSpec
from agents.nn.networks import ActorCritic, Mlp


@dataclass(frozen=True)
class PpoConfig:
    """Stable-Baselines3's defaults but for the sizes of a batch, ReLU, and an entropy bonus.

    Attributes:
        steps: of one player, in all.
        num_envs: games side by side.
        horizon: steps of each before an update; the length of an episode.
        hidden: units of both hidden layers.
        lr: Adam's.
        gamma: γ.
        entropy: weight of the entropy bonus.
    """

    steps: int = 300_000
    num_envs: int = 64
    horizon: int = 50
    hidden: int = 64
    lr: float = 3e-4
    gamma: float = 0.96
    entropy: float = 0.01


def learn(cfg: PpoConfig, env_id: str, game: dict[str, Any], seed: int) -> Any:
    """The trained `stable_baselines3.PPO`."""
    from stable_baselines3 import PPO

    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    venv = SB3VecEnv(env_id, num_envs=cfg.num_envs, seed=seed, **game)
    policy = {"activation_fn": torch.nn.ReLU, "net_arch": [cfg.hidden, cfg.hidden]}
    model = PPO("MlpPolicy", venv, n_steps=cfg.horizon, batch_size=1600, learning_rate=cfg.lr, gamma=cfg.gamma,
                ent_coef=cfg.entropy, policy_kwargs=policy, seed=seed, device="cpu", verbose=0)  # fmt: skip
    return model.learn(cfg.steps)


def actor_of(model: Any) -> Tensor:
    """The policy's weights in the layout of `networks.Mlp`.  [1, P]."""
    weights = model.policy.state_dict()
    layers = ("mlp_extractor.policy_net.0", "mlp_extractor.policy_net.2", "action_net")
    parts = [
        part for name in layers for part in (weights[f"{name}.weight"].T, weights[f"{name}.bias"])
    ]
    return torch.cat([part.flatten() for part in parts])[None]


def agent(saved: Checkpoint, device: str, seed: int) -> Agent:
    """The agent of a checkpoint."""
    facts = saved.facts
    table, actions = spaces(facts["env_id"], facts["game"], device)
    net = Mlp(table, actions, (facts["settings"]["hidden"],) * 2)
    both = ActorCritic(
        net, net
    )  # the second stands where learners keep a critic, and is never asked
    check_tensors(saved.tensors, {"actor": torch.empty(1, both.actor_size)}, saved.path)
    return Agent(both, saved.tensors["actor"].repeat(1, 2).to(device), facts, seed)


def train_ppo(env_id: str, out: str | Path, cfg: PpoConfig, seed: int = 0, **game: Any) -> Path:
    """Trains and saves a checkpoint; returns the run folder."""
    from agents.evaluation.scores import scores
    from agents.training.loop import device_name

    start = time.process_time()
    actor = actor_of(learn(cfg, env_id, game, seed))
    facts: dict[str, Any] = {
        "learner": "sb3_ppo",
        "env_id": env_id,
        "game": game,
        "settings": asdict(cfg),
        "seed": seed,
    }
    seconds = round(time.process_time() - start, 1)
    facts |= {"device": device_name("cpu"), "seconds": seconds, "iterations": cfg.steps}
    trained = agent(Checkpoint(Path(out), cfg.steps, facts, {"actor": actor}), "cpu", seed)
    facts["scores"] = scores(trained, episodes=256, seed=seed)
    checkpoint.save(Path(out) / "checkpoints", cfg.steps, {"actor": actor}, facts)
    return Path(out)


def _no_loop(*_: Any) -> Any:
    raise ValueError("sb3_ppo has a loop of its own: python -m agents.learners.sb3_ppo --help")


SB3_PPO = LearnerSpec(
    "sb3_ppo", "independent PPO (Stable-Baselines3)", lambda env_id: PpoConfig(), _no_loop, agent
)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("env")
    parser.add_argument("out")
    parser.add_argument("--steps", type=int, default=PpoConfig.steps)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(train_ppo(arguments.env, arguments.out, PpoConfig(steps=arguments.steps), arguments.seed))


if __name__ == "__main__":
    main()
