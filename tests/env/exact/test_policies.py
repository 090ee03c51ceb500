"""Strategies, agents and arrays as policies."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.env.exact.games import coin, ipd, some_policies
from tests.helpers.games import COLUMN_GAMES, GAMES

MEMORYLESS = ("always_cooperate", "always_defect", "tit_for_tat", "pavlov", "extort2", "random")
CASES = [
    (env_id, name, memory)
    for env_id, memory in (("coin_game_v0", "last_pickup"), ("ipd_v0", "grudge"))
    for name in sde.list_strategies(env_id)
    if name not in ("constant", "memory_one")
]


def frequencies(env_id, name, histories, draws):
    """How often a strategy chooses each action, [T, B, A], in games that it observes."""
    steps, games = histories.shape[:2]
    strategy = sde.make_strategy(name, env_id)
    strategy.reset(games * draws, seed=0)
    actions = strategy.game.num_actions[0]
    found = []
    for t in range(steps):
        acted = strategy.act(np.repeat(histories[t], draws, 0)).reshape(games, draws)
        found.append(np.stack([(acted == a).mean(1) for a in range(actions)], -1))
    return np.stack(found)


@pytest.mark.parametrize(("env_id", "name", "memory"), CASES)
def test_strategies_do_what_their_policy_says(env_id, name, memory):
    """Along random play, 400 copies of the strategy choose each action as often as its policy.

    30 steps of 8 games with at most 4 actions: a false alarm at 6 standard deviations happens in
    fewer than one of 10^5 runs.
    """
    draws, steps, games = 400, 30, 8
    game = sde.exact_game(env_id, memory=memory)
    policy, rng = game.policy(name), np.random.default_rng(0)

    # Follow states of the exact game and the boards that belong to them.
    state = rng.choice(game.num_states, games, p=game.start)
    board = tuple(c[game.origin.product.board[state]] for c in game.origin.boards.board)
    observations, expected = [], []
    for _ in range(steps):
        observations.append(game.origin.observe(board, 0))
        expected.append(policy[state])
        joint = rng.integers(0, game.successors.shape[1], games)
        state, board = walk(game, state, board, joint, rng)
    found = frequencies(env_id, name, np.stack(observations), draws)
    deviation = np.abs(found - np.stack(expected))
    spread = np.sqrt(np.stack(expected) * (1 - np.stack(expected)) / draws)
    assert (deviation <= 6 * spread + 1e-9).all()


def walk(game, state, board, joint, rng):
    """A step of the rules themselves, and the state of the exact game that it leads to."""
    rules, sizes = game.origin.game, game.origin.game.sizes
    actions = np.unravel_index(joint, game.num_actions)
    after, _ = rules.act(board, actions)
    marked = np.any([c == size for c, size in zip(after, sizes, strict=True)], 0)
    board = rules.chance(after, lambda stream, n: rng.integers(0, n, len(joint)))
    board = tuple(np.broadcast_to(c, joint.shape) for c in board)

    # Among what may follow, the state whose board it is up to translation.
    quotient, origin = game.origin.quotient, game.origin
    landed = game.successors[state, joint]
    canonical = np.stack(quotient.canonical(board), -1)
    states = []
    for k, there in enumerate(landed):
        options = [there]
        if marked[k]:
            options = game.chance[there - game.num_states].indices
        boards = np.stack(origin.boards.board, -1)[origin.product.board[options]]
        (match,) = np.flatnonzero((boards == canonical[k]).all(1))
        states.append(options[match])
    return np.array(states), board


def test_random_and_constant():
    game = coin(None)
    assert (game.policy("random") == 0.25).all()
    assert (game.policy("constant", action=2) == np.eye(4)[2]).all()


def test_arguments_of_a_strategy():
    """LOQA's and POLA's cooperators differ, in how they go away."""
    game = coin(None)
    one, other = (game.policy("always_cooperate", definition=d) for d in ("loqa", "pola"))
    assert not np.array_equal(one, other)
    assert set(np.unique(other)) == {0, 1}


def test_strategy_objects():
    game = ipd()
    strategy = sde.make_strategy("memory_one", "ipd_v0", probabilities=(0.1, 0.2, 0.3, 0.4, 0.5))
    cooperate = game.policy(strategy)[:, 0]
    names = ["start", "CC", "CD", "DC", "DD"]
    assert dict(zip(names, cooperate, strict=True)) == pytest.approx(
        {"start": 0.1, "CC": 0.2, "CD": 0.3, "DC": 0.4, "DD": 0.5}
    )


def test_policies_are_read_without_disturbing_a_player():
    strategy = sde.make_strategy("tit_for_tat", "coin_game_v0")
    env = sde.make_vec_env("coin_game_v0", num_envs=4, seed=0)
    seen, _ = env.reset(seed=0)
    first = [strategy.act(seen[:, 0]) for _ in range(3)]
    again = sde.make_strategy("tit_for_tat", "coin_game_v0")
    second = []
    for _ in range(3):
        second.append(again.act(seen[:, 0]))
        coin().policy(again)
    np.testing.assert_array_equal(first, second)


class Stubborn:
    """An agent that goes left with a probability that depends on the coin's colour."""

    def probabilities(self, observations):
        mine = observations[:, 2].reshape(len(observations), -1).sum(1)
        left = 0.25 + 0.5 * mine
        return np.stack([left, *[(1 - left) / 3] * 3], -1)


