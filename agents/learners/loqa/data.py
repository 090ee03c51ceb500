"""What LOQA's losses are made of: one player's side of the games, and what it knows of the others.

Shapes  R runs, n games a run, T steps, A actions, J opponents, P parameters; time last, but for
        observation ids and logits, which are as networks take them.
"""

from typing import NamedTuple

from torch import Tensor

from agents.execution.rollout import Trajectory, time_last


class PlayerData(NamedTuple):
    """One player's side of a batch.

    Attributes:
        obs_ids: [T + 1, R, n], time first.
        actions: [R, n, T].
        rewards: [R, n, T].
        logits: [T, R, n, A], time first.
    """

    obs_ids: Tensor
    actions: Tensor
    rewards: Tensor
    logits: Tensor


class OpponentData(NamedTuple):
    """What the learner knows of its opponents; constants.

    Attributes:
        rewards: [J, R, n, T].
        actions: [J, R, n, T], b_t.
        q: [J, R, n, T, A], Q_j(s_t, .).
        values: [J, R, n, T], V_j(s_t).
    """

    rewards: Tensor
    actions: Tensor
    q: Tensor
    values: Tensor


class LearningData(NamedTuple):
    """What one update learns from.

    Attributes:
        own: the learner's side of the games.
        others: its opponents.
        targets: [R, n, T], the critic's.
        shaping: whether the opponents' answers count (`shaping_until`).
    """

    own: PlayerData
    others: OpponentData
    targets: Tensor
    shaping: bool


class ActorData(NamedTuple):
    """What an actor's loss is made of.

    Attributes:
        log_policy: [R, n, T, A], log π_i(. | s_t), attached.
        logp: [R, n, T], log π_i(a_t | s_t), attached.
        advantages: [R, n, T], A_t.
        rewards: [R, n, T].
        values: [R, n, T + 1], V_i(s_t).
        others: the opponents.
        shaping: see LearningData.
    """

    log_policy: Tensor
    logp: Tensor
    advantages: Tensor
    rewards: Tensor
    values: Tensor
    others: OpponentData
    shaping: bool


class ActorGradient(NamedTuple):
    """∇ of the actor's loss [R, P], the loss [R], A_t [R, n, T], H [R]."""

    gradient: Tensor
    loss: Tensor
    advantages: Tensor
    entropy: Tensor


class CriticGradient(NamedTuple):
    """∇ of the critic's loss [R, P], the loss [R]."""

    gradient: Tensor
    loss: Tensor


def player_data(games: Trajectory, seat: int, runs: int) -> PlayerData:
    """The side of the player in a seat, split into runs."""
    # [T, B] -> [T, R, n]: games of one run lie side by side.
    obs_ids, actions, rewards = (
        x[..., seat].unflatten(1, (runs, -1)) for x in (games.obs_ids, games.actions, games.rewards)
    )
    logits = games.logits[:, :, seat].unflatten(1, (runs, -1))
    return PlayerData(obs_ids, time_last(actions), time_last(rewards), logits)
