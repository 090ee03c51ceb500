"""A person at a terminal: moves come as lines, or key by key from a pseudo-terminal."""

import io
import os

import pytest

import social_dilemmas_env as sde
from agents.match.human import GameStopped
from agents.match.terminal import Terminal


def scene(env_id="coin_game_v0"):
    env = sde.make_env(env_id, render_mode="ansi")
    env.player_names = ("human", "tit_for_tat")
    env.reset(seed=0)
    return env.scene()


def asked(text, env_id="coin_game_v0"):
    """The moves that lines of text make, and what was shown."""
    sink = io.StringIO()
    terminal = Terminal(io.StringIO(text), sink)
    moves = [terminal.ask(scene(env_id), 0) for _ in range(2)]
    return moves, sink.getvalue()


def test_a_line_is_a_move_by_key_or_by_name():
    moves, shown = asked("W\nright\n")
    assert moves == [2, 1]
    assert "0: player 0; (0): a coin of player 0" in shown
    assert "human (player 0): your move" in shown
    assert "[left or a] left" in shown


def test_what_is_no_move_is_asked_again():
    moves, shown = asked("x\nc\nd\n", "ipd_v0")
    assert moves == [0, 1]
    assert "'x' is no move; [c or 1] cooperate" in shown


def test_the_person_stops():
    with pytest.raises(GameStopped, match="as you asked"):
        asked("w\nq\n")


def test_an_input_that_ends_is_no_keyboard():
    with pytest.raises(GameStopped, match="there is no keyboard: the input has ended"):
        asked("w\n")


@pytest.fixture
def keyboard():
    """A terminal whose keys this test presses: (what presses, what reads)."""
    pty = pytest.importorskip("pty", reason="no pseudo-terminals on this system")
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "r") as source:
        yield lambda keys: os.write(ours, keys), source
    os.close(ours)


def test_in_a_terminal_a_key_is_enough(keyboard):
    press, source = keyboard
    terminal = Terminal(source, io.StringIO())
    press(b"\x1b[Aas\x1bOC")  # up, a, s, right; typed ahead
    assert [terminal.ask(scene(), 0) for _ in range(4)] == [2, 0, 3, 1]


def test_escape_stops_in_a_terminal(keyboard):
    press, source = keyboard
    press(b"\x1b")
    with pytest.raises(GameStopped, match="as you asked"):
        Terminal(source, io.StringIO()).ask(scene(), 0)
