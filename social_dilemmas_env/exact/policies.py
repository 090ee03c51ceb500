"""Scripted strategies, memoryless agents and arrays as policies [S, A].

A strategy with a memory of its own is a policy of an exact game if that memory is a function of the
game's: `memory_labels` follows it along every transition, and refuses it where one state of the
game would need two of its memories.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.engine.tables import observations
from social_dilemmas_env.exact.chance import Floats, Ints, outcomes
from social_dilemmas_env.exact.origin import Origin
from social_dilemmas_env.exact.product import memory_columns
from social_dilemmas_env.exact.tables import GameTables, Policy, check_policy, check_symmetric
from social_dilemmas_env.games.game import Board, Game, encode
from social_dilemmas_env.registry import spec
from social_dilemmas_env.strategies import make_strategy
from social_dilemmas_env.strategies.base import Scripted, seat

CHUNK = 1 << 14  # boards that are observed at a time
IMAGES = 1 << 18  # boards that are read to see whether a policy minds translations
SAME = 1e-5  # probabilities (of float32 networks) that differ by less are the same
Reader = Callable[[Any], Any]  # observations [K, ...] -> probabilities [K, A]


def policy_of(
    source: Any, tables: GameTables, origin: Origin, player: int | None, kwargs: dict[str, Any]
) -> Policy:
    """See `MarkovGame.policy`."""
    at = 0 if player is None else seat(origin.game, player)
    if isinstance(source, str) and ":" in source:
        raise ValueError(f"load it first: game.policy(agents.load_agent({source!r}))")
    if isinstance(source, str):
        alike = len(set(tables.num_actions)) == 1
        seats = range(tables.num_agents) if player is None and alike else [at]
        game_kwargs = {**origin.kwargs, **kwargs}
        made = [make_strategy(source, origin.env_id, player=n, **game_kwargs) for n in seats]
        return _table(tables, {s.player: _scripted(s, tables, origin) for s in made})

    if isinstance(source, Scripted):
        source.check_seat(origin.game, source.player)
        return _table(tables, {source.player: _scripted(source, tables, origin)})

    # Agents: with a finite memory of their own, or without any.
    if callable(tabulate := getattr(source, "policy_in", None)):
        policy = check_policy(tabulate(origin), (tables.num_states, tables.num_actions[at]), "it")
        return check_symmetric(policy, tables, "its policy")
    if callable(getattr(source, "probabilities", None)) or hasattr(source, "logits"):
        shown = _shown(source, origin)
        return _table(tables, {at: _read(_reader(source), shown, at)[shown.place]})
    if hasattr(source, "act"):
        raise ValueError(
            f"{type(source).__name__} says how it acts, not with which probabilities: exact games "
            "need probabilities(observations) -> [B, A]"
        )

    policy = check_policy(source, (tables.num_states, tables.num_actions[at]), "a policy")
    return check_symmetric(policy, tables, "a policy")


def _table(tables: GameTables, parts: dict[int, Floats]) -> Policy:
    """One policy from what it does in each state, read from some seats (nan: never there).

    Raises:
        ValueError: the seats, or states that look the same, ask for different things.
    """
    size = tables.num_actions[next(iter(parts))]
    table = np.full((tables.num_states, size), np.nan)
    for player, part in parts.items():
        known = ~np.isnan(part[:, 0])
        place = tables.seen[player][known]
        own = _renamed(part, tables, player)[known]

        # What another seat has said stays, and has to agree.
        empty = np.isnan(table[place, 0])
        table[place[empty]] = own[empty]
        if (np.abs(table[place] - own) > SAME).any():
            raise ValueError(
                "this player does not do the same from every seat: give player=, the seat it is for"
            )

    table = np.where(np.isnan(table), 1 / size, table)
    return check_policy(table, (tables.num_states, size), "the policy")


def _renamed(part: Floats, tables: GameTables, player: int) -> Floats:
    """Probabilities of actions by the names that the seat's view gives them, [S, A]."""
    if tables.seen_actions is None:
        return part
    renamed = np.empty_like(part)
    np.put_along_axis(renamed, tables.seen_actions[player], part, 1)
    return renamed


