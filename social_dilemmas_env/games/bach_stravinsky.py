"""# Bach or Stravinsky (`bach_stravinsky_v0`)

Two people want to go to a concert together; player 0 prefers Bach, player 1 Stravinsky.

## Description

    1. Both players choose Bach or Stravinsky at the same time.
    2. Each is paid by the table below.
    3. Both see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

A dilemma of coordination with conflict: both equilibria are better than missing each other, and
each favours one player. The game is not symmetric: the table below is from the point of view of
player 0.

## Action Space

`Discrete(2)`: 0 Bach, 1 Stravinsky.

## Observation Space

`Box(0, 1, (5,), float32)`: one-hot of the last joint action, own action first, and a start state:
start, BB, BS, SB, SS.

## Rewards

Row: player 0; column: player 1; entries: the reward of player 0, of player 1.

| | Bach | Stravinsky |
|---|---|---|
| **Bach** | 2, 1 | 0, 0 |
| **Stravinsky** | 0, 0 | 1, 2 |

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`payoff_noise=0.0` (every entry of the table shifted by its own draw from U(-e, e), anew each
episode), `view="ego"` (`"joint"`: player 0's action first, for both), `max_cycles=50`.

## Version History

* v0: first version.  Payoffs: M. J. Osborne and A. Rubinstein, A Course in Game Theory (1994), Bach
or Stravinsky.
"""

from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.modes import View

ACTIONS = ("Bach", "Stravinsky")
PAYOFFS = (  # [action of player 0][of player 1] -> (player 0, player 1)
    ((2.0, 1.0), (0.0, 0.0)),  # Bach
    ((0.0, 0.0), (1.0, 2.0)),  # Stravinsky
)
(BOTH_BACH, MISSED), (_, BOTH_STRAVINSKY) = PAYOFFS
# Player 0 would rather have Bach, but anything with company.
assert BOTH_BACH[0] > BOTH_STRAVINSKY[0] > MISSED[0]
assert BOTH_STRAVINSKY[1] > BOTH_BACH[1] > MISSED[1]  # player 1 the other way round


def bach_stravinsky(
    *, payoff_noise: float = 0.0, view: View = "ego", max_cycles: int = 50
) -> MatrixGame:
    """The rules with their arguments checked (see `matrix_game`)."""
    return matrix_game(
        PAYOFFS,
        action_names=ACTIONS,
        payoff_noise=payoff_noise,
        view=view,
        max_cycles=max_cycles,
    )
