"""Builds an exact game from the rules of a registered one.

game = exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)

rules -> boards up to translation (`boards`, `quotient`) -> x memory (`product`, `memory`)
      -> what seats see (`seats`) -> tables (`tables`) -> a game (`game`)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.engine.tables import counted
from social_dilemmas_env.exact.boards import MAX_ENTRIES, Boards, explore
from social_dilemmas_env.exact.chance import Ints, TooLarge
from social_dilemmas_env.exact.game import ExactGame
from social_dilemmas_env.exact.memory import Automaton, automaton
from social_dilemmas_env.exact.origin import Origin
from social_dilemmas_env.exact.product import (
    Product,
    board_views,
    check_size,
    closed,
    memories,
    memory_codes,
    memory_columns,
    multiply,
    updates,
)
from social_dilemmas_env.exact.quotient import LARGEST, Quotient, group
from social_dilemmas_env.exact.seats import alike, memory_views, seen_by_views
from social_dilemmas_env.exact.tables import check_gamma
from social_dilemmas_env.exact.trembling import Steps, goes_on, trembling
from social_dilemmas_env.exact.visible import check_invariant, check_visible
from social_dilemmas_env.games.game import Game, is_bound
from social_dilemmas_env.games.switches import action_noise
from social_dilemmas_env.registry import spec
from social_dilemmas_env.validation import one_of


def exact_game(
    env_id: str,
    *,
    memory: Any = None,
    gamma: float = 0.96,
    symmetry: str | None = "translations",
    **game_kwargs: Any,
) -> ExactGame:
    """A registered game as a finite Markov game.

    Args:
        env_id: the game; see `list_envs`.  Any game of the registry that can be enumerated.
        memory: what policies may read besides the board: None, "last_pickup", "pickups",
            "last_action", "grudge" or an `Automaton`.
        gamma: discount factor in [0, 1).
        symmetry: "translations" counts boards as one that a translation named by the rules makes
            equal; "all" also those that reflections make equal, for policies that do the mirrored
            thing on mirrored boards (an eighth of the states); None keeps every board, for policies
            that read absolute cells.
        **game_kwargs: the game's own arguments, as for `make_env`.  `max_cycles` plays no part; a
            `continuation` multiplies gamma, here and in `finite` games; with `action_noise` the
            game's rewards and next states are those of the actions that are played.

    Raises:
        ValueError: a game too large (the number of states is named), a memory that looks at what a
            player cannot see, gamma out of range, a wrong argument of the game.
        TypeError: a memory that is no automaton, a wrong argument of the game.
        ImportError: scipy is not installed.
    """
    gamma = check_gamma(gamma)
    if symmetry is not None:
        one_of("symmetry", symmetry, ("translations", "all"))
    game = spec(env_id).game(**game_kwargs)

    own_first = _from_own_seat(env_id, game, game_kwargs)
    remembered = automaton(memory, game)

    try:
        if is_bound(game):
            raise TooLarge("its rules play on arrays")
        own = remembered is memory
        plan = _Plan(env_id, game_kwargs, game, own_first, remembered, own, symmetry)
        return _build(plan, gamma)
    except TooLarge as error:
        boards = _size(game, symmetry)
        states = boards * memories(remembered)
        raise TooLarge(
            f"{env_id} is too large to enumerate: up to {counted(boards)} boards, "
            f"{counted(states)} states with memory ({error}; at most {MAX_ENTRIES:,} states x "
            "joint actions); a smaller board, fewer players or a smaller memory would shrink it"
        ) from None


def with_symmetry(game: ExactGame, symmetry: str | None) -> ExactGame:
    """The same rules and memory, with boards counted as one by another symmetry.

    Args:
        game: of `exact_game`.
        symmetry: as there.

    Raises:
        ValueError: a memory that tells boards apart which the symmetry makes equal.
    """
    origin = game.origin
    rules = origin.env_id, origin.kwargs, origin.game
    own_first = _from_own_seat(origin.env_id, origin.game, origin.kwargs)
    plan = _Plan(*rules, own_first, origin.memory, origin.own_memory, symmetry)
    return _build(plan, game.gamma)


@dataclass(frozen=True)
class _Plan:
    """What is to be built."""

    env_id: str
    kwargs: dict[str, Any]
    game: Game  # as asked for
    own_first: Game  # the same rules, views from the player's own seat
    memory: Automaton
    own_memory: bool  # the caller's, not one of ours
    symmetry: str | None


def _from_own_seat(env_id: str, game: Game, kwargs: dict[str, Any]) -> Game:
    """The same rules with views from each player's own seat, where the game has that switch."""
    if "view" in spec(env_id).keywords and getattr(game, "view", None) == "joint":
        return spec(env_id).game(**{**kwargs, "view": "ego"})
    return game


