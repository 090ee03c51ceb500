"""What the arrays of an exact game promise, for every game that can be enumerated."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.env.exact.games import some_policies
from tests.helpers.games import COLUMN_GAMES, GAMES

LARGE = {"coin_7p", "coin_3p_mfos", "coin_3p", "public_goods_9p"}


# A game that shows a memory is the plain one to `exact_game`, whose own argument that is.
PLAIN = [name for name in COLUMN_GAMES if "memory" not in GAMES[name][1]]
LARGE |= {"govsim", "coin_3p_reciprocator"}


@pytest.fixture(scope="module", params=[name for name in PLAIN if name not in LARGE])
def game(request):
    env_id, kwargs = GAMES[request.param]
    memory = "last_pickup" if env_id == "coin_game_v0" else None
    return sde.exact_game(env_id, memory=memory, **kwargs)


def test_shapes(game):
    states, agents = game.num_states, game.num_agents
    joint = int(np.prod(game.num_actions))
    assert game.start.shape == (states,)
    assert game.successors.shape == (states, joint)
    assert game.rewards.shape == (states, joint, agents)
    assert game.chance.shape == (game.num_pending, states)
    assert game.seen.shape == (agents, states)
    assert all(len(column) == states for column in game.columns.values())
    assert len(game.features) == states


def test_types(game):
    assert game.start.dtype == game.rewards.dtype == np.float64
    assert game.successors.dtype == game.seen.dtype == np.int64
    assert game.features.dtype == np.float32


def test_distributions(game):
    assert game.start.sum() == pytest.approx(1)
    assert game.start.min() >= 0
    np.testing.assert_allclose(np.asarray(game.chance.sum(1)).ravel(), 1)


def test_every_index_is_one(game):
    ends = game.num_states + game.num_pending
    assert game.successors.min() >= 0
    assert set(np.unique(game.successors[game.successors >= game.num_states])) == set(
        range(game.num_states, ends)
    )
    assert game.seen.min() >= 0
    assert game.seen.max() < game.num_states


def test_score_is_occupancy_times_rewards(game):
    """Two ways to the same number: solving forward and backward."""
    policies = some_policies(game)
    rewards = np.einsum("sj,sjn->sn", game.joint_policy(policies), game.rewards)
    occupancy = game.occupancy(policies)
    assert occupancy.sum() == pytest.approx(1)
    assert game.score(policies) == pytest.approx(occupancy @ rewards, abs=1e-9)


def test_finite_games_too(game):
    finite, policies = game.finite(4, 0.9), some_policies(game)
    rewards = np.einsum("sj,sjn->sn", game.joint_policy(policies), game.rewards)
    assert finite.score(policies) == pytest.approx(finite.occupancy(policies) @ rewards)
