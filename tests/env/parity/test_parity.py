"""Promise 1 for batches: game i of a batch is the single game with its seed, on every route, in any
batch."""

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from social_dilemmas_env.engine.walker_tables import in_halves
from tests.env.parity.batches import (
    CUDA_ROUTES,
    ROUTES,
    SMALL,
    any_route,
    batch,
    cuda,
    given,
    moves,
    reset,
    same,
    singles,
    step,
)
from tests.helpers.games import COMMONS, GAMES, any_game, rules, wide_game

seeds = st.integers(0, 2**63 - 1)
few = settings(max_examples=6, deadline=None, database=None, derandomize=True)


def play_beside_single_games(name, routes, num_envs, seed, action_seed, steps, **more):
    """Plays batches and the same games one by one; everything must be the same at every step."""
    venvs, games = (
        [batch(name, num_envs, route, **more) for route in routes],
        singles(name, range(num_envs), seed, **more),
    )
    rng, first = np.random.default_rng(action_seed), games.reset()
    for venv in venvs:
        np.testing.assert_array_equal(reset(venv, seed=seed), first)
    for _ in range(steps):
        actions = moves(venvs[0], rng)
        expected = games.step(actions)
        for venv in venvs:
            same(step(venv, actions), expected)
    for venv in venvs:
        state = venv.get_state()
        for i, single in enumerate(games.state()):
            assert (state.game, *(part[i] for part in state[1:])) == tuple(single)


@wide_game
def test_a_whole_episode_and_into_the_next(name):
    """With the game's own horizon."""
    play_beside_single_games(
        name, ROUTES, 3, seed=5, action_seed=6, steps=batch(name, 1).max_cycles + 3
    )


@cuda
@any_game
@pytest.mark.parametrize("route", CUDA_ROUTES)
def test_cuda(name, route):
    play_beside_single_games(
        name, [route], 3, seed=5, action_seed=6, steps=min(batch(name, 1).max_cycles + 3, 60)
    )


@few
@drawn(
    st.sampled_from(list(GAMES)),
    st.sampled_from(list(ROUTES)),
    seeds,
    st.integers(0, 99),
    st.integers(1, 6),
)
def test_any_seed_and_horizon(name, route, seed, action_seed, max_cycles):
    play_beside_single_games(name, [route], 7, seed, action_seed, steps=14, max_cycles=max_cycles)


