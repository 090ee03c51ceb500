"""The tables that array engines look up: their types, their sizes, and how an episode can start."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest

from social_dilemmas_env.engine import array_tables
from social_dilemmas_env.engine.tables import frozen, num_states
from social_dilemmas_env.games.game import decode, encode
from tests.helpers.games import rules

NAMES = count()


@pytest.mark.parametrize(("largest", "dtype"), [(2**15 - 1, np.int16), (2**15, np.int32)])
def test_codes_are_as_short_as_they_can_be(monkeypatch, largest, dtype):
    """int16 holds 32,767."""
    made = SimpleNamespace(next_code=np.array([0, largest]), num_states=2**16, span=1)
    monkeypatch.setattr(array_tables, "tables", lambda game: made)
    codes = array_tables.next_codes(f"a game of its own, {next(NAMES)}")
    assert codes.dtype == dtype
    assert codes.tolist() == [0, largest]


def test_codes_beyond_the_states_are_first_outcomes(monkeypatch):
    """Pending board p of S states has its outcomes from S + p L on."""
    made = SimpleNamespace(next_code=np.array([3, 10, 12]), num_states=10, span=4)
    monkeypatch.setattr(array_tables, "tables", lambda game: made)
    codes = array_tables.next_codes(f"a game of its own, {next(NAMES)}")
    assert codes.tolist() == [3, 10, 18]


def test_a_table_of_observations_has_a_row_an_id():
    for name in ("ipd", "coin"):
        game = rules(name)
        table = array_tables.observation_table(game)
        assert table.shape[0] == array_tables.observation_count(game)
        assert table.shape[1] == np.prod(game.observation_shape)
        assert not table.flags.writeable


def test_tables_of_observations_are_made_up_to_256_mb():
    """And so that of the 7x7 Coin Game is, with 46 million numbers."""
    assert 4 * array_tables.MAX_TABLE == 256 * 2**20


def test_every_start_of_the_coin_game():
    """Two players on nine cells and not on one, a coin elsewhere, of either colour."""
    game = rules("coin")
    bases, states = array_tables.start_bases(game), array_tables.start_states(game)
    assert isinstance(bases, dict)
    assert 2 in bases.values()
    assert all(n > 1 for n in bases.values())
    assert states.dtype == np.int32
    assert len(states) % np.prod(list(bases.values())) == 0
    assert len(np.unique(states)) == len(set(states.tolist())) <= num_states(game)

    # Each is what the rules make of the digits of its place.
    digits = decode(np.arange(len(states)), tuple(bases.values()))
    drawn = dict(zip(bases, digits, strict=True))

    def draw(stream, n):
        return drawn[stream] * n // bases[stream] if stream in drawn else n * 0

    board = game.chance(game.start(draw), draw)
    np.testing.assert_array_equal(states, encode(board, game.sizes))


def test_frozen_arrays_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        frozen(np.zeros(2))[0] = 1
