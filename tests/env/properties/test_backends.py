"""One text of rules on Python ints, numpy columns and torch columns: identical integers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_dilemmas_env import rng
from social_dilemmas_env.games.game import decode, encode
from tests.env.properties.coin_boards import coin_games, fast
from tests.helpers.games import COLUMN_GAMES, rules

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
B = 12


def numbers(columns):
    """Columns of any kind as lists of B ints."""
    found = []
    for column in columns:
        if isinstance(column, int):  # the rules may return a constant
            column = np.full(B, column)
        assert column.dtype in (np.int64, torch.int64)
        found.append(column.tolist())
    return found


class Columns:
    """A game played by numpy columns, torch columns and one Python int at a time.

    Every result is compared.
    """

    def __init__(self, game, seed):
        self.game, self.rng = game, np.random.default_rng(seed)
        self.words = self.rng.integers(0, 1 << 32, (game.streams, B))

    def chance(self, kind, b=None):
        """The `draw` of the rules in one of the three forms."""
        words = (
            self.words[:, b].tolist()
            if kind == "int"
            else self.words
            if kind == "numpy"
            else torch.tensor(self.words)
        )
        return lambda stream, n: rng.bounded(words[stream], n)

    def same(self, by_numpy, by_torch, one_by_one):
        """Compares columns [C][B], [C][B] and rows [B][C]."""
        expected = [list(column) for column in zip(*one_by_one, strict=True)]
        assert numbers(by_numpy) == numbers(by_torch) == expected
        assert all(type(value) is int for row in one_by_one for value in row)

    def each(self, columns):
        """Columns as B tuples of Python ints."""
        return list(zip(*numbers(columns), strict=True))

    def check(self):
        game = self.game
        starts = [game.start(self.chance(kind)) for kind in ("numpy", "torch")]
        self.same(*starts, [game.start(self.chance("int", b)) for b in range(B)])
        boards = [
            game.chance(start, self.chance(kind))
            for start, kind in zip(starts, ("numpy", "torch"), strict=True)
        ]
        self.same(
            *boards,
            [game.chance(row, self.chance("int", b)) for b, row in enumerate(self.each(starts[0]))],
        )
        for _ in range(3):
            boards = self.check_step(boards)
        anything = [
            self.rng.integers(0, size, B) for size in game.sizes
        ]  # boards that play may not reach, too
        self.check_step([tuple(anything), tuple(map(torch.tensor, anything))])

    def check_step(self, boards):
        game = self.game
        actions = [self.rng.integers(0, n, B) for n in game.num_actions]
        rows = self.each(boards[0])
        moves = self.each(actions)
        after = [
            game.act(boards[0], actions),
            game.act(boards[1], [torch.tensor(a) for a in actions]),
        ]
        one = [game.act(row, move) for row, move in zip(rows, moves, strict=True)]
        self.same(after[0][0], after[1][0], [board for board, _ in one])
        self.same(after[0][1], after[1][1], [codes for _, codes in one])
        if game.chances(rows[0]):
            self.same(
                *[game.chances(board) for board, _ in after],
                [game.chances(board) for board, _ in one],
            )
        ends = [
            game.chance(board, self.chance(kind))
            for (board, _), kind in zip(after, ("numpy", "torch"), strict=True)
        ]
        lone = [game.chance(board, self.chance("int", b)) for b, (board, _) in enumerate(one)]
        self.same(*ends, lone)
        for player in range(len(game.num_actions)):
            views = [game.view_of(end, player) for end in ends]
            single = [game.view_of(row, player) for row in lone]
            self.same(*views, single)
            self.same(
                *[game.features(view) for view in views], [game.features(view) for view in single]
            )
        codes = [encode(end, game.sizes) for end in ends]
        assert codes[0].tolist() == codes[1].tolist() == [encode(row, game.sizes) for row in lone]
        self.same(*[decode(code, game.sizes) for code in codes], lone)
        return ends


@pytest.mark.parametrize("name", COLUMN_GAMES)
def test_every_game(name):
    for seed in range(5):
        Columns(rules(name), seed).check()


@fast
@given(coin_games(), st.integers(0, 2**32))
def test_any_switches(game, seed):
    Columns(game, seed).check()
