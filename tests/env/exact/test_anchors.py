"""Golden numbers of the Coin Game and the prisoner's dilemma."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.env.exact.games import coin, grudging, ipd, sidestep

STEPS = 50  # of an episode of the Coin Game
NAMES = {
    "AC": "always_cooperate",
    "AD": "always_defect",
    "TFT": "tit_for_tat",
    "random": "random",
}

# (player 0, player 1): mean reward a step of both in 50 steps, undiscounted
PAIRS_3X3 = {
    ("AC", "AC"): (0.348600, 0.348600),
    ("AD", "AC"): (0.636887, -0.265995),
    ("AD", "TFT"): (0.032593, -0.012798),
    ("AC", "random"): (0.058975, 0.114117),
    ("AD", "AD"): (0, 0),
}
PAIRS_5X5 = {("AC", "AC"): (0.202829, 0.202829), ("AD", "AC"): (0.370690, -0.141338)}

# what a best response to it earns, and the victim, in 50 steps
RESPONSES = {
    "AC": (0.6466, -0.2700),
    "AD": (0, 0),
    "TFT": (0.3557, 0.3293),
    "random": (0.5311, -0.5311),
}


@pytest.mark.parametrize("pair", PAIRS_3X3, ids=str)
def test_pairs_on_3x3(pair):
    game = coin().finite(STEPS)
    score = game.score([NAMES[name] for name in pair])
    assert score == pytest.approx(PAIRS_3X3[pair], abs=1e-6)


@pytest.mark.parametrize("pair", PAIRS_5X5, ids=str)
def test_pairs_on_5x5(pair):
    game = coin(memory=None, grid_size=5).finite(STEPS)
    score = game.score([NAMES[name] for name in pair])
    assert score == pytest.approx(PAIRS_5X5[pair], abs=1e-6)


def test_cooperation_is_the_joint_optimum():
    """A planner that moves both players, knows the future and shares the reward earns no more."""
    game = coin()
    values = np.zeros(game.num_states)
    for _ in range(STEPS):
        landed = np.concatenate([values, game.chance @ values])
        values = (game.rewards.sum(-1) + landed[game.successors]).max(1)
    assert game.start @ values / STEPS == pytest.approx(2 * 0.348600, abs=2e-6)


@pytest.mark.parametrize("name", RESPONSES)
def test_best_responses(name):
    _, score = coin().finite(STEPS).best_response([None, NAMES[name]], player=0)
    assert score == pytest.approx(RESPONSES[name], abs=5.1e-5)


def test_best_response_to_a_network():
    """sb3_ppo_3x3 reads absolute cells, so every board has to be a state of its own."""
    pytest.importorskip("safetensors")
    load_agent = pytest.importorskip("agents.evaluation.loading").load_agent
    game = coin(memory=None, symmetry=None).finite(STEPS)
    _, score = game.best_response([None, load_agent("bundled:sb3_ppo_3x3")])
    assert score == pytest.approx((0.1523, -0.1001), abs=5.1e-5)


DISCOUNTED = {  # gamma .96, with players that sidestep: see `sidestep` and `grudging`
    "cooperate, cooperate": (0.33326, 0.33326),
    "cooperate, defect": (-0.25996, 0.62167),
    "grudging, defect": (-0.0226, 0.0572),
}


@pytest.mark.parametrize("pair", DISCOUNTED)
def test_discounted(pair):
    game = coin()
    players = {
        "cooperate": sidestep(game),
        "grudging": grudging(game),
        "defect": game.policy("always_defect"),
    }
    score = game.score([players[name] for name in pair.split(", ")])
    tolerance = 5.1e-6 if "grudging" not in pair else 5.1e-5  # half of the last digit
    assert score == pytest.approx(DISCOUNTED[pair], abs=tolerance)


def test_best_responses_discounted():
    game = coin()
    own = [game.best_response([None, p])[1][0] for p in (grudging(game), sidestep(game))]
    assert own == pytest.approx([0.3404, 0.6310], abs=5.1e-5)


PRISONERS = {  # what a best response earns, gamma .96
    "tit_for_tat": -1,
    "pavlov": -0.980,
    "generous_tit_for_tat": -0.960,
    "extort2": -1.369,
    "always_cooperate": 0,
    "always_defect": -2,
}


@pytest.mark.parametrize("name", PRISONERS)
def test_prisoners(name):
    _, score = ipd().best_response([None, name])
    assert score[0] == pytest.approx(PRISONERS[name], abs=5.1e-4)


THREE = {  # each on 3x3, gamma .96
    "cooperate": (0.222, 0.222, 0.222),
    "defect": (0.195, 0.195, 0.195),
    "one thief": (0.608, -0.185, -0.163),
}


@pytest.fixture(scope="module")
def three():
    return sde.exact_game("coin_game_v0", num_agents=3)


@pytest.mark.parametrize("case", THREE)
def test_three_players(three, case):
    nice, thief = sidestep(three), three.policy("always_defect")
    policies = {
        "cooperate": [nice] * 3,
        "defect": [thief] * 3,
        "one thief": [thief, nice, nice],
    }
    score = np.asarray(three.score(policies[case]))
    assert score == pytest.approx(THREE[case], abs=5.1e-4)
