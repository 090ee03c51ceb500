"""Counter-based draws: the only randomness in this package.

Every random choice is an integer hash of *what it is for*: the game's seed, the episode, the step
and the stream (a small number that names the choice within the step).  Nothing is stored and
nothing global is read or written, so a game has one future whatever its backend, its batch, its
batch size, its process or its neighbours.

    mix       x -> x        a bijection of 32-bit integers (Wellons' `lowbias32`)
    draw      (seed, i, ...) -> 32-bit word; for a fixed seed distinct i give distinct words
    stem      seed -> 32-bit word, what a batch keeps of its seeds
    key       (seed, episode) -> (start, stride)
    word      mix(start + counter * stride), the counter-th word of an episode
    bounded   word, n -> 0 .. n-1, by multiply-shift (bias below n / 2^32)

All functions run unchanged on Python ints, numpy int64 arrays and torch int64 tensors and give the
same integers: values are kept below 2^32 and products are masked, so that two's complement
wrap-around never shows.  numpy arrays of dtype uint32 work too, and are twice as fast, where every
operand is uint32; but not for `bounded`, whose product needs 64 bits.

Source: hash by C. Wellons, "Prospecting for hash functions" (2018); the additive sequence with a
stride of its own per key is the construction of SplitMix (Steele, Lea, Flood, OOPSLA 2014).
"""

import operator
import secrets
from enum import IntEnum
from typing import Any

import numpy as np

MASK = 0xFFFFFFFF
FOLD = 0x85EBCA6B  # what `fold` leaves, so that folding in 0 is no second `mix`
SEED_LIMIT = 1 << 63
Ints = Any  # a Python int, a numpy integer array or a torch integer tensor


class Stream(IntEnum):
    """What a learner draws random numbers for: the first index of `draw(seed, stream, ...)`.

    The numbers are part of every seeded result; they never change.
    """

    INIT = 1  # initial parameters
    ROLLOUT = 2  # actions, and which past selves play
    ENV = 3  # seeds of the games
    MODELS = 4  # initial parameters of models of others
    PERSONAS = 2  # meta-learning, which needs no seeds of roll-outs: the characters of its peers


def mix(x: Ints) -> Ints:
    """Scrambles the low 32 bits of `x`; a bijection of [0, 2^32)."""
    x = x & MASK
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & MASK
    return x ^ (x >> 16)


def draw(seed: Ints, *index: Ints) -> Ints:
    """Hashes a seed in [0, 2^63) and any further integers to a word in [0, 2^32).

    `draw(seed, i)` is the seed of game `i` of a batch reset with `seed`.
    """
    h = stem(seed)
    for i in index:
        h = fold(h, i)
    return h


def stem(seed: Ints) -> Ints:
    """The part of `draw` that depends on the seed alone.

    A batch keeps it, instead of hashing the seed every episode.
    """
    return mix(mix((seed & MASK) ^ 0x9E3779B9) ^ (seed >> 32))


def fold(h: Ints, i: Ints) -> Ints:
    """Takes one more integer into the hash `h`."""
    return mix(h ^ (i & MASK)) ^ FOLD


def key(seed: Ints, episode: Ints) -> tuple[Ints, Ints]:
    """Start and (odd) stride of the word sequence of one episode of one game."""
    return key_of(stem(seed), episode)


def key_of(seed_stem: Ints, episode: Ints) -> tuple[Ints, Ints]:
    """`key`, from the `stem` of the seed.

    The episode comes last: of start and stride each then has a chain of its own, and two games that
    share the one by chance do not share the other.  (The other way round, 4,096 games of 1,024
    episodes hold two thousand pairs of equal episodes.)
    """
    return fold(fold(seed_stem, 0), episode), fold(fold(seed_stem, 1), episode) | 1


def word(episode_key: tuple[Ints, Ints], counter: Ints) -> Ints:
    """The `counter`-th 32-bit word of an episode."""
    start, stride = episode_key
    return mix(start + counter * stride)


def bounded(word: Ints, n: Ints) -> Ints:
    """A 32-bit word as a uniform integer in [0, n)."""
    return (word * n) >> 32


def check_seed(seed: object) -> int:
    """Returns `seed` as an int.

    Raises:
        TypeError: it is not an integer.
        ValueError: it is negative or not below 2^63.
    """
    if isinstance(seed, bool | np.bool_):  # numpy 1.26 would still take its bool for an index
        raise TypeError(f"seed must be an integer, not a bool: {seed!r}")
    try:
        value = operator.index(seed)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"seed must be an integer, got {type(seed).__name__}: {seed!r}") from None
    if not 0 <= value < SEED_LIMIT:
        raise ValueError(f"seed must lie in [0, 2^63), got {value}")
    return value


def fresh_seed() -> int:
    """A seed from the operating system, for a game reset without one."""
    return secrets.randbits(63)
