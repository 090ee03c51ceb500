"""# GovSim's commons (`govsim_commons_v0`)

A common pool that doubles every round, and dies if too little is left in it.

## Description

    1. All players choose at the same time how much they want to take from the pool.
    2. If they want more than there is, they get equal parts, nobody more than it wants; what cannot
       be shared equally stays in the pool.
    3. Each unit taken pays 1.
    4. If fewer than `collapse` units are left, the pool is dead: it stays empty.
    5. Otherwise what is left doubles, up to `capacity`.
    6. All see the pool and what everybody took, and play again.
    7. The game is cut off, not over, after `max_cycles` rounds (truncation).

A social dilemma because the group earns most if everybody takes half of an equal share, so that the
pool is full again in the next round, and each earns more in a round by taking more.  The largest
catch that keeps the pool as it is, pool // 2 // num_agents, is its *sustainability threshold*.

## Action Space

`Discrete(max_catch + 1)`: how many units to take, 0, 1, ..., max_catch.

## Observation Space

`Box(0, 1, (capacity + 1 + N (max_catch + 2),), float32)`: the pool, one-hot; then what each player
took in the last round, one-hot with a start value, own catch first.  With `show_catches=False` the
pool alone, `(capacity + 1,)`.

## Rewards

What one took.

## Starting State

A full pool; nothing has been taken.

## Episode End

1. Termination: never; on a dead pool all rewards are 0.
2. Truncation: after `max_cycles` steps.

## Arguments

`num_agents=5` (at least 2), `capacity=100`, `max_catch=20` (1 to capacity), `collapse=None` (units;
by default `num_agents`), `show_catches=True`, `max_cycles=12`.

## Version History

* v0: first version.  The fishery of G. Piatti et al., "Cooperate or Collapse: Emergence of
  Sustainable Cooperation in a Society of LLM Agents" (NeurIPS 2024, arXiv:2404.16698;
  giorgiopiatti/GovSim), in numbers instead of words.  There each may want up to the whole pool
  (`max_catch=capacity`), and units that cannot be shared equally go to players by lot: as they are
  fewer than the players, the pool is dead in either case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from social_dilemmas_env.games.game import Board, Column, Draw, NoChance
from social_dilemmas_env.validation import flag, horizon, integer

LARGEST = 10_000  # units in a pool
MOST_PLAYERS = 32


def smaller(a: Column, b: Column) -> Column:
    """The smaller of two columns."""
    return b + (a < b) * (a - b)


@dataclass(frozen=True)
class GovsimCommons(NoChance):
    """Rules of the pool; the fields are the arguments of the module's docstring."""

    num_agents: int = 5
    capacity: int = 100  # rule 5: the most there can be
    max_catch: int = 20  # rule 1: the most one can want
    collapse: int = 5  # rule 4: with less than this the pool dies
    show_catches: bool = True  # rule 6: whether catches are seen
    max_cycles: int = 12  # rule 7
    reward_noise = 0.0
    streams = 1
    social_counts = ("survival",)

    @property
    def num_actions(self) -> tuple[int, ...]:
        """0, 1, ..., max_catch."""
        return (self.max_catch + 1,) * self.num_agents

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """The number of units."""
        return (tuple(str(units) for units in range(self.max_catch + 1)),) * self.num_agents

    @property
    def columns(self) -> tuple[str, ...]:
        """The pool, and what each took last."""
        catches = [f"player_{i} last catch + 1" for i in range(self.num_agents)]
        return ("pool", *(catches if self.show_catches else []))

    @property
    def sizes(self) -> tuple[int, ...]:
        """0 .. capacity; 0 at the start, else 1 + the catch."""
        catches = (self.max_catch + 2,) * (self.num_agents if self.show_catches else 0)
        return (self.capacity + 1, *catches)

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """As `sizes`."""
        return self.sizes

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """One-hot vectors side by side."""
        return (sum(self.sizes),)

    @property
    def reward_values(self) -> tuple[float, ...]:
        """Code = units."""
        return tuple(float(units) for units in range(self.max_catch + 1))

    def start(self, draw: Draw) -> Board:
        """A full pool."""
        nothing = draw(0, 1)
        catches = (nothing,) * (len(self.sizes) - 1)
        return (nothing + self.capacity, *catches)

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """Rules 1 to 5."""
        pool = board[0]

        # Rule 2: the largest equal part for which there is enough.
        part = pool * 0
        for units in range(1, self.max_catch + 1):
            needed = sum([smaller(action, action * 0 + units) for action in actions])
            part = part + (needed <= pool)
        catches = [smaller(action, part) for action in actions]

        left = pool - sum(catches)
        alive = (left >= self.collapse) * 1  # rule 4
        pool = smaller(2 * left, left * 0 + self.capacity) * alive  # rule 5
        seen = [catch + 1 for catch in catches] if self.show_catches else []
        return (pool, *seen), catches  # rule 3

    def count(
        self, before: Board, after: Board, actions: Sequence[Column]
    ) -> tuple[list[Column], ...]:
        """Metrics: whether the pool is alive after a move, for all players alike."""
        return ([(after[0] > 0) * 1] * self.num_agents,)

    def is_possible(self, board: Board) -> Column:
        """Whether a board can occur: all have moved, or nobody and the pool is full."""
        moved = sum([(catch > 0) * 1 for catch in board[1:]])
        some, full = moved > 0, board[0] == self.capacity
        alive = (board[0] == 0) * 1 + (board[0] >= smaller(2 * self.collapse, self.capacity)) * 1
        if not self.show_catches:
            return alive > 0
        return alive * (some * (moved == self.num_agents) + (1 - some * 1) * full) > 0

    def view_of(self, board: Board, player: int) -> Board:
        """Rule 6: the pool, and the catches from the player's own on."""
        pool, catches = board[:1], board[1:]
        return (*pool, *catches[player:], *catches[:player])

    def features(self, view: Board) -> list[Column]:
        """One-hot each."""
        first = accumulate(self.sizes, initial=0)
        return [column + offset for column, offset in zip(view, first, strict=False)]

    def caption(self, board: Board) -> str:
        """What a picture says of the board."""
        pool = int(board[0])
        if not pool:
            return "The pool is dead"
        threshold = pool // 2 // self.num_agents
        return f"Pool {pool} of {self.capacity}, sustainable catch {threshold}"


def govsim_commons(
    *,
    num_agents: int = 5,
    capacity: int = 100,
    max_catch: int = 20,
    collapse: int | None = None,
    show_catches: bool = True,
    max_cycles: int = 12,
) -> GovsimCommons:
    """The rules with their arguments checked.

    Raises:
        ValueError: an argument out of range.
        TypeError: an argument that is no integer.
    """
    num_agents = integer("num_agents", num_agents, 2)
    if num_agents > MOST_PLAYERS:
        raise ValueError(f"num_agents must be at most {MOST_PLAYERS}, got {num_agents}")

    # The pool.
    capacity = integer("capacity", capacity, 2 * num_agents)
    if capacity > LARGEST:
        raise ValueError(f"capacity must be at most {LARGEST}, got {capacity}")
    max_catch = integer("max_catch", max_catch, 1)
    if max_catch > capacity:
        raise ValueError(f"max_catch must be at most the capacity, {capacity}, got {max_catch}")
    collapse = num_agents if collapse is None else integer("collapse", collapse, 1)
    if collapse > capacity:
        raise ValueError(f"collapse must be at most the capacity, {capacity}, got {collapse}")

    shown = flag("show_catches", show_catches)
    return GovsimCommons(num_agents, capacity, max_catch, collapse, shown, horizon(max_cycles))
