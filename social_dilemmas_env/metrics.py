"""What happened, in numbers: metrics of whole trajectories, with their definitions.

Time is the first axis and the player the last: actions and rewards [T, ..., N], boards and
observations [T + 1, B, ...] (one more than the steps between them).  Everything is numpy; CPU torch
tensors are taken as well.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from social_dilemmas_env.games.coin_boards import board_of, picked_up
from social_dilemmas_env.games.coin_rules import CoinGame

OUTCOMES = ("start", "CC", "CD", "DC", "DD")  # own last move first


class Pickups(NamedTuple):
    """Coins picked up, int64 [T, B, N]: by step, game and player."""

    own: np.ndarray  # of the player's own colour
    other: np.ndarray  # of another player's


def mean_reward(rewards: ArrayLike) -> np.ndarray:
    """Mean reward per step, float64 [N], of rewards [..., N]: over all steps and games."""
    rewards = _at_least("rewards", rewards, 1)
    mean: np.ndarray = rewards.reshape(-1, rewards.shape[-1]).mean(0, dtype=np.float64)
    return mean


def discounted_return(
    rewards: ArrayLike, discount: float, *, normalised: bool = False
) -> np.ndarray:
    """sum_t discount^t r_t of one episode, from the first step on.

    Args:
        rewards: [T, ...]; time is the first axis, any others stay.
        discount: from 0 to 1.
        normalised: multiplies by 1 - discount, which gives a reward per step (as LOLA and LOLA-DiCE
            report).

    Returns:
        float64 [...].

    Raises:
        ValueError: a discount outside [0, 1].
    """
    if not 0 <= discount <= 1:
        raise ValueError(f"discount must lie between 0 and 1, got {discount!r}")
    rewards = _at_least("rewards", rewards, 1)
    weights = np.float64(discount) ** np.arange(len(rewards))
    return np.tensordot(weights, rewards, 1) * (1 - discount if normalised else 1)


def cooperation_rate(actions: ArrayLike, *, cooperate: int = 0) -> np.ndarray:
    """Fraction of moves that are `cooperate`, over all steps and games.

    float64 [N], of actions [..., N].
    """
    actions = _at_least("actions", actions, 1)
    rate: np.ndarray = (actions == cooperate).reshape(-1, actions.shape[-1]).mean(0)
    return rate


def conditional_cooperation(actions: ArrayLike, first: ArrayLike | None = None) -> np.ndarray:
    """The memory-one strategy that the moves look like.

    P(C | start), P(C | CC), P(C | CD), P(C | DC), P(C | DD).

    Args:
        actions: [T, B, 2], 0 cooperate (C), 1 defect (D).
        first: bool [T, B], the moves that open an episode; None for the first one only.

    Returns:
        float64 [2, 5], per player, own last move first; NaN for what never happened.

    Raises:
        ValueError: a wrong shape.
    """
    actions = np.asarray(actions)
    if actions.ndim != 3 or actions.shape[-1] != 2:
        raise ValueError(f"actions must have shape [T, B, 2], got {actions.shape}")
    opening = _opening("first", first, actions.shape[:2])

    rates = np.full((2, len(OUTCOMES)), np.nan)
    for player in (0, 1):
        # What each move follows: 0 the start, else 1 + the last joint action.
        own, other = actions[..., player], actions[..., 1 - player]
        last = 1 + 2 * np.roll(own, 1, 0) + np.roll(other, 1, 0)
        last[opening] = 0

        for outcome in range(len(OUTCOMES)):
            moves = own[last == outcome]
            if moves.size:
                rates[player, outcome] = (moves == 0).mean()
    return rates


def coin_pickups(
    game: CoinGame, trajectory: ArrayLike, *, player: int = 0, first: ArrayLike | None = None
) -> Pickups:
    """Who picked up whose coins.

    Args:
        game: the rules (`env.game`), which say who gets a coin that several reach.
        trajectory: boards [T + 1, B, C] (the `board` of consecutive states) or one player's
            observations [T + 1, B, 2 N, height, width].
        player: whose observations they are.
        first: bool [T + 1, B], what opens an episode after an automatic reset; a step into it picks
            up nothing.

    Raises:
        ValueError: a wrong shape.
    """
    boards = _boards(game, np.asarray(trajectory), player)
    n = game.num_agents

    # Who got the coins that lay there before each step, and whose they were.
    before = tuple(column[:-1] for column in boards)
    own, other = picked_up(game, before, [column[1:] for column in boards[:n]])

    # A step into a new episode picks up nothing.
    alive = ~_opening("first", first, boards[0].shape)[1:, :, None]
    return Pickups(np.stack(own, -1) * alive, np.stack(other, -1) * alive)


def own_coin_rate(pickups: Pickups) -> np.ndarray:
    """P(own coin): coins of one's own colour among the coins a player picked up, float64 [N].

    NaN without any (LOLA).
    """
    own, other = (np.asarray(kind).reshape(-1, kind.shape[-1]).sum(0) for kind in pickups)
    return _ratio(own, own + other)


def adversarial_fraction(pickups: Pickups) -> np.ndarray:
    """Steps with another's coin among the steps in which a player took any, float64 [N].

    NaN without any.  LOQA's `adversarial_pickup_div_all_pickup`; 1 - `own_coin_rate` where there
    is one coin on the board.
    """
    own, other = (np.asarray(kind).reshape(-1, kind.shape[-1]) > 0 for kind in pickups)
    return _ratio(other.sum(0), (own | other).sum(0))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    out = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=out, where=whole > 0)
    return out


def _boards(game: CoinGame, trajectory: np.ndarray, player: int) -> tuple[np.ndarray, ...]:
    columns = len(game.sizes)
    if trajectory.ndim == 3 and trajectory.shape[-1] == columns:
        return tuple(trajectory[..., c] for c in range(columns))
    if trajectory.ndim > 2 and math.prod(trajectory.shape[2:]) == math.prod(game.observation_shape):
        flat = board_of(game, trajectory.reshape(-1, *trajectory.shape[2:]), player)
        return tuple(column.reshape(trajectory.shape[:2]) for column in flat)

    expected = ", ".join(map(str, game.observation_shape))
    raise ValueError(
        f"expected boards [T + 1, B, {columns}] or observations [T + 1, B, {expected}], "
        f"got shape {trajectory.shape}"
    )


def _opening(name: str, first: ArrayLike | None, shape: tuple[int, ...]) -> np.ndarray:
    """`first` as bool [T, B], its first row true."""
    opening = np.zeros(shape, bool) if first is None else np.array(first)
    if opening.shape != shape or opening.dtype != bool:
        raise ValueError(
            f"{name} must be bool of shape {shape}, got {opening.dtype} of {opening.shape}"
        )
    opening[:1] = True
    return opening


def _at_least(name: str, values: ArrayLike, ndim: int) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim < ndim or array.size == 0:
        raise ValueError(
            f"{name} must be an array with at least {ndim} axis and not empty, "
            f"got shape {array.shape}"
        )
    return array
