"""The hash behind every random choice: one integer on every backend, a bijection, no collisions
where none are due.

Statistical tests use fixed counters, so they never flicker; the false-alarm rate given is the
chance that a perfect generator would have failed them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from social_dilemmas_env import rng

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

fast = settings(max_examples=300, deadline=None, derandomize=True)
seeds = st.integers(0, rng.SEED_LIMIT - 1)
small = st.integers(
    -(2**40), 2**40
)  # counters, episodes and indices, negative and beyond 32 bits too
word = st.integers(0, rng.MASK)


def everywhere(function, *arguments):
    """The value on Python ints, which must be that of numpy int64 and torch int64 arrays, alone and
    among others."""
    expected = function(*arguments)
    for make in (np.array, torch.tensor):
        columns = [make([argument, 0, argument]) for argument in arguments]
        found = function(*columns)
        for value, whole in zip(astuple(found), astuple(expected), strict=True):
            assert value.tolist()[0] == value.tolist()[2] == whole
            assert value.dtype in (np.int64, torch.int64)
        mixed = function(
            columns[0], *arguments[1:]
        )  # arrays with Python ints, as the drivers use them
        assert [value.tolist()[0] for value in astuple(mixed)] == list(astuple(expected))
    return expected


def astuple(value):
    return value if isinstance(value, tuple) else (value,)


@fast
@given(small)
@example(0)
@example(2**32)
@example(-1)
def test_mix(x):
    assert 0 <= everywhere(rng.mix, x) <= rng.MASK
    assert rng.mix(x) == rng.mix(x & rng.MASK)


@fast
@given(seeds, small, small)
@example(0, 0, 0)
@example(2**63 - 1, -1, 2**32 - 1)
@example(2**32, 2**32, -(2**32))
def test_draw(seed, i, j):
    for indices in ((), (i,), (i, j)):
        value = everywhere(rng.draw, seed, *indices)
        assert 0 <= value <= rng.MASK
    assert everywhere(rng.stem, seed) == rng.draw(seed)
    assert everywhere(rng.fold, rng.draw(seed, i), j) == rng.draw(seed, i, j)


@fast
@given(seeds, st.integers(0, 2**31), small)
@example(0, 0, 0)
@example(2**63 - 1, 2**31, -1)
def test_words_of_an_episode(seed, episode, counter):
    start, stride = everywhere(rng.key, seed, episode)
    assert stride % 2 == 1
    assert 0 <= start <= rng.MASK
    assert 0 <= stride <= rng.MASK
    assert everywhere(rng.key_of, rng.stem(seed), episode) == (start, stride)
    value = everywhere(lambda c, a, b: rng.word((a, b), c), counter & rng.MASK, start, stride)
    assert value == rng.word((start, stride), counter) == rng.word((start, stride), counter + 2**32)


@fast
@given(word, st.integers(1, 2**31 - 1))
@example(0, 1)
@example(2**32 - 1, 2**31 - 1)
@example(2**32 - 1, 1)
def test_bounded(value, n):
    bounded = everywhere(rng.bounded, value, n)
    assert bounded == value * n // 2**32
    assert 0 <= bounded < n


@fast
@given(st.lists(word, min_size=4, max_size=4), st.integers(0, 2**24))
def test_uint32(values, counter):
    """Twice as fast, and the same; `bounded` alone needs 64 bits."""
    seed, episode, h, i = (np.array([value, 0], np.uint32) for value in values)
    wide = [np.array([value, 0], np.int64) for value in values]
    t = np.array([counter, counter], np.uint32)
    pairs = [
        (rng.mix(h), rng.mix(wide[2])),
        (rng.fold(h, i), rng.fold(wide[2], wide[3])),
        (rng.stem(seed), rng.stem(wide[0])),
        (rng.draw(seed, i), rng.draw(wide[0], wide[3])),
        *zip(rng.key(seed, episode), rng.key(wide[0], wide[1]), strict=True),
        (rng.word((h, i | 1), t), rng.word((wide[2], wide[3] | 1), counter)),
        (rng.word((h, i | 1), counter), rng.word((wide[2], wide[3] | 1), counter)),
    ]
    for narrow, value in pairs:
        assert narrow.dtype == np.uint32
        assert narrow.tolist() == value.tolist()


def unmix(x):
    """The inverse of `mix`, step by step backwards."""
    x ^= x >> 16
    x = x * pow(0x846CA68B, -1, 2**32) & rng.MASK
    x ^= x >> 15 ^ x >> 30
    x = x * pow(0x7FEB352D, -1, 2**32) & rng.MASK
    return x ^ x >> 16


@fast
@given(word)
def test_mix_can_be_undone(x):
    """Hence it is a bijection of 32-bit integers."""
    assert unmix(rng.mix(x)) == x
    assert rng.mix(unmix(x)) == x


def test_known_words():
    """Fixed for ever: all seeded games rest on them.

    Those of `mix` are of Wellons' published lowbias32.
    """
    assert [rng.mix(x) for x in (0, 1, 2, 0xFFFFFFFF)] == [0, 1753845952, 3507691905, 1734902346]
    assert [rng.draw(0), rng.draw(0, 0), rng.draw(1, 0), rng.draw(0, 1)] == [
        2926543089,
        295993151,
        1013033749,
        924269064,
    ]
    assert rng.key(0, 0) == (166551467, 1216859655)
    assert rng.word(rng.key(0, 0), 1) == 3915400686


def distinct(words):
    return (np.diff(np.sort(words)) > 0).all()


def test_distinct_where_promised():
    """For a fixed seed distinct indices, and within an episode distinct counters, give distinct
    words."""
    index = np.arange(1 << 20)
    for words in (
        rng.draw(7, index),
        rng.draw(2**62, 5, index),
        rng.word(rng.key(3, 4), index),
    ):
        assert distinct(words)


def test_no_two_episodes_of_a_batch_are_alike():
    """4,096 games of 1,024 episodes: 4.2 million keys of 63 bits.

    By chance two are equal with probability 1e-6.
    """
    games, episodes = np.arange(1 << 12)[:, None], np.arange(1 << 10)[None]
    start, stride = rng.key(rng.draw(0, games), episodes)
    keys = (start << 31 | stride >> 1).ravel()
    assert distinct(keys)


def test_seeds_that_differ_in_any_bit():
    stems = {rng.stem(1 << bit) for bit in range(63)} | {rng.stem(0), rng.stem(2**63 - 1)}
    assert len(stems) == 65


def chi_square(values, cells):
    return stats.chisquare(np.bincount(np.asarray(values).ravel(), minlength=cells)).pvalue


N = 40_000
SEQUENCES = {
    "counters": lambda: rng.word(rng.key(0, 0), np.arange(2 * N)),
    "every fourth counter": lambda: rng.word(rng.key(0, 1), np.arange(2 * N) * 4),
    "noise counters": lambda: rng.word(rng.key(0, 2), -1 - np.arange(2 * N) & rng.MASK),
    "episodes": lambda: rng.word(rng.key(0, np.arange(2 * N)), 0),
    "seeds": lambda: rng.word(rng.key(np.arange(2 * N), 0), 5),
    "games of a batch": lambda: rng.word(rng.key(rng.draw(1, np.arange(2 * N)), 0), 8),
    "high bits of seeds": lambda: rng.word(rng.key(np.arange(2 * N) << 32, 0), 5),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_uniform_and_without_memory(name):
    """Chi-square of values in 2 ..

    64 cells, of neighbours, and of every bit: 44 tests each, false alarm < 1e-4 in all.
    """
    words = SEQUENCES[name]()
    p_values = [chi_square(rng.bounded(words, n), n) for n in (2, 3, 4, 7, 8, 9, 56, 64)]
    p_values += [chi_square(words & 63, 64)]
    for n in (4, 7, 9):
        values = rng.bounded(words, n)
        p_values.append(chi_square(values[::2] * n + values[1::2], n * n))  # neighbours, pairwise
    bits = (words[:, None] >> np.arange(32)) & 1
    p_values += [stats.binomtest(int(ones), len(words)).pvalue for ones in bits.sum(0)]
    assert len(p_values) == 44
    assert min(p_values) > 1e-4 / 44 / len(SEQUENCES)


@pytest.mark.slow
@pytest.mark.parametrize("n", [7, 8, 56])
def test_neighbouring_games_are_independent(n):
    """The same step in games i and i + 1, and of seeds s and s + 1, ten million pairs.

    False alarm < 1e-4 in all.
    """
    for keys in (rng.key(rng.draw(0, np.arange(10**7)), 0), rng.key(np.arange(10**7), 0)):
        values = rng.bounded(rng.word(keys, 4), n)
        assert chi_square(values[:-1] * n + values[1:], n * n) > 1e-4 / 6


@pytest.mark.parametrize(
    "bad", [True, np.True_, 1.0, "1", b"1", [1], dict, np.float64(3), float("nan")]
)
def test_seeds_of_the_wrong_type(bad):
    with pytest.raises(TypeError, match="seed must be an integer"):
        rng.check_seed(bad)


@pytest.mark.parametrize("bad", [-1, 2**63, 2**70, -(2**70)])
def test_seeds_out_of_range(bad):
    with pytest.raises(ValueError, match=r"seed must lie in \[0, 2\^63\)"):
        rng.check_seed(bad)


@pytest.mark.parametrize("good", [0, 1, 2**63 - 1, np.int32(5), np.uint64(2**63 - 1), np.array(3)])
def test_seeds_that_are_integers(good):
    assert rng.check_seed(good) == int(good)
    assert type(rng.check_seed(good)) is int


def test_fresh_seeds_are_fresh():
    found = {rng.fresh_seed() for _ in range(1_000)}
    assert len(found) == 1_000
    assert all(rng.check_seed(seed) == seed for seed in found)
    assert max(found) > 2**60
