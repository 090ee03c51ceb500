"""Switches that every game has: a clock in the observations, a random end, trembling hands.

    make_env(env_id, observe_time=True, continuation=0.98, action_noise=0.01)

    observe_time    players see how many steps of the episode are over; not in the commons on
                    maps, whose boards are arrays
    continuation    after each step the episode goes on with this probability; players cannot see
                    whether it will.  Its end is a truncation, as that of the horizon: a learner
                    that bootstraps there and discounts by `continuation` values the future as the
                    game does, one that took it for a termination would discount twice
    action_noise    each action is exchanged, with this probability, for a uniformly random one
                    (which may be the same)

The rules themselves stay as they are; states of a game with other switches are refused.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from social_dilemmas_env.games.flat import shaped
from social_dilemmas_env.games.game import (
    Board,
    Column,
    Draw,
    Game,
    Symmetry,
    caption,
    is_bound,
)
from social_dilemmas_env.games.game import is_possible as possible
from social_dilemmas_env.validation import finite, flag

SWITCHES = ("observe_time", "continuation", "action_noise")
PARTS = 1 << 24  # of a probability


def switched(
    game: Game,
    *,
    observe_time: bool = False,
    continuation: float | None = None,
    action_noise: float = 0.0,
) -> Game:
    """The rules as they are, or with these switches.

    Raises:
        ValueError: a probability out of range, or a switch that the game cannot have.
        TypeError: a switch of another type.
    """
    # Ranges.
    flag("observe_time", observe_time)
    if continuation is not None and not 0 <= finite("continuation", continuation) <= 1:
        raise ValueError(
            f"continuation must be None or lie between 0 and 1, got {continuation!r}: the "
            "probability with which an episode goes on after a step"
        )
    if not 0 <= finite("action_noise", action_noise) <= 1:
        raise ValueError(
            f"action_noise must lie between 0 and 1, got {action_noise!r}: the probability with "
            "which an action is exchanged for a random one"
        )

    # What was asked for, and nothing that changes nothing.
    given: dict[str, Any] = {}
    if observe_time:
        given["observe_time"] = True
    if continuation is not None and continuation < 1:
        given["continuation"] = float(continuation)
    if action_noise:
        given["action_noise"] = float(action_noise)
    return _with(game, given) if given else game


def _with(game: Game, given: dict[str, Any]) -> Game:
    if "observe_time" in given and is_bound(game):
        raise ValueError(
            f"observe_time is not to be had of {type(game).__name__}: its boards are arrays"
        )
    if "continuation" in given and getattr(game, "ending", "fixed") != "fixed":
        raise ValueError("continuation and ending contradict each other: give one of them")

    # The same rules under a class that knows the switches; a frozen dataclass is written to so.
    # Made of that class at once: Python changes an object's class only where bases are alike.
    twin: Game = object.__new__(_switched_class(type(game), "observe_time" in given))
    own = {"_plain": game, "_switches": tuple(sorted(given.items())), **given}
    if "continuation" in given:
        own["ending"] = "random"
    vars(twin).update({**vars(game), **own})
    return twin


def with_horizon(game: Game, max_cycles: int) -> Game:
    """The same rules and switches, cut off elsewhere.

    Raises:
        ValueError: players see the clock, whose space would change.
    """
    plain = getattr(game, "_plain", None)
    if plain is None:
        return replace(game, max_cycles=max_cycles)  # type: ignore[type-var]
    given = {name: value for name, value in vars(game).items() if name in SWITCHES}
    if "observe_time" in given:
        raise ValueError(
            "max_cycles is fixed where players see the clock, as their observations depend on it: "
            "make another environment"
        )

    twin = _with(with_horizon(plain, max_cycles), given)
    return shaped(twin, len(twin.observation_shape) > len(game.observation_shape))


def plays_alike(game: Game, other: Game) -> bool:
    """Whether what plays the one can play the other: the same rules and observations.

    Horizons, random ends and trembling hands may differ.
    """
    if game.observation_shape != other.observation_shape:
        return False
    bare = [getattr(rules, "_plain", rules) for rules in (game, other)]
    return bool(with_horizon(bare[0], 1) == with_horizon(bare[1], 1))


def trembled(game: Any, actions: Sequence[Column], draw: Draw) -> list[Column]:
    """The actions that are played where hands tremble.

    Args:
        game: rules with `action_noise`.
        actions: that were chosen, a column a player.
        draw: of this step.
    """
    # Whether each hand slips, and what it does then: two streams after the rules' own.
    first = game.streams - 1 - 2 * len(actions)
    parts = round(game.action_noise * PARTS)
    played = []
    for n, (action, count) in enumerate(zip(actions, game.num_actions, strict=True)):
        slips = (draw(first + 2 * n, PARTS) < parts) * 1
        other = draw(first + 2 * n + 1, count)
        played.append(action + slips * (other - action))
    return played


def action_noise(game: Game) -> float:
    """The probability with which an action is exchanged for a random one."""
    return float(getattr(game, "action_noise", 0.0))


class _Switched:
    """What all games with switches have in common; stands before the rules' class.

    The rules are asked as they were before, so that they find nothing of their own changed.
    """

    continuation: float | None = None
    _plain: Any  # the rules without switches
    _switches: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={value!r}" for name, value in self._switches)
        return f"{self._plain!r} with {words}"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash((self._plain, self._switches))

    def __reduce__(self) -> tuple[Any, ...]:
        return _with, (self._plain, dict(self._switches))

    @property
    def streams(self) -> int:
        """The rules' own; two for each hand; the last for the end."""
        return int(self._plain.streams) + 2 * len(self._plain.num_actions) + 1

    def may_end(self, t: Column) -> Column:
        """After any step, if it can at all."""
        return t > 0 if self.continuation is not None else t < 0

    def ends(self, t: Column, draw: Draw) -> Column:
        """Whether it does."""
        if self.continuation is None:
            return self.may_end(t)
        goes_on = round(self.continuation * PARTS)
        return self.may_end(t) & (draw(self.streams - 1, PARTS) >= goes_on)