# ------------------------------------------------------------------------------------ memoryless


def _reader(agent: Any) -> Reader:
    """Probabilities of an agent by observation.

    Raises:
        ValueError: it is recurrent.
    """
    if not hasattr(agent, "logits"):
        probabilities: Reader = agent.probabilities
        return probabilities

    def softmax(observations: Any) -> Floats:
        # Whoever made an agent of torch has imported it; this package does not.
        torch = sys.modules.get("torch")
        seen = torch.as_tensor(observations) if torch else observations
        logits, hidden = agent.logits(seen, None)
        if hidden is not None:
            raise ValueError(
                f"this {type(agent).__name__} is recurrent: its memory is not finite, so it is no "
                "policy of an exact game; its exploitability can be bounded (by a trained "
                "exploiter, or the best response to its policy averaged over histories), not "
                "computed"
            )

        z = np.asarray(logits.detach().cpu() if torch else logits, np.float64)
        weights = np.exp(z - z.max(-1, keepdims=True))
        return np.asarray(weights / weights.sum(-1, keepdims=True))

    return softmax


@dataclass(frozen=True)
class _Shown:
    """What an agent is shown in the states of a game."""

    origin: Origin
    rules: Game  # what it plays: with the memory in its observations, or without
    boards: Board  # columns of each board that is looked at, without the memory
    memory: Board  # columns of the memory, none if it is not shown
    place: Ints  # [S] which of these K boards a state is

    def observations(self, element: int, player: int) -> Iterator[Floats]:
        """Of all boards after a symmetry, some at a time."""
        board = (*self.origin.quotient.images(self.boards, element), *self.memory)
        view = self.rules.view_of(board, player)
        ids = np.asarray(encode(view, self.rules.view_sizes))
        for at in range(0, len(ids), CHUNK):
            yield observations(self.rules, ids[at : at + CHUNK])


def _shown(agent: Any, origin: Origin) -> _Shown:
    """With the game's memory for an agent that was trained with such a view of it.

    Raises:
        ValueError: with another memory than the game's.
    """
    product, boards = origin.product, origin.boards.board
    wanted = (getattr(agent, "game_kwargs", None) or {}).get("memory")
    if wanted is None:
        return _boards_only(origin)

    # Every state is a board of the game that shows it.
    rules = spec(origin.env_id).game(**origin.kwargs, memory=wanted)
    if rules.columns[len(boards) :] != tuple(origin.memory.columns):
        raise ValueError(
            f"this {type(agent).__name__} sees memory={wanted!r}: build the game with that memory"
        )
    memory = memory_columns(origin.memory, product.memory)
    states = tuple(column[product.board] for column in boards)
    return _Shown(origin, rules, states, memory, np.arange(len(product.board)))


def _boards_only(origin: Origin) -> _Shown:
    """Without the memory."""
    return _Shown(origin, origin.game, origin.boards.board, (), origin.product.board)