def _size(game: Game, symmetry: str | None) -> int:
    """Boards, reachable or not, up to symmetry."""
    total = 1
    for size in game.sizes:
        total *= size
    named = max(game.sizes) <= LARGEST
    return total // (group(game, symmetry).order if named else 1)


def _build(plan: _Plan, gamma: float) -> ExactGame:
    game, memory = plan.own_first, plan.memory
    quotient = Quotient(group(game, plan.symmetry))

    # Boards.
    boards = explore(game, quotient, False)
    same = alike(game, memory, boards.board)
    if same and not closed(game, boards, quotient):
        boards = explore(game, quotient, True)
    if not same and quotient.group.order > 1:
        # Players who do not see the whole board may tell its images apart.
        quotient = Quotient(group(game, None))
        boards = explore(game, quotient, False)

    table = updates(game, boards, memory)

    _check_memory(plan, boards, table, quotient)

    # Boards x memory.
    begin = int(memory_codes(memory, memory.start, np.zeros((), np.int64)))

    views: tuple[tuple[Ints, Ints], ...] = ()
    moved, renamed = board_views(game, boards, quotient) if same else ((), None)
    if same:
        views = tuple(zip(moved, memory_views(memory, len(game.num_actions)), strict=True))
    product = multiply(boards, table, begin, views)
    check_size(*product.successors.shape)
    rules = plan.env_id, plan.kwargs, plan.game, memory, plan.own_memory
    origin = Origin(*rules, quotient, boards, table, product)

    # What seats see.
    remembered = memory_columns(memory, product.memory)
    if same:
        rows = [np.arange(len(product.board))]
        rows += [product.index[m[product.memory], b[product.board]] for b, m in views]
        seen = np.stack(rows)
    else:
        board = tuple(column[product.board] for column in boards.board)
        seen = seen_by_views(game, memory, board, remembered)

    columns = _columns(game, boards, product, memory)
    steps = Steps(product.successors, product.chance, boards.rewards[product.board])
    if noise := action_noise(plan.game):
        steps = trembling(steps, game.num_actions, noise)
    average = quotient.stabiliser(boards.board) if plan.symmetry == "all" else None
    return ExactGame(
        num_actions=tuple(game.num_actions),
        start=product.start,
        successors=steps.successors,
        chance=steps.chance,
        rewards=steps.rewards,
        seen=seen,
        seen_actions=None if renamed is None else renamed[:, product.board],
        stabiliser=None if average is None else average[product.board],
        columns=columns,
        still=_still(columns, steps.successors),
        gamma=gamma * goes_on(plan.game),
        origin=origin,
    )


def _check_memory(plan: _Plan, boards: Boards, table: Ints, quotient: Quotient) -> None:
    """Refuses memories that players cannot have, and those that read what a symmetry changes."""
    check_visible(plan.own_first, boards, table)
    if plan.own_memory or plan.symmetry == "all":
        # Our own memories read no cells: a look at the generators finds renamed actions.
        elements = quotient.group.order if plan.own_memory else 6
        check_invariant(plan.own_first, boards, plan.memory, table, (quotient, elements))


def _columns(game: Game, boards: Boards, product: Product, memory: Automaton) -> dict[str, Ints]:
    """The board as seat 0 sees it, then the memory; an array [S] for each name."""
    view = game.view_of(boards.board, 0)
    same = tuple(game.view_sizes) == tuple(game.sizes)

    names = game.columns if same else tuple(f"view_{c}" for c in range(len(view)))
    columns = {
        name: np.broadcast_to(column, boards.count)[product.board]
        for name, column in zip(names, view, strict=True)
    }

    remembered = memory_columns(memory, product.memory)
    return {**columns, **dict(zip(memory.columns, remembered, strict=True))}


def _still(columns: dict[str, Ints], successors: Ints) -> tuple[str, ...]:
    """The columns that take several values and change only when chance acts."""
    certain = successors < len(successors)
    if certain.all() or not certain.any():
        return ()  # chance never acts, or always

    # Compare both ends of every step that chance has no part in.
    source, joint = np.nonzero(successors < len(successors))
    target = successors[source, joint]
    return tuple(
        name
        for name, column in columns.items()
        if column.min() != column.max() and (column[source] == column[target]).all()
    )
