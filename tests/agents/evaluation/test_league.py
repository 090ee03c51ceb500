"""The league: forfeits do not stop it; names, objects, policies and run folders may enter."""

import json

import numpy as np
import pytest

import social_dilemmas_env as sde
from agents import load_agent
from agents.cli.main import main
from agents.evaluation import loading
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.league import round_robin
from agents.evaluation.players import is_agent
from agents.evaluation.scoring import play_episodes
from tests.agents.training.tiny import run


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
    assert match in league.forfeits["bad"]
    assert set(league.forfeits) == {"bad"}
    assert np.isnan(league.means[1]).all()
    assert np.isnan(league.means[:, 1]).all()
    assert np.isfinite(league.means[[0, 0, 2, 2], [0, 2, 0, 2]]).all()
    assert "bad forfeits" in league.table()
    head, first, *_ = league.table().splitlines()
    assert head.split() == [str(k + 1) for k in range(len(league.names))]
    assert first.startswith(f"1 {league.names[0]} ")
    json.dumps(league.json(), allow_nan=False)


def test_policies_objects_and_strangers():
    league = round_robin([left, Right(), Right(), 5], "coin_game_v0", episodes=2)
    assert league.names == ["left", "Right", "Right #2", "int"]
    assert "neither a name" in league.forfeits["int"]


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
        "none": lambda: seen.append(()),
        "one": lambda n: seen.append((n,)),
        "two": lambda n, seed: seen.append((n, seed)),
        "all": lambda *words: seen.append(words),
        "bad": raises_at_reset,
        "worse": raises_type_error,
    }
    league = round_robin(
        [(name, Forgetful(reset)) for name, reset in kinds.items()], "coin_game_v0", episodes=2
    )
    assert league.forfeits.keys() == {"bad", "worse"}
    assert "RuntimeError: not again" in league.forfeits["bad"]
    assert "TypeError" in league.forfeits["worse"]
    assert {len(words) for words in seen} == {0, 1, 2}


class Agent:
    """A user's, with the name of one of ours."""

    def act(self, observations):
        return np.zeros(len(observations), int)


def test_agents_as_objects():
    entries = [("object", load_agent("bundled:loqa_3x3")), "bundled:loqa_3x3", Agent()]
    league = round_robin(entries, "coin_game_v0", episodes=8, seed=2)
    assert league.forfeits == {}
    assert league.names[2] == "Agent"
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
    assert np.isfinite(league.means).all()
    assert np.isnan(league.errors).all()
    assert "nan" not in league.table()


def test_three_players():
    league = round_robin([Right(), left_of_three], "coin_game_v0", episodes=2, num_agents=3)
    assert not league.forfeits
    assert np.isfinite(league.means).all()


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder of a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
        return run("loqa", tmp_path_factory.mktemp("runs") / "x", 2)


def test_a_run_folder_enters_by_the_command(folder, tmp_path, capsys):
    path = tmp_path / "league.json"
    words = ["league", "coin_game_v0", str(folder), "always_defect", "--episodes", "2"]
    assert main([*words, "--save", str(path)]) == 0
    assert "always_defect" in capsys.readouterr().out
    assert json.loads(path.read_text())["forfeits"] == {}


def test_a_run_folder_is_evaluated_and_plays(folder, capsys):
    assert main(["evaluate", str(folder), "--episodes", "2"]) == 0
    assert "vs always_defect" in capsys.readouterr().out
    assert main(["play", "coin_game_v0", str(folder), "always_defect"]) == 0
    assert main(["play", "ipd_v0", str(folder), "tit_for_tat"]) == 2
    assert "plays coin_game_v0, not ipd_v0" in capsys.readouterr().err


def test_every_agent_is_read_once(folder, monkeypatch):
    """Three entries, two of them agents: nine pairs, two reads."""
    reads = []
    read = loading.load
    monkeypatch.setattr(loading, "load", lambda path: reads.append(path) or read(path))
    entries = ["bundled:loqa_3x3", str(folder), "always_defect"]
    league = round_robin(entries, "coin_game_v0", episodes=2, seed=3)
    assert league.forfeits == {}
    assert len(reads) == 2


def test_an_agent_that_is_read_once_plays_as_one_of_its_own(folder):
    """Seats of one agent keep their memories apart: as agents that were read for each seat."""
    league = round_robin([str(folder)], "coin_game_v0", episodes=4, seed=3)
    seats = [AgentPlayer(loading.load_agents(folder)[seat]) for seat in range(2)]
    games = play_episodes("coin_game_v0", seats, 4, sde.draw(3, 0, 0))
    assert league.means[0, 0].tolist() == games["rewards"].mean(0).mean(0).tolist()


def test_words_that_name_agents():
    assert is_agent("bundled:x")
    assert is_agent("runs/x")
    assert is_agent("x.json")
    assert not is_agent("tit_for_tat")


def test_strategies_enter_in_their_own_game():
    mine = sde.make_strategy("tit_for_tat", "coin_game_v0", grid_size=5)
    league = round_robin([("mine", mine), "random"], "coin_game_v0", episodes=2)
    assert "made for another game" in str(league.forfeits["mine"])
