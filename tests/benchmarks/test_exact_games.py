"""What benchmarks read of exact games, against closed forms and hand-made curves."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from benchmarks import coin_exact_scaling, dilemmas
from benchmarks.harness.exact_games import deviations, own_share, pick_ups, score_policy


@pytest.fixture(scope="module")
def game():
    return sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)


def random_policy(game, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(4), game.num_states)


@pytest.mark.parametrize("ties", ["both", "red"])
@pytest.mark.parametrize("horizon", [1, 7, None])
def test_rewards_follow_from_pick_ups(ties, horizon):
    """Of two players, each theft pays 1 and costs 2: r_0 + r_1 = own - (all - own)."""
    game = sde.exact_game("coin_game_v0", memory="last_pickup", ties=ties)
    timed = game if horizon is None else game.finite(horizon)
    pair = [random_policy(game, 0), random_policy(game, 1)]
    visits = timed.occupancy(pair)[:, None] * timed.joint_policy(pair)
    own, every = ((visits * count).sum() for count in pick_ups(game))
    assert timed.score(pair).sum() == pytest.approx(2 * own - every, abs=1e-10)
    assert own_share(timed, pair) == pytest.approx(own / every)


def test_three_players_pick_up_their_coins(game):
    """Cooperators take nothing but their own coins, whatever the number of players."""
    three = sde.exact_game("coin_game_v0", num_agents=3)
    assert own_share(three, ["always_cooperate"] * 3) == 1.0
    own, every = pick_ups(three)
    assert (own <= every).all()
    assert every.max() == 3  # all on one coin


def test_own_share_of_the_extremes(game):
    assert own_share(game, ["always_cooperate"] * 2) == 1.0
    # The seats, and with them the colours, are alike.
    assert own_share(game, ["always_defect"] * 2) == pytest.approx(0.5, abs=1e-9)


def test_nobody_picks_anything_up():
    """Both run left on their own rows, for one step from a board where no coin is in reach."""
    game = sde.exact_game("coin_game_v0", grid_size=5)
    start = np.zeros(game.num_states)
    far = (game.columns["coin"] == 12) & (game.columns["player_1"] == 1)
    start[np.flatnonzero(far)[0]] = 1
    object.__setattr__(game, "start", start)
    left = np.tile([1.0, 0, 0, 0], (game.num_states, 1))
    assert np.isnan(own_share(game.finite(1), [left, left]))


def test_scores_are_the_known_ones(game):
    scores = score_policy(game, game.policy("always_cooperate"))
    assert scores["self"] == pytest.approx(0.348600, abs=1e-6)
    assert scores["vs AD"] == pytest.approx(-0.265995, abs=1e-6)
    assert scores["AD vs it"] == pytest.approx(0.636887, abs=1e-6)
    assert scores["own share"] == 1.0


@pytest.mark.parametrize("strategy", ["always_cooperate", "always_defect", "tit_for_tat"])
def test_deviations_are_the_certificates(game, strategy):
    policy = game.policy(strategy)
    found = deviations(game, policy)
    assert found["epsilon"] == pytest.approx(game.nash_gap([policy, policy]), abs=1e-9)
    assert found["best response"] >= game.score([policy, policy])[0] - 1e-12


# Scores a step, times 2 on 3x3, of players that are known, and the thresholds that they pass.
PASS = {
    "always_cooperate": ["weak"],  # .697, -.532
    "always_defect": [],  # 0, 0
    "tit_for_tat": ["medium", "strong", "weak"],  # .697, -.026
}


@pytest.mark.parametrize("strategy", PASS)
def test_thresholds(strategy, game, monkeypatch):
    asked = []

    def learn(settings, learner, updates, seed, **kwargs):
        asked.append(updates)
        return 0.5 * updates, np.stack([game.policy(strategy)] * 2)

    monkeypatch.setattr(coin_exact_scaling, "learn", learn)
    monkeypatch.setattr(coin_exact_scaling, "make_game", lambda settings, grid_size: game)
    settings = {"learner": "loqa", "board": 3, "every": 2, "updates": 6}
    result = coin_exact_scaling.time_thresholds(settings, 1, 0)
    assert result["passed"] == PASS[strategy]
    every = len(PASS[strategy]) == 3
    assert asked == ([2] if every else [2, 4, 6])  # stops when all are passed

    # Who never passes is counted as all its time.
    strong, weak = (result["samples"][f"{name} seconds"] for name in ("strong", "weak"))
    assert strong == [1.0 if every else 3.0]
    assert weak == [1.0 if "weak" in PASS[strategy] else 3.0]
    assert result["samples"]["strong ratio"] == pytest.approx([237 / strong[0]])


def test_published_boards_are_loqas():
    assert set(coin_exact_scaling.POLA) == set(coin_exact_scaling.MFOS)
    assert set(coin_exact_scaling.POLA) == set(coin_exact_scaling.LOQA)


DILEMMAS = {  # C(k), D(k), index
    "prisoner's dilemma": ([-1, -3], [0, -2], 1 / 3),
    "chicken": ([3, 1], [4, 0], -1 / 4),  # no fear
    "stag hunt": ([2, 0], [1, 1], -1 / 2),  # no greed
    "harmony": ([3, 1], [2, 0], -1 / 3),
    "costless": ([1, 0], [2, 1], 0.0),
}


@pytest.mark.parametrize("name", DILEMMAS)
def test_the_index_of_matrix_games(name):
    cooperate, defect, index = DILEMMAS[name]
    facts = dilemmas.describe_dilemma(np.array(cooperate, float), np.array(defect, float))
    assert facts["index"] == pytest.approx(index)
    assert facts["cost"] == cooperate[0] - defect[-1]
    assert (facts["greed"], facts["fear"]) == (defect[0] - cooperate[0], defect[1] - cooperate[1])


@pytest.mark.parametrize("players", [2, 3, 4])
def test_schellings_curves_of_public_goods(players):
    """Contributions f k / N, less one's own: straight lines, 1 - f / N apart."""
    game = sde.exact_game("public_goods_v0", num_agents=players)
    factor, others = (1 + players) / 2, np.arange(players)
    cooperate, defect = dilemmas.schelling(game)
    assert cooperate == pytest.approx(factor * (players - others) / players - 1, abs=1e-9)
    assert defect == pytest.approx(factor * (players - 1 - others) / players, abs=1e-9)


def test_three_players_who_share_ties_are_in_a_dilemma():
    """With ties="both" all may defect at next to no cost."""
    index = {}
    for ties in ("both", "split"):
        game = sde.exact_game("coin_game_v0", num_agents=3, ties=ties, symmetry="all")
        index[ties] = dilemmas.describe_dilemma(*dilemmas.schelling(game))["index"]
    assert index["both"] < 0.05 < 0.1 < index["split"]
