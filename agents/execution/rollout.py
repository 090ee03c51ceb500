"""Playing B games for T steps, and what is kept of them.

Observations are stored as integers, their ids; networks look them up when the loss is computed
(nn/networks.py). Random choices come from one table of uniforms per batch, so that a batch depends
on its seed alone.

Shapes  T steps, B = K x n games (group k plays with parameter set k), N players, A actions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.nn.networks import ActorCritic, Stepper


class Trajectory(NamedTuple):
    """A batch of whole episodes.

    Attributes:
        obs_ids: [T + 1, B, N], what each player saw; the last one is after the last step.
        actions: [T, B, N].
        rewards: [T, B, N].
        logits: [T, B, N, A], of the policies that played, without gradients.
    """

    obs_ids: Tensor
    actions: Tensor
    rewards: Tensor
    logits: Tensor


@dataclass(frozen=True)
class SeatPolicy:
    """What acts in one seat of all games.

    Attributes:
        step: (observation ids [K, n], t) -> logits [K, n, A]; see `Network.stepper`.
        sets: K, parameter sets.
    """

    step: Stepper
    sets: int

    def logits(self, obs_ids: Tensor, t: int) -> Tensor:
        """[B] -> [B, A]."""
        return self.step(obs_ids.view(self.sets, -1), t).reshape(len(obs_ids), -1)


class JointPolicy(NamedTuple):
    """Who plays: the parameters of every seat, and how often they explore.

    Attributes:
        net: of all seats.
        thetas: θ [K, P], one a seat; K may differ.
        epsilon: chance of a uniform action instead of the policy's, for each player by itself.
        tilts: w [K], one a seat: logits + w Q, the critic's last A values; None for none.
    """

    net: ActorCritic
    thetas: tuple[Tensor, ...]
    epsilon: float = 0.0
    tilts: tuple[Tensor, ...] | None = None

    def seats(self, num_games: int, steps: int) -> list[SeatPolicy]:
        """For B games of T steps, from the start of an episode."""
        policies = []
        # Parameters are detached: games are data, nothing is differentiated through them.
        for seat, theta in enumerate(self.thetas):
            games = num_games // len(theta)
            step = self.net.actor.stepper(self.net.unpack(theta.detach(), "actor"), games, steps)
            if self.tilts is not None:
                values = self.net.unpack(theta.detach(), "critic")
                step = tilted(step, self.net.critic.stepper(values, games, steps), self.tilts[seat])
            policies.append(SeatPolicy(step, len(theta)))
        return policies


def tilted(policy: Stepper, critic: Stepper, tilt: Tensor) -> Stepper:
    """Logits + w Q.

    Args:
        policy: gives logits [K, n, A].
        critic: gives Q in its last A numbers.
        tilt: [K], w.
    """

    def step(obs_ids: Tensor, t: int) -> Tensor:
        logits = policy(obs_ids, t)
        return logits + tilt[:, None, None] * critic(obs_ids, t)[..., -logits.shape[-1] :]

    return step


def sample(logits: Tensor, uniforms: Tensor) -> Tensor:
    """An action from softmax(logits) by inverting its distribution function.

    [..., A], [...] -> [...].
    """
    # Weights that are not normalised: the uniform is scaled instead of every one of them.
    weights = (logits - logits.amax(-1, keepdim=True)).exp().cumsum(-1)
    below = weights[..., :-1]  # without the last: rounding must not create an action
    return (uniforms[..., None] * weights[..., -1:] >= below).sum(-1)


def explore(actions: Tensor, num_actions: int, epsilon: float, uniforms: Tensor) -> Tensor:
    """With probability ε a uniform action instead.  [...], [...] -> [...].

    One uniform decides both: u < ε, and then u / ε is uniform.
    """
    instead = (uniforms * (num_actions / epsilon)).long().clamp_(max=num_actions - 1)
    return torch.where(uniforms < epsilon, instead, actions)


def choose_actions(
    seats: Sequence[SeatPolicy], obs_ids: Tensor, t: int, uniforms: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The actions of step t and the logits behind them.

    Args:
        seats: one a player.
        obs_ids: [B, N].
        t: the step.
        uniforms: [2, B, N], of the actions and of exploration.
        epsilon: chance of a uniform action.

    Returns:
        Actions [B, N], logits [B, N, A].
    """
    logits = torch.stack([seat.logits(obs_ids[:, i], t) for i, seat in enumerate(seats)], 1)
    actions = sample(logits, uniforms[0])
    if epsilon:
        actions = explore(actions, logits.shape[-1], epsilon, uniforms[1])
    return actions, logits


@torch.no_grad()
def rollout(
    venv: Any, first: Tensor, seats: Sequence[SeatPolicy], uniforms: Tensor, epsilon: float = 0.0
) -> Trajectory:
    """Plays one episode of every game.

    Args:
        venv: of `make_vec_env(..., backend="torch", obs_mode="state")`, just reset.
        first: [B, N], the observation ids that `reset` returned.
        seats: one a player.
        uniforms: [2, T, B, N], the randomness of the actions and of exploration ([1, ...] without
            it).
        epsilon: chance of a uniform action instead of the policy's, for each player by itself.
    """
    obs_ids, actions, rewards, logits = [first.long()], [], [], []

    for t in range(uniforms.shape[1]):
        # Everybody acts at once.
        chosen, chosen_by = choose_actions(seats, obs_ids[t], t, uniforms[:, t], epsilon)
        following, received, *_ = venv.step(chosen)

        # Keep what the losses need; other outputs of a step do not matter within an episode.
        actions.append(chosen)
        logits.append(chosen_by)
        obs_ids.append(following.long())
        rewards.append(received)

    parts = (obs_ids, actions, rewards, logits)
    return Trajectory(*(torch.stack(part) for part in parts))


def time_last(x: Tensor) -> Tensor:
    """[T, K, n, ...] -> [K, n, T, ...]."""
    return x.movedim(0, 2).contiguous()
