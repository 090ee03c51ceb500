"""PPO in the shape of CleanRL's single files, for the scripts beside it.

It asks for a vector environment of rows: `reset() -> observations [M, ...]` and
`step(actions [M]) -> observations, rewards, terminated, truncated`, each [M].
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical


@dataclass(frozen=True)
class Settings:
    """Of one training."""

    iterations: int = 25
    steps: int = 50
    gamma: float = 0.96
    lam: float = 0.95
    lr: float = 3e-3
    epochs: int = 4
    minibatches: int = 4
    clip: float = 0.2
    entropy: float = 0.01


class Ppo:
    """One network for all rows."""

    def __init__(self, shape, num_actions, settings=None):
        torch.manual_seed(0)
        self.settings = settings or Settings()
        size = int(np.prod(shape))
        self.actor, self.critic = network(size, num_actions), network(size, 1)
        parameters = [*self.actor.parameters(), *self.critic.parameters()]
        self.optimiser = torch.optim.Adam(parameters, self.settings.lr)

    def learn(self, reset, step):
        """Mean reward of each iteration."""
        seen, means = tensor(reset()), []
        for _ in range(self.settings.iterations):
            batch, seen = self.play(seen, step)
            means.append(batch["rewards"].mean().item())
            self.improve(batch, self.critic(seen).detach()[:, 0])
        return means

    @torch.no_grad()
    def play(self, seen, step):
        """One roll-out; time first."""
        rows = {name: [] for name in ("seen", "actions", "logp", "values", "rewards", "done")}
        for _ in range(self.settings.steps):
            policy = Categorical(logits=self.actor(seen))
            actions = policy.sample()
            following, rewards, terminated, truncated = step(actions.numpy())
            done = tensor(np.asarray(terminated) | np.asarray(truncated))
            kept = (seen, actions, policy.log_prob(actions), self.critic(seen)[:, 0])
            for name, x in zip(rows, (*kept, tensor(rewards), done), strict=True):
                rows[name].append(x)
            seen = tensor(following)
        return {name: torch.stack(x) for name, x in rows.items()}, seen

    def improve(self, batch, last):
        """Epochs of minibatches on the clipped objective."""
        how = self.settings
        advantages = self.advantages(batch, last)
        returns = advantages + batch["values"]
        flat = [batch["seen"], batch["actions"], batch["logp"], advantages, returns]
        seen, actions, logp, advantages, returns = (x.flatten(0, 1) for x in flat)

        for _ in range(how.epochs):
            for i in torch.randperm(len(actions)).split(len(actions) // how.minibatches):
                policy = Categorical(logits=self.actor(seen[i]))
                ratio = (policy.log_prob(actions[i]) - logp[i]).exp()
                gain = (advantages[i] - advantages[i].mean()) / (advantages[i].std() + 1e-8)
                clipped = ratio.clamp(1 - how.clip, 1 + how.clip)
                loss = -torch.min(gain * ratio, gain * clipped).mean()
                loss = loss - how.entropy * policy.entropy().mean()
                loss = loss + 0.5 * (self.critic(seen[i])[:, 0] - returns[i]).square().mean()
                self.optimiser.zero_grad()
                loss.backward()
                self.optimiser.step()

    def advantages(self, batch, last):
        """Generalised, across the ends of episodes."""
        how, following, running, found = self.settings, last, 0.0, []
        for t in reversed(range(how.steps)):
            goes_on = 1 - batch["done"][t]
            error = batch["rewards"][t] + how.gamma * goes_on * following - batch["values"][t]
            running = error + how.gamma * how.lam * goes_on * running
            found.append(running)
            following = batch["values"][t]
        return torch.stack(found[::-1])

    @torch.no_grad()
    def act(self, rows):
        """Actions drawn from the policy."""
        return Categorical(logits=self.actor(tensor(rows))).sample().numpy()


def network(size, outputs):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(size, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(),
        nn.Linear(64, outputs),
    )  # fmt: skip


def tensor(x):
    return torch.as_tensor(np.asarray(x)).float()