class _Timed(_Switched):
    """The clock as one more column of boards and views; it stands still at the horizon."""

    observe_time = True

    @property
    def columns(self) -> tuple[str, ...]:
        """And the time."""
        return (*self._plain.columns, "time")

    @property
    def sizes(self) -> tuple[int, ...]:
        """And the steps of an episode."""
        return (*self._plain.sizes, self._plain.max_cycles + 1)

    @property
    def view_sizes(self) -> tuple[int, ...]:
        """And the steps of an episode."""
        return (*self._plain.view_sizes, self._plain.max_cycles + 1)

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """A number more for each time, in as many planes as that takes."""
        first, *plane = self._plain.observation_shape
        times = self._plain.max_cycles + 1
        return (first + -(-times // math.prod(plane)), *plane)

    def start(self, draw: Draw) -> Board:
        """At time 0."""
        board: Board = self._plain.start(draw)
        return (*board, board[0] * 0)

    def act(self, board: Board, actions: Sequence[Column]) -> tuple[Board, list[Column]]:
        """And a step later."""
        after, rewards = self._plain.act(board[:-1], actions)
        return (*after, board[-1] + (board[-1] < self._plain.max_cycles)), rewards

    def chances(self, board: Board) -> tuple[Column, ...]:
        """The rules'."""
        choices: tuple[Column, ...] = self._plain.chances(board[:-1])
        return choices

    def chance(self, board: Board, draw: Draw) -> Board:
        """The rules'."""
        return (*self._plain.chance(board[:-1], draw), board[-1])

    def view_of(self, board: Board, player: int) -> Board:
        """And the time."""
        return (*self._plain.view_of(board[:-1], player), board[-1])

    def features(self, view: Board) -> list[Column]:
        """And the time, one-hot after everything else."""
        numbers = math.prod(self._plain.observation_shape)
        return [*self._plain.features(view[:-1]), numbers + view[-1]]

    def is_possible(self, board: Board) -> Column:
        """The rules'."""
        return possible(self._plain, board[:-1])

    def symmetries(self) -> tuple[Symmetry, ...]:
        """The rules', at the same time."""
        name = getattr(self._plain, "symmetries", None)
        times = tuple(range(self._plain.max_cycles + 1))
        found = () if name is None else name()
        return tuple(Symmetry((*each.columns, times), each.actions) for each in found)

    def caption(self, board: Board) -> str:
        """The rules'."""
        return caption(self._plain, board[:-1])


@functools.cache
def _switched_class(rules: type, timed: bool) -> Any:
    """A subclass that goes by the same name."""
    members = {
        "__qualname__": rules.__qualname__,
        "__module__": rules.__module__,
        "__doc__": rules.__doc__,
    }
    return type(rules.__name__, (_Timed if timed else _Switched, rules), members)
