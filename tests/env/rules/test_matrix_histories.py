"""Matrix games and public goods by hand: what is paid, what is seen, and the inequalities that make
them dilemmas."""

import itertools

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.helpers.games import THREE_PLAYERS, Dice

# Every joint action of every game once: (action of player 0, of player 1): (reward of player 0, of
# player 1).
BY_HAND = {
    "ipd_v0": {(0, 0): (-1, -1), (0, 1): (-3, 0), (1, 0): (0, -3), (1, 1): (-2, -2)},
    "imp_v0": {(0, 0): (1, -1), (0, 1): (-1, 1), (1, 0): (-1, 1), (1, 1): (1, -1)},
    "stag_hunt_v0": {(0, 0): (2, 2), (0, 1): (0, 1), (1, 0): (1, 0), (1, 1): (1, 1)},
    "chicken_v0": {(0, 0): (3, 3), (0, 1): (1, 4), (1, 0): (4, 1), (1, 1): (0, 0)},
    "bach_stravinsky_v0": {(0, 0): (2, 1), (0, 1): (0, 0), (1, 0): (0, 0), (1, 1): (1, 2)},
    "rps_v0": {
        (0, 0): (0, 0),
        (0, 1): (-1, 1),  # paper beats rock
        (0, 2): (1, -1),  # rock beats scissors
        (1, 0): (1, -1),
        (1, 1): (0, 0),
        (1, 2): (-1, 1),  # scissors beat paper
        (2, 0): (-1, 1),
        (2, 1): (1, -1),
        (2, 2): (0, 0),
    },
}
SEEN = {  # action of mine, of the other's -> position of the one, in games of two actions
    (0, 0): 1,
    (0, 1): 2,
    (1, 0): 3,
    (1, 1): 4,
}


def moves(env, joint):
    return dict(zip(env.possible_agents, joint, strict=True))


def ones(observations):
    """Per agent, where its one-hot observation has its one."""
    for observation in observations.values():
        assert observation.sum() == 1
        assert observation.max() == 1
        assert observation.dtype == np.float32
    return [int(observation.argmax()) for observation in observations.values()]


@pytest.mark.parametrize("env_id", BY_HAND)
def test_every_joint_action(env_id):
    env = sde.make_env(env_id)
    observations, _ = env.reset(seed=0)
    assert ones(observations) == [0, 0]
    size = round(len(BY_HAND[env_id]) ** 0.5)
    for (mine, yours), rewards in BY_HAND[env_id].items():
        observations, earned, *_ = env.step(moves(env, (mine, yours)))
        assert tuple(earned.values()) == rewards
        assert ones(observations) == [1 + size * mine + yours, 1 + size * yours + mine]
        if size == 2:
            assert ones(observations) == [SEEN[mine, yours], SEEN[yours, mine]]


@pytest.mark.parametrize("env_id", BY_HAND)
def test_the_joint_view(env_id):
    env = sde.make_env(env_id, view="joint")
    env.reset(seed=0)
    size = round(len(BY_HAND[env_id]) ** 0.5)
    for mine, yours in BY_HAND[env_id]:
        assert ones(env.step(moves(env, (mine, yours)))[0]) == [1 + size * mine + yours] * 2


def test_a_history_of_the_prisoners_dilemma():
    """Tit for tat against always defect, then forgiveness."""
    env = sde.make_env("ipd_v0", max_cycles=4)
    env.reset(seed=3)
    history = [
        ((0, 1), (-3, 0), [2, 3]),
        ((1, 1), (-2, -2), [4, 4]),
        ((1, 0), (0, -3), [3, 2]),
        ((0, 0), (-1, -1), [1, 1]),
    ]
    for t, (joint, rewards, seen) in enumerate(history, 1):
        observations, earned, terminations, truncations, infos = env.step(moves(env, joint))
        assert tuple(earned.values()) == rewards
        assert ones(observations) == seen
        assert set(terminations.values()) == {False}
        assert set(truncations.values()) == {t == 4}
        assert infos == {"player_0": {}, "player_1": {}}
    assert env.agents == []


@pytest.mark.parametrize("factor", [1.01, 1.33, 1.5, 1.99])
def test_the_pot(factor):
    """POLA's game, term by term: each cooperator pays 1, the pot times f is shared by both."""
    env = sde.make_env("ipd_v0", contribution_factor=factor)
    env.reset(seed=0)
    for joint in itertools.product((0, 1), repeat=2):
        pot = factor * joint.count(0)
        expected = [pot / 2 - (action == 0) for action in joint]
        assert list(env.step(moves(env, joint))[1].values()) == pytest.approx(expected, abs=1e-15)


def test_three_players_with_different_actions():
    env = sde.make_env("matrix_game_v0", payoffs=THREE_PLAYERS)
    counts = (2, 3, 2)
    assert [env.action_space(agent).n for agent in env.possible_agents] == list(counts)
    env.reset(seed=0)
    for a, b, c in itertools.product(*map(range, counts)):
        observations, rewards, *_ = env.step(moves(env, (a, b, c)))
        assert list(rewards.values()) == THREE_PLAYERS[a][b][c]
        # own action first, then the next player's, then the one's after it
        assert ones(observations) == [
            1 + (a * 3 + b) * 2 + c,
            1 + (b * 2 + c) * 2 + a,
            1 + (c * 2 + a) * 3 + b,
        ]
        if not env.agents:
            env.reset()


# ------------------------------------------------------------------------------------- public goods


