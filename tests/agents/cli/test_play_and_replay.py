"""`play` with people, `play --save` of episodes and pages, and `replay`."""

import io
import json
import sys

import pytest

pytest.importorskip("torch", reason="the agents need torch")

from agents.cli import main as cli
from social_dilemmas_env.replay import read_episode


def run(capsys, *words):
    """Exit status, what was printed, and what was complained of."""
    status = cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture
def typed(monkeypatch):
    """What the person types."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


@pytest.fixture
def match(capsys, tmp_path):
    """A saved match between two agents, one with a critic and one with an exact game."""
    path = tmp_path / "match.json"
    words = ("coin_game_v0", "bundled:loqa_3x3", "bundled:exact_loqa_3x3")
    status, out, _ = run(capsys, "play", *words, "--save", path, "--set", "max_cycles=8")
    assert status == 0
    assert f"saved 8 steps to {path}" in out
    return path


def test_a_person_plays_and_the_session_is_saved(capsys, typed, tmp_path):
    typed("c\nd\nd\n")
    path = tmp_path / "match.json"
    words = ("play", "ipd_v0", "human", "tit_for_tat", "--render", "ansi", "--save", path)
    status, out, _ = run(capsys, *words, "--set", "max_cycles=3")
    assert status == 0
    assert "the end: human -3, tit_for_tat -6" in out
    assert read_episode(path).actions == ((0, 0), (1, 0), (1, 1))


def test_two_people_at_one_keyboard(capsys, typed):
    typed("r\np\n")
    words = ("play", "rps_v0", "human", "human", "--render", "ansi", "--set", "max_cycles=1")
    _, out, _ = run(capsys, *words)
    assert "human (player 1): your move" in out
    assert "player_1  human                    +1.000 a step" in out


def test_a_session_that_was_stopped_is_saved_too(capsys, typed, tmp_path):
    typed("c\nq\n")
    path = tmp_path / "match.html"
    words = ("play", "ipd_v0", "human", "grim", "--render", "ansi", "--save", path)
    status, _, err = run(capsys, *words)
    assert status == 0
    assert "stopped after 1 of 50 steps: as you asked" in err
    assert read_episode(path).steps == 1


def test_without_a_keyboard_there_is_a_sentence(capsys, typed):
    typed("")
    status, _, err = run(capsys, "play", "ipd_v0", "human", "grim", "--render", "ansi")
    assert status == 2
    assert "stopped after 0 of 50 steps: there is no keyboard: the input has ended" in err


def test_without_a_display_a_window_is_refused(capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    status, _, err = run(capsys, "play", "ipd_v0", "human", "grim", "--render", "human")
    assert status == 2
    assert "--render human needs a display" in err


def test_without_a_display_people_play_in_the_terminal(capsys, typed, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    typed("c\n")
    _, out, _ = run(capsys, "play", "ipd_v0", "human", "grim", "--set", "max_cycles=1")
    assert "human (player 0): your move" in out


@pytest.mark.parametrize("players", [("human", "grim"), ("grim", "grim")])
def test_a_file_holds_one_episode(capsys, players):
    status, _, err = run(
        capsys, "play", "ipd_v0", *players, "--episodes", "2", "--save", "match.json"
    )
    assert status == 2
    assert "leave --episodes at 1" in err


def test_a_folder_that_is_not_there_is_said_before_the_game(capsys, tmp_path):
    path = tmp_path / "no" / "match.html"
    status, out, err = run(capsys, "play", "ipd_v0", "grim", "grim", "--save", path)
    assert (status, out) == (2, "")
    assert "there is no folder" in err


def test_agents_tell_what_they_can(match):
    episode = read_episode(match)
    neural, exact = episode.insights
    assert len(neural.probabilities) == len(neural.values) == 8
    assert exact.values is None
    assert all(sum(row) == pytest.approx(1, abs=1e-4) for row in exact.probabilities)


def test_what_the_networks_moves_lost_is_known_where_the_other_is(match):
    exact = read_episode(match).exact
    assert exact.advantages[1] is None
    assert max(exact.advantages[0]) < 1e-9
    assert "what each move of loqa_3x3 lost against the best response" in exact.label


def test_saving_does_not_change_the_game(capsys, tmp_path):
    words = ("play", "coin_game_v0", "bundled:loqa_3x3", "random", "--set", "max_cycles=6")
    _, plain, _ = run(capsys, *words)
    _, saved, _ = run(capsys, *words, "--save", tmp_path / "match.json")
    assert plain in saved


@pytest.mark.parametrize("suffix", [".html", ".json", ".gif", ".png"])
def test_replay_saves_in_every_form(capsys, match, suffix, tmp_path):
    path = tmp_path / f"again{suffix}"
    status, out, _ = run(capsys, "replay", match, "--save", path)
    assert status == 0
    assert f"saved 8 steps to {path}" in out
    assert path.stat().st_size > 1000


def test_replay_shows_text(capsys, match):
    _, out, _ = run(capsys, "replay", match)
    assert out.count("the board wraps around") == 9
    _, out, _ = run(capsys, "replay", match, "--step", "3")
    assert out.count("the board wraps around") == 1
    assert "step 3 of 8" in out


def test_replay_shows_a_window(capsys, match, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    status, out, err = run(capsys, "replay", match, "--render", "human", "--fps", "1000")
    assert (status, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--step", "9"), "--step must lie in 0 .. 8"),
        (("--fps", "0"), "--fps must be at least 1"),
        (("--save", "match.svg"), "--save writes a film"),
    ],
)
def test_replay_refuses_in_a_sentence(capsys, match, words, complaint):
    status, _, err = run(capsys, "replay", match, *words)
    assert status == 2
    assert complaint in err
    assert err.count("\n") == 1


def test_a_broken_file_is_a_sentence(capsys, match):
    content = {**json.loads(match.read_text()), "rewards": 1}
    del content["sha256"]  # a file made by hand needs none
    match.write_text(json.dumps(content))
    status, _, err = run(capsys, "replay", match)
    assert status == 2
    assert "not a replay: its rewards is 1" in err
    assert err.count("\n") == 1
