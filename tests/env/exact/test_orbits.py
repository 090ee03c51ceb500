"""A game on orbits is the full game, for policies that are the same up to reflections."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact.orbits import orbits

SIZES = {3: 180, 5: 1440}  # 9 memories, 2 owners x 10 and 80 boards up to symmetry


def coin(size=3, memory="last_pickup", **kwargs):
    return sde.exact_game("coin_game_v0", memory=memory, gamma=0.9, grid_size=size, **kwargs)


@pytest.fixture(scope="module")
def pair():
    game = coin()
    return game, orbits(game)


def random_policy(small, seed):
    """[O, A], averaged where a symmetry leaves the state alone."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(small.game.num_states, 4))
    policy = np.exp(np.einsum("oab,ob->oa", small.game.stabiliser, logits))
    return policy / policy.sum(1, keepdims=True)


def dense_values(tables, policies):
    """V [S, N] by a dense matrix; in orbit games too."""
    count = tables.num_states
    joint = np.ones((count, 1))
    for n, policy in enumerate(policies):
        played = policy[tables.seen[n]]
        if tables.seen_actions is not None:
            played = np.take_along_axis(played, tables.seen_actions[n], 1)
        joint = (joint[:, :, None] * played[:, None]).reshape(count, -1)
    rows = np.repeat(np.arange(count), joint.shape[1])
    moves = np.zeros((count, count + tables.num_pending))
    np.add.at(moves, (rows, tables.successors.ravel()), joint.ravel())
    chain = moves[:, :count] + moves[:, count:] @ tables.chance.toarray()
    rewards = np.einsum("sj,sjn->sn", joint, tables.rewards)
    return np.linalg.solve(np.eye(count) - tables.gamma * chain, rewards)


@pytest.mark.parametrize("size", SIZES)
def test_how_many(size):
    assert orbits(coin(size)).game.num_states == SIZES[size]


def test_values_of_lifted_policies_are_the_same(pair):
    game, small = pair
    policies = [random_policy(small, seed) for seed in (0, 1)]
    full = game.values([small.lift(policy) for policy in policies])
    np.testing.assert_allclose(dense_values(small.game, policies)[small.orbit], full, atol=1e-10)
    start = small.game.start @ dense_values(small.game, policies)
    np.testing.assert_allclose(start, game.start @ full, atol=1e-12)


def test_restrict_undoes_lift(pair):
    _, small = pair
    policy = random_policy(small, 0)
    np.testing.assert_allclose(small.restrict(small.lift(policy)), policy)
    stack = np.stack([policy, random_policy(small, 1)])[None]
    np.testing.assert_allclose(small.restrict(small.lift(stack)), stack)


@pytest.mark.parametrize("name", ["always_cooperate", "always_defect", "tit_for_tat"])
def test_lift_undoes_restrict_of_strategies(pair, name):
    """Scripted strategies do not prefer left to right."""
    game, small = pair
    policy = game.policy(name)
    np.testing.assert_allclose(small.lift(small.restrict(policy)), policy)


def test_restrict_averages_what_a_symmetry_exchanges(pair):
    """A policy that prefers left to right: what is left of it is one of the smaller game."""
    game, small = pair
    policy = np.random.default_rng(2).dirichlet(np.ones(4), game.num_states)
    found = small.restrict(policy)
    assert np.abs(found - policy[small.representative]).max() > 0.1
    np.testing.assert_allclose(small.game.symmetrised(found), found, atol=1e-12)


def test_rows_of_chance_sum_to_one_and_differ(pair):
    _, small = pair
    rows = small.game.chance.toarray()
    np.testing.assert_allclose(rows.sum(1), 1)
    assert len(np.unique(rows.round(12), axis=0)) == len(rows)


def test_a_game_without_symmetries_is_left_alone():
    game = sde.exact_game("ipd_v0")
    small = orbits(game).game
    assert small.num_states == game.num_states
    np.testing.assert_array_equal(small.successors, game.successors)


def test_a_memory_of_moves_is_refused():
    with pytest.raises(ValueError, match="it tells boards apart that differ by a reflection"):
        orbits(coin(memory="last_action"))


def test_the_game_with_every_board_folds_too():
    """Translations and reflections at once: 10,368 states, 180 orbits."""
    game = coin(symmetry=None)
    small = orbits(game)
    policies = [random_policy(small, seed) for seed in (0, 1)]
    lifted = [small.lift(policy) for policy in policies]
    assert small.game.num_states == SIZES[3]
    assert game.score(lifted) == pytest.approx(small.game.score(policies), abs=1e-9)