@few
@drawn(
    st.sampled_from(["both", "red", "split"]),
    st.sampled_from(["alternate", "random"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["ego", "joint"]),
    st.integers(2, 3),
    st.sampled_from([2, 3, (2, 4)]),
    st.sampled_from(list(ROUTES)),
    seeds,
)
def test_any_coin_game(
    ties, coin_color, avoids, distinct, view, num_agents, grid_size, route, seed
):
    more = {
        "ties": ties,
        "coin_color": coin_color,
        "coin_avoids_players": avoids,
        "distinct_starts": distinct,
    }
    more |= {"view": view, "num_agents": num_agents, "grid_size": grid_size}
    play_beside_single_games(
        "coin", [route], 3, seed, action_seed=1, steps=12, max_cycles=5, **more
    )


@few
@drawn(st.data(), st.integers(1, 3), st.floats(0, 2), st.sampled_from(["ego", "joint"]), seeds)
def test_any_matrix_game(data, players, noise, view, seed):
    shape = [*data.draw(st.lists(st.integers(1, 4), min_size=players, max_size=players)), players]
    payoffs = np.random.default_rng(seed % 2**32).normal(size=shape)
    more = {"payoffs": payoffs, "payoff_noise": noise, "view": view, "max_cycles": 4}
    play_beside_single_games("matrix_3p", ROUTES, 7, seed, action_seed=0, steps=10, **more)


@pytest.mark.parametrize(
    "name",
    [
        *("coin", "ipd_noise", "coin_3p"),
        *(
            pytest.param(n, marks=pytest.mark.wide)
            for n in ("coin_mfos", "coin_random", "matrix_3p")
        ),
    ],
)
@any_route
def test_4096_games(name, route):
    """All games on all routes are the same; and some of them are played one by one."""
    chosen = [0, 1, 2048, 4095]
    venv, other, games = batch(name, 4096), batch(name, 4096, route), singles(name, chosen, seed=9)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(reset(venv, seed=9)[chosen], games.reset())
    np.testing.assert_array_equal(reset(venv, seed=9), reset(other, seed=9))
    for _ in range(venv.max_cycles + 3):
        actions = moves(venv, rng)
        result = step(venv, actions)
        same(result, step(other, actions))
        observations, rewards, _, truncations, _ = games.step(actions[chosen])
        np.testing.assert_array_equal(result[0][chosen], observations)
        np.testing.assert_array_equal(result[1][chosen], rewards)
        np.testing.assert_array_equal(result[3][chosen], truncations)


@any_route
@pytest.mark.parametrize("name", ["coin", "coin_random", "ipd_noise", "coin_3p"])
def test_a_game_does_not_depend_on_its_neighbours(name, route):
    """Promise 2: permuting seeds and actions permutes the results.

    A game alone is the same game.
    """
    venv, permuted, alone = batch(name, 7, route), batch(name, 7, route), batch(name, 1, route)
    order, rng = np.array([3, 6, 0, 1, 5, 2, 4]), np.random.default_rng(2)
    own = [int(s) for s in rng.integers(2**63, size=7)]
    first = reset(venv, seed=own)
    np.testing.assert_array_equal(first[order], reset(permuted, seed=[own[i] for i in order]))
    np.testing.assert_array_equal(first[3:4], reset(alone, seed=own[3:4]))
    for _ in range(venv.max_cycles + 5):
        actions = moves(venv, rng)
        one, two, three = (
            step(venv, actions),
            step(permuted, actions[order]),
            step(alone, actions[3:4]),
        )
        for a, b, c in zip(one[:4], two[:4], three[:4], strict=True):
            np.testing.assert_array_equal(a[order], b)
            np.testing.assert_array_equal(a[3:4], c)


@any_route
def test_a_batch_is_the_beginning_of_a_larger_one(route):
    small, large = batch("coin", 7, route), batch("coin", 100, route)
    np.testing.assert_array_equal(reset(small, seed=4), reset(large, seed=4)[:7])
    assert [s[:7] for s in large.get_state()[1:]] == [s[:7] for s in small.get_state()[1:]]


def test_tables_are_used_where_they_fit():
    """Whole or in halves, as is quicker; what is asked for is used all the same."""
    for name in GAMES:
        venv = batch(name, 1)
        by_rules = "BoundEngine" if name in COMMONS else "RuleEngine"
        by_tables = "NumpyTables" if name in SMALL else by_rules
        expected = "NumpyWalkers" if in_halves(rules(name)) else by_tables
        assert type(venv.engine).__name__ == expected
    assert type(batch("coin_5x5", 1, tables=True).engine).__name__ == "NumpyTables"
    assert type(batch("coin_5x5", 1, tables=False).engine).__name__ == "RuleEngine"
    assert len(SMALL) > 20
    assert "coin_7p" not in SMALL


@any_route
def test_any_integer_dtype_and_layout_of_actions(route):
    results = []
    for dtype in (np.int64, np.int32, np.int16, np.int8, np.uint8):
        venv, rng = batch("coin", 5, route), np.random.default_rng(0)
        reset(venv, seed=1)
        for _ in range(20):
            actions = rng.integers(4, size=(2, 5)).T.astype(dtype, order="K")
            result = venv.step(given(venv, actions))
        results.append((dtype, venv.get_state(), np.asarray(result[1].tolist())))
    for _, state, rewards in results[1:]:
        assert state == results[0][1]
        np.testing.assert_array_equal(rewards, results[0][2])


@pytest.mark.slow
@settings(max_examples=300, deadline=None, database=None)
@drawn(
    st.sampled_from(list(GAMES)),
    st.sampled_from(list(ROUTES)),
    seeds,
    st.integers(0, 2**32),
    st.integers(1, 9),
)
def test_many_seeds(name, route, seed, action_seed, max_cycles):
    play_beside_single_games(name, [route], 7, seed, action_seed, steps=30, max_cycles=max_cycles)
