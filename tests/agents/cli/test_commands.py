"""The command `social-dilemmas`, as a user types it."""

import json
from dataclasses import fields

import pytest

pytest.importorskip("torch", reason="the agents need torch")

import social_dilemmas_env as sde
from agents import LEARNERS, Plan
from agents.cli import demo_coin
from agents.cli import main as cli
from agents.cli.words import options_as_settings, parse_settings

# Learners of the loop whose settings are a class of their own in a file.
EXPLAINED = [
    name
    for name in LEARNERS
    if name not in ("sb3_ppo", "exact_policy", "exact_clone")
    and type(LEARNERS[name].settings("ipd_v0")).__module__ != "types"
]


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
    assert "## Rewards" in out
    assert "## Strategies" in out


def test_play_prints_mean_rewards_that_follow_from_the_seed(capsys):
    first, second = (
        run(capsys, "play", "coin_game_v0", "tit_for_tat", "random", "--seed", "7")
        for _ in range(2)
    )
    assert first == second
    assert first[0] == 0
    assert "a step" in first[1]
    assert (
        run(capsys, "play", "coin_game_v0", "tit_for_tat", "random", "--seed", "8")[1] != first[1]
    )


def test_play_knows_the_arithmetic_of_two_cooperators(capsys):
    _, out, _ = run(
        capsys, "play", "ipd_v0", "always_cooperate", "always_defect", "--set", "max_cycles=4"
    )
    assert "-3.000 a step, -12.0 an episode" in out
    assert "+0.000 a step" in out


def test_a_step_is_one_that_was_played(capsys, tmp_path):
    """Episodes that end at random are shorter than the horizon."""
    pytest.importorskip("imageio_ffmpeg")
    words = ("play", "ipd_v0", "always_cooperate", "always_defect", "--set", "continuation=0.5")
    _, out, _ = run(capsys, *words, "--save", str(tmp_path / "x.gif"))
    assert "-3.000 a step" in out
    assert "saved 50 frames" not in out
    _, out, _ = run(capsys, *words, "--episodes", "20")
    assert "-3.000 a step" in out


def test_play_shows_text(capsys):
    _, out, _ = run(
        capsys, "play", "ipd_v0", "tit_for_tat", "grim", "--render", "ansi", "--set", "max_cycles=2"
    )
    assert "tit_for_tat" in out
    assert "grim" in out


@pytest.mark.parametrize("name", ["film.gif", "film.mp4"])
def test_play_records(capsys, tmp_path, name):
    pytest.importorskip("imageio_ffmpeg")
    path = tmp_path / name
    words = ("--save", str(path), "--set", "max_cycles=3", "grid_size=4")
    status, out, _ = run(capsys, "play", "coin_game_v0", "random", "tit_for_tat", *words)
    assert status == 0
    assert "saved 3 frames" in out
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
    "random ends side by side": (
        ("league", "ipd_v0", "grim", "--set", "continuation=0.9"),
        "episodes that end at random (continuation, ending) are not to be had here",
    ),
    "random ends of Schelling's games": (
        ("schelling", "public_goods_v0", "--set", "continuation=0.9"),
        "played side by side to the horizon",
    ),
    "no episodes": (("play", "ipd_v0", "random", "random", "--episodes", "0"), "at least 1"),
    "unknown agent": (("play", "ipd_v0", "bundled:nobody", "random"), "loqa_3x3"),
    "unknown learner": (("train", "loqqa", "ipd_v0"), "loqa"),
    "unknown setting of a learner": (("train", "loqa", "ipd_v0", "--set", "bach=3"), "'batch'"),
    "unknown option of a learner": (("train", "loqa", "ipd_v0", "--bach", "3"), "'batch'"),
    "a word too many": (("train", "loqa", "ipd_v0", "3", "--batch", "8"), "unexpected word '3'"),
    "wrong type": (("train", "loqa", "ipd_v0", "--batch", "many"), "batch must be int"),
    "no run": (("export", "nowhere/", "x.json"), "nowhere"),
    "no json": (("export", "bundled:loqa_ipd", "x.zip"), "NAME.json"),
    "no scores": (("export", "bundled:loqa_ipd", "x.json", "--episodes", "0"), "at least 1"),
}


