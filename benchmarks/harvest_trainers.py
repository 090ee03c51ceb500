"""Others' PPO on the commons, through our adapters: one network in all seats, `harvest_learning`.

Settings are those of our own learner, as far as a library has them: 8 games of 1,000 steps an
update, 4 passes in minibatches of 3,500 moves, Adam 1e-3, γ .99, λ .95, clipping .2, entropy .01,
two layers of 64 units (tanh, these libraries' default; ours are ReLU).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from agents.learners.ippo.playing import planes
from social_dilemmas_env.rng import draw

LR, GAMMA, DECAY, CLIP, ENTROPY, EPOCHS, MINIBATCHES = 1e-3, 0.99, 0.95, 0.2, 0.01, 4, 16
Act = Callable[[torch.Tensor], Any]  # planes [B, F] -> actions [B]


class Seat:
    """A trained network in a seat, which is shown class ids; it draws from torch's generator.

    Args:
        act: the network.
        classes: how many there are.
    """

    def __init__(self, act: Act, classes: int) -> None:
        self._act, self._classes = act, classes

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes in all games."""
        if seed is not None:
            torch.manual_seed(seed)

    @torch.no_grad()
    def act(self, ids: np.ndarray) -> np.ndarray:
        """[B, 11, 11] -> [B]."""
        return np.asarray(self._act(planes(torch.from_numpy(ids).flatten(1), self._classes)))


def stable_baselines(env_id: str, games: int, steps: int, seed: int) -> Iterator[Act]:
    """The policy after each update of Stable-Baselines3's PPO, without end."""
    # Inside: an optional library, here and below.
    from stable_baselines3 import PPO

    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    rows = SB3VecEnv(env_id, games, flat=True, max_cycles=steps)
    moves = rows.num_envs * steps
    how: dict[str, Any] = {"batch_size": -(-moves // MINIBATCHES), "n_epochs": EPOCHS}
    how |= {"gamma": GAMMA, "gae_lambda": DECAY, "clip_range": CLIP, "ent_coef": ENTROPY}
    how |= {"learning_rate": LR, "n_steps": steps, "seed": seed % (1 << 32), "device": "cpu"}
    model = PPO("MlpPolicy", rows, **how)

    def act(seen: torch.Tensor) -> Any:
        return model.predict(seen.numpy(), deterministic=False)[0]

    while True:
        model.learn(moves, reset_num_timesteps=False)
        yield act


def torchrl_ppo(env_id: str, games: int, steps: int, seed: int) -> Iterator[Act]:
    """The policy after each update of PPO as TorchRL's tutorial of many agents writes it."""
    from torchrl.envs.utils import ExplorationType, set_exploration_type

    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    torch.manual_seed(seed)
    env = TorchRLEnv(env_id, games, seed=draw(seed, 1), flat=True, max_cycles=steps)
    policy, loss = torchrl_parts(env)
    optimiser = torch.optim.Adam(loss.parameters(), LR)
    logits = policy.module[0].module

    def act(seen: torch.Tensor) -> Any:
        # Networks of all seats are one: a game of players who see the same.
        players = len(env.group_map["player"])
        each = logits(seen[:, None].expand(-1, players, -1))[:, 0]
        return torch.distributions.Categorical(logits=each).sample()

    while True:
        with torch.no_grad(), set_exploration_type(ExplorationType.RANDOM):
            batch = env.rollout(steps, policy, break_when_any_done=False)
        learn(batch, loss, optimiser)
        yield act


def torchrl_parts(env: Any) -> tuple[Any, Any]:
    """A policy that all players share, and the clipped loss of it and of a critic."""
    from tensordict.nn import TensorDictModule
    from torch import nn
    from torchrl.modules import MultiAgentMLP, ProbabilisticActor
    from torchrl.objectives import ClipPPOLoss, ValueEstimators

    size = env.observation_spec["player", "observation"].shape[-1]
    players, actions = len(env.group_map["player"]), env.full_action_spec[env.action_key].space.n
    how: dict[str, Any] = {"depth": 2, "num_cells": 64, "activation_class": nn.Tanh}
    how |= {"centralised": False, "share_params": True}
    nets = [MultiAgentMLP(size, outputs, players, **how) for outputs in (actions, 1)]

    # Where things are, by name.
    seen, logits, value = ([("player", name)] for name in ("observation", "logits", "state_value"))
    policy = ProbabilisticActor(
        TensorDictModule(nets[0], seen, logits),
        in_keys=logits,
        out_keys=[env.action_key],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
        log_prob_key=("player", "logp"),
    )
    critic = TensorDictModule(nets[1], seen, value)
    loss = ClipPPOLoss(policy, critic, clip_epsilon=CLIP, entropy_coeff=ENTROPY)
    keys = {name: ("player", name) for name in ("done", "terminated")}
    keys |= {"reward": env.reward_key, "action": env.action_key, "value": value[0]}
    loss.set_keys(sample_log_prob=("player", "logp"), **keys)
    loss.make_value_estimator(ValueEstimators.GAE, gamma=GAMMA, lmbda=DECAY)
    return policy, loss


def learn(batch: Any, loss: Any, optimiser: torch.optim.Optimizer) -> None:
    """All steps on one roll-out [B, T]."""
    rewards = batch["next", "player", "reward"]
    for key in ("done", "terminated"):  # one a player
        batch["next", "player", key] = batch["next", key].unsqueeze(-1).expand(rewards.shape)
    with torch.no_grad():
        params = {"params": loss.critic_network_params}
        loss.value_estimator(batch, target_params=loss.target_critic_network_params, **params)

    flat = batch.reshape(-1)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(flat)).tensor_split(MINIBATCHES):
            parts = loss(flat[chosen])
            names = ("loss_objective", "loss_critic", "loss_entropy")
            optimiser.zero_grad()
            sum(parts[name].sum() for name in names).backward()
            torch.nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
            optimiser.step()


TRAINERS = {"Stable-Baselines3's PPO": stable_baselines, "TorchRL's PPO": torchrl_ppo}
