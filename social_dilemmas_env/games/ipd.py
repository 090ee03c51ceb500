"""# Iterated prisoner's dilemma (`ipd_v0`)

Each player gains by defecting, whatever the other does, and both lose if both defect.

## Description

    1. Both players choose to cooperate or to defect at the same time.
    2. Each is paid by the table below.
    3. Both see the joint action, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

A social dilemma because T > R > P > S (temptation, reward, punishment, sucker) and 2 R > T + S.

## Action Space

`Discrete(2)`: 0 cooperate, 1 defect.

## Observation Space

`Box(0, 1, (5,), float32)`: one-hot of the last joint action, own action first, and a start state:
start, CC, CD, DC, DD.

## Rewards

Row: own action; column: the other player's; entries: own reward, the other's.

| | cooperate | defect |
|---|---|---|
| **cooperate** | -1, -1 | -3, 0 |
| **defect** | 0, -3 | -2, -2 |

With `contribution_factor=f` each cooperator pays 1 into a pot that is multiplied by f and shared by
both: CC f - 1, CD f / 2 - 1, DC f / 2, DD 0.

A step: all cooperate -1, all defect -2, a lone defector 0, its victim -3; index of a dilemma .333
(`benchmarks/dilemmas.py`: 1 at most, and 0 or less where there is none).

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`contribution_factor=None` (f in (1, 2), where the game is a prisoner's dilemma), `payoff_noise=0.0`
(every entry of the table shifted by its own draw from U(-e, e), anew each episode), `view="ego"`
(`"joint"`: player 0's action first, for both), `max_cycles=50`.

## Version History

* v0: first version.  Payoffs: LOLA (arXiv:1709.04326), Table 1, also in LOLA-DiCE, SOS, LOQA and
  M-FOS; `contribution_factor`: POLA (arXiv:2210.10125), which uses 1.33; `payoff_noise`: the task
  distribution of the Meta-MAPG student abstract. LOLA plays 150 steps, LOQA and POLA 50; all use a
  discount of 0.96.
"""

from social_dilemmas_env.games.matrix import MatrixGame, matrix_game
from social_dilemmas_env.modes import View
from social_dilemmas_env.validation import finite

ACTIONS = ("cooperate", "defect")
PAYOFFS = (  # [own action][other action] -> (own, other)
    ((-1.0, -1.0), (-3.0, 0.0)),  # cooperate
    ((0.0, -3.0), (-2.0, -2.0)),  # defect
)
(R, _), (S, T) = PAYOFFS[0]
P = PAYOFFS[1][1][0]
# Defection dominates, and alternating does not beat cooperating.
assert T > R > P > S and 2 * R > T + S


def contribution_payoffs(factor: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    """POLA's game: the payoff table of a pot of contributions multiplied by `factor` and shared.

    Raises:
        ValueError: `factor` outside (1, 2), where the game is no prisoner's dilemma.
    """
    f = finite("contribution_factor", factor)
    reward, sucker, temptation, punishment = f - 1, f / 2 - 1, f / 2, 0.0
    if not (temptation > reward > punishment > sucker and 2 * reward > temptation + sucker):
        raise ValueError(
            f"contribution_factor must lie in (1, 2) for a prisoner's dilemma, got {factor}; "
            "see matrix_game_v0"
        )

    return (
        ((reward, reward), (sucker, temptation)),
        ((temptation, sucker), (punishment, punishment)),
    )


def ipd(
    *,
    contribution_factor: float | None = None,
    payoff_noise: float = 0.0,
    view: View = "ego",
    max_cycles: int = 50,
) -> MatrixGame:
    """The rules with their arguments checked (see `matrix_game`)."""
    return matrix_game(
        PAYOFFS if contribution_factor is None else contribution_payoffs(contribution_factor),
        action_names=ACTIONS,
        payoff_noise=payoff_noise,
        view=view,
        max_cycles=max_cycles,
    )