def test_public_goods_by_hand():
    """Four players, factor 2.5: everybody contributes; three do; one does; nobody does."""
    env = sde.make_env("public_goods_v0")
    assert len(env.possible_agents) == 4
    assert ones(env.reset(seed=0)[0]) == [0] * 4
    history = [
        ((0, 0, 0, 0), [1.5, 1.5, 1.5, 1.5], [1, 1, 1, 1]),
        ((0, 0, 0, 1), [0.875, 0.875, 0.875, 1.875], [2, 2, 2, 5]),
        ((1, 0, 1, 1), [0.625, -0.375, 0.625, 0.625], [7, 4, 7, 7]),
        ((1, 1, 1, 1), [0, 0, 0, 0], [8, 8, 8, 8]),
    ]
    for joint, rewards, seen in history:
        observations, earned, *_ = env.step(moves(env, joint))
        assert list(earned.values()) == rewards
        assert ones(observations) == seen


@pytest.mark.parametrize("factor", [1.1, 1.33, 1.9])
def test_two_players_of_public_goods_are_the_pot(factor):
    """Observations and rewards, bit for bit, over several episodes."""
    goods = sde.make_env("public_goods_v0", num_agents=2, factor=factor)
    pot = sde.make_env("ipd_v0", contribution_factor=factor)
    assert goods.observation_space("player_0") == pot.observation_space("player_0")
    dice = Dice(5)
    for _ in range(4):
        first, second = goods.reset(seed=1)[0], pot.reset(seed=1)[0]
        while goods.agents:
            assert ones(first) == ones(second)
            actions = dice.actions(goods)
            (first, earned, *_), (second, earned_too, *_) = goods.step(actions), pot.step(actions)
            assert earned == pytest.approx(earned_too, abs=1e-15)
        assert not pot.agents
    np.testing.assert_allclose(
        sde.payoffs("public_goods_v0", num_agents=2, factor=factor),
        sde.payoffs("ipd_v0", contribution_factor=factor),
        rtol=0,
        atol=1e-15,
    )


@pytest.mark.parametrize("num_agents", [2, 3, 7, 16])
def test_public_goods_payoffs_are_the_formula(num_agents):
    factor = 1 + (num_agents - 1) * 0.4
    table = sde.payoffs("public_goods_v0", num_agents=num_agents, factor=factor)
    joint = np.indices((2,) * num_agents)
    contributors = (joint == 0).sum(0)
    expected = factor * contributors / num_agents - (joint == 0)
    np.testing.assert_allclose(np.moveaxis(table, -1, 0), expected, rtol=0, atol=1e-12)


# ------------------------------------------------------------------------------------- the dilemmas


def four(table):
    """Reward, sucker, temptation, punishment of player 0."""
    return table[0, 0, 0], table[0, 1, 0], table[1, 0, 0], table[1, 1, 0]


def symmetric(table):
    return (table[..., 1] == table[..., 0].T).all()


@pytest.mark.parametrize(
    "arguments",
    [{}, *({"contribution_factor": f} for f in (1.001, 1.2, 1.33, 1.6, 1.999))],
    ids=str,
)
def test_prisoners_dilemma(arguments):
    table = sde.payoffs("ipd_v0", **arguments)
    reward, sucker, temptation, punishment = four(table)
    assert symmetric(table)
    assert temptation > reward > punishment > sucker
    assert 2 * reward > temptation + sucker


def test_stag_hunt():
    table = sde.payoffs("stag_hunt_v0")
    reward, sucker, temptation, punishment = four(table)
    assert symmetric(table)
    assert reward > temptation >= punishment > sucker


def test_chicken():
    table = sde.payoffs("chicken_v0")
    reward, sucker, temptation, punishment = four(table)
    assert symmetric(table)
    assert temptation > reward > sucker > punishment


def test_bach_or_stravinsky():
    table = sde.payoffs("bach_stravinsky_v0")
    equilibria = {
        (a, b)
        for a, b in itertools.product((0, 1), repeat=2)
        if table[a, b, 0] > table[1 - a, b, 0] and table[a, b, 1] > table[a, 1 - b, 1]
    }
    assert equilibria == {(0, 0), (1, 1)}
    assert table[0, 0, 0] > table[1, 1, 0]
    assert table[1, 1, 1] > table[0, 0, 1]  # each prefers another of them


@pytest.mark.parametrize("env_id", ["imp_v0", "rps_v0"])
def test_zero_sum_with_a_uniform_equilibrium_only(env_id):
    table = sde.payoffs(env_id)
    assert (table.sum(-1) == 0).all()
    np.testing.assert_allclose(
        table[..., 0].mean(0), 0
    )  # against a uniform opponent all actions are as good
    np.testing.assert_allclose(table[..., 1].mean(1), 0)
    size = len(table)
    bordered = np.block(
        [[table[..., 0], -np.ones((size, 1))], [np.ones((1, size)), np.zeros((1, 1))]]
    )
    assert abs(np.linalg.det(bordered)) > 1e-9  # indifference has one solution


@pytest.mark.parametrize("num_agents", [2, 3, 5, 10])
def test_public_goods_is_a_dilemma(num_agents):
    """To give is dominated for each, and best for all."""
    table = sde.payoffs("public_goods_v0", num_agents=num_agents)
    gift = table[0, ..., 0] - table[1, ..., 0]  # to player 0, whatever the others do
    assert (gift < 0).all()
    others = table[0].sum(-1) - table[1].sum(-1)
    assert (others > 0).all()


def test_the_coin_games_theft():
    """A theft pays the thief 1 and costs the group 1.

    The page's table is the rules' (see test_coin_moments).
    """
    env = sde.make_env("coin_game_v0")
    env.reset(seed=0)
    env.set_state(env.get_state()._replace(board=[0, 8, 1, 1]))
    rewards = env.step({"player_0": 1, "player_1": 2})[1]
    assert rewards == {"player_0": 1.0, "player_1": -2.0}
    assert sum(rewards.values()) < 0 < rewards["player_0"]
