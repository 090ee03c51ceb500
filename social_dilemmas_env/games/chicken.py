"""# Chicken (`chicken_v0`)

Two drivers race towards each other; who swerves loses face, if nobody does both crash.

## Description

    1. Both players choose dove (swerve) or hawk (drive on) at the same time.
    2. Each is paid by the table below.
    3. Both see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

A dilemma of escalation: each does best by being the only hawk, and two hawks are the worst of all:
T > R > S > P.

## Action Space

`Discrete(2)`: 0 dove, 1 hawk.

## Observation Space

`Box(0, 1, (5,), float32)`: one-hot of the last joint action, own action first, and a start state:
start, DD, DH, HD, HH.

## Rewards

Row: own action; column: the other player's; entries: own reward, the other's.

| | dove | hawk |
|---|---|---|
| **dove** | 3, 3 | 1, 4 |
| **hawk** | 4, 1 | 0, 0 |

A step: all play dove 3, all play hawk 0, a lone hawk 4, the other 1; index of a dilemma -.25
(`benchmarks/dilemmas.py`: 1 at most, and 0 or less where there is none).

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`payoff_noise=0.0` (every entry of the table shifted by its own draw from U(-e, e), anew each
episode), `view="ego"` (`"joint"`: player 0's action first, for both), `max_cycles=50`.

## Version History

* v0: first version.  Payoffs: M. J. Osborne and A. Rubinstein, A Course in Game Theory (1994),
  hawk-dove; the game after A. Rapoport and A. M. Chammah, The Game of Chicken (1966).
"""

from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.modes import View

ACTIONS = ("dove", "hawk")
PAYOFFS = (  # [own action][other action] -> (own, other)
    ((3.0, 3.0), (1.0, 4.0)),  # dove
    ((4.0, 1.0), (0.0, 0.0)),  # hawk
)
(R, _), (S, T) = PAYOFFS[0]
P = PAYOFFS[1][1][0]
assert T > R > S > P  # alone defection tempts, together it is the worst


def chicken(*, payoff_noise: float = 0.0, view: View = "ego", max_cycles: int = 50) -> MatrixGame:
    """The rules with their arguments checked (see `matrix_game`)."""
    return matrix_game(
        PAYOFFS,
        action_names=ACTIONS,
        payoff_noise=payoff_noise,
        view=view,
        max_cycles=max_cycles,
    )
