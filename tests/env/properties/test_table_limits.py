"""Which games are enumerated: both tables are measured, exactly, before they are built."""

import math

import numpy as np
import pytest

from social_dilemmas_env.engine import tables
from social_dilemmas_env.games.coin import coin_game
from social_dilemmas_env.games.game import decode, encode
from tests.helpers.games import rules

# Few chances on many boards, and the other way round.
MANY_MOVES = {"ipd": rules("ipd"), "coin": rules("coin")}
MANY_OUTCOMES = {"each": coin_game(grid_size=(2, 3), coins=2)}
EVERY = {**MANY_MOVES, **MANY_OUTCOMES}


def entries(game):
    """Entries of the two tables, counted on the built ones."""
    built = tables.tables(game)
    return len(built.next_code), len(built.outcomes)


def test_the_games_below_lie_on_both_sides():
    assert all(moves > outcomes for moves, outcomes in map(entries, MANY_MOVES.values()))
    assert all(moves < outcomes for moves, outcomes in map(entries, MANY_OUTCOMES.values()))


@pytest.mark.parametrize("name", EVERY)
def test_a_game_fits_up_to_the_entries_of_its_larger_table(name):
    game = EVERY[name]
    largest = max(entries(game))
    assert tables.fits(game, largest)
    assert not tables.fits(game, largest - 1)


@pytest.mark.parametrize("name", EVERY)
def test_sizes_are_products(name):
    game, built = EVERY[name], tables.tables(EVERY[name])
    assert built.num_states == math.prod(game.sizes) == tables.num_states(game)
    assert built.num_joint == math.prod(game.num_actions) == tables.num_joint_actions(game)
    assert len(built.next_code) == len(built.rewards) == built.num_states * built.num_joint
    assert len(built.outcomes) % built.span == 0


@pytest.mark.parametrize("name", EVERY)
def test_every_entry_is_what_the_rules_make_of_one_board(name):
    """Each board and joint action, one at a time in Python integers; each outcome of chance."""
    game, built = EVERY[name], tables.tables(EVERY[name])
    every = range(built.num_states * built.num_joint)
    some = every if len(every) < 3_000 else range(0, len(every), 17)

    for entry in some:
        state, joint = divmod(entry, built.num_joint)
        board, rewards = game.act(decode(state, game.sizes), decode(joint, game.num_actions))
        assert built.rewards[entry].tolist() == [int(code) for code in rewards]
        counts = game.chances(board)
        if all(column < size for column, size in zip(board, game.sizes, strict=True)):
            assert built.next_code[entry] == encode(board, game.sizes)
            continue

        first = (built.next_code[entry] - built.num_states) * built.span
        assert first >= 0
        for index in range(0, built.span, 1 if built.span < 50 else 7):
            digits = decode(index, built.bases)
            drawn = [d * n // b for d, n, b in zip(digits, counts, built.bases, strict=True)]
            after = game.chance(board, lambda stream, n, drawn=drawn: drawn[stream])
            assert built.outcomes[first + index] == encode(after, game.sizes)


@pytest.mark.parametrize("name", MANY_OUTCOMES)
def test_bases_are_the_least_common_multiples_of_the_choices(name):
    game, built = EVERY[name], tables.tables(EVERY[name])
    seen = [set() for _ in built.bases]
    for entry in range(built.num_states * built.num_joint):
        state, joint = divmod(entry, built.num_joint)
        board, _ = game.act(decode(state, game.sizes), decode(joint, game.num_actions))
        for stream, count in enumerate(game.chances(board)):
            seen[stream].add(int(count))
    assert built.bases == tuple(math.lcm(*counts) for counts in seen)


@pytest.mark.parametrize("name", EVERY)
def test_what_each_player_sees_by_its_id(name):
    """Ids of all players on all boards, and the arrays behind them, one at a time."""
    game, states = EVERY[name], np.arange(min(tables.num_states(EVERY[name]), 400))
    ids = tables.observation_ids(game, states)
    arrays = tables.observations(game, ids)
    assert arrays.shape == (*ids.shape, *game.observation_shape)
    for s in states.tolist():
        for player in range(len(game.num_actions)):
            view = game.view_of(decode(s, game.sizes), player)
            assert ids[s, player] == encode(view, game.view_sizes)
            ones = np.flatnonzero(arrays[s, player].reshape(-1))
            assert set(ones.tolist()) == {int(one) for one in game.features(view)}
            assert arrays[s, player].max() == 1
