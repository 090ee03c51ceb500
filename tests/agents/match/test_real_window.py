"""A real window on a virtual display, with keys that an X server sends."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from social_dilemmas_env.replay import read_episode

pytest.importorskip("pygame", reason="the window needs pygame")
MISSING = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
PLAY = "import sys; from agents.cli.main import main; sys.exit(main())"
PATIENCE = 60  # seconds, for any one program


@pytest.fixture
def display():
    """A display of its own; the server says which number was free."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1000x900x24"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    number = os.read(reader, 16).decode().strip()
    yield f":{number}"
    server.terminate()
    server.wait(PATIENCE)
    os.close(reader)


def played(display, words, keys):
    """Plays in a process of its own; presses keys once its window is there."""
    env = {**os.environ, "DISPLAY": display, "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    env.pop("SDL_VIDEODRIVER", None)
    command = [sys.executable, "-c", PLAY, "play", *words]
    game = subprocess.Popen(command, env=env, stdout=-1, stderr=-1, text=True)
    try:
        find = ["xdotool", "search", "--sync", "--pid", str(game.pid)]
        subprocess.run(find, env=env, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
        for key in keys:
            press = ["xdotool", *key.split(), "sleep", "0.5"]
            subprocess.run(press, env=env, check=True, timeout=PATIENCE)
        return game.communicate(timeout=PATIENCE), game.returncode
    finally:
        if game.poll() is None:
            game.send_signal(signal.SIGKILL)


def test_a_person_plays_the_coin_game_with_the_keys(display, tmp_path):
    path = tmp_path / "match.json"
    words = ["coin_game_v0", "human", "tit_for_tat", "--set", "max_cycles=4", "--save", str(path)]
    keys = ["sleep 1", *(f"key {name}" for name in ("Up", "a", "Down", "d", "space"))]
    (out, err), status = played(display, words, keys)
    assert (status, err) == (0, "")
    assert [row[0] for row in read_episode(path).actions] == [2, 0, 3, 1]
    assert "player_0  human" in out


def test_a_person_stops_a_matrix_game_with_q(display):
    words = ["ipd_v0", "tit_for_tat", "human", "--render", "human"]
    (out, err), status = played(display, words, ["sleep 1", "key d", "key q"])
    assert status == 0
    assert "stopped after 1 of 50 steps: as you asked" in err
    assert "player_0  tit_for_tat              -3.000 a step" in out
