"""The learners of LOLA's tournament that learn while they play: NL-Q, JAL-Q, PHC and WoLF-PHC.

Papers  LOLA           Foerster et al. 2018, https://arxiv.org/abs/1709.04326, section 6.1, Figure 4
        NL-Q, JAL-Q    Claus & Boutilier 1998, "The dynamics of reinforcement learning in
                       cooperative multiagent systems"
        PHC, WoLF-PHC  Bowling & Veloso 2002, "Multiagent learning using a variable learning rate"
Source  https://github.com/alshedivat/lola, baselines.py (commit 0e8b13e), for the constants

    NL-Q   Q(s, a) ← Q(s, a) + α (r + γ max_a' Q(s', a') - Q(s, a))
    JAL-Q  Q(s, a, b) ← Q(s, a, b) + α (r + γ max_a' E(s', a') - Q(s, a, b)),
           E(s, a) = Σ_b freq(b | s) Q(s, a, b)
    PHC    Q as NL-Q;  π(s, a) ← π(s, a) - min(π(s, a), δ/(A - 1)) for a ≠ argmax Q(s, .),
           the rest to the argmax
    WoLF   PHC with δ = δ_w if Σ_a π Q > Σ_a π̄ Q, else δ_l = 2 δ_w;
           π̄ the average of π over the visits to s

NL-Q and JAL-Q act ε-greedily, PHC and WoLF-PHC draw from π.  α and δ fall as 1/(1/α₀ + n decay)
over all steps n.  What a learner shows to others (`policy`) is softmax(Q), softmax(E) or π, as in
the authors' code.

Shapes  L lanes (tables x runs), S states, A actions.  States, actions, rewards [L]; states own
        action first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from agents.sampling import sample_actions
from agents.shapes import check_shapes
from social_dilemmas_env.deprecation import moved_names


class Transition(NamedTuple):
    """One step of every lane, [L] each."""

    state: Tensor
    action: Tensor  # its own
    other_action: Tensor  # the other's
    reward: Tensor  # its own
    next_state: Tensor


class PlayingLearner(Protocol):
    """A learner that updates at every step."""

    def act(self, state: Tensor) -> Tensor:
        """States [L] -> actions [L]."""
        ...

    def learn(self, step: Transition) -> None:
        """One update of every lane."""
        ...

    def policy(self) -> Tensor:
        """What the others may see of it.  [L, S, A], probabilities."""
        ...


def falling(start: float, decay: float, step: int) -> float:
    """1/(1/start + step decay)."""
    return 1 / (1 / start + step * decay)


def explore(values: Tensor, epsilon: float, generator: torch.Generator) -> Tensor:
    """ε-greedy: the best action, or with probability ε any.  [L, A] -> [L]."""
    check_shapes("values: L A", values)
    lanes, num_actions = values.shape
    u = torch.rand(2, lanes, generator=generator, device=values.device, dtype=values.dtype)
    return torch.where(u[0] < epsilon, (u[1] * num_actions).long(), values.argmax(-1))


def sample(policy: Tensor, generator: torch.Generator) -> Tensor:
    """Draws from each row.  [L, A] -> [L]."""
    u = torch.rand(len(policy), generator=generator, device=policy.device, dtype=policy.dtype)
    return sample_actions(policy, u)


def hill_climb(policy: Tensor, best: Tensor, delta: Tensor) -> Tensor:
    """Moves up to δ/(A - 1) from every other action to the best one.

    Args:
        policy: [L, A], π.
        best: [L], argmax Q.
        delta: [L], δ.

    Returns:
        [L, A], probabilities again.
    """
    check_shapes("policy: L A, best: L, delta: L", policy, best, delta)
    best = best[:, None]
    take = torch.minimum(policy, delta[:, None] / (policy.shape[-1] - 1)).scatter(-1, best, 0.0)
    return (policy - take).scatter_add(-1, best, take.sum(-1, keepdim=True))


class Seats(NamedTuple):
    """Where a learner sits."""

    lanes: int  # L
    num_actions: int  # A
    gamma: float  # the game's discount
    generator: torch.Generator  # what the learner draws from
    device: torch.device | str = "cpu"

    @property
    def num_states(self) -> int:
        """S = A² + 1."""
        return self.num_actions**2 + 1

    def normal(self, *shape: int) -> Tensor:
        """N(0, 1) numbers [L, *shape]."""
        return torch.randn(
            self.lanes, *shape, dtype=torch.float64, device=self.device, generator=self.generator
        )

    def lane(self) -> Tensor:
        """0 .. L - 1, to index with."""
        return torch.arange(self.lanes, device=self.device)


class NlQ:
    """Independent Q-learning: the other is part of the environment."""

    def __init__(self, seats: Seats, cfg: QConfig | None = None) -> None:
        self.seats, self.cfg, self.updates = seats, cfg or QConfig(), 0
        self.lane = seats.lane()
        self.q = seats.normal(seats.num_states, seats.num_actions)

    def act(self, state: Tensor) -> Tensor:
        """ε-greedy on Q.  [L] -> [L]."""
        return explore(self.q[self.lane, state], self.cfg.epsilon, self.seats.generator)

    def learn(self, step: Transition) -> None:
        """Q(s, a) ← Q(s, a) + α (r + γ max_a' Q(s', a') - Q(s, a))."""
        alpha = falling(self.cfg.alpha, self.cfg.alpha_decay, self.updates)
        old = self.q[self.lane, step.state, step.action]
        target = step.reward + self.seats.gamma * self.q[self.lane, step.next_state].amax(-1)
        self.q[self.lane, step.state, step.action] = old + alpha * (target - old)
        self.updates += 1

    def policy(self) -> Tensor:
        """Softmax Q.  [L, S, A]."""
        return torch.softmax(self.q, -1)


class JalQ:
    """Joint-action Q-learning: values of pairs of actions, averaged over the other's past play."""

    def __init__(self, seats: Seats, cfg: QConfig | None = None) -> None:
        self.seats, self.cfg, self.updates = seats, cfg or QConfig(), 0
        self.lane = seats.lane()
        self.q = seats.normal(seats.num_states, seats.num_actions, seats.num_actions)
        self.counts = torch.ones_like(self.q[:, :, 0])

    def expected(self, state: Tensor) -> Tensor:
        """E(s, a) = Σ_b freq(b | s) Q(s, a, b).  [L] -> [L, A]."""
        counts = self.counts[self.lane, state]
        return (self.q[self.lane, state] @ counts[..., None])[..., 0] / counts.sum(-1, keepdim=True)

    def act(self, state: Tensor) -> Tensor:
        """ε-greedy on E.  [L] -> [L]."""
        return explore(self.expected(state), self.cfg.epsilon, self.seats.generator)

    def learn(self, step: Transition) -> None:
        """Q(s, a, b) ← Q(s, a, b) + α (r + γ max_a' E(s', a') - Q(s, a, b)).

        The other's action is counted first.
        """
        alpha = falling(self.cfg.alpha, self.cfg.alpha_decay, self.updates)
        self.counts[self.lane, step.state, step.other_action] += 1
        cell = (self.lane, step.state, step.action, step.other_action)
        old = self.q[cell]
        target = step.reward + self.seats.gamma * self.expected(step.next_state).amax(-1)
        self.q[cell] = old + alpha * (target - old)
        self.updates += 1

    def policy(self) -> Tensor:
        """Softmax E.  [L, S, A]."""
        counts = self.counts[..., None]
        return torch.softmax((self.q @ counts)[..., 0] / counts.sum(-2), -1)


class Phc:
    """Policy hill climbing, and with `cfg.wolf` the WoLF principle: learn fast when losing."""

    def __init__(self, seats: Seats, cfg: PhcConfig | None = None) -> None:
        self.seats, self.cfg, self.updates = seats, cfg or PhcConfig(), 0
        self.lane = seats.lane()
        self.values = NlQ(seats, QConfig(self.cfg.alpha, self.cfg.alpha_decay))
        self.pi = torch.full_like(self.values.q, 1 / seats.num_actions)
        self.average, self.visits = self.pi.clone(), torch.zeros_like(self.pi[..., 0])

    def act(self, state: Tensor) -> Tensor:
        """Draws from π.  [L] -> [L]."""
        return sample(self.pi[self.lane, state], self.seats.generator)

    def learn(self, step: Transition) -> None:
        """Q as NL-Q, π̄ towards π, then π uphill."""
        self.values.learn(step)

        at = (self.lane, step.state)
        q, pi = self.values.q[at], self.pi[at]
        delta = torch.full_like(
            q[:, 0], falling(self.cfg.delta, self.cfg.delta_decay, self.updates)
        )

        # Win or learn fast.
        if self.cfg.wolf:
            self.visits[at] += 1
            self.average[at] += (pi - self.average[at]) / self.visits[at][:, None]
            winning = ((pi - self.average[at]) * q).sum(-1) > 0
            delta = torch.where(winning, delta, self.cfg.lose_factor * delta)

        self.pi[at] = hill_climb(pi, q.argmax(-1), delta)
        self.updates += 1

    def policy(self) -> Tensor:
        """π.  [L, S, A]."""
        return self.pi


def wolf_phc(seats: Seats, cfg: PhcConfig | None = None) -> Phc:
    """WoLF-PHC with the authors' rates."""
    return Phc(seats, cfg or PhcConfig(delta=1e-2, delta_decay=5e-5, wolf=True))


@dataclass(frozen=True)
class QConfig:
    """NL-Q and JAL-Q."""

    alpha: float = 1e-2  # α₀; baselines.py:28-40
    alpha_decay: float = 1e-4  # of α; baselines.py
    epsilon: float = 0.05  # ε; baselines.py


@dataclass(frozen=True)
class PhcConfig:
    """PHC; WoLF-PHC through `wolf_phc`."""

    alpha: float = 1e-2  # α₀; baselines.py:140-156
    alpha_decay: float = 1e-4  # of α; baselines.py
    delta: float = 5e-5  # PHC's δ; baselines.py; WoLF-PHC's δ_w is 1e-2
    delta_decay: float = 1.0  # of δ; PHC, baselines.py; WoLF-PHC 5e-5
    wolf: bool = False  # the WoLF principle
    lose_factor: float = 2.0  # δ_l = 2 δ_w; baselines.py:204-223


__getattr__ = moved_names(__name__, {"Experience": "Transition"})
