"""The command `solve`, and the demo's players of solved games."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the agents need torch")
pytest.importorskip("scipy", reason="exact games need scipy")

import social_dilemmas_env as sde
from agents.cli import main as cli
from agents.cli.solving import interval, learn, make_game
from agents.evaluation.memory_agent import table_player
from agents.evaluation.scoring import play_episodes
from agents.evaluation.thief import Thief

COIN = "coin_game_v0"


def run(capsys, *words):
    status = cli.main(words)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture(scope="module")
def solved():
    """The 3x3 game and LOQA's policies [N, S, A]."""
    game = make_game(COIN, None, 0.96, {})
    return game, learn(game, "loqa", 1, 0, {}).policies[0]


def test_the_table_fits_80_columns_and_says_what_was_solved(capsys, tmp_path):
    path = tmp_path / "x.npz"
    words = ("--runs", "2", "--updates", "3", "--set", "grid_size=3", "--out", str(path))
    status, out, err = run(capsys, "solve", COIN, "loqa", *words)
    assert (status, err) == (0, "")
    assert max(len(line) for line in out.splitlines() if not line.startswith("saved")) <= 80
    for part in ("1,152 states", "3 updates", "2 runs from seed 0", "s of one core", "+-", "95 %"):
        assert part in out.replace("\n", " "), part
    for row in ("self-play", "always_defect", "always_cooperate", "best response", "epsilon"):
        assert row in out, row

    # The file holds probabilities, that the game itself scores as the table does.
    saved = np.load(path)
    assert saved["policies"].shape == (2, 2, 1152, 4)
    assert np.allclose(saved["policies"].sum(-1), 1)
    game = make_game(COIN, None, 0.96, {"grid_size": 3})
    mean = np.mean([game.score(list(saved["policies"][r])) for r in range(2)])
    assert f"{mean:+8.4f}" in next(line for line in out.splitlines() if "self-play" in line)
    assert np.allclose(saved["curves"][-1].mean(), mean, atol=1e-6)


MISTAKES = {
    "unknown game": (("coin_gam", "loqa"), "coin_game_v0"),
    "unknown learner": ((COIN, "loqqa"), "did you mean 'loqa'"),
    "unknown memory": ((COIN, "loqa", "--memory", "all"), "last_pickup"),
    "too large": ((COIN, "loqa", "--grid-size", "31"), "too large"),
    "unknown setting": ((COIN, "loqa", "--update", "3"), "did you mean 'updates'"),
    "out of range": ((COIN, "loqa", "--updates", "-1"), "at least 0"),
    "gamma": ((COIN, "loqa", "--gamma", "1"), "[0, 1)"),
    "runs": ((COIN, "loqa", "--runs", "0"), "at least 1"),
    "seed": ((COIN, "loqa", "--seed", "-1"), "at least 0"),
    "no npz": ((COIN, "loqa", "--out", "x.json"), "NAME.npz"),
    "no folder": ((COIN, "loqa", "--out", "/proc/nowhere/x.npz"), "no folder"),
}


@pytest.mark.parametrize(("words", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_before_anything_is_computed(capsys, words, expected):
    status, out, err = run(capsys, "solve", *words)
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1


def test_every_game_can_be_named(capsys):
    """Games without scripted players of these names, and with more than two players."""
    for env_id in ("rps_v0", "public_goods_v0"):
        status, out, _ = run(capsys, "solve", env_id, "naive", "--runs", "1", "--updates", "1")
        assert status == 0
        assert "epsilon of Nash" in out


def test_the_interval_is_students():
    """t(.975, 1) = 12.706: half the 95 % interval of the mean of 0 and 2 is 12.706."""
    assert interval(np.array([0.0, 2.0])) == "+-12.7062"
    assert interval(np.array([1.0])) == ""


@pytest.mark.parametrize("other", ["itself", "always_defect", "tit_for_tat"])
def test_a_solved_policy_earns_in_the_environment_what_the_tables_say(solved, other):
    """2,000 episodes of 50 steps; five standard errors (a false alarm in a million)."""
    game, policies = solved
    if other == "itself":
        second, exact = table_player(game, policies[1], 1, 2), policies[1]
    else:
        second, exact = sde.make_strategy(other, COIN, player=1), other
    players = [table_player(game, policies[0], 0, 1), second]
    rewards = play_episodes(COIN, players, 2000, 0)["rewards"].mean(0)
    error = rewards.std(0, ddof=1) / len(rewards) ** 0.5
    expected = game.finite(50).score([policies[0], exact])
    assert (abs(rewards.mean(0) - expected) < 5 * error).all()


def test_a_thief_steals_and_then_keeps_to_its_policy(solved):
    game, policies = solved
    defector = sde.make_strategy("always_defect", COIN, player=1)
    players = [
        table_player(game, policies[0], 0, 1),
        Thief(table_player(game, policies[1], 1, 2), defector, 6),
    ]
    rewards = play_episodes(COIN, players, 500, 0)["rewards"].mean(1)
    assert rewards[:6, 1].mean() > 0.1 > 0 > rewards[:6, 0].mean()
    assert abs(rewards[6:, 0].mean() - rewards[6:, 1].mean()) < 0.1


def test_switches_of_the_game_are_settings_too(capsys):
    words = ("--runs", "1", "--updates", "2", "--set", "continuation=0.9", "action_noise=0.1")
    assert run(capsys, "solve", "ipd_v0", "loqa", *words)[0] == 0
    status, _, err = run(capsys, "solve", "ipd_v0", "loqa", "--set", "continuation=9")
    assert (status, "continuation must be None or lie" in err) == (2, True)
