"""Random words as numpy makes them quickest.

An operation on a few numbers costs what it costs on one. So the words of a start are made in one
go, for all streams; and in a small batch those of the next steps are, for all games, though few of
them need any. In a large batch words are made for the lanes alone where chance has something to do.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.engine.array_engine import Key
from social_dilemmas_env.games.game import Column, Draw

FEW = 512  # games of a small batch
AHEAD = 32  # steps
HALF = np.array(32)  # bits; as an array, which numpy takes quicker than a number


def start_draw(xp: Any, key: Key, streams: int) -> Draw:
    """The `draw(stream, n)` of the starts of episodes; see `RuleEngine.draw`."""
    words = xp.words(key, xp.word(np.arange(streams)[:, None])).astype(np.int64)

    def draw(stream: int, n: Column) -> Column:
        return words[stream] * n >> 32

    return draw


class LaneDraws:
    """`rng.bounded` words of some streams: on some lanes, or made ahead for all games.

    Args:
        xp: numpy's arrays.
        streams: how many streams a step has.
        used: those that are asked for.
        num_envs: games.
    """

    def __init__(self, xp: Any, streams: int, used: Sequence[int], num_envs: int):
        self.xp, self.streams, self.used, self.few = xp, streams, list(used), num_envs <= FEW
        counters = np.arange(AHEAD) * streams + np.array(self.used, np.int64)[:, None]
        self.counters = xp.word(counters)[:, :, None]
        self.key: Key | None = None  # for which `ready` holds, and from which step on
        self.first = 0
        self.ready: list[np.ndarray] = []

    def __call__(
        self, key: Key, t: Any, lanes: np.ndarray, counts: Sequence[Any]
    ) -> Sequence[np.ndarray]:
        """Uniform integers in [0, n), for each of the streams.

        Args:
            key: of all episodes.
            t: the step, an int; or the steps, [B].
            lanes: which games, [L].
            counts: n for each stream, an int or [L].
        """
        key = (key[0][lanes], key[1][lanes])
        first = (t if isinstance(t, int) else t[lanes]) * self.streams
        return [
            self.xp.uniform(key, first + stream, n)
            for stream, n in zip(self.used, counts, strict=True)
        ]

    def index(self, key: Key, t: Any, lanes: np.ndarray, counts: Sequence[int]) -> Any:
        """The draws as one number in mixed radix, for counts that never change."""
        return mixed_radix(self(key, t, lanes, counts), counts)

    # The same for all games, in a small batch that is in step

    def of_all(self, key: Key, t: int, counts: Sequence[Any]) -> Sequence[np.ndarray]:
        """Uniform integers in [0, n), for each of the streams; n is an int or [B]."""
        step = self.ahead(key, t, list)
        return [words[step] * n >> HALF for words, n in zip(self.ready, counts, strict=True)]

    def index_of_all(self, key: Key, t: int, counts: Sequence[int]) -> np.ndarray:
        """The draws as one number in mixed radix, for counts that never change; a row of them."""

        def indices(words: Any) -> list[np.ndarray]:
            digits = [part * n >> 32 for part, n in zip(words, counts, strict=True)]
            return [mixed_radix(digits, counts)]

        step = self.ahead(key, t, indices)
        row: np.ndarray = self.ready[0][step]
        return row

    def ahead(self, key: Key, t: int, make: Callable[[Any], list[np.ndarray]]) -> int:
        """Sees to it that step t is in `ready`, and says where; keys are known by their arrays."""
        same = self.key is not None and key[0] is self.key[0] and key[1] is self.key[1]
        if not (same and self.first <= t < self.first + AHEAD):
            counters = self.counters + self.xp.word(t * self.streams)
            self.ready = make(self.xp.words(key, counters).astype(np.int64))
            self.key, self.first = key, t
        return t - self.first


def mixed_radix(digits: Sequence[np.ndarray], counts: Sequence[int]) -> Any:
    """Digits as one number, the first counting most; 0 where there are none."""
    index: Any = 0
    for digit, count in zip(digits, counts, strict=True):
        index = index * count + digit
    return index
