"""Naive learning from samples: REINFORCE with a critic, each player as if the others stood still
(NL-PG).

Paper   Foerster et al. 2018, LOLA, sections 4.1 and 4.3, https://arxiv.org/abs/1709.04326
Source  https://github.com/alshedivat/lola, train_pg.py and corrections.py (commit 0e8b13e), where
NL-PG itself crashes

    Gₜ = rₜ + γ Gₜ₊₁,      G_T = V(s_T)                                               (target)
    ∇_j V_i ≈ mean over games of Σₜ γᵗ (Gᵢ,ₜ - V_i(sₜ)) ∇_j log π_j(aⱼ,ₜ | sₜ)         (policy gradient)
    V_i ← V_i - δ_v ∇ mean over games and steps of (Gᵢ,ₜ - V_i(sₜ))² / 2               (critic)

The policy gradient is written for any pair (i, j): i = j is the naive learner's; i ≠ j is what LOLA
multiplies its shaping term with. In a table, Σₜ wₜ log π(aₜ | sₜ) = Σ_k W(k) log π(k) with W the
weights summed over the visits to each pair k of state and joint action, so trajectories are passed
over once and never differentiated.

Shapes  R runs, B games, T steps, N = 2 players, S states, K = S A² pairs, D parameters a player. θ
[R, N, D];
        trajectories time first, states [T + 1, R, B] in player 0's words (sampled_game.py); V [R,
        N, S] likewise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agents.matrix_games.differentiable import grad
from agents.matrix_games.sampled import SampledGame, pairs, weighted_visits


def advantages(rewards: Tensor, critic: Tensor, states: Tensor, gamma: float) -> Tensor:
    """Gₜ - V(sₜ) with G_T = V(s_T).  [T, N, R, B], [R, N, S], [T + 1, R, B] -> [T, N, R, B]."""
    table = critic.movedim(1, 0)  # [N, R, S]
    target = table.gather(-1, states[-1].expand(len(table), -1, -1))
    result = torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        target = rewards[t] + gamma * target
        torch.sub(target, table.gather(-1, states[t].expand(len(table), -1, -1)), out=result[t])
    return result


def gradient_weights(advantage: Tensor, index: Tensor, gamma: float, size: int) -> Tensor:
    """W_i(k) = mean over games of Σₜ γᵗ (Gᵢ,ₜ - V_i(sₜ)) [k = kₜ].

    [T, N, R, B], [T, R, B] -> [N, R, K].
    """
    discount = gamma ** torch.arange(len(advantage), dtype=advantage.dtype, device=advantage.device)
    weighted = advantage * discount[:, None, None, None]
    return (
        torch.stack([weighted_visits(index, each, size) for each in weighted.unbind(1)])
        / index.shape[-1]
    )


def gradient_matrix(weights: Tensor, joint_log_policy: Tensor, theta: Tensor) -> Tensor:
    """∇_j V_i = ∇_j Σ_k W_i(k) log π(k) for all pairs.

    [N, R, K], [R, K], θ [R, N, D] -> [N (i), R, N (j), D].
    """
    return torch.stack([grad(joint_log_policy, theta, each, keep=False) for each in weights])


def critic_step(critic: Tensor, states: Tensor, advantage: Tensor, lr: float) -> Tensor:
    """One step of the critic's regression on the targets.

    [R, N, S], [T + 1, R, B], [T, N, R, B] -> [R, N, S].
    """
    visited, size = states[:-1], critic.shape[-1]
    slope = torch.stack([weighted_visits(visited, each, size) for each in advantage.unbind(1)], 1)
    return critic + lr * slope / (len(visited) * visited.shape[-1])


class Critic:
    """V_n(s) of both players in every run, learned along with the policies.

    Values [R, N, S], N(0, 1) at the start.
    """

    def __init__(self, cfg: NaivePgConfig) -> None:
        self.cfg = cfg
        self.values: Tensor | None = None

    def watch(self, game: SampledGame, states: Tensor) -> Tensor:
        """Advantages of a batch of play under the current critic, which then learns from it.  ->
        [T, N, R, B].
        """
        if self.values is None:
            draws = torch.Generator().manual_seed(self.cfg.critic_seed)
            shape = (states.shape[1], game.num_players, game.game.num_states)
            self.values = torch.randn(shape, dtype=torch.float64, generator=draws).to(states.device)
        advantage = advantages(game.rewards(states), self.values, states, game.gamma)
        self.values = critic_step(self.values, states, advantage, self.cfg.critic_lr)
        return advantage


class NaivePg:
    """NL-PG: `direction(θ, game)` on a `SampledGame`; keeps a critic."""

    def __init__(self, cfg: NaivePgConfig | None = None) -> None:
        self.cfg = cfg or NaivePgConfig()
        self.critic = Critic(self.cfg)

    def __call__(self, theta: Tensor, game: SampledGame) -> Tensor:
        """∇_i V_i from new games.  [R, N, D] -> [R, N, D]."""
        states = game.play(theta)
        gradients = all_gradients(theta, game, states, self.critic.watch(game, states))
        return torch.stack([gradients[i][:, i] for i in range(game.num_players)], 1)


def all_gradients(theta: Tensor, game: SampledGame, states: Tensor, advantage: Tensor) -> Tensor:
    """∇_j V_i from a batch of play, for all pairs.  -> [N (i), R, N (j), D]."""
    theta = theta.detach().requires_grad_()
    joint = game.game.joint_log_policy(game.game.logits(theta)).flatten(-2)
    weights = gradient_weights(
        advantage, pairs(states, game.game.num_actions), game.gamma, joint.shape[-1]
    )
    return gradient_matrix(weights, joint, theta)


@dataclass(frozen=True)
class NaivePgConfig:
    """NL-PG in the iterated games.

    Batch (4000 games, 150 steps) and γ belong to the sampled game.
    """

    critic_lr: float = 1.0  # δ_v, authors' networks.py, paper 5.3
    critic_seed: int = 0
