"""What the rules of the commons ask of JAX's arrays, beside numpy's: the same, in 32 bits."""

import numpy as np
import pytest

from social_dilemmas_env.engine.numpy_engine import NumpyArrays
from social_dilemmas_env.games.commons.arrays import RuleArrays
from social_dilemmas_env.games.commons.players import free_point
from tests.helpers.games import rules

jax = pytest.importorskip("jax", reason="JAX is not installed")
jnp = jax.numpy

from social_dilemmas_env.engine.jax_bound import JaxBound, JaxRuleArrays, checked_size  # noqa: E402
from social_dilemmas_env.engine.jax_engine import JaxArrays  # noqa: E402

pytestmark = pytest.mark.wide  # JAX compiles each
ROWS, LANES = 4, 5
DRAWS = np.random.default_rng(3)
NUMBERS = DRAWS.integers(0, 7, (ROWS, LANES))
MARKS = NUMBERS > 3
# Each entry once, and rows that do not matter for those that are written twice.
PLACES = DRAWS.permutation(ROWS * LANES)[:6].reshape(2, 3)
GROUND = DRAWS.integers(0, 5, (LANES, 9)).astype(np.uint8)
WINDOWS = DRAWS.integers(0, 9, (6, 4))
WHERE = DRAWS.integers(0, 6, (LANES, 2))


def settle(point, index, back, xp):
    """As the return of players: what is chosen counts where the mask holds."""
    return xp.with_row(point + 0, 1, xp.where(back, free_point(index, point), point[1]))


OPERATIONS = {
    "cast": lambda xp, of: xp.cast(of(NUMBERS), "uint8"),
    "take": lambda xp, of: xp.take(of(WINDOWS), of(WHERE)),
    "pile": lambda xp, of: xp.pile([of(NUMBERS[0]), of(NUMBERS[2])]),
    "join": lambda xp, of: xp.join([of(NUMBERS), of(NUMBERS[:1])]),
    "where": lambda xp, of: xp.where(of(MARKS), of(NUMBERS), of(NUMBERS) * 0 + 9),
    "put": lambda xp, of: xp.put(of(NUMBERS) + 0, of(PLACES), of(PLACES) * 2),
    "with_row": lambda xp, of: xp.with_row(of(NUMBERS) + 0, 2, of(NUMBERS[0])),
    "order": lambda xp, of: xp.order(of(NUMBERS)),
    "count_up": lambda xp, of: xp.count_up(of(MARKS)),
    "count_neighbours": lambda xp, of: xp.count_neighbours(
        of(np.eye(ROWS, k=1, dtype=np.float32)), of(MARKS)
    ),
    "where_needed": lambda xp, of: xp.where_needed(
        of(MARKS[1]),
        lambda *columns: settle(*columns, xp),
        (of(NUMBERS), of(NUMBERS[3]), of(MARKS[1])),
    ),
    "look": lambda xp, of: xp.look(of(GROUND), of(WINDOWS), of(WHERE)),
}


def narrow(array):
    """A numpy array with 32 bits in place of 64."""
    return array.astype(np.int32) if array.dtype == np.int64 else array


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_numpys(name):
    """Values, shapes and types, but for 64 bits."""
    xp = JaxRuleArrays()
    expected = narrow(OPERATIONS[name](NumpyArrays(), np.copy))
    found = OPERATIONS[name](xp, xp.constant)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def test_every_operation_is_tried():
    asked = {name for name in vars(RuleArrays) if not name.startswith("_")}
    assert asked - {"arange", "constant"} == set(OPERATIONS)


def test_nothing_that_is_given_is_rewritten():
    """JAX's arrays cannot be; rules that count on it would differ."""
    xp = JaxRuleArrays()
    given = xp.constant(NUMBERS)
    xp.put(given, xp.constant(PLACES), xp.constant(PLACES))
    xp.with_row(given, 0, given[1])
    np.testing.assert_array_equal(given, NUMBERS)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "float32"])
def test_tables_have_32_bits(dtype):
    """Without the warning of JAX that it has no others."""
    xp = JaxRuleArrays(jax.devices("cpu")[0])
    table = xp.constant(np.arange(3).astype(dtype))
    assert table.dtype == {"int64": "int32"}.get(dtype, dtype)
    assert xp.cast(table, dtype).dtype == table.dtype


# ------------------------------------------------------------------------------------------ boards


@pytest.fixture(scope="module")
def engine():
    return JaxBound(rules("clean_up_small"), JaxArrays(), "uint8")


def columns(engine, games):
    """A board's columns, each of this shape, all different."""
    count = sum(engine.widths)
    return tuple(jnp.arange(k, k + np.prod(games, dtype=int)).reshape(games) for k in range(count))


@pytest.mark.parametrize("games", [(1,), (3,)])
def test_boards_go_in_and_come_out(engine, games):
    board = columns(engine, games)
    encoded = engine.encoded(board)
    assert [array.shape for array in encoded] == [(*games, width) for width in engine.widths]
    for column, again in zip(board, engine.board(encoded), strict=True):
        np.testing.assert_array_equal(column % 256, again % 256)
        assert again.dtype == jnp.int32


def test_one_game_has_no_axis(engine):
    key = tuple(jnp.asarray(word, jnp.uint32) for word in (5, 7))
    encoded = jax.eval_shape(engine.start, key)
    assert [array.shape for array in encoded] == [(width,) for width in engine.widths]
    assert [array.dtype for array in encoded] == [jnp.int32] * 6 + [jnp.uint8] * 2
    seen = jax.eval_shape(engine.see, encoded)
    assert (seen.shape, seen.dtype) == ((2, *engine.shape[1:]), jnp.uint8)


def test_columns_have_no_such_limit():
    """Of games; a map's cells are counted only where there is a map."""
    checked_size(rules("ipd"), 1 << 30)
    checked_size(rules("clean_up_small"), 1000)
    with pytest.raises(ValueError, match="num_envs must be at most"):
        checked_size(rules("clean_up_small"), 1 << 30)