def _read(reader: Reader, shown: _Shown, player: int) -> Floats:
    """What a player without a memory of its own does on each board that it is shown, [K, A].

    Raises:
        ValueError: something else on boards that a symmetry makes equal.
    """
    group, count = shown.origin.quotient.group, len(shown.boards[0])
    first: Floats | None = None
    which, weaker = "translation", None

    # The board itself first, then its images.
    for element in range(min(group.order, max(3, IMAGES // count))):
        parts = [np.asarray(reader(seen)) for seen in shown.observations(element, player)]
        found = np.concatenate(parts).astype(np.float64)[:, group.actions[player][element]]

        if first is None:
            first = found
        elif np.abs(found - first).max() > SAME:
            if (group.actions[player][element] != group.actions[player][0]).any():
                which, weaker = "reflection", "'translations'"
            raise ValueError(
                f"this player does not do the same on boards that differ by a {which}: build "
                f"the game with symmetry={weaker}, where they are states of their own"
            )
    assert first is not None
    return first


# -------------------------------------------------------------------------------------- scripted


def _scripted(strategy: Scripted, tables: GameTables, origin: Origin) -> Floats:
    """What a strategy does in each state, [S, A]; nan where its seat never gets."""

    def reader(memory: int) -> Reader:
        return lambda observations: strategy.action_probabilities(observations, memory)

    shown, seat = _boards_only(origin), strategy.player
    read = np.stack([_read(reader(k), shown, seat) for k in range(strategy.num_memories)])

    board = origin.product.board
    if strategy.num_memories == 1:
        return np.asarray(read[0][board])
    labels = memory_labels(strategy, tables, origin)
    found = read[np.maximum(labels, 0), board]
    return np.where(labels[:, None] < 0, np.nan, found)


def memory_labels(strategy: Scripted, tables: GameTables, origin: Origin) -> Ints:
    """The strategy's memory in each state of the game, [S]; -1 where play never gets.

    Raises:
        ValueError: it is not a function of the state.
    """
    edges = _Edges(strategy, origin)
    product = origin.product
    labels = np.full(tables.num_states, -1)
    frontier = np.flatnonzero(tables.start)
    labels[frontier] = 0

    while len(frontier):
        fresh = []
        for at in range(0, len(frontier), CHUNK):
            # Every edge out of these states.
            states = frontier[at : at + CHUNK]
            source, edge = edges.of(product.board[states])
            source = states[source]
            memory = origin.updates[product.memory[source], edges.step[edge]]
            target = product.index[memory, edges.target[edge]]
            label = edges.next[labels[source], edge]

            # Label what had none; nothing may get two.
            new = labels[target] < 0
            labels[target[new]] = label[new]
            if (labels[target] != label).any():
                raise ValueError(_inexpressible(strategy))
            fresh.append(np.unique(target[new]))
        frontier = np.concatenate(fresh)
    return labels


def _inexpressible(strategy: Scripted) -> str:
    wanted = strategy.memory
    return f"the memory of {strategy.name} is not a function of this game's memory; " + (
        f"memory={wanted!r} would do" if wanted else "give an automaton that holds it"
    )


class _Edges:
    """Every step from a board to a board, and what the strategy remembers after it."""

    def __init__(self, strategy: Scripted, origin: Origin) -> None:
        boards, quotient = origin.boards, origin.quotient
        joint = boards.successors.shape[1]
        done = outcomes(
            lambda draw, which: origin.game.chance(tuple(c[which] for c in boards.after), draw),
            boards.count * joint,
        )

        codes = encode(boards.board, quotient.sizes)
        reached = encode(quotient.canonical(done.board), quotient.sizes)
        self.step = done.row  # [E] board * J + joint action
        self.target = np.atleast_1d(np.searchsorted(codes, np.asarray(reached)))  # [E] board

        starts = np.searchsorted(done.row, np.arange(boards.count + 1) * joint)
        self._first, self._count = starts[:-1], np.diff(starts)

        # Next memory by memory and edge, [K, E].
        self.next = np.empty((strategy.num_memories, len(self.step)), np.int64)
        for at in range(0, len(self.step), CHUNK):
            part = slice(at, at + CHUNK)
            source = self.step[part] // joint
            before = origin.observe(tuple(c[source] for c in boards.board), strategy.player)
            after = origin.observe(tuple(c[part] for c in done.board), strategy.player)
            for k in range(strategy.num_memories):
                self.next[k, part] = strategy.next_memory(k, before, after)

    def of(self, boards: Ints) -> tuple[Ints, Ints]:
        """Positions in `boards`, and edges, of all edges out of them."""
        count = self._count[boards]
        source = np.repeat(np.arange(len(boards)), count)
        offset = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
        return source, self._first[boards][source] + offset