@pytest.mark.parametrize(("words", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_and_status_2(capsys, words, expected):
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert expected in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("words", [("--help",), *[(name, "--help") for name in cli.COMMANDS]])
def test_help_is_there(capsys, words):
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 0
    assert "usage: social-dilemmas" in capsys.readouterr().out


def test_an_option_of_nobody_is_refused(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["league", "ipd_v0", "grim", "--batch", "3"])
    assert left.value.code == 2
    assert "unrecognized arguments: --batch 3" in capsys.readouterr().err


def page(capsys, *words):
    """A help page, as it is at 80 columns."""
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    assert left.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_help_of_every_command_fits_and_explains_every_option(capsys, narrow, command):
    lines = page(capsys, command, "--help")
    options = [line for line in lines if line.startswith("  --")]
    # What an option is for stands behind it, or in the next line.
    for line in options:
        below = lines[lines.index(line) + 1] if line != lines[-1] else ""
        assert len(line.split("  ")) > 2 or below.startswith(" " * 15), line


def test_the_help_of_train_lists_the_learners(capsys, narrow):
    lines = page(capsys, "train", "--help")
    for name in LEARNERS:
        assert any(line.split()[:1] == [name] for line in lines), name


@pytest.mark.parametrize("learner", EXPLAINED)
def test_the_help_of_a_learner_explains_every_setting(capsys, narrow, learner):
    text = "\n".join(page(capsys, "train", learner, "--help"))
    assert text.startswith(f"usage: social-dilemmas train {learner} GAME")
    settings = [*fields(LEARNERS[learner].settings("ipd_v0")), *fields(Plan)]
    for field in settings:
        assert f"--{field.name.replace('_', '-')}" in text, field.name
    assert text.count("(default") == len(settings)


def test_the_help_of_a_learner_and_a_game(capsys, narrow):
    text = " ".join(page(capsys, "train", "loqa", "coin_game_v0", "--help"))
    assert "defaults are those in coin_game_v0" in text
    assert "--grid-size" in text
    text = " ".join(page(capsys, "train", "loqa", "--help"))
    assert "train loqa GAME --help" in text
    assert "--grid-size" not in text


def test_help_for_a_learner_that_is_not_there(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["train", "loqqa", "--help"])
    assert left.value.code == 2
    assert "did you mean 'loqa'" in capsys.readouterr().err


def test_options_are_settings():
    words = ["--batch", "8", "--lr=0.5", "--weight", "-1", "--quiet", "--no-shared"]
    expected = ["batch=8", "lr=0.5", "weight=-1", "quiet=true", "shared=false"]
    assert options_as_settings(words) == expected
    assert options_as_settings(["--grid-size", "4"]) == ["grid_size=4"]


def test_train_takes_settings_both_ways(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
    small = ["horizon=5", "snapshots=4", "actor_hidden=8", "critic_hidden=8", "eval_every=0"]
    words = ["--out", str(tmp_path / "x"), "--device", "cpu", "--grid-size", "4", "--batch", "8"]
    status, out, _ = run(capsys, "train", "loqa", "coin_game_v0", *words, "--quiet",
                         "--set", *small, "iterations=1")  # fmt: skip
    assert (status, out) == (0, f"{tmp_path / 'x'}\n")
    facts = json.loads((tmp_path / "x" / "run.json").read_text())
    assert facts["game"] == {"grid_size": 4}
    assert facts["settings"]["batch"] == 8
    assert facts["settings"]["horizon"] == 5


@pytest.mark.wide
def test_demo_makes_its_pictures_and_its_table(capsys, tmp_path, monkeypatch):
    """With few updates and games: what is learned is tested elsewhere."""
    pytest.importorskip("matplotlib")
    few = {name: {"updates": 3} for name in demo_coin.SETTINGS}
    monkeypatch.setattr(demo_coin, "SETTINGS", few)
    monkeypatch.setattr(demo_coin, "GAMES", 50)
    status, out, _ = run(capsys, "demo", "--out", str(tmp_path), "--runs", "20")
    assert status == 0
    assert "20 runs" in out
    assert "(81.0)" in out
    assert "always_defect" in out
    pictures = {"learning.png", "coin_learning.png", "coin_game.gif"}
    assert {path.name for path in tmp_path.iterdir()} == pictures
    assert "draw no samples" in " ".join(out.split())  # what differs from the published rows
    assert max(len(line.replace(str(tmp_path), "")) for line in out.splitlines()) <= 80


def test_settings_are_json_or_words():
    assert parse_settings(["a=5", "b=pola", "c=[1, 2]", "d=True", "e=None", "f=.5", "g=0.5"]) == {
        "a": 5, "b": "pola", "c": [1, 2], "d": True, "e": None, "f": 0.5, "g": 0.5,
    }  # fmt: skip
    assert json.dumps(parse_settings([])) == "{}"
