"""The league: forfeits do not stop it; names, objects, policies and run folders may enter."""

import json

import numpy as np
import pytest

from agents import load_agent, train
from agents.cli.main import main
from agents.evaluation.league import round_robin
from agents.evaluation.players import is_agent


class Right:
    """Always moves right; the least that an entry may be."""

    def act(self, observations):
        return np.ones(len(observations), int)


class Wrong:
    def __init__(self, how):
        self.how, self.calls = how, 0

    def act(self, observations):
        self.calls += 1
        if self.calls < 5:
            return np.zeros(len(observations), int)
        return self.how(len(observations))


def left(observation):
    assert observation.shape == (4, 3, 3)
    return 0


def test_golden_rewards_of_scripted_players():
    league = round_robin(
        ["always_cooperate", "always_defect"], "coin_game_v0", episodes=400, seed=1
    )
    for (i, j, k), golden in {
        (0, 0, 0): 0.349,
        (1, 1, 0): 0.0,
        (0, 1, 0): -0.265,
        (0, 1, 1): 0.637,
        (1, 0, 0): 0.637,
    }.items():
        assert abs(league.means[i, j, k] - golden) < 5 * league.errors[i, j, k] + 0.001


def raises(count):
    raise RuntimeError("no idea")


@pytest.mark.parametrize(
    ("how", "match"),
    [
        (raises, "RuntimeError: no idea"),
        (lambda n: np.full(n, 4), "no action 4"),
        (lambda n: np.full(n, -1), "no action -1"),
        (lambda n: np.zeros(n), "integers, got float64"),
        (lambda n: np.zeros(n + 1, int), "shape"),
        (lambda n: None, "integers, got object"),
        (lambda n: np.full(n, True), "integers, got bool"),
    ],
)
def test_a_broken_entry_forfeits_and_the_league_goes_on(how, match):
    league = round_robin(
        [("good", Right()), ("bad", Wrong(how)), "always_defect"], "coin_game_v0", episodes=3
    )
    assert match in league.forfeits["bad"] and set(league.forfeits) == {"bad"}
    assert np.isnan(league.means[1]).all() and np.isnan(league.means[:, 1]).all()
    assert np.isfinite(league.means[[0, 0, 2, 2], [0, 2, 0, 2]]).all()
    assert "bad forfeits" in league.table()
    head, first, *_ = league.table().splitlines()
    assert head.split() == [str(k + 1) for k in range(len(league.names))] and first.startswith(
        f"1 {league.names[0]} "
    )
    json.dumps(league.json(), allow_nan=False)


def test_policies_objects_and_strangers():
    league = round_robin([left, Right(), Right(), 5], "coin_game_v0", episodes=2)
    assert (
        league.names == ["left", "Right", "Right #2", "int"]
        and "neither a name" in league.forfeits["int"]
    )


class Forgetful:
    """With the reset that a test gives it."""

    def __init__(self, reset):
        self.reset = reset

    def act(self, observations):
        return np.zeros(len(observations), int)


def raises_at_reset(count, seed):
    raise RuntimeError("not again")


def raises_type_error(count, seed):
    return count + "1"


def test_resets_of_all_kinds():
    seen = []
    kinds = {
        "none": lambda: seen.append(()), "one": lambda n: seen.append((n,)), "two": lambda n, seed: seen.append((n, seed)),
        "all": lambda *words: seen.append(words), "bad": raises_at_reset, "worse": raises_type_error,
    }  # fmt: skip
    league = round_robin(
        [(name, Forgetful(reset)) for name, reset in kinds.items()], "coin_game_v0", episodes=2
    )
    assert league.forfeits.keys() == {"bad", "worse"}
    assert (
        "RuntimeError: not again" in league.forfeits["bad"]
        and "TypeError" in league.forfeits["worse"]
    )
    assert {len(words) for words in seen} == {0, 1, 2}


class Agent:
    """A user's, with the name of one of ours."""

    def act(self, observations):
        return np.zeros(len(observations), int)