def test_objects_with_probabilities():
    game = coin()
    left = game.policy(Stubborn())[:, 0]
    np.testing.assert_allclose(left, 0.25 + 0.5 * (game.columns["owner"] == 0))


class Homesick:
    """An agent that does one thing on the first cell and another elsewhere."""

    def probabilities(self, observations):
        home = observations[:, 0, 0, 0][:, None]
        return home * np.eye(4)[0] + (1 - home) * np.full(4, 0.25)


def test_agents_that_read_absolute_cells():
    with pytest.raises(ValueError, match="symmetry=None"):
        coin(None).policy(Homesick())
    game = coin(None, symmetry=None)
    home = game.columns["player_0"] == 0
    np.testing.assert_array_equal(game.policy(Homesick())[:, 0], np.where(home, 1, 0.25))


def test_grim_needs_a_grudge():
    with pytest.raises(ValueError, match="memory='grudge' would do"):
        ipd().policy("grim")
    game = ipd(memory="grudge")
    grim = game.policy("grim")
    np.testing.assert_array_equal(grim[:, 1], game.columns["grudge_0"])
    assert game.score(["grim", "always_defect"])[0] == pytest.approx(0.04 * -3 + 0.96 * -2)


def test_tit_for_tat_needs_its_memory():
    for memory in (None, "pickups"):
        with pytest.raises(ValueError, match="memory='last_pickup' would do"):
            coin(memory).policy("tit_for_tat")


@pytest.mark.parametrize(
    "name", [n for n in COLUMN_GAMES if "coin" not in n and n not in ("public_goods_9p", "govsim")]
)
def test_every_matrix_game(name):
    """Whoever may play it has a policy, and best responses are no worse than what was played."""
    env_id, kwargs = GAMES[name]
    game = sde.exact_game(env_id, memory=None, **kwargs)
    names = [n for n in sde.list_strategies(env_id, **kwargs) if n in MEMORYLESS]
    for strategy in names if len(set(game.num_actions)) == 1 else []:
        policies = [game.policy(strategy)] * game.num_agents
        assert (game.exploitability(policies) >= 0).all()
    assert game.occupancy(some_policies(game)).sum() == pytest.approx(1)


def test_network_agents():
    """Softmax of the logits, in float64."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    load_agent = pytest.importorskip("agents.evaluation.loading").load_agent
    agent, game = load_agent("bundled:loqa_ipd"), ipd()
    logits, hidden = agent.logits(torch.eye(5), None)
    assert hidden is None
    expected = torch.softmax(logits.double(), -1).numpy()
    np.testing.assert_allclose(game.policy(agent), expected, atol=1e-7)
    _, score = game.best_response([None, agent])
    assert score[0] == pytest.approx(-1.0008, abs=5.1e-4)


def test_recurrent_agents_are_refused():
    pytest.importorskip("safetensors")
    load_agent = pytest.importorskip("agents.evaluation.loading").load_agent
    with pytest.raises(ValueError, match="recurrent: its memory is not finite"):
        coin().policy(load_agent("bundled:loqa_3x3"))
