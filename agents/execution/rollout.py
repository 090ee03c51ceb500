"""Playing B games for T steps, and what is kept of them.

Views are stored as integers; networks look their observations up when the loss is computed
(networks.py). Random choices come from one table of uniforms per batch, so that a batch depends on
its seed alone.

Shapes  T steps, B = K x n games (group k plays with parameter set k), N players, A actions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.nn.networks import ActorCritic


class Trajectory(NamedTuple):
    """A batch of whole episodes.

    Attributes:
        views: [T + 1, B, N], what each player saw, as integers; the last one is after the last
            step.
        actions: [T, B, N].
        rewards: [T, B, N].
        logits: [T, B, N, A], of the policies that played, without gradients.
    """

    views: Tensor
    actions: Tensor
    rewards: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Seat:
    """Who plays as one of the players.

    Attributes:
        step: (views [K, n], t) -> logits [K, n, A]; see `Network.player`.
        sets: K, parameter sets.
    """

    step: Callable[[Tensor, int], Tensor]
    sets: int


class Players(NamedTuple):
    """Who plays: the parameters θ [K, P] of every seat, and how often they explore.

    Attributes:
        net: of all seats.
        thetas: one a seat; K may differ.
        epsilon: chance of a uniform action instead of the policy's, for each player by itself.
    """

    net: ActorCritic
    thetas: tuple[Tensor, ...]
    epsilon: float = 0.0

    def seats(self, batch: int, steps: int) -> list[Seat]:
        """For so many games of so many steps, from the start of an episode."""
        found = []
        for theta in self.thetas:
            params = self.net.unpack(theta.detach(), "actor")
            found.append(
                Seat(self.net.actor.player(params, batch // len(theta), steps), len(theta))
            )
        return found


def sample(logits: Tensor, uniforms: Tensor) -> Tensor:
    """An action from softmax(logits) by inverting its distribution function.

    [..., A], [...] -> [...].
    """
    weights = (logits - logits.amax(-1, keepdim=True)).exp().cumsum(-1)
    below = weights[..., :-1]  # without the last: rounding must not create an action
    return (uniforms[..., None] * weights[..., -1:] >= below).sum(-1)


def explore(actions: Tensor, num_actions: int, epsilon: float, uniforms: Tensor) -> Tensor:
    """With probability ε a uniform action instead.

    One uniform decides both: u < ε, and then u / ε is uniform.
    """
    instead = (uniforms * (num_actions / epsilon)).long().clamp_(max=num_actions - 1)
    return torch.where(uniforms < epsilon, instead, actions)


def choose(
    seats: Sequence[Seat], views: Tensor, t: int, uniforms: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The actions of step t and the logits behind them.

    [B, N], uniforms [2, B, N] -> [B, N], [B, N, A].
    """
    logits = torch.stack(
        [
            s.step(views[:, i].view(s.sets, -1), t).reshape(len(views), -1)
            for i, s in enumerate(seats)
        ],
        1,
    )
    chosen = sample(logits, uniforms[0])
    return (explore(chosen, logits.shape[-1], epsilon, uniforms[1]) if epsilon else chosen), logits


@torch.no_grad()
def rollout(
    venv: Any, first: Tensor, seats: Sequence[Seat], uniforms: Tensor, epsilon: float = 0.0
) -> Trajectory:
    """Plays one episode of every game.

    Args:
        venv: of `make_vec_env(..., backend="torch", obs_mode="state")`, just reset.
        first: [B, N], the views that `reset` returned.
        seats: one a player.
        uniforms: [2, T, B, N], the randomness of the actions and of exploration ([1, ...] without
            it).
        epsilon: chance of a uniform action instead of the policy's, for each player by itself.
    """
    views, actions, rewards, logits = [first.long()], [], [], []
    for t in range(uniforms.shape[1]):
        chosen, behind = choose(seats, views[t], t, uniforms[:, t], epsilon)
        seen, paid, *_ = venv.step(chosen)
        actions.append(chosen)
        logits.append(behind)
        views.append(seen.long())
        rewards.append(paid)
    return Trajectory(
        torch.stack(views), torch.stack(actions), torch.stack(rewards), torch.stack(logits)
    )
