"""What a newcomer types in the first hour: names, tables of 80 columns, being told what happens."""

import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("torch", reason="the agents need torch")

import social_dilemmas_env as sde
from agents import LEARNERS
from agents.cli import main as cli
from agents.cli.train_help import FITS, list_learners
from agents.cli.words import parse_settings
from agents.evaluation.intervals import half_interval, t_quantile
from agents.evaluation.league import League, round_robin
from agents.training import callbacks
from tests.packaging.sources import ROOT


def run(capsys, *words):
    status = cli.main(words)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def narrow(text):
    return max(map(len, text.splitlines())) <= 80


def test_version(capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"social-dilemmas {sde.__version__}\n"


# ------------------------------------------------------------------------------------------- values


VALUES = {
    ".5": 0.5, "1e3": 1000.0, "True": True, "false": False, "None": None, "null": None,
    "[1, 2]": [1, 2], "('a', 'b')": ["a", "b"], '"True story"': "True story",
    "{'a': 1}": {"a": 1}, "Trueish": "Trueish", "": "", "a=b": "a=b",
    "None of it": "None of it", "__import__('os')": "__import__('os')",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_a_value_is_json_or_a_literal_or_a_word(text, value):
    assert parse_settings([f"x={text}"]) == {"x": value}


@pytest.mark.parametrize("text", ["[1, 2", "{1, 2}", '"half', "(1,", "[" * 100_000])
def test_what_begins_as_a_list_and_is_none_is_refused(text):
    with pytest.raises(ValueError, match="are quotes missing"):
        parse_settings([f"x={text}"])


# -------------------------------------------------------------------------------------------- names


NEAR = {
    "prisoners dilemma": "ipd_v0",
    "Prisoner's Dilemma": "ipd_v0",
    "iterated-prisoners-dilemma": "ipd_v0",
    "matching_pennies": "imp_v0",
    "rock paper scissors": "rps_v0",
    "bach or stravinsky": "bach_stravinsky_v0",
    "coin game": "coin_game_v0",
}


@pytest.mark.parametrize(("name", "env_id"), NEAR.items())
def test_games_are_found_by_their_titles(name, env_id):
    with pytest.raises(ValueError, match=rf"did you mean '{env_id}'\?"):
        sde.spec(name)


# ----------------------------------------------------------------------------------------- listings


def test_every_listing_fits_80_columns(capsys):
    _, games, _ = run(capsys, "envs")
    _, agents, _ = run(capsys, "envs", "--agents")
    _, one, _ = run(capsys, "envs", "--agents", "loqa_ipd")
    assert narrow(games)
    assert narrow(agents)
    assert narrow(one)
    assert agents.count("\nbundled:loqa_ipd ") == 1  # one line an agent
    assert "Recommended settings" in one and "Recommended settings" not in agents


@pytest.mark.parametrize("env_id", sde.list_envs())
def test_the_strategies_of_a_game_are_explained(capsys, env_id):
    status, out, _ = run(capsys, "envs", env_id, "--strategies")
    assert status == 0
    assert narrow(out)
    for name in sde.list_strategies(env_id):
        line = next(line for line in out.splitlines() if line.split()[0] == name)
        assert len(line.split()) > 2


def test_learners_are_listed_by_the_games_they_fit():
    text = list_learners()
    assert narrow(text)
    named = [name for names in FITS.values() for name in names]
    assert sorted(named) == sorted(LEARNERS)


MATRIX = "matrix games of two players"
REFUSED = [(name, "coin_game_v0") for name in FITS[MATRIX]]
REFUSED += [(name, "public_goods_v0") for name in (*FITS[MATRIX], *FITS["any game of two players"])]


@pytest.mark.parametrize(("name", "env_id"), REFUSED)
def test_learners_refuse_games_that_they_do_not_fit(name, env_id):
    spec = LEARNERS[name]
    with pytest.raises(ValueError):
        spec.make(spec.settings(env_id), env_id, {}, 0, "cpu")


def test_show_prints_what_would_be_used_and_trains_nothing(capsys, tmp_path):
    out = tmp_path / "x"
    words = ("train", "loqa", "coin_game_v0", "--show", "--batch", "8", "--grid-size", "4")
    status, text, _ = run(capsys, *words, "--out", str(out))
    assert status == 0
    assert not out.exists()
    lines = [line.split() for line in text.splitlines()]
    for line in (["batch", "8"], ["grid_size", "4"], ["iterations", "1000"], ["variant", "loqa"]):
        assert line in lines, line


# ------------------------------------------------------------------------------------------ numbers


def test_evaluate_explains_its_columns(capsys):
    _, out, _ = run(capsys, "evaluate", "bundled:loqa_3x3", "--episodes", "2", "--seed", "5")
    assert narrow(out)
    for part in ("self:", "adversarial:", "vs NAME:", "NAME vs it:", "2 episodes a pair, seed 5"):
        assert part in out, part


def test_a_league_names_its_interval_and_fits_80_columns():
    entries = ["tit_for_tat", "grim", "always_defect", "random", "pavlov", "always_cooperate"]
    league = round_robin(entries, "ipd_v0", episodes=3, seed=4)
    text = league.table()
    assert narrow(text)
    assert "95 % interval of the mean over 3 episodes a pair; seed 4" in text
    # Student's t for two degrees of freedom: 4.303 standard errors.
    half = 4.3027 * league.errors[3, 3, 0]
    assert f"{league.means[3, 3, 0]:+.3f} ±{half:.3f}" in text


def test_a_table_without_settings_is_still_one():
    means, errors = np.zeros((1, 1, 2)), np.zeros((1, 1, 2))
    assert "+0.000" in League(["a"], means, errors).table()


def test_intervals_are_students():
    """Quantiles of printed tables (.975)."""
    printed = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 9: 2.262, 30: 2.042, 1000: 1.962}
    for freedom, value in printed.items():
        assert t_quantile(freedom) == pytest.approx(value, rel=2e-3), freedom
    assert math.isnan(half_interval(np.ones(1)))
    with pytest.raises(ValueError, match="at least 1"):
        t_quantile(0)


# ------------------------------------------------------------------------------------ while it runs


class Running:
    iteration = 7

    def elapsed(self):
        return 90.0


def test_without_a_terminal_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr(callbacks, "SAY_SECONDS", 0.0)
    shown = callbacks.ShowProgress(10, start=0, shown=None)
    shown.on_update(Running(), {"reward": 0.25})
    assert capsys.readouterr().err == "update 7 of 10, 90 s  reward +0.250\n"
    quiet = callbacks.ShowProgress(10, start=0, shown=False)
    quiet.on_update(Running(), {"reward": 0.25})
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "kill"), reason="signals")
def test_an_interrupted_training_says_what_is_saved(tmp_path):
    out = tmp_path / "run"
    words = ["train", "naive_exact", "ipd_v0", "--iterations", "1000000", "--eval-every", "0"]
    code = "import sys; from agents.cli.main import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *words, "--out", str(out)],
        stderr=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "SOCIAL_DILEMMAS_TENSORBOARD": "0"},
    )  # fmt: skip
    while not (out / "metrics.jsonl").exists() and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    assert process.returncode == 130
    assert f"is saved in {out}; the same command goes on from there" in error


