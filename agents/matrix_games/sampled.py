"""An iterated matrix game seen through play only: values are estimates from freshly sampled games.

A `SampledGame` is a `DifferentiableGame` whose V is a DiCE objective.  Every learner of exact
values is therefore also a learner from samples: LOLA-DiCE is lola_exact.py's look-ahead form on a
sampled game, naive learning its order 0.  Each call of `values` plays B new games of T steps with
the policies it is given, as LOLA-DiCE prescribes for each look-ahead.

    J_n = mean over games of Σₜ γᵗ □(Σ_{l≤t} logpₗ) (rₙ,ₜ - cₜ)               (estimators.py)

Matrix games need no environment object: joint states and joint actions are drawn from the joint
policy's table, R runs at once.  The distribution is that of `social_dilemmas_env`'s games
(tests/agents compares frequencies).

Shapes  L lanes (runs, or replicas x runs), B games, T steps, N = 2 players, S states, A actions;
        joint actions a A + b.  States are in player 0's words: 0 = start, 1 + joint action
        afterwards; K = S A² pairs of state and joint action.  Trajectories are kept time first,
        [T, L, B], so that each step is contiguous; estimators see them time last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agents.estimators import dice, discounted_returns, discounted_sum, gae, loaded_dice
from agents.matrix_games.closed_form import MatrixGame
from agents.sampling import invert_cdf, seeded_generator
from agents.shapes import check_shapes


def rollout(joint: Tensor, games: int, steps: int, generator: torch.Generator) -> Tensor:
    """Plays B games of T steps in each lane.

    Args:
        joint: [L, S, A²], probabilities of joint actions; a graph on it is ignored.
        games: B.
        steps: T.
        generator: on the device of `joint`.

    Returns:
        [T + 1, L, B], states s_0 .. s_T.  They say everything: the joint action at t is
        s_{t+1} - 1.
    """
    check_shapes("joint: L S J", joint)
    lanes, num_states, num_joint = joint.shape

    # One row of cumulative probabilities for each lane and state, looked up at every step.
    rows = joint.detach().cumsum(-1)[..., :-1].reshape(lanes * num_states, num_joint - 1)
    offset = (num_states * torch.arange(lanes, device=joint.device))[:, None]
    states = torch.zeros(steps + 1, lanes, games, dtype=torch.long, device=joint.device)

    for t in range(steps):
        u = torch.rand(lanes, games, dtype=joint.dtype, device=joint.device, generator=generator)
        cumulative = rows.index_select(0, (offset + states[t]).flatten())
        action = invert_cdf(cumulative.reshape(lanes, games, num_joint - 1), u)
        torch.add(action, 1, out=states[t + 1])
    return states


def pairs(states: Tensor, num_actions: int) -> Tensor:
    """The pair (state, joint action) played at each t, as an index into K.

    [T + 1, L, B] -> [T, L, B].
    """
    return states[:-1] * num_actions**2 + states[1:] - 1


def look_up(table: Tensor, index: Tensor) -> Tensor:
    """table[l, k_t] along trajectories.  [L, K], [T, L, B] -> [L, B, T]."""
    check_shapes("table: L K, index: T L B", table, index)
    return table.expand(len(index), *table.shape).gather(-1, index).movedim(0, -1)


def weighted_visits(index: Tensor, weights: Tensor, size: int) -> Tensor:
    """Σ over games and steps of the weights, by index.  [T, L, B], [T, L, B] -> [L, K]."""
    check_shapes("index: T L B, weights: T L B", index, weights)
    total = weights.new_zeros(len(index), index.shape[1], size)
    return total.scatter_add_(-1, index, weights).sum(0)


class SampledGame:
    """`game`, estimated from `cfg.games` games of `cfg.steps` steps at each call of `values`.

    Args:
        game: a 2-player matrix game, perhaps with its own parametrisation.
        cfg: batch, horizon, estimator, baseline, seed.
    """

    def __init__(self, game: MatrixGame, cfg: SampleConfig | None = None) -> None:
        self.game, self.cfg = game, cfg or SampleConfig()
        self.num_players, self.dim = game.num_players, game.dim
        self.device, self.gamma = game.device, game.gamma
        self.generator = seeded_generator(self.cfg.seed, game.device)
        # Payoffs by the state they lead to; the start state is never led to.
        by_state = torch.nn.functional.pad(game.payoffs.flatten(-3, -2), (0, 0, 1, 0))
        self._rewards = by_state.movedim(-1, 0).contiguous()  # [N, S] or [N, M, S]

    def play(self, theta: Tensor) -> Tensor:
        """New games between the players.  [L, N, D] -> states [T + 1, L, B]."""
        joint = self.game.joint_policy(self.game.logits(theta))
        return rollout(joint, self.cfg.games, self.cfg.steps, self.generator)

    def rewards(self, states: Tensor) -> Tensor:
        """The payoffs r_n,t.  [T + 1, L, B] -> [T, N, L, B]."""
        after = states[1:]
        if self._rewards.dim() == 2:
            return torch.stack([row[after] for row in self._rewards], 1)

        copies = states.shape[1] // self._rewards.shape[1]  # replicas of the same runs
        by_lane = [look_up(rows.repeat(copies, 1), after) for rows in self._rewards]
        return torch.stack([each.movedim(-1, 0) for each in by_lane], 1)

    def joint_logp(self, theta: Tensor, states: Tensor) -> Tensor:
        """Σ_n log π_n(a_n,t | s_t), attached.  [L, N, D], [T + 1, L, B] -> [L, B, T]."""
        table = self.game.joint_log_policy(self.game.logits(theta)).flatten(-2)
        return look_up(table, pairs(states, self.game.num_actions))

    def values(self, theta: Tensor) -> Tensor:
        """Mean over new games of the estimator's J_n.  [..., N, D] -> [..., N]."""
        lanes = theta.flatten(0, -3)
        states = self.play(lanes)

        # Time last, as the estimators see it.
        logp, rewards = self.joint_logp(lanes, states), self.rewards(states).permute(1, 2, 3, 0)
        objective = self.objective(logp, rewards, states)
        return objective.mean(-1).T.reshape(*theta.shape[:-2], self.num_players)

    def objective(self, logp: Tensor, rewards: Tensor, states: Tensor) -> Tensor:
        """J_n of each game, by the estimator and baseline of `cfg`.

        Args:
            logp: [L, B, T], of the joint action, attached.
            rewards: [N, L, B, T].
            states: [T + 1, L, B].

        Returns:
            [N, L, B].
        """
        check_shapes("logp: L B T, rewards: N L B T, states: T+1 L B", logp, rewards, states)
        if self.cfg.estimator == "loaded":
            return loaded_dice(logp, self.advantages(rewards, states), self.gamma)

        if self.cfg.baseline == "time":
            rewards = rewards - rewards.mean(-2, keepdim=True)  # cₜ, the mean over games
        if self.cfg.estimator == "surrogate":
            return discounted_sum(logp.cumsum(-1), rewards, self.gamma)
        return dice(logp, rewards, self.gamma)

    def advantages(self, rewards: Tensor, states: Tensor) -> Tensor:
        """GAE with a critic without memory: v(s) = mean return of the lane's visits to s.

        [N, L, B, T], [T + 1, L, B] -> [N, L, B, T].
        """
        check_shapes("rewards: N L B T, states: T+1 L B", rewards, states)
        visited, num_states = states[:-1], self.game.num_states

        # The critic, a table [L, S] a player.
        once = torch.ones_like(visited, dtype=rewards.dtype)
        visits = weighted_visits(visited, once, num_states).clamp(min=1)
        returns = discounted_returns(rewards, self.gamma).movedim(-1, 1)
        means = [weighted_visits(visited, each, num_states) / visits for each in returns]

        values = torch.stack([look_up(mean, visited) for mean in means])
        return gae(rewards, values, self.gamma, self.cfg.gae_lambda)

    def report(self, theta: Tensor) -> Tensor:
        """The exact payoff a step of the true game: reported numbers carry no sampling noise.

        [..., N, D] -> [..., N].
        """
        return self.game.report(theta)


