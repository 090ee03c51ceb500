"""What a game is: rules, as pure functions of integers.

A game's *board* is a tuple of columns.  A column is a Python int (one game), a numpy integer array
[B] or a torch integer tensor [B] (B games); the rules use only arithmetic and comparison, so that
one text serves all three.  Column `c` takes the values `0 .. sizes[c] - 1`, hence a board is also
one integer, its mixed-radix code (`encode`).

A step has two halves: what the players do, which is certain, and what chance does, which is
`chance(board, draw)`.  The first half marks what chance has to fill in by the value `sizes[c]`, one
past the last (for example: a coin that was picked up and must be placed again).  `draw(stream, n)`
is a uniform column in `[0, n)`.

Rewards are *codes*, indices into `reward_values`, so that rewards too are integers until they leave
the engine.  Observations are 0/1 arrays; `features` gives the flat positions of the ones.  What a
player sees, its *view*, is columns too, and their code is the observation id.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

Column = Any  # a Python int, a numpy integer array [B] or a torch integer tensor [B]
Board = tuple[Column, ...]
Draw = Callable[[int, Column], Column]


class Game(Protocol):
    """The rules of one game with its switches set.

    Immutable and hashable, so that tables can be shared.
    """

    def __hash__(self) -> int:
        """By the switches."""

    @property
    def num_actions(self) -> tuple[int, ...]:
        """How many actions each player has; its length is the number of players."""

    @property
    def action_names(self) -> tuple[tuple[str, ...], ...]:
        """Per player, a short name for each action."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Name of each column of a board."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each column of a board takes."""

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """How many values each column of a player's view (see `view_of`) takes."""

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of one player's observation, an array of zeros and ones."""

    @property
    def reward_values(self) -> tuple[float, ...]:
        """Reward code -> reward."""

    @property
    def reward_noise(self) -> float:
        """Half-width of the uniform noise added once an episode to every entry of `reward_values`.

        0 for none.
        """

    @property
    def streams(self) -> int:
        """How many random words one step, or the reset, may use."""

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is cut off (truncated)."""

    def start(self, draw: Draw) -> Board:
        """The first board of an episode, before `chance`."""

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """One joint move, before `chance`.  Returns the board and a reward code per player."""

    def chances(self, board: Board) -> tuple[Column, ...]:
        """Per stream that `chance` uses, how many equally likely values it chooses from.

        On this board; 1: no choice.
        """

    def chance(self, board: Board, draw: Draw) -> Board:
        """Fills in the columns that `start` or `act` marked.

        Leaves a board without marks as it is.
        """

    def view_of(self, board: Board, player: int) -> Board:
        """What `player` sees of a board, as columns."""

    def features(self, view: Board) -> list[Column]:
        """Flat positions of the ones in the observation of a view."""


class NoChance:
    """The second half of a step, for rules that leave nothing to chance."""

    def chances(self, board: Board) -> tuple[Column, ...]:
        """Nothing to choose."""
        return ()

    def chance(self, board: Board, draw: Draw) -> Board:
        """Nothing to fill in."""
        return board


def player_0_sees_all(game: Game) -> bool:
    """Whether what player 0 sees of a board says what every player sees of it.

    A game where it does not says so by an attribute of this name.
    """
    return bool(getattr(game, "player_0_sees_all", True))


def is_possible(game: Game, board: Board) -> Column:
    """Whether a board, its columns in range, can occur: a bool, or a bool column.

    A game may name boards that cannot by a method of this name.
    """
    judge = getattr(game, "is_possible", None)
    return board[0] == board[0] if judge is None else judge(board)


def num_walkers(game: Game) -> int:
    """How many of a board's first columns go by themselves and the actions alone, or 0.

    They are where the players are; the rest of the board, and rewards, see only where these have
    come to. A game that has such columns says so by an attribute `walkers`.
    """
    return int(getattr(game, "walkers", 0))


def caption(game: Game, board: Board) -> str:
    """What a picture of one game says of the board, a sentence; "" for nothing.

    A game may say something by a method of this name.
    """
    speak = getattr(game, "caption", None)
    return "" if speak is None else str(speak(board))


def social_counts(game: Game) -> tuple[str, ...] | None:
    """What a commons counts of its players while it is played: names, see `counted`.

    A commons says so by an attribute of this name.  None for other games, of whose returns nobody
    asks how equal they are.
    """
    return getattr(game, "social_counts", None)


def counted(
    game: Any, before: Board, after: Board, actions: Sequence[Column]
) -> dict[str, Sequence[Column]]:
    """How much one joint move adds to each of the `social_counts`, for each player.

    A game that names some has a method `count(before, after, actions)`.
    """
    names = social_counts(game)
    return dict(zip(names, game.count(before, after, actions), strict=True)) if names else {}


def bound_rules(game: Game, xp: Any) -> Any:
    """The rules of a game on a library of arrays, where it has such (`games.commons.arrays`).

    None for games whose rules are `act` and `chance`.
    """
    bind = getattr(game, "on", None)
    return None if bind is None else bind(xp)


def is_bound(game: Game) -> bool:
    """Whether the rules of a game are bound to a library of arrays."""
    return hasattr(game, "on")


def observed_shape(game: Game, obs_mode: str) -> tuple[int, ...]:
    """Shape of one player's observation in this mode.

    Where a game's observation is a plane for each class of a cell, "uint8" stands for the class of
    each cell.
    """
    shape = game.observation_shape
    if obs_mode != "uint8" or not hasattr(game, "classes"):
        return shape
    return shape[1:] if len(shape) > 1 else (shape[0] // len(game.classes),)


def observed_most(game: Game, obs_mode: str) -> int:
    """The greatest number in an observation in this mode."""
    classes = getattr(game, "classes", ())
    return len(classes) - 1 if classes and obs_mode == "uint8" else 1


class RandomEnd(Protocol):
    """What a game whose episodes can end at random, before `max_cycles`, has besides."""

    def may_end(self, t: Column) -> Column:
        """Whether an episode may end after t steps."""

    def ends(self, t: Column, draw: Draw) -> Column:
        """Whether it does."""


def random_end(game: Any) -> RandomEnd | None:
    """The game, if its episodes can end at random."""
    return game if getattr(game, "ending", "fixed") != "fixed" else None


class Symmetry(NamedTuple):
    """A relabelling of boards and actions that leaves the rules as they are.

    A game may name generators of its symmetries by a method `symmetries()`, which returns a tuple
    of these.  A player's view has to be relabelled in the same way as the board.
    """

    columns: tuple[tuple[int, ...], ...]  # columns[c][value] = the value it becomes
    actions: tuple[tuple[int, ...], ...]  # actions[n][a] = what player n's action a becomes


class State(NamedTuple):
    """Everything needed to continue B games, as plain integers; nothing is hidden.

    All fields but `game` are lists of length B (for one game: plain ints, and one list for
    `board`), so that a State can be written as JSON and moves freely between one game, numpy and
    torch.  Random draws follow from `seed`, `episode`, `t`.
    """

    game: str  # the rules and their switches; a state is refused by any other game
    seed: Any  # [B] seed of the game
    episode: Any  # [B] how many episodes the game has started before this one since it was seeded
    t: Any  # [B] steps taken in this episode
    board: Any  # [B, C] the columns of the board
    over: Any  # [B] 1 from the last step of an episode until the reset, else 0


def encode(board: Board, sizes: Sequence[int]) -> Column:
    """Mixed-radix code of a board whose columns lie in 0 .. sizes[c] - 1.

    The first column counts most: ((b0 * sizes[1] + b1) * sizes[2] + b2) ...
    """
    code = board[0]
    for column, size in zip(board[1:], sizes[1:], strict=True):
        code = code * size + column
    return code


def decode(code: Column, sizes: Sequence[int]) -> Board:
    """The board of a mixed-radix code; inverse of `encode`."""
    columns = []
    for size in reversed(sizes[1:]):
        columns.append(code % size)
        code = code // size
    return (code, *reversed(columns))


def joint_action(actions: Sequence[Column], num_actions: Sequence[int]) -> Column:
    """Code of a joint action, player 0's counting most."""
    return encode(tuple(actions), num_actions)
