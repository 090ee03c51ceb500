"""# Matrix game (`matrix_game_v0`)

Any normal-form game, played again and again.

## Description

The general case of the repeated games in this package: give a payoff tensor, get an environment.

    1. All players choose an action at the same time.
    2. Player n is paid `payoffs[a_0, ..., a_{N-1}, n]`.
    3. All players see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

## Action Space

`Discrete(A_n)`; players may have different numbers of actions.

## Observation Space

`Box(0, 1, (1 + A_0 * ... * A_{N-1},), float32)`: one-hot; 0 is the start, `1 + j` the last joint
action `j`, own action first (`view="ego"`: own, next player, ..., first digit counts most) or
player 0's first (`view="joint"`). For two players with actions C and D: start, CC, CD, DC, DD.

## Rewards

Entries of `payoffs`.  With `payoff_noise=e` every entry is shifted by its own draw from U(-e, e),
anew each episode.

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`payoffs` (nested sequence or array of shape [A_0, ..., A_{N-1}, N], finite), `action_names=None` (a
sequence of names, or one per player), `payoff_noise=0.0`, `view="ego"`, `max_cycles=50`.  For two
separate matrices: `numpy.stack([R0, R1], -1)`.

## Version History

* v0: first version.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.games.game import Board, Column, Draw, NoChance, decode, encode
from social_dilemmas_env.modes import VIEWS, View
from social_dilemmas_env.validation import horizon, noise, one_of

MAX_JOINT_ACTIONS = 1 << 16


@dataclass(frozen=True)
class MatrixGame(NoChance):
    """Rules of every repeated normal-form game.

    Reward code `joint * N + n` is player n's entry of the payoff tensor.
    """

    num_actions: tuple[int, ...]  # of each player
    reward_values: tuple[float, ...]  # the payoff tensor, flattened
    action_names: tuple[tuple[str, ...], ...]  # per player, a name for each action
    reward_noise: float = 0.0  # half-width of the noise on each entry
    view: View = "ego"  # whose action comes first in an observation
    max_cycles: int = 50  # rule 4
    columns = ("last joint action + 1",)

    @property
    def sizes(self) -> tuple[int, ...]:
        """One column: 0 at the start, else the last joint action + 1."""
        return (1 + math.prod(self.num_actions),)

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """As `sizes`."""
        return self.sizes

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """A one-hot vector."""
        return self.sizes

    @property
    def streams(self) -> int:
        """A word for each noisy payoff."""
        return len(self.reward_values) if self.reward_noise else 1

    def start(self, draw: Draw) -> Board:
        """Nothing has been played."""
        return (draw(0, 1),)

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """Rules 1 to 3."""
        joint = encode(tuple(actions), self.num_actions)  # rule 1
        players = len(self.num_actions)
        return (joint + 1,), [joint * players + n for n in range(players)]  # rules 3, 2

    def view_of(self, board: Board, player: int) -> Board:
        """The joint action with the player's own action first."""
        if self.view == "joint" or player == 0:
            return board

        # The digits of the joint action, turned so that the player's own comes first.
        actions = decode(board[0] - 1, self.num_actions)
        turned = actions[player:] + actions[:player]
        own_first = encode(turned, self.num_actions[player:] + self.num_actions[:player])
        return ((own_first + 1) * (board[0] > 0),)

    def features(self, view: Board) -> list[Column]:
        """One-hot."""
        return [view[0]]


def matrix_game(
    payoffs: Any,
    *,
    action_names: Sequence[Any] | None = None,
    payoff_noise: float = 0.0,
    view: View = "ego",
    max_cycles: int = 50,
) -> MatrixGame:
    """Checks the arguments and returns the rules.

    Raises:
        ValueError: a payoff tensor of another shape or not finite, a negative noise, an unknown
            view.
        TypeError: payoffs that are not numbers, a horizon that is not an integer.
    """
    one_of("view", view, VIEWS)
    tensor = payoff_tensor(payoffs)
    num_actions = tensor.shape[:-1]

    return MatrixGame(
        num_actions=num_actions,
        reward_values=tuple(tensor.ravel().tolist()),
        action_names=_names(action_names, num_actions),
        reward_noise=noise(payoff_noise),
        view=view,
        max_cycles=horizon(max_cycles),
    )


def payoff_tensor(payoffs: Any) -> np.ndarray:
    """`payoffs` as a float64 array [A_0, ..., A_{N-1}, N].

    Raises:
        ValueError: the last axis is not the number of players, or an entry is not finite.
        TypeError: it is not numeric.
    """
    try:
        tensor = np.asarray(payoffs)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"payoffs must be a numeric array of shape [A_0, ..., A_(N-1), N]: {error}"
        ) from None
    if tensor.dtype.kind not in "iuf":
        raise TypeError(
            "payoffs must be a numeric array of shape [A_0, ..., A_(N-1), N], "
            f"got {_kind(payoffs, tensor)}"
        )

    tensor = tensor.astype(np.float64)
    if tensor.ndim < 2 or tensor.shape[-1] != tensor.ndim - 1:
        raise ValueError(
            "payoffs must have shape [A_0, ..., A_(N-1), N]: one axis of actions for each of N "
            f"players and a last axis of length N; got shape {tensor.shape}, whose last axis "
            f"should be {max(tensor.ndim - 1, 1)}"
        )
    if 0 in tensor.shape or math.prod(tensor.shape[:-1]) > MAX_JOINT_ACTIONS:
        raise ValueError(
            f"payoffs must have between 1 and {MAX_JOINT_ACTIONS} joint actions, "
            f"got shape {tensor.shape}"
        )

    wrong = tensor[~np.isfinite(tensor)]
    if wrong.size:
        raise ValueError(
            f"payoffs must be finite, got {wrong[0]} in a tensor of shape {tensor.shape}"
        )
    return tensor


def _kind(payoffs: Any, array: np.ndarray) -> str:
    return f"{type(payoffs).__name__} of {array.dtype}" if array.ndim else repr(payoffs)


def _names(
    names: Sequence[Any] | None, num_actions: tuple[int, ...]
) -> tuple[tuple[str, ...], ...]:
    if names is None:
        return tuple(tuple(str(a) for a in range(n)) for n in num_actions)
    if not isinstance(names, Sequence) or not all(isinstance(row, Sequence) for row in names):
        raise TypeError(
            "action_names must be a sequence of names, or of one such sequence per player, "
            f"got {names!r}"
        )

    same_for_all = all(isinstance(name, str) for name in names)
    per_player = [names] * len(num_actions) if same_for_all else list(names)
    if [len(row) for row in per_player] != list(num_actions):
        raise ValueError(f"action_names must name {num_actions} actions per player, got {names!r}")
    return tuple(tuple(str(name) for name in row) for row in per_player)
