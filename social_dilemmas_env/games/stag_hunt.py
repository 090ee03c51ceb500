"""# Stag hunt (`stag_hunt_v0`)

Hunting the stag together pays most; alone it pays nothing, while a hare is safe.

## Description

    1. Both players choose stag or hare at the same time.
    2. Each is paid by the table below.
    3. Both see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

A dilemma of trust: both-stag and both-hare are equilibria, the first pays more, the second risks
less: R > T >= P > S.

## Action Space

`Discrete(2)`: 0 stag, 1 hare.

## Observation Space

`Box(0, 1, (5,), float32)`: one-hot of the last joint action, own action first, and a start state:
start, SS, SH, HS, HH.

## Rewards

Row: own action; column: the other player's; entries: own reward, the other's.

| | stag | hare |
|---|---|---|
| **stag** | 2, 2 | 0, 1 |
| **hare** | 1, 0 | 1, 1 |

A step: all hunt the stag 2, all hunt hares 1, a lone hare hunter 1, the other 0; index of a dilemma
-.5 (`benchmarks/dilemmas.py`: 1 at most, and 0 or less where there is none).

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`payoff_noise=0.0` (every entry of the table shifted by its own draw from U(-e, e), anew each
episode), `view="ego"` (`"joint"`: player 0's action first, for both), `max_cycles=50`.

## Version History

* v0: first version.  Payoffs: M. J. Osborne, An Introduction to Game Theory (2004), two hunters;
  the game after Rousseau and B. Skyrms, The Stag Hunt (2004).
"""

from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.modes import View

ACTIONS = ("stag", "hare")
PAYOFFS = (  # [own action][other action] -> (own, other)
    ((2.0, 2.0), (0.0, 1.0)),  # stag
    ((1.0, 0.0), (1.0, 1.0)),  # hare
)
(R, _), (S, T) = PAYOFFS[0]
P = PAYOFFS[1][1][0]
assert R > T >= P > S  # mutual trust is best, but trusting alone is worst


def stag_hunt(*, payoff_noise: float = 0.0, view: View = "ego", max_cycles: int = 50) -> MatrixGame:
    """The rules with their arguments checked (see `matrix_game`)."""
    return matrix_game(
        PAYOFFS,
        action_names=ACTIONS,
        payoff_noise=payoff_noise,
        view=view,
        max_cycles=max_cycles,
    )
