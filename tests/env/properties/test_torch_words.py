"""torch's quick ways: words from int32, an order from an unstable sort, entries put by scatter."""

import numpy as np
import pytest

from social_dilemmas_env import rng
from social_dilemmas_env.engine.numpy_engine import NumpyArrays

torch = pytest.importorskip("torch")

from social_dilemmas_env.engine.torch_engine import TorchArrays, word_of  # noqa: E402

EDGES = [0, 1, 2**15, 2**16, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1]  # where a sign could show
OURS, THEIRS = TorchArrays(torch.device("cpu")), NumpyArrays()


@pytest.mark.parametrize("counter", [*EDGES, 123456789])
def test_a_word_is_the_hash_whatever_its_sign(counter):
    """Every pair of edges as start and stride; the counter as an int and as a column."""
    start, stride = (
        torch.tensor(part) for part in np.array(np.meshgrid(EDGES, EDGES)).reshape(2, -1)
    )
    expected = rng.word((start, stride), counter)
    for given in (counter, torch.full((len(start),), counter)):
        found = word_of((start, stride), given)
        assert found.dtype == torch.int64
        assert torch.equal(found, expected)


def test_words_of_many_counters_are_those_of_each():
    key = tuple(
        torch.randint(0, 2**32, (50,), generator=torch.Generator().manual_seed(k)) for k in (1, 2)
    )
    rows = torch.tensor(EDGES)[:, None]
    assert torch.equal(word_of(key, rows), torch.stack([rng.word(key, c) for c in EDGES]))


@pytest.mark.parametrize("n", [1, 4, 400, 1 << 30])
def test_uniform_numbers_count_beyond_32_bits(n):
    """Counters are cut to 32 bits: negative ones, and those of long episodes."""
    key = torch.tensor([5, 2**32 - 1]), torch.tensor([7, 2**31 + 1])
    for counter in (-3, 2**40 + 9):
        expected = rng.bounded(rng.word(key, counter & rng.MASK), n)
        assert torch.equal(OURS.uniform(key, counter, n), expected)
        assert torch.equal(OURS.uniform(key, torch.tensor([counter] * 2), n), expected)


def test_equal_keys_keep_their_order():
    generator = np.random.default_rng(0)
    keys = generator.integers(0, 3, (7, 200))
    keys[:, 0] = rng.MASK  # the largest
    assert (OURS.order(torch.tensor(keys)).numpy() == THEIRS.order(keys)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_entries_are_put_in_reading_order(dtype):
    array, index = np.zeros((3, 4), dtype), np.array([[5, 2], [11, 0]])
    values = np.array([[1, 2], [3, 4]], dtype)
    found = OURS.put(torch.tensor(array), torch.tensor(index), torch.tensor(values))
    assert (found.numpy() == THEIRS.put(array, index, values)).all()
    assert found.numpy().reshape(-1)[[5, 2, 11, 0]].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64])
def test_neighbours_are_counted_of_marks_of_any_type(dtype):
    generator = np.random.default_rng(1)
    near = (generator.random((6, 6)) < 0.5).astype(np.float32)
    marked = (generator.random((6, 9)) < 0.5).astype(dtype)
    found = OURS.count_neighbours(torch.tensor(near), torch.tensor(marked))
    assert found.dtype == torch.uint8
    assert (found.numpy() == near @ marked).all()
