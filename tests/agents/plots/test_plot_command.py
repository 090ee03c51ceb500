"""`social-dilemmas plot`, from runs to a file."""

import pytest

pytest.importorskip("matplotlib", reason="plots need matplotlib")

from agents import Plan, train
from agents.cli import main as cli
from social_dilemmas_env import extras


def run(capsys, *words):
    """Exit status, what was printed, and what was complained of."""
    status = cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two seeds of one learner."""
    folder = tmp_path_factory.mktemp("runs")
    for seed in range(2):
        plan = Plan(iterations=40)
        train("naive_exact", "ipd_v0", seed=seed, out=folder / str(seed), plan=plan)
    return [folder / "0", folder / "1"]


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_runs_and_agents_make_a_figure(capsys, runs, suffix, start, tmp_path):
    path = tmp_path / f"figure{suffix}"
    status, out, _ = run(capsys, "plot", *runs, "bundled:loqa_ipd", "--save", path)
    assert status == 0
    assert "naive_exact, 2 seeds: 2 runs" in out
    assert path.read_bytes().startswith(start)
    assert path.stat().st_size > 10_000


def test_an_agent_of_the_coin_game_has_a_map(capsys, tmp_path):
    path = tmp_path / "figure.svg"
    run(capsys, "plot", "bundled:exact_loqa_3x3", "--save", path)
    assert "exact_loqa_3x3: takes a coin in reach" in path.read_text()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("bundled:loqa_ipd", "--save", "x.pdf"), "--save writes .png or .svg"),
        (("bundled:loqa_ipd", "--save", "no/x.png"), "there is no folder"),
        (("nothing",), "is no run folder"),
        (("bundled:loqa_ipd", "bundled:loqa_3x3"), "these play different games"),
        (("bundled:loqa",), "there is no bundled agent"),
    ],
)
def test_bad_input_is_a_sentence(capsys, words, complaint):
    status, _, err = run(capsys, "plot", *words)
    assert status == 2
    assert complaint in err
    assert err.count("\n") == 1


def test_without_matplotlib_the_extra_is_named(capsys, monkeypatch):
    found = extras.find_spec
    monkeypatch.setattr(
        extras, "find_spec", lambda name: None if name == "matplotlib" else found(name)
    )
    status, _, err = run(capsys, "plot", "bundled:loqa_ipd")
    assert status == 2
    assert 'plotting needs matplotlib: pip install -e ".[benchmarks]"' in err