@dataclass(frozen=True)
class Sampling:
    """How values are estimated from play.

    Raises:
        ValueError: fewer than 1 game or step, an unknown estimator or baseline.
    """

    # B, games a batch; authors' run_lola_dice.py (512 in its first commit)
    games: int = 64
    # T, steps a game; run_lola_dice.py
    steps: int = 150
    # J; "surrogate" is the authors' --no-dice, "loaded" is loaded DiCE
    estimator: Literal["dice", "surrogate", "loaded"] = "dice"
    # cₜ: "time" is the batch mean of rₜ, the authors' choice without a critic
    baseline: Literal["time", "none"] = "time"
    # λ of GAE, for "loaded"; POLA's JAX commands
    gae_lambda: float = 1.0

    def __post_init__(self) -> None:
        if self.games < 1 or self.steps < 1:
            raise ValueError(f"games and steps must be >= 1, not {self.games} and {self.steps}")
        known = self.estimator in ("dice", "surrogate", "loaded")
        if not known or self.baseline not in ("time", "none"):
            raise ValueError(
                f"unknown estimator or baseline: {self.estimator!r}, {self.baseline!r}"
            )


@dataclass(frozen=True)
class SampleConfig(Sampling):
    """How values are estimated from play, and the seed of the games."""

    # of the games played
    seed: int = 0
