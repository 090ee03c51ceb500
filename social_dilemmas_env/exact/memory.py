"""What players remember: a finite automaton that everybody can follow.

    m' = update(m, step)            m: columns of integers; step: the boards, actions, rewards

The state of an exact game is (board, memory), and a policy reads both.  The memory is common
knowledge: `check_visible` refuses an automaton whose next state a player cannot tell from the board
before, its own action and the board after, as it sees them.

    memory=None           nothing: the board is the state
    "last_pickup"         Coin Game: what each player picked up last, and whether its last reward
                          was a loss
    "pickups"             Coin Game: the first half of that, 3^N memories
    "last_action"         the last joint action, where the boards show it
    "grudge"              games of cooperating and defecting: has any other player defected yet?

For an automaton of your own see `Automaton`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from social_dilemmas_env.exact.chance import Floats, Ints
from social_dilemmas_env.games.coin_memory import KINDS, hurt_after, pickups_after
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import Board, Game
from social_dilemmas_env.validation import nearest


class Step(NamedTuple):
    """K steps of a game; all arrays can be broadcast with a memory's columns."""

    game: Game  # the rules
    before: Board  # columns of the board before
    actions: tuple[Ints, ...]  # per player
    after: Board  # columns after the players moved, before chance: marked columns equal their size
    rewards: tuple[Floats, ...]  # per player


@runtime_checkable
class Automaton(Protocol):
    """A finite memory."""

    @property
    def columns(self) -> tuple[str, ...]:
        """A name for each column; by convention `name_i` where it is player i's."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each column takes."""

    @property
    def start(self) -> tuple[int, ...]:
        """The value of each column at the start of an episode."""

    def update(self, memory: Board, step: Step) -> Board:
        """The memory after a step.  Columns in, columns out, element by element."""

    def view_of(self, memory: Board, player: int) -> Board:
        """The memory as seen from a seat: the player's own columns first, and so on."""


@dataclass(frozen=True)
class PerPlayer:
    """Columns of N players each: column k of player i is `columns[k * N + i]`.

    `rule` maps the N columns of each kind, and a step, to the next ones.
    """

    columns: tuple[str, ...]
    sizes: tuple[int, ...]
    start: tuple[int, ...]
    players: int
    rule: Callable[[Board, Step], Board]

    def update(self, memory: Board, step: Step) -> Board:
        """By the rule."""
        return self.rule(memory, step)

    def view_of(self, memory: Board, player: int) -> Board:
        """Players counted from `player` on."""
        seats = [(player + i) % self.players for i in range(self.players)]
        kinds = len(memory) // self.players
        return tuple(memory[k * self.players + seat] for k in range(kinds) for seat in seats)


def per_player(
    game: Game, kinds: dict[str, int], rule: Callable[[Board, Step], Board]
) -> PerPlayer:
    """An automaton with a column of each kind (name -> size) for each player; all start at 0."""
    players = len(game.num_actions)
    return PerPlayer(
        columns=tuple(f"{kind}_{i}" for kind in kinds for i in range(players)),
        sizes=tuple(size for size in kinds.values() for _ in range(players)),
        start=(0,) * (players * len(kinds)),
        players=players,
        rule=rule,
    )


# ------------------------------------------------------------------------------------- built in


def picked(memory: Board, step: Step) -> Board:
    """What each player picked up last: nothing yet, own coins only, another's (N columns)."""
    game = step.game
    assert isinstance(game, CoinGame)
    return tuple(pickups_after(game, memory, step.before, step.after[: game.num_agents]))


def picked_and_hurt(memory: Board, step: Step) -> Board:
    """That, and whether each player's last reward other than 0 was a loss (2 N columns)."""
    n = len(memory) // 2
    return (*picked(memory[:n], step), *hurt_after(memory[n:], step.rewards))


def acted(memory: Board, step: Step) -> Board:
    """What each player did last, plus 1."""
    return tuple(last * 0 + action + 1 for last, action in zip(memory, step.actions, strict=True))


def betrayed(memory: Board, step: Step) -> Board:
    """Whether any other player has chosen action 1 so far."""
    defectors = sum([(action == 1) * 1 for action in step.actions])
    return tuple(
        np.maximum(last, (defectors - (action == 1) > 0) * 1)
        for last, action in zip(memory, step.actions, strict=True)
    )


def _last_action(game: Game) -> PerPlayer:
    players = len(game.num_actions)
    return PerPlayer(
        columns=tuple(f"last_action_{i}" for i in range(players)),
        sizes=tuple(actions + 1 for actions in game.num_actions),
        start=(0,) * players,
        players=players,
        rule=acted,
    )


BUILT_IN: dict[str, Callable[[Game], PerPlayer]] = {
    "last_pickup": lambda game: per_player(game, KINDS["last_pickup"], picked_and_hurt),
    "pickups": lambda game: per_player(game, KINDS["pickups"], picked),
    "last_action": _last_action,
    "grudge": lambda game: per_player(game, {"grudge": 2}, betrayed),
}
NO_MEMORY = PerPlayer((), (), (), 1, lambda memory, step: ())


def automaton(memory: object, game: Game) -> Automaton:
    """The automaton that an argument `memory` means.

    Raises:
        ValueError: an unknown name, or one that this game has no use for.
        TypeError: no automaton.
    """
    if memory is None:
        return NO_MEMORY

    if isinstance(memory, str):
        if memory not in BUILT_IN:
            raise ValueError(f"there is no memory {memory!r}; {nearest(memory, BUILT_IN)}")
        if memory in ("last_pickup", "pickups") and not isinstance(game, CoinGame):
            raise ValueError(f"memory={memory!r} needs the Coin Game: nothing else is picked up")
        return BUILT_IN[memory](game)

    # One of the caller's.
    if not isinstance(memory, Automaton) or isinstance(memory, type):
        raise TypeError(
            f"memory must be None, one of {', '.join(map(repr, BUILT_IN))}, or an automaton (an "
            f"object with columns, sizes, start, update and view_of), got {memory!r}"
        )
    if not len(memory.columns) == len(memory.sizes) == len(memory.start):
        raise ValueError("memory: columns, sizes and start must have the same length")
    if not all(0 <= first < size for first, size in zip(memory.start, memory.sizes, strict=True)):
        raise ValueError(f"memory: start {memory.start} does not lie within sizes {memory.sizes}")
    return memory
