"""Large observations are fresh to whoever keeps them, and use the same memory for whoever does
not."""

import copy
import pickle

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.engine.array_engine import ALIGNMENT
from social_dilemmas_env.vector import array_pool
from social_dilemmas_env.vector.array_pool import KEPT, ArrayPool

SHAPE = (3, 50)
KEEPING = {
    "itself": lambda array: array,
    "a view": lambda array: array[1:2, ::7],
    "a view of a view": lambda array: array.reshape(-1)[5:].T,
    "its bytes": lambda array: memoryview(array),
    "another type": lambda array: array.view(np.uint8),
    "a list of rows": lambda array: list(array),
}


def address(array):
    return array.__array_interface__["data"][0]


@pytest.mark.parametrize("keeping", KEEPING)
def test_what_is_kept_is_not_used_again(keeping):
    pool, kept, seen = ArrayPool(), [], set()
    for k in range(5):
        array = pool.empty(SHAPE, "float32")
        array[...] = k
        kept.append(KEEPING[keeping](array))
        seen.add(address(array))
    assert len(seen) == 5


def test_tensors_keep_it_too():
    torch = pytest.importorskip("torch")
    pool = ArrayPool()
    tensors = [torch.from_numpy(pool.empty(SHAPE, "float32")).fill_(k) for k in range(4)]
    assert [tensor.unique().tolist() for tensor in tensors] == [[0.0], [1.0], [2.0], [3.0]]


def test_what_nobody_keeps_is_used_again():
    pool, seen = ArrayPool(), set()
    last = None
    for _ in range(9):
        last = pool.empty(SHAPE, "float32")  # the one before is there until now
        seen.add(address(last))
    assert len(seen) == KEPT == len(pool.memories)
    assert last is not None


def test_another_size():
    pool = ArrayPool()
    for shape in (SHAPE, (7, 11), SHAPE, (1, 1)):
        for dtype in ("float32", "uint8"):
            array = pool.empty(shape, dtype)
            assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
            assert address(array) % ALIGNMENT == 0
            assert array.flags.writeable and array.flags.c_contiguous


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pool: pickle.loads(pickle.dumps(pool))])
def test_copies_are_empty(copied):
    pool = ArrayPool()
    pool.empty(SHAPE, "uint8")
    assert copied(pool).memories == []


def test_without_counts_all_are_fresh(monkeypatch):
    monkeypatch.setattr(array_pool, "ALONE", None)
    pool = ArrayPool()
    first = address(pool.empty(SHAPE, "float32"))
    second = pool.empty(SHAPE, "float32")
    assert (len(pool.memories), first != address(second)) == (2, True)


def test_one_more_reference_is_one_more():
    """Whatever a version of Python counts besides."""
    memory = np.empty(3, np.uint8)
    memories = [(memory, 0)]
    del memory
    assert array_pool.references(memories) == [array_pool.ALONE]
    view = memories[0][0][1:]
    assert array_pool.references(memories) == [array_pool.ALONE + 1]
    del view
    assert array_pool.references(memories) == [array_pool.ALONE]


@pytest.mark.parametrize("grid_size", [3, 7])
def test_observations_that_are_kept_stay_as_they_were(grid_size):
    """Of large batches, through the end of an episode, the last observations too."""
    options = {"num_envs": 400, "grid_size": grid_size, "max_cycles": 3}
    venv, seen, copies = sde.make_vec_env("coin_game_v0", **options), [], []

    def note(observations, infos):
        seen.extend([observations, *([infos["final_obs"]] if infos else [])])
        copies.extend(part.copy() for part in seen[len(copies) :])

    note(*venv.reset(seed=0))
    for t in range(8):
        observations, *_, infos = venv.step(np.full((400, 2), t % 4))
        note(observations, infos)
    assert len(seen) == 11
    for kept, copied in zip(seen, copies, strict=True):
        np.testing.assert_array_equal(kept, copied)
