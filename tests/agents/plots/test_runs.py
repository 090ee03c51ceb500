"""Run folders as curves."""

import json

import numpy as np
import pytest

from agents.evaluation.intervals import half_interval
from agents.plots.runs import grouped, read_run

FACTS = {"learner": "loqa", "env_id": "ipd_v0", "game": {}, "settings": {"lr": 0.1}}


def folder(path, seed, rewards, **changed):
    """A run folder with a line every 20 iterations."""
    path.mkdir()
    (path / "run.json").write_text(json.dumps({**FACTS, "seed": seed, **changed}))
    lines = [{"iteration": 20 * (k + 1), "reward": x} for k, x in enumerate(rewards)]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_runs_that_differ_in_their_seeds_are_one_curve(tmp_path):
    rows = [[1.0, 2.0, 3.0], [3.0, 4.0], [5.0, 9.0]]
    runs = [read_run(folder(tmp_path / str(k), k, row)) for k, row in enumerate(rows)]
    (group,) = grouped(runs)
    iterations, means, halves = group.curve("reward")
    assert iterations.tolist() == [20, 40]  # those that all have
    assert means.tolist() == [3.0, 5.0]
    assert halves[0] == pytest.approx(half_interval(np.array([1.0, 3.0, 5.0])))
    assert group.label == "loqa, 3 seeds"


def test_other_settings_are_another_curve_with_the_folders_name(tmp_path):
    first = read_run(folder(tmp_path / "slow", 0, [1.0]))
    second = read_run(folder(tmp_path / "fast", 0, [1.0], settings={"lr": 1.0}))
    assert [group.label for group in grouped([first, second])] == ["loqa (slow)", "loqa (fast)"]


def test_one_run_has_no_interval(tmp_path):
    (group,) = grouped([read_run(folder(tmp_path / "a", 0, [1.0]))])
    assert np.isnan(group.curve("reward")[2]).all()


def test_runs_of_different_games_are_refused(tmp_path):
    runs = [read_run(folder(tmp_path / "a", 0, [1.0]))]
    runs.append(read_run(folder(tmp_path / "b", 0, [1.0], game={"max_cycles": 3})))
    with pytest.raises(ValueError, match="different games"):
        grouped(runs)


def test_half_a_line_of_a_run_that_goes_on_is_passed_over(tmp_path):
    path = folder(tmp_path / "a", 0, [1.0, 2.0])
    with (path / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 60, "rew')
    assert read_run(path).iterations.tolist() == [20, 40]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("run.json", None, "is no run folder"),
        ("run.json", "{}", "not a readable run"),
        ("run.json", "[", "not a readable run"),
        ("metrics.jsonl", None, "has no metrics yet"),
        ("metrics.jsonl", "", "has no metrics yet"),
        ("metrics.jsonl", '{"reward": "x"}\n', "not a readable run"),
    ],
)
def test_bad_folders_are_a_sentence(tmp_path, name, text, words):
    path = folder(tmp_path / "a", 0, [1.0])
    (path / name).unlink()
    if text is not None:
        (path / name).write_text(text)
    with pytest.raises(ValueError, match=words):
        read_run(path)
