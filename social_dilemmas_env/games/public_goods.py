"""# Public goods (`public_goods_v0`)

The prisoner's dilemma of N players: contributions to a pot are multiplied and shared by all.

## Description

    1. All players choose at the same time to contribute 1 to the pot (cooperate) or not (defect).
    2. The pot is multiplied by `factor` and shared equally, also by those who did not contribute.
    3. All players see how many contributed, and play again.
    4. The game is cut off, not over, after `max_cycles` steps (truncation).

A social dilemma because 1 < factor < N: a contribution returns factor / N < 1 to its giver and
factor > 1 to the group.

## Action Space

`Discrete(2)`: 0 cooperate, 1 defect.

## Observation Space

`Box(0, 1, (1 + 2 N,), float32)`: one-hot of own last action and how many others contributed, and a
start state: start; then I contributed and N-1, ..., 1, 0 others did; then I did not and N-1, ..., 0
others did.  For N = 2: start, CC, CD, DC, DD.

## Rewards

`factor * contributors / N`, minus 1 for a contributor.

A step, with the default factor; the index of a dilemma is 1 at most, and 0 or less where there is
none (`benchmarks/dilemmas.py`):

| players | all cooperate | all defect | lone defector | its victims | index |
|---:|---:|---:|---:|---:|---:|
| 2 | .500 | 0 | .750 | -.250 | .250 |
| 3 | 1.000 | 0 | 1.333 | .333 | .200 |
| 4 | 1.500 | 0 | 1.875 | .875 | .167 |

## Starting State

Nothing has been played: observation 0.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`num_agents=4` (at least 2), `factor=None` (in (1, N); by default (1 + N) / 2), `max_cycles=50`.

## Version History

* v0: first version.  Linear public goods game, J. O. Ledyard, "Public Goods: A Survey of
  Experimental Research", in Kagel and Roth (eds.), Handbook of Experimental Economics (1995).  With
  two players and `factor=f` it is `ipd_v0(contribution_factor=f)`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from social_dilemmas_env.games.game import Board, Column, Draw, NoChance
from social_dilemmas_env.validation import finite, horizon, integer

MAX_AGENTS = 32  # 3^32 boards are counted in int64


@dataclass(frozen=True)
class PublicGoods(NoChance):
    """Rules of the public goods game; the fields are the arguments of the module's docstring."""

    num_agents: int
    factor: float  # rule 2: what the pot is multiplied by
    max_cycles: int = 50  # rule 4
    reward_noise = 0.0
    streams = 1

    @property
    def num_actions(self) -> tuple[int, ...]:
        """Contribute or not."""
        return (2,) * self.num_agents

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """C and D, in words."""
        return (("cooperate", "defect"),) * self.num_agents

    @property
    def columns(self) -> tuple[str, ...]:
        """Each player's last action."""
        return tuple(f"player_{i} last action + 1" for i in range(self.num_agents))

    @property
    def sizes(self) -> tuple[int, ...]:
        """0 at the start, 1 contributed, 2 did not."""
        return (3,) * self.num_agents

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """The position of the one in the observation."""
        return (1 + 2 * self.num_agents,)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """A one-hot vector."""
        return self.view_sizes

    @property
    def reward_values(self) -> tuple[float, ...]:
        """Code = (N + 1) * defected + contributors."""
        pot = [self.factor * c / self.num_agents for c in range(self.num_agents + 1)]
        return (*[share - 1 for share in pot], *pot)

    def start(self, draw: Draw) -> Board:
        """Nothing has been played."""
        return (draw(0, 1),) * self.num_agents

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """Rules 1 and 2."""
        contributors = sum([1 - action for action in actions])  # rule 1
        rewards = [action * (self.num_agents + 1) + contributors for action in actions]  # rule 2
        return tuple(action + 1 for action in actions), rewards

    def view_of(self, board: Board, player: int) -> Board:
        """Rule 3: own action and how many others did not contribute."""
        own = board[player]
        idle = sum([(last == 2) * 1 for last in board]) - (own == 2) * 1
        return ((own > 0) * (1 + (own == 2) * self.num_agents + idle),)

    def features(self, view: Board) -> list[Column]:
        """One-hot."""
        return [view[0]]

    @property
    def player_0_sees_all(self) -> bool:
        """Among three or more, a count of contributors does not say who they were."""
        return self.num_agents == 2

    def is_possible(self, board: Board) -> Column:
        """Whether a board can occur: all have moved, or nobody."""
        moved = sum([(last > 0) * 1 for last in board])
        return moved * (self.num_agents - moved) == 0


def public_goods(
    *, num_agents: int = 4, factor: float | None = None, max_cycles: int = 50
) -> PublicGoods:
    """The rules with their arguments checked.

    Raises:
        ValueError: fewer than 2 players, a factor outside (1, N).
    """
    num_agents = integer("num_agents", num_agents, 2)
    if num_agents > MAX_AGENTS:
        raise ValueError(f"num_agents must be at most {MAX_AGENTS}, got {num_agents}")

    factor = (1 + num_agents) / 2 if factor is None else finite("factor", factor)
    if not 1 < factor < num_agents:  # the dilemma: giving costs the giver and pays the group
        raise ValueError(
            f"factor must lie between 1 and num_agents ({num_agents}) for a social dilemma, "
            f"got {factor}"
        )

    return PublicGoods(num_agents, factor, horizon(max_cycles))
