"""The boards of a game that can be reached, and what leads from one to another.

Everything is computed by running the rules (`games/`); there is no second definition of any rule.

    start        probability of each board at the start of an episode              [B]
    successors   index of the next board, or B + p where chance acts               [B, J]
    rewards      of every player, before the noise, whose mean is zero             [B, J, N]
    chance       what chance makes of pending board p: rows that sum to one        [P, B]

J joint actions, player 0's counting most.  Boards are kept up to a symmetry (`quotient`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from social_dilemmas_env.exact.chance import Floats, Ints, TooLarge, outcomes
from social_dilemmas_env.exact.quotient import Quotient
from social_dilemmas_env.exact.sparse import scipy_sparse
from social_dilemmas_env.games.game import Board, Game, decode, encode

MAX_ENTRIES = 1 << 24  # states x joint actions: 400 MB of tables for two players


@dataclass(frozen=True)
class Boards:
    """See the module's docstring."""

    board: Board  # columns, [B] each
    after: Board  # columns [B * J] each, before chance acts (marks included)
    start: Floats  # [B]
    successors: Ints  # [B, J]
    rewards: Floats  # [B, J, N]
    chance: Any  # csr [P, B]

    @property
    def count(self) -> int:
        """B."""
        return len(self.start)


class Explorer:
    """Runs the rules on arrays of board codes; codes leave room for the marks of chance."""

    def __init__(self, game: Game, quotient: Quotient) -> None:
        self.game, self.quotient, self.sizes = game, quotient, quotient.sizes
        self.joint = int(np.prod(game.num_actions))
        self.values = np.array(game.reward_values, np.float64)

    def code(self, board: Board) -> Ints:
        """Codes of the canonical images of boards."""
        codes: Ints = encode(self.quotient.canonical(board), self.sizes)
        return codes

    def act(self, codes: Ints) -> tuple[Board, Floats]:
        """Boards after every joint action, before chance, [K * J] each; rewards [K * J, N]."""
        code = np.repeat(codes, self.joint)
        joint = np.tile(np.arange(self.joint), len(codes))
        board, rewards = self.game.act(
            decode(code, self.sizes), decode(joint, self.game.num_actions)
        )

        # A column may be a number, where it is the same for all.
        columns = tuple(np.broadcast_to(np.asarray(c, np.int64), code.shape) for c in board)
        paid = [np.broadcast_to(np.asarray(c, np.int64), code.shape) for c in rewards]
        return columns, self.values[np.stack(paid, -1)]

    def marked(self, codes: Ints) -> Any:
        """Whether chance has to act, bool [K]."""
        columns = zip(decode(codes, self.sizes), self.game.sizes, strict=True)
        return np.any([column == size for column, size in columns], 0)

    def chance(self, codes: Ints) -> tuple[Ints, Ints, Floats]:
        """What chance makes of boards: row, code and probability of every outcome."""
        boards = decode(codes, self.sizes)
        result = outcomes(
            lambda draw, which: self.game.chance(tuple(c[which] for c in boards), draw), len(codes)
        )
        return result.row, self.code(result.board), result.probability

    def start(self) -> tuple[Ints, Floats]:
        """Codes of the first boards and their probabilities."""
        first = outcomes(lambda draw, which: self.game.start(draw), 1)
        codes, where = np.unique(self.code(first.board), return_inverse=True)
        weights = np.bincount(where, first.probability)

        # Chance completes them.
        row, code, probability = self.chance(codes)
        codes, where = np.unique(code, return_inverse=True)
        return codes, np.bincount(where, weights[row] * probability).astype(np.float64)


def explore(game: Game, quotient: Quotient, seats_alike: bool) -> Boards:
    """All boards that can be reached, and those that some seat sees when another stands there.

    Args:
        game: the rules, with views from the player's own seat.
        quotient: boards that are counted as one.
        seats_alike: whether a player's view has the columns of a board, so that the board as
            another seat sees it is a board too.

    Raises:
        TooLarge: too many boards.
    """
    explorer = Explorer(game, quotient)
    codes, weights = explorer.start()

    found: dict[int, None] = {}
    steps: list[tuple[Ints, Board, Ints, Floats]] = []
    pending = _Pending(explorer)
    frontier = codes
    while len(frontier):
        if (len(found) + len(frontier)) * explorer.joint > MAX_ENTRIES:
            raise TooLarge(f"more than {len(found) + len(frontier):,} boards")
        found.update(dict.fromkeys(frontier.tolist()))

        # Play every joint action and let chance act.
        after, rewards = explorer.act(frontier)
        next_code = explorer.code(after)
        steps.append((frontier, after, next_code, rewards))
        marked = explorer.marked(next_code)
        reached = [next_code[~marked], pending.add(next_code[marked])]

        # The same boards as the other seats see them.
        if seats_alike:
            board = decode(frontier, explorer.sizes)
            seats = range(1, len(game.num_actions))
            reached += [explorer.code(game.view_of(board, seat)) for seat in seats]

        new = np.unique(np.concatenate(reached))
        frontier = np.array([code for code in new.tolist() if code not in found], np.int64)
    return _assemble(explorer, steps, pending, (codes, weights))


class _Pending:
    """Boards that wait for chance, each expanded once."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        self.index: dict[int, int] = {}  # code -> row
        self.parts: list[tuple[Ints, Ints, Floats]] = []  # row, code of outcome, probability

    def add(self, codes: Ints) -> Ints:
        """Codes of all outcomes of the boards that are new."""
        unique = np.unique(codes).tolist()
        new = np.array([code for code in unique if code not in self.index], np.int64)
        first = len(self.index)
        self.index.update({code: first + i for i, code in enumerate(new.tolist())})

        row, code, probability = self.explorer.chance(new)
        self.parts.append((first + row, code, probability))
        return code


def _assemble(
    explorer: Explorer,
    steps: list[tuple[Ints, Board, Ints, Floats]],
    pending: _Pending,
    start: tuple[Ints, Floats],
) -> Boards:
    """Codes become indices, in ascending order of codes."""
    codes = np.concatenate([step[0] for step in steps])
    order = np.argsort(codes)
    codes = codes[order]

    count, joint = len(codes), explorer.joint

    def sorted_rows(parts: list[Any]) -> Any:
        table = np.concatenate(parts)
        return table.reshape(count, joint, *table.shape[1:])[order]

    # Successors: boards by their place among the codes, pending ones after them.
    next_code = sorted_rows([step[2] for step in steps]).ravel()
    marked = explorer.marked(next_code)
    successors = np.searchsorted(codes, next_code)

    waiting = np.array(sorted(pending.index), np.int64)
    rows = np.array([pending.index[code] for code in waiting.tolist()], np.int64)
    if len(waiting):
        successors[marked] = count + rows[np.searchsorted(waiting, next_code[marked])]

    # Chance.
    row, code, probability = (np.concatenate(part) for part in zip(*pending.parts, strict=True))
    chance = scipy_sparse().csr_matrix(
        (probability, (row, np.searchsorted(codes, code))), shape=(len(waiting), count)
    )

    # The start.
    begin = np.zeros(count)
    begin[np.searchsorted(codes, start[0])] = start[1]
    return Boards(
        board=decode(codes, explorer.sizes),
        after=tuple(
            sorted_rows([step[1][c] for step in steps]).ravel() for c in range(len(explorer.sizes))
        ),
        start=begin,
        successors=successors.reshape(count, joint),
        rewards=sorted_rows([step[3] for step in steps]),
        chance=chance,
    )
