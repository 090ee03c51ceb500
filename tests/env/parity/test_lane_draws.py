"""Words made many at a time are those that `rng` gives one by one."""

import numpy as np
import pytest

from social_dilemmas_env import rng
from social_dilemmas_env.engine.lane_draws import AHEAD, FEW, LaneDraws, mixed_radix, start_draw
from social_dilemmas_env.engine.numpy_engine import JointActions, NumpyArrays, key_of, mix_in_place
from social_dilemmas_env.games.game import encode
from tests.env.parity.batches import batch, reset, same, step

XP, STREAMS, USED = NumpyArrays(), 5, (0, 3)


def keys(num_envs, episode=0):
    """Of as many games, as a batch keeps them."""
    stem = rng.stem(rng.draw(7, np.arange(num_envs))).astype(np.uint32)
    return key_of(stem, np.full(num_envs, episode, np.uint32))


def one_by_one(key, t, lanes, counts):
    """The draws of the rules, on Python's integers."""
    return [
        [
            rng.bounded(rng.word((int(key[0][i]), int(key[1][i])), t * STREAMS + stream), n)
            for i in lanes
        ]
        for stream, n in zip(USED, counts, strict=True)
    ]


STEPS = (1, 2, AHEAD, AHEAD + 1, 3, 40 * AHEAD)  # also back


@pytest.mark.parametrize("num_envs", [3, FEW, FEW + 1])
def test_draws_on_lanes(num_envs):
    draws, lanes, key = LaneDraws(XP, STREAMS, USED, num_envs), np.array([0, 2]), keys(num_envs)
    for t in STEPS:
        expected = one_by_one(key, t, lanes, (7, 2))
        np.testing.assert_array_equal(draws(key, t, lanes, (7, 2)), expected)
        np.testing.assert_array_equal(draws(key, t, lanes, (np.array([7, 7]), 2)), expected)


def test_draws_of_all():
    """Made ahead for an episode, and anew for the next."""
    draws = LaneDraws(XP, STREAMS, USED, 3)
    assert draws.few
    assert not LaneDraws(XP, STREAMS, USED, FEW + 1).few
    for episode in range(2):
        key = keys(3, episode)
        for t in STEPS:
            expected = one_by_one(key, t, range(3), (7, 2))
            np.testing.assert_array_equal(draws.of_all(key, t, (7, 2)), expected)
            np.testing.assert_array_equal(draws.of_all(key, t, (np.full(3, 7), 2)), expected)


def test_draws_as_one_number():
    draws, lanes, key = LaneDraws(XP, STREAMS, USED, 3), np.array([1]), keys(3)
    for t in STEPS:
        first, second = np.array(one_by_one(key, t, range(3), (7, 2)))
        assert draws.index(key, t, lanes, (7, 2)).tolist() == [first[1] * 2 + second[1]]
        assert draws.index_of_all(key, t, (7, 2)).tolist() == (first * 2 + second).tolist()


def test_clocks_of_their_own():
    """Games that are not in step."""
    draws, key, lanes = LaneDraws(XP, STREAMS, USED, 3), keys(3), np.array([0, 2])
    found = draws(key, np.array([4, 5, 6]), lanes, (7, 2))
    for k, (lane, t) in enumerate(((0, 4), (2, 6))):
        expected = one_by_one(key, t, [lane], (7, 2))
        assert [[part[k]] for part in found] == expected


def test_games_that_meet_again_draw_anew():
    """Two games, reset one after the other: they are in step, with other keys than before."""
    venvs = [batch("coin", 2, "numpy", tables=tables) for tables in (None, False)]
    for venv in venvs:
        reset(venv, seed=0)
        for _ in range(3):
            step(venv, np.array([[0, 1], [2, 3]]))
        for mask in ([True, False], [False, True]):
            reset(venv, options={"reset_mask": np.array(mask)})
        assert venv.clock == 0
    for _ in range(20):
        same(*[step(venv, np.array([[0, 1], [1, 0]])) for venv in venvs])


def test_draws_of_a_start():
    key = keys(4)
    draw = start_draw(XP, key, STREAMS)
    for stream in range(STREAMS):
        words = [rng.word((int(a), int(b)), stream) for a, b in zip(*key, strict=True)]
        assert draw(stream, 9).tolist() == [rng.bounded(word, 9) for word in words]
        assert draw(stream, 1).tolist() == [0] * 4


def test_keys_and_words():
    """uint32 throughout: half as wide, and no masks."""
    seeds, episode = rng.draw(3, np.arange(50)), np.arange(50, dtype=np.int64) * 99991
    stem = rng.stem(seeds)
    expected = rng.key_of(stem, episode)
    found = key_of(stem.astype(np.uint32), episode.astype(np.uint32))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.uint32
        np.testing.assert_array_equal(one, other)
    words = np.arange(0, 1 << 32, 99_999_989, dtype=np.int64)
    np.testing.assert_array_equal(mix_in_place(words.astype(np.uint32)), rng.mix(words))


def test_no_digits_are_0():
    assert mixed_radix([], []) == 0
    assert mixed_radix([1, 2, 0], [3, 4, 5]) == 30


@pytest.mark.parametrize("num_actions", [(4, 4), (2, 3), (5, 5), (2, 3, 4), (200, 3)])
@pytest.mark.parametrize("num_envs", [1, FEW, FEW + 1])
@pytest.mark.parametrize("dtype", ["int64", "uint8", "int32", "uint64"])
def test_codes_of_joint_actions(num_actions, num_envs, dtype):
    draws = np.random.default_rng(0)
    columns = [draws.integers(n, size=num_envs) for n in num_actions]
    code = JointActions(num_actions)
    for given in (np.stack(columns, -1), np.stack(columns).T):
        np.testing.assert_array_equal(code(given.astype(dtype)), encode(columns, num_actions))
    assert code.count == np.prod(num_actions)
