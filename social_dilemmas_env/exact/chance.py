"""All that chance can do, by running the rules on every combination of draws.

    outcomes(play, rows)      play(draw, which) -> columns, for every value that each draw can take

The rules ask for a random number by `draw(stream, n)`, uniform in [0, n).  Here a call that has not
been answered yet stops the rules; each row is then split into n rows, one for each answer, and the
rules run again.  So nobody has to know beforehand how many draws a game makes.

Uniform is meant exactly: a played game draws by `word * n >> 32` from 32-bit words, which is off by
at most n / 2^32.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from social_dilemmas_env.games.game import Board, Column, Draw

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_ROWS = 1 << 23  # of an enumeration: some hundred MB of columns


class TooLarge(ValueError):
    """More states than can be enumerated."""


class Outcomes(NamedTuple):
    """K outcomes."""

    board: Board  # columns, int64 [K] each
    row: Ints  # [K] the row that it came from
    probability: Floats  # [K]; sums to one over the outcomes of a row


class _Question(Exception):
    """A draw that has no answer yet."""

    def __init__(self, count: Column) -> None:
        self.count = count


def outcomes(play: Callable[[Draw, Ints], Board], rows: int) -> Outcomes:
    """Every outcome of `play` with its probability.

    Args:
        play: the rules: draws and the rows [K] that are played -> columns, [K] or a number each.
        rows: how many games there are before chance has a say.

    Raises:
        TooLarge: more outcomes than fit.
    """
    row, probability = np.arange(rows, dtype=np.int64), np.ones(rows)
    answers: list[Ints] = []
    while True:
        try:
            board = play(_Answers(answers, len(row)), row)
        except _Question as question:
            # Split every row into one for each answer.
            count = np.broadcast_to(np.asarray(question.count, np.int64), row.shape)
            if count.sum() > MAX_ROWS:
                raise TooLarge(f"{int(count.sum()):,} outcomes of chance") from None
            split = np.repeat(np.arange(len(row)), count)
            first = np.cumsum(count) - count
            answers = [answer[split] for answer in answers] + [np.arange(len(split)) - first[split]]
            row, probability = row[split], (probability / count)[split]
        else:
            columns = tuple(np.broadcast_to(np.asarray(c, np.int64), row.shape) for c in board)
            return Outcomes(columns, row, probability)


class _Answers:
    """A `Draw` that gives the answers in order and asks for the next one."""

    def __init__(self, answers: list[Ints], rows: int) -> None:
        self.answers, self.rows, self.given = answers, rows, 0

    def __call__(self, stream: int, n: Column) -> Ints:
        if np.all(np.asarray(n) == 1):  # no choice
            return np.zeros(self.rows, np.int64)
        if self.given == len(self.answers):
            raise _Question(n)
        self.given += 1
        return self.answers[self.given - 1]
