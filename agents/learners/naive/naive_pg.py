"""Naive learning from samples (NL-PG): REINFORCE with a critic, as if the others stood still.

Paper   Foerster et al. 2018, LOLA, sections 4.1 and 4.3, https://arxiv.org/abs/1709.04326
Source  https://github.com/alshedivat/lola, train_pg.py and corrections.py (commit 0e8b13e), where
        NL-PG itself crashes

    Gₜ = rₜ + γ Gₜ₊₁,      G_T = V(s_T)                                           (target)
    ∇_j V_i ≈ mean over games of Σₜ γᵗ (Gᵢ,ₜ - V_i(sₜ)) ∇_j log π_j(aⱼ,ₜ | sₜ)    (policy gradient)
    V_i ← V_i - δ_v ∇ mean over games and steps of (Gᵢ,ₜ - V_i(sₜ))² / 2          (critic)

The policy gradient is written for any pair (i, j): i = j is the naive learner's; i ≠ j is what LOLA
multiplies its shaping term with.  In a table, Σₜ wₜ log π(aₜ | sₜ) = Σ_k W(k) log π(k) with W the
weights summed over the visits to each pair k of state and joint action, so trajectories are passed
over once and never differentiated.

Shapes  R runs, B games, T steps, N = 2 players, S states, K = S A² pairs, D parameters a player.
        θ [R, N, D]; trajectories time first, states [T + 1, R, B] in player 0's words (sampled.py);
        V [R, N, S] likewise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.differentiable import grad
from agents.matrix_games.sampled import SampledGame, pairs, weighted_visits
from agents.sampling import seeded_generator
from agents.shapes import check_shapes


def advantages(rewards: Tensor, critic: Tensor, states: Tensor, gamma: float) -> Tensor:
    """Gₜ - V(sₜ) with Gₜ = rₜ + γ Gₜ₊₁ and G_T = V(s_T).

    Args:
        rewards: [T, N, R, B].
        critic: [R, N, S], V.
        states: [T + 1, R, B].
        gamma: γ.

    Returns:
        [T, N, R, B].
    """
    check_shapes("rewards: T N R B, critic: R N S, states: T+1 R B", rewards, critic, states)
    table = critic.movedim(1, 0)  # [N, R, S], so that a step's states [R, B] index its rows
    target = table.gather(-1, states[-1].expand(len(table), -1, -1))

    # Backwards in time, each step into its place.
    result = torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        target = rewards[t] + gamma * target
        value = table.gather(-1, states[t].expand(len(table), -1, -1))
        torch.sub(target, value, out=result[t])
    return result


def gradient_weights(advantage: Tensor, index: Tensor, gamma: float, size: int) -> Tensor:
    """W_i(k) = mean over games of Σₜ γᵗ (Gᵢ,ₜ - V_i(sₜ)) [k = kₜ].

    Args:
        advantage: [T, N, R, B], Gᵢ,ₜ - V_i(sₜ).
        index: [T, R, B], the pairs kₜ.
        gamma: γ.
        size: K.

    Returns:
        [N, R, K].
    """
    check_shapes("advantage: T N R B, index: T R B", advantage, index)
    discount = gamma ** torch.arange(len(advantage), dtype=advantage.dtype, device=advantage.device)
    weighted = advantage * discount[:, None, None, None]
    sums = torch.stack([weighted_visits(index, each, size) for each in weighted.unbind(1)])
    return sums / index.shape[-1]


def gradient_matrix(weights: Tensor, joint_log_policy: Tensor, theta: Tensor) -> Tensor:
    """∇_j V_i = ∇_j Σ_k W_i(k) log π(k) for all pairs (i, j).

    Args:
        weights: [N, R, K], W.
        joint_log_policy: [R, K], log π, attached to θ.
        theta: [R, N, D].

    Returns:
        [N (i), R, N (j), D].
    """
    check_shapes(
        "weights: N R K, joint_log_policy: R K, theta: R N D", weights, joint_log_policy, theta
    )
    return torch.stack(
        [grad(joint_log_policy, theta, each, create_graph=False) for each in weights]
    )


def critic_step(critic: Tensor, states: Tensor, advantage: Tensor, lr: float) -> Tensor:
    """V_i ← V_i - δ_v ∇ mean over games and steps of (Gᵢ,ₜ - V_i(sₜ))² / 2.

    Args:
        critic: [R, N, S], V.
        states: [T + 1, R, B].
        advantage: [T, N, R, B], Gᵢ,ₜ - V_i(sₜ): minus the gradient of each summand.
        lr: δ_v.

    Returns:
        [R, N, S].
    """
    check_shapes("critic: R N S, states: T+1 R B, advantage: T N R B", critic, states, advantage)
    visited, size = states[:-1], critic.shape[-1]
    total = torch.stack([weighted_visits(visited, each, size) for each in advantage.unbind(1)], 1)
    # The mean is over games and steps, not over a state's visits: rare states learn slowly.
    return critic + lr * total / (len(visited) * visited.shape[-1])


class Critic:
    """V_n(s) of both players in every run, learned along with the policies.

    Attributes:
        values: [R, N, S], N(0, 1) at the start; None before `start` or the first batch.
    """

    def __init__(self, cfg: NaivePgConfig) -> None:
        self.cfg = cfg
        self.values: Tensor | None = None

    def start(self, runs: int, game: MatrixGame) -> Tensor:
        """Draws the first values.  -> [R, N, S]."""
        generator = seeded_generator(self.cfg.critic_seed)
        shape = (runs, game.num_players, game.num_states)
        self.values = torch.randn(shape, dtype=torch.float64, generator=generator).to(game.device)
        return self.values

    def update(self, game: SampledGame, states: Tensor) -> Tensor:
        """Advantages of a batch of play under the current critic, which then learns from it.

        States [T + 1, R, B] -> [T, N, R, B].
        """
        values = self.start(states.shape[1], game.game) if self.values is None else self.values
        advantage = advantages(game.rewards(states), values, states, game.gamma)
        # Advantages first: a critic that has seen the batch would flatter itself.
        self.values = critic_step(values, states, advantage, self.cfg.critic_lr)
        return advantage


class NaivePg:
    """NL-PG: `direction(θ, game)` on a `SampledGame`; keeps a critic."""

    def __init__(self, cfg: NaivePgConfig | None = None) -> None:
        self.cfg = cfg or NaivePgConfig()
        self.critic = Critic(self.cfg)

    def __call__(self, theta: Tensor, game: SampledGame) -> Tensor:
        """∇_i V_i from new games.  [R, N, D] -> [R, N, D]."""
        states = game.play(theta)
        gradients = all_gradients(theta, game, states, self.critic.update(game, states))
        return torch.stack([gradients[i][:, i] for i in range(game.num_players)], 1)


def all_gradients(theta: Tensor, game: SampledGame, states: Tensor, advantage: Tensor) -> Tensor:
    """∇_j V_i from a batch of play, for all pairs (i, j).

    Args:
        theta: [R, N, D], the policies that played.
        game: what they played.
        states: [T + 1, R, B].
        advantage: [T, N, R, B].

    Returns:
        [N (i), R, N (j), D].
    """
    check_shapes("theta: R N D, states: T+1 R B, advantage: T N R B", theta, states, advantage)
    theta = theta.detach().requires_grad_()
    joint = game.game.joint_log_policy(game.game.logits(theta)).flatten(-2)  # [R, K]

    index = pairs(states, game.game.num_actions)
    weights = gradient_weights(advantage, index, game.gamma, joint.shape[-1])
    return gradient_matrix(weights, joint, theta)


@dataclass(frozen=True)
class NaivePgConfig:
    """NL-PG in the iterated games.

    Batch (4000 games, 150 steps) and γ belong to the sampled game.
    """

    critic_lr: float = 1.0  # δ_v; authors' networks.py, paper 5.3
    critic_seed: int = 0  # of the critic's first values