# ----------------------------------------------------------------------------------------- pictures


def test_a_window_without_a_display_is_refused_with_what_works(capsys, monkeypatch):
    monkeypatch.setattr("social_dilemmas_env.render.window.has_display", lambda: False)
    words = ("play", "ipd_v0", "random", "random", "--render", "human")
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert "--save FILE.gif" in err
    assert "--render ansi" in err


def test_play_saves_a_picture_of_the_last_step(capsys, tmp_path):
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "new" / "x.png"
    words = ("--save", str(path), "--scale", "2", "--set", "max_cycles=2")
    status, out, _ = run(capsys, "play", "chicken_v0", "random", "bundled:no", *words)
    assert status == 2
    assert not path.exists()
    status, out, _ = run(capsys, "play", "chicken_v0", "random", "random", *words)
    assert status == 0
    assert "picture of the last step" in out
    assert image.open(path).size[0] == 2 * 640


PICTURES = {
    "svg": (("--save", "x.svg"), "no .svg, no .pdf"),
    "large": (("--save", "x.png", "--scale", "9"), "at most 8"),
    "small": (("--save", "x.png", "--scale", "0"), "at least 1"),
    "nowhere": (("--save", "/proc/x/y.png"), "/proc/x"),
}


@pytest.mark.parametrize(("words", "expected"), PICTURES.values(), ids=PICTURES)
def test_pictures_that_cannot_be(capsys, words, expected):
    status, out, err = run(capsys, "play", "ipd_v0", "random", "random", *words)
    assert (status, out) == (2, "")
    assert expected in err
