"""# Rock, paper, scissors (`rps_v0`)

Paper beats rock, scissors beat paper, rock beats scissors.

## Description

    1. Both players choose rock, paper or scissors at the same time.
    2. Each is paid by the table below.
    3. Both see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

Zero-sum: the only equilibrium is to choose each with probability one third.

## Action Space

`Discrete(3)`: 0 rock, 1 paper, 2 scissors.

## Observation Space

`Box(0, 1, (10,), float32)`: one-hot of the last joint action, own action first, and a start state:
start, RR, RP, RS, PR, PP, PS, SR, SP, SS.

## Rewards

Row: own action; column: the other player's; entries: own reward, the other's.

| | rock | paper | scissors |
|---|---|---|---|
| **rock** | 0, 0 | -1, 1 | 1, -1 |
| **paper** | 1, -1 | 0, 0 | -1, 1 |
| **scissors** | -1, 1 | 1, -1 | 0, 0 |

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`payoff_noise=0.0` (every entry of the table shifted by its own draw from U(-e, e), anew each
episode), `view="ego"` (`"joint"`: player 0's action first, for both), `max_cycles=50`.

## Version History

* v0: first version.  Payoffs as in Meta-MAPG (arXiv:2011.00382), which uses 50 steps and a discount
of 0.9.
"""

from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.modes import View

ACTIONS = ("rock", "paper", "scissors")
PAYOFFS = (  # [own action][other action] -> (own, other)
    ((0.0, 0.0), (-1.0, 1.0), (1.0, -1.0)),  # rock
    ((1.0, -1.0), (0.0, 0.0), (-1.0, 1.0)),  # paper
    ((-1.0, 1.0), (1.0, -1.0), (0.0, 0.0)),  # scissors
)
assert all(own + other == 0 for row in PAYOFFS for own, other in row)  # zero-sum


def rps(*, payoff_noise: float = 0.0, view: View = "ego", max_cycles: int = 50) -> MatrixGame:
    """The rules with their arguments checked (see `matrix_game`)."""
    return matrix_game(
        PAYOFFS,
        action_names=ACTIONS,
        payoff_noise=payoff_noise,
        view=view,
        max_cycles=max_cycles,
    )
