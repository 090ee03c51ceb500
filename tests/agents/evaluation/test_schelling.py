"""Schelling's curves by playing, and the command that prints them."""

import json

import pytest

import social_dilemmas_env as sde
from agents.cli import main as cli
from agents.evaluation.schelling import play_schelling
from social_dilemmas_env.exact import schelling

ALWAYS = ("always_cooperate", "always_defect")


def test_curves_of_the_public_good_are_the_exact_ones():
    """Nothing is left to chance there."""
    played = play_schelling("public_goods_v0", ALWAYS, episodes=2, num_agents=3, max_cycles=10)
    exact = schelling(sde.exact_game("public_goods_v0", num_agents=3).finite(10))
    for point in played.points[:-1]:
        assert point.cooperate == pytest.approx((10 * exact.cooperate[point.defectors], 0))
    for point in played.points[1:]:
        assert point.defect == pytest.approx((10 * exact.defect[point.defectors - 1], 0))


def test_every_seat_defects_as_often():
    """Where red wins ties the seat decides; means over seats are the exact curves' by 5 sigma.

    Eight means: a false alarm in one of 10^5 runs.
    """
    kwargs = {"ties": "red"}
    played = play_schelling("coin_game_v0", ALWAYS, episodes=600, seed=4, **kwargs)
    exact = schelling(sde.exact_game("coin_game_v0", **kwargs).finite(50))
    for point in played.points[:-1]:
        mean, half = point.cooperate
        assert abs(mean - 50 * exact.cooperate[point.defectors]) < 5 * half / 1.96 + 1e-9
    for point in played.points[1:]:
        mean, half = point.defect
        assert abs(mean - 50 * exact.defect[point.defectors - 1]) < 5 * half / 1.96 + 1e-9


def test_totals_are_of_all_players():
    played = play_schelling("govsim_commons_v0", ("restrained", "greedy"), episodes=5)
    assert played.points[0].total == (600.0, 0.0)
    assert played.points[5].total == (100.0, 0.0)


def test_the_same_seed_gives_the_same_diagram():
    runs = [play_schelling("coin_game_v0", ALWAYS, episodes=4, seed=3).json() for _ in range(2)]
    assert runs[0] == runs[1]


def run(capsys, *words):
    status = cli.main(["schelling", *words])
    out, error = capsys.readouterr()
    return status, out, error


def test_the_table_fits_a_terminal(capsys):
    status, out, _ = run(capsys, "govsim_commons_v0", "--episodes", "5")
    assert status == 0
    assert "600.00 ± 0.00" in out
    assert max(map(len, out.splitlines())) <= 80


def test_it_is_saved(capsys, tmp_path):
    file = tmp_path / "s.json"
    assert run(capsys, "ipd_v0", "--episodes", "2", "--save", str(file))[0] == 0
    saved = json.loads(file.read_text())
    assert [row["defectors"] for row in saved["rows"]] == [0, 1, 2]
    assert saved["rows"][0]["defect"] is None


def test_it_is_drawn(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    file = tmp_path / "s.png"
    assert run(capsys, "ipd_v0", "--episodes", "2", "--save", str(file))[0] == 0
    assert file.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ipd_v0", "--episodes", "1"], "at least 2"),
        (["rps_v0"], "has no scripted cooperator and defector"),
        (["ipd_v0", "--defector", "always_defct"], "did you mean"),
        (["ipd_v0", "--save", "s.txt"], "--save takes"),
        (["ipd_v0", "--save", "nowhere/s.json"], "no folder"),
    ],
)
def test_mistakes_are_one_sentence(capsys, words, expected):
    status, out, error = run(capsys, *words)
    assert (status, out) == (2, "")
    assert expected in error
    assert error.count("\n") == 1