def test_agents_as_objects():
    entries = [("object", load_agent("bundled:loqa_3x3")), "bundled:loqa_3x3", Agent()]
    league = round_robin(entries, "coin_game_v0", episodes=8, seed=2)
    assert league.forfeits == {} and league.names[2] == "Agent"
    assert np.array_equal(
        league.means[0, 2], round_robin(entries, "coin_game_v0", episodes=8, seed=2).means[0, 2]
    )
    league = round_robin([load_agent("bundled:meta_mapg_ipd"), "tit_for_tat"], "ipd_v0", episodes=3)
    assert league.forfeits == {}
    league = round_robin(
        [("wrong", load_agent("bundled:loqa_ipd")), Agent()], "coin_game_v0", episodes=2
    )
    assert "plays ipd_v0, not coin_game_v0" in league.forfeits["wrong"]


@pytest.mark.parametrize(
    "game", [{"view": "joint"}, {"variant": "pola"}, {"moves": "RLDU"}, {"grid_size": 4}]
)
def test_agents_of_other_views_are_refused(game):
    with pytest.raises(ValueError, match=r"was trained with (view|moves|observation_shape)"):
        round_robin(["bundled:loqa_3x3"], "coin_game_v0", episodes=2, **game)


def test_one_episode_has_no_error():
    league = round_robin(["always_defect"], "coin_game_v0", episodes=1)
    assert (
        np.isfinite(league.means).all()
        and np.isnan(league.errors).all()
        and "nan" not in league.table()
    )


def test_three_players():
    league = round_robin([Right(), left_of_three], "coin_game_v0", episodes=2, num_agents=3)
    assert not league.forfeits and np.isfinite(league.means).all()


def left_of_three(observation):
    assert observation.shape == (6, 3, 3)
    return 0


def test_unknown_names_are_refused_at_once():
    with pytest.raises(ValueError, match="always_defect"):
        round_robin(["always_defekt"], "coin_game_v0")
    with pytest.raises(ValueError, match="at least one"):
        round_robin([], "coin_game_v0")


def test_the_same_seed_gives_the_same_league():
    one, two = (
        round_robin(["always_defect", left], "coin_game_v0", episodes=3, seed=4).means
        for _ in range(2)
    )
    assert np.array_equal(one, two)


def test_run_folders_and_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
    words = [
        "batch=4",
        "horizon=5",
        "actor_hidden=8",
        "critic_hidden=8",
        "iterations=2",
        "eval_every=0",
        "quiet=true",
    ]
    assert (
        main(
            [
                "train",
                "loqa",
                "coin_game_v0",
                "--out",
                str(tmp_path / "x"),
                "--device",
                "cpu",
                "--set",
                *words,
            ]
        )
        == 0
    )
    folder = capsys.readouterr().out.strip()
    assert (
        main(
            [
                "league",
                "coin_game_v0",
                folder,
                "always_defect",
                "--episodes",
                "2",
                "--save",
                str(tmp_path / "l.json"),
            ]
        )
        == 0
    )
    assert (
        "always_defect" in capsys.readouterr().out
        and json.loads((tmp_path / "l.json").read_text())["forfeits"] == {}
    )
    assert main(["evaluate", folder, "--episodes", "2"]) == 0
    assert "vs always_defect" in capsys.readouterr().out
    assert main(["play", "coin_game_v0", folder, "always_defect"]) == 0
    assert main(["play", "ipd_v0", folder, "tit_for_tat"]) == 2
    assert "plays coin_game_v0, not ipd_v0" in capsys.readouterr().err
    assert main(["train", "loqa", "coin_game_v0", "--set", "bach=3"]) == 2
    assert "'batch'" in capsys.readouterr().err
    game = {"env_id": "coin_game_v0", "game": {}}
    train("loqa", game["env_id"], out=tmp_path / "x", device="cpu", iterations=2, eval_every=0, batch=4, horizon=5,
          actor_hidden=8, critic_hidden=8, quiet=True)  # fmt: skip


def test_words_that_name_agents():
    assert (
        is_agent("bundled:x")
        and is_agent("runs/x")
        and is_agent("x.json")
        and not is_agent("tit_for_tat")
    )
