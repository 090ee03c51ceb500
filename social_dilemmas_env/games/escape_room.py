"""# Escape room (`escape_room_v0`)

Players leave through a door that opens only while enough others stand at a lever.

## Description

    1. Each player is at the lever, at the start or at the door; all choose at the same time where
       to go.
    2. The door is open if at least `levers` players go to the lever.
    3. Whoever goes to an open door gets `reward`.
    4. Anybody else pays 1 for going to another place, and nothing for staying.
    5. Once somebody has left through the door the game stands still: no more rewards.
    6. All see where everybody is.
    7. The game is cut off, not over, after `max_cycles` steps (truncation).

A social dilemma because going to the lever costs and pays only the others: nobody has a reason to
do it, and without it nobody leaves.

## Action Space

`Discrete(3)`: 0 lever, 1 start, 2 door.

## Observation Space

`Box(0, 1, (3 N + 2,), float32)`: where one is, one-hot (lever, start, door), then where the next
player is, ...; last whether somebody has left, one-hot (no, yes).

## Rewards

| I go | door | reward |
|---|---|---|
| to the door | open | +10 |
| where I am | - | 0 |
| elsewhere | - | -1 |

## Starting State

Everybody is at the start.

## Episode End

1. Termination: never; once somebody has left all rewards are 0.
2. Truncation: after `max_cycles` steps.

## Arguments

`num_agents=2` (at least 2), `levers=None` (how many have to pull, 1 to N - 1; by default N - 1),
`reward=10`, `max_cycles=5`.

## Version History

* v0: first version.  J. Yang et al., "Learning to Incentivize Other Learning Agents" (NeurIPS 2020,
  arXiv:2006.06051; 011235813/lio, `lio/env/room_symmetric.py`): (N, M) is `num_agents=N, levers=M`.
  There the episode ends when somebody leaves, and players give each other rewards: that is a
  learner's business here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from social_dilemmas_env.games.game import Board, Column, Draw, NoChance
from social_dilemmas_env.validation import horizon, integer

LEVER, START, DOOR = range(3)
MOST_PLAYERS = 16
MOVED, STAYED, LEFT = range(3)  # codes of rewards


@dataclass(frozen=True)
class EscapeRoom(NoChance):
    """Rules of the escape room; the fields are the arguments of the module's docstring."""

    num_agents: int = 2
    levers: int = 1  # rule 2: how many have to pull
    reward: int = 10  # rule 3
    max_cycles: int = 5  # rule 7
    reward_noise = 0.0
    streams = 1

    @property
    def num_actions(self) -> tuple[int, ...]:
        """A place to go to."""
        return (3,) * self.num_agents

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """The places."""
        return (("lever", "start", "door"),) * self.num_agents

    @property
    def columns(self) -> tuple[str, ...]:
        """Where each player is, and whether somebody has left."""
        return (*(f"player_{i}" for i in range(self.num_agents)), "left")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Three places; no or yes."""
        return (*(3,) * self.num_agents, 2)

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """As `sizes`."""
        return self.sizes

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """One-hot vectors side by side."""
        return (3 * self.num_agents + 2,)

    @property
    def reward_values(self) -> tuple[float, ...]:
        """By MOVED, STAYED, LEFT."""
        return (-1.0, 0.0, float(self.reward))

    def start(self, draw: Draw) -> Board:
        """Everybody at the start."""
        return (*(draw(0, 1) + START for _ in range(self.num_agents)), draw(0, 1))

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """Rules 1 to 5."""
        places, over = board[:-1], board[-1]
        pulling = sum([(action == LEVER) * 1 for action in actions])
        opened = (pulling >= self.levers) * (1 - over)  # rule 2

        # Rules 3 and 4.
        rewards, leaving = [], 0
        for place, action in zip(places, actions, strict=True):
            leaves = opened * (action == DOOR)
            stays = (action == place) * (1 - leaves)
            code = MOVED + (STAYED - MOVED) * stays + (LEFT - MOVED) * leaves
            rewards.append(code + over * (STAYED - code))
            leaving = leaving + leaves

        # Rule 5: nobody moves in a game that stands still.
        after = [p + (1 - over) * (a - p) for p, a in zip(places, actions, strict=True)]
        return (*after, over + (1 - over) * ((leaving > 0) * 1)), rewards

    def is_possible(self, board: Board) -> Column:
        """Whether a board can occur: somebody has left only if enough pulled, and one is out."""
        pulling = sum([(place == LEVER) * 1 for place in board[:-1]])
        out = sum([(place == DOOR) * 1 for place in board[:-1]])
        left = (pulling >= self.levers) * (out > 0)
        return left == board[-1]

    def view_of(self, board: Board, player: int) -> Board:
        """Rule 6: places from one's own on."""
        places = board[:-1]
        return (*places[player:], *places[:player], board[-1])

    def features(self, view: Board) -> list[Column]:
        """One-hot each."""
        places = [3 * i + place for i, place in enumerate(view[:-1])]
        return [*places, 3 * self.num_agents + view[-1]]

    def caption(self, board: Board) -> str:
        """What a picture says of the board."""
        places = self.action_names[0]
        where = ", ".join(f"{i} at the {places[int(place)]}" for i, place in enumerate(board[:-1]))
        return f"{where}; the door was open" if board[-1] else where


def escape_room(
    *, num_agents: int = 2, levers: int | None = None, reward: int = 10, max_cycles: int = 5
) -> EscapeRoom:
    """The rules with their arguments checked.

    Raises:
        ValueError: an argument out of range.
        TypeError: an argument that is no integer.
    """
    num_agents = integer("num_agents", num_agents, 2)
    if num_agents > MOST_PLAYERS:
        raise ValueError(f"num_agents must be at most {MOST_PLAYERS}, got {num_agents}")
    levers = num_agents - 1 if levers is None else integer("levers", levers, 1)
    if levers >= num_agents:
        raise ValueError(
            f"levers must be at most {num_agents - 1}, so that somebody can leave, got {levers}"
        )

    reward = integer("reward", reward, 1)
    return EscapeRoom(num_agents, levers, reward, horizon(max_cycles))
