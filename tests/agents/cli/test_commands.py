"""The command `social-dilemmas`, as a user types it."""

import json

import pytest

pytest.importorskip("torch", reason="the agents need torch")

import social_dilemmas_env as sde
from agents.cli import main as cli
from agents.cli.words import parse_settings


def run(capsys, *words):
    """Exit status, what was printed, and what was complained of."""
    status = cli.main(words)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_envs_lists_every_game(capsys):
    status, out, _ = run(capsys, "envs")
    assert status == 0
    assert all(env_id in out for env_id in sde.list_envs())


@pytest.mark.parametrize("env_id", sde.list_envs())
def test_envs_shows_the_page_of_a_game(capsys, env_id):
    status, out, _ = run(capsys, "envs", env_id)
    assert status == 0
    assert "## Rewards" in out and "## Strategies" in out


def test_play_prints_mean_rewards_that_follow_from_the_seed(capsys):
    first, second = (
        run(capsys, "play", "coin_game_v0", "tit_for_tat", "random", "--seed", "7")
        for _ in range(2)
    )
    assert first == second
    assert first[0] == 0 and "a step" in first[1]
    assert (
        run(capsys, "play", "coin_game_v0", "tit_for_tat", "random", "--seed", "8")[1] != first[1]
    )


def test_play_knows_the_arithmetic_of_two_cooperators(capsys):
    _, out, _ = run(
        capsys, "play", "ipd_v0", "always_cooperate", "always_defect", "--set", "max_cycles=4"
    )
    assert "-3.000 a step, -12.0 an episode" in out and "+0.000 a step" in out


def test_play_shows_text(capsys):
    _, out, _ = run(
        capsys, "play", "ipd_v0", "tit_for_tat", "grim", "--render", "ansi", "--set", "max_cycles=2"
    )
    assert "tit_for_tat" in out and "grim" in out


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_play_records(capsys, tmp_path, name):
    pytest.importorskip("imageio")
    path = tmp_path / name
    words = ("--save", str(path), "--set", "max_cycles=3", "grid_size=4")
    status, out, _ = run(capsys, "play", "coin_game_v0", "random", "tit_for_tat", *words)
    assert status == 0 and "saved 3 frames" in out
    assert path.stat().st_size > 0


MISTAKES = {
    "unknown game": (("play", "coin_gam", "random", "random"), "coin_game_v0"),
    "unknown page": (("envs", "ipd"), "ipd_v0"),
    "unknown player": (("play", "ipd_v0", "tit_for_tatt", "random"), "tit_for_tat"),
    "too few players": (("play", "ipd_v0", "random"), "2 players"),
    "unknown setting": (
        ("play", "coin_game_v0", "random", "random", "--set", "grid=3"),
        "grid_size",
    ),
    "no setting": (("play", "coin_game_v0", "random", "random", "--set", "grid"), "name=value"),
    "wrong film": (("play", "ipd_v0", "random", "random", "--save", "x.avi"), ".gif or .mp4"),
    "film and screen": (
        ("play", "ipd_v0", "random", "random", "--save", "x.gif", "--render", "ansi"),
        "one of them",
    ),
    "no episodes": (("play", "ipd_v0", "random", "random", "--episodes", "0"), "at least 1"),
    "unknown agent": (("play", "ipd_v0", "bundled:nobody", "random"), "loqa_3x3"),
    "unknown learner": (("train", "loqqa", "ipd_v0"), "loqa"),
}


@pytest.mark.parametrize(("words", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_and_status_2(capsys, words, expected):
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert expected in err and err.count("\n") == 1


@pytest.mark.parametrize("words", [("--help",), *[(name, "--help") for name in cli.COMMANDS]])
def test_help_is_there(capsys, words):
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 0
    assert "usage: social-dilemmas" in capsys.readouterr().out


def test_demo_makes_its_pictures_and_its_table(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    status, out, _ = run(capsys, "demo", "--out", str(tmp_path), "--runs", "20")
    assert status == 0
    assert "20 runs" in out and "(81.0)" in out and "always_defect" in out
    assert {path.name for path in tmp_path.iterdir()} == {"learning.png", "coin_game.gif"}


def test_settings_are_json_or_words():
    assert parse_settings(["a=5", "b=pola", "c=[1, 2]", "d=True", "e=None", "f=.5", "g=0.5"]) == {
        "a": 5, "b": "pola", "c": [1, 2], "d": True, "e": None, "f": ".5", "g": 0.5,
    }  # fmt: skip
    assert json.dumps(parse_settings([])) == "{}"
