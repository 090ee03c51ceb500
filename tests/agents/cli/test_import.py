"""`social-dilemmas --import my_module`: the command knows games that a module registers."""

import subprocess
import sys

import pytest

from agents.cli.main import main

GAME = """
from functools import partial
import social_dilemmas_env as sde
from social_dilemmas_env.games.matrix import matrix_game
payoffs = [[[1, 1], [0, 3]], [[3, 0], [2, 2]]]
sde.register("my_duel_v0", partial(matrix_game, payoffs=payoffs), page="# Duel")
"""


@pytest.mark.parametrize("option", [["--import", "my_duel"], ["--import=my_duel"]])
def test_a_module_from_here_registers_its_game(option, tmp_path):
    (tmp_path / "my_duel.py").write_text(GAME)
    words = [*option, "play", "my_duel_v0", "random", "random"]
    code = f"import sys; from agents.cli.main import main; sys.exit(main({words!r}))"
    pipes = {"capture_output": True, "text": True, "check": False}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, **pipes)
    assert done.returncode == 0, done.stderr
    assert "random" in done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--import", "no_such_module", "envs"], "--import no_such_module: No module named"),
        (["--import"], "--import needs the name of a module"),
    ],
)
def test_what_cannot_be_imported_is_a_sentence(words, sentence, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
