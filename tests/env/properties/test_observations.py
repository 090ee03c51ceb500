"""Codes of boards, views of players and observations: nothing is lost, and nothing is seen that
should not be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_dilemmas_env.engine import tables
from social_dilemmas_env.games.game import decode, encode, joint_action
from tests.env.properties.coin_boards import fast, positions, rotated
from tests.helpers.games import GAMES, rules

SMALL = [name for name in GAMES if tables.num_states(rules(name)) <= 60_000]
NO_BIJECTION = [
    name for name in SMALL if name.startswith("public_goods")
]  # some of whose boards cannot be reached, too

sizes_and_board = st.lists(st.integers(1, 40), min_size=1, max_size=8).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes), st.tuples(*[st.integers(0, size - 1) for size in sizes])
    )
)


@fast
@given(sizes_and_board)
def test_decode_undoes_encode(case):
    sizes, board = case
    code = encode(board, sizes)
    assert 0 <= code < math.prod(sizes)
    assert type(code) is int
    assert decode(code, sizes) == board


@fast
@given(sizes_and_board, st.integers(0, 2**31))
def test_encode_undoes_decode_on_numpy_too(case, seed):
    sizes, _ = case
    codes = np.random.default_rng(seed).integers(0, math.prod(sizes), 20)
    columns = decode(codes, sizes)
    assert all(
        column.min() >= 0 and column.max() < size
        for column, size in zip(columns, sizes, strict=True)
    )
    np.testing.assert_array_equal(encode(columns, sizes), codes)


@fast
@given(sizes_and_board)
def test_the_first_column_counts_most(case):
    sizes, board = case
    expected = 0
    for column, size in zip(board, sizes, strict=True):
        expected = expected * size + column
    assert encode(board, sizes) == joint_action(list(board), sizes) == expected


@pytest.mark.parametrize("name", SMALL)
def test_a_view_shows_the_whole_game(name):
    """`view_of` maps the boards one-to-one onto views, for every player (public goods shows only
    how many contributed)."""
    game = rules(name)
    states = np.arange(tables.num_states(game))
    ids = tables.observation_ids(game, states)
    assert ids.shape == (len(states), len(game.num_actions))
    assert ids.min() >= 0
    assert ids.max() < math.prod(game.view_sizes)
    for player in range(len(game.num_actions)):
        assert len(np.unique(ids[:, player])) == (
            len(states) if name not in NO_BIJECTION else math.prod(game.view_sizes)
        )


@pytest.mark.parametrize("name", SMALL)
def test_different_views_look_different(name):
    """Observations are 0/1 arrays with as many ones as there are features, and no two views share
    one."""
    game = rules(name)
    views = np.arange(math.prod(game.view_sizes))[:5_000]
    seen = tables.observations(game, views).reshape(len(views), -1)
    ones = len(game.features(decode(views, game.view_sizes)))
    assert set(np.unique(seen)) == {0, 1}
    assert (seen.sum(-1) == ones).all()
    assert seen.dtype == np.float32
    assert len(np.unique(np.packbits(seen.astype(bool), axis=1), axis=0)) == len(views)


@fast
@given(positions(view="ego"), st.integers(0, 3), st.integers(0, 3))
def test_the_egocentric_view_is_a_rotation(position, p, k):
    """What player p sees is what player 0 would see with the players renamed.

    And it can be turned back.
    """
    game, board, _ = position
    p, k = p % game.num_agents, k % game.num_agents
    view = game.view_of(board, p)
    assert view == rotated(game, board, p)
    assert game.view_of(board, 0) == board
    assert rotated(game, view, -p % game.num_agents) == board
    assert game.view_of(rotated(game, board, k), p) == game.view_of(
        board, (p + k) % game.num_agents
    )


@fast
@given(positions(view="joint"))
def test_the_joint_view_is_one_for_all(position):
    game, board, _ = position
    assert {game.view_of(board, player) for player in range(game.num_agents)} == {board}


@fast
@given(positions())
def test_features_are_planes(position):
    """One position for each player and coin: the player in its own plane, each coin in the plane of
    its owner."""
    game, board, _ = position
    n, planes = game.num_agents, np.zeros(game.observation_shape)
    for place in game.features(board):
        planes.reshape(-1)[place] += 1
    for i in range(n):
        assert planes[i].reshape(-1)[board[i]] == 1
        assert planes[i].sum() == 1
    owners = [board[-1]] if game.coins == 1 else list(range(n))
    for owner, coin in zip(owners, board[n:], strict=False):
        assert planes[n + owner].reshape(-1)[coin] == 1
    assert planes.sum() == n + game.coins
