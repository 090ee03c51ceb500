"""# Iterated matching pennies (`imp_v0`)

Player 0 wins if the two coins match, player 1 if they differ.

## Description

    1. Both players choose a side of a coin at the same time.
    2. Each is paid by the table below.
    3. Both see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

Zero-sum: the only equilibrium is to choose each side with probability one half.
The table below is from the point of view of player 0.

## Action Space

`Discrete(2)`: 0 heads, 1 tails.

## Observation Space

`Box(0, 1, (5,), float32)`: one-hot of the last joint action, own action first, and a start state:
start, HH, HT, TH, TT.

## Rewards

Row: player 0; column: player 1; entries: the reward of player 0, of player 1.

| | heads | tails |
|---|---|---|
| **heads** | 1, -1 | -1, 1 |
| **tails** | -1, 1 | 1, -1 |

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`payoff_noise=0.0` (every entry of the table shifted by its own draw from U(-e, e), anew each
episode), `view="ego"` (`"joint"`: player 0's action first, for both), `max_cycles=50`.

## Version History

* v0: first version.  Payoffs: LOLA (arXiv:1709.04326), Table 2; its exact learners use a discount
of 0.9.
"""

from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.modes import View

ACTIONS = ("heads", "tails")
PAYOFFS = (  # [action of player 0][of player 1] -> (player 0, player 1)
    ((1.0, -1.0), (-1.0, 1.0)),  # heads
    ((-1.0, 1.0), (1.0, -1.0)),  # tails
)
assert all(own + other == 0 for row in PAYOFFS for own, other in row)  # zero-sum


def imp(*, payoff_noise: float = 0.0, view: View = "ego", max_cycles: int = 50) -> MatrixGame:
    """The rules with their arguments checked (see `matrix_game`)."""
    return matrix_game(
        PAYOFFS,
        action_names=ACTIONS,
        payoff_noise=payoff_noise,
        view=view,
        max_cycles=max_cycles,
    )
