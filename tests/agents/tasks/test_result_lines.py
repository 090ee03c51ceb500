"""Results as lines: what is there counts, half a line does not."""

import pytest

from agents.tasks.result_lines import ResultLines, task_digest

ONE, TWO = {"seed": 1, "lr": 0.1}, {"seed": 2, "lr": 0.1}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "results.jsonl"


def test_nothing_is_written_by_looking(path):
    assert ONE not in ResultLines(path)
    assert not path.parent.exists()


def test_results_are_found_again(path):
    ResultLines(path).add([(ONE, {"x": 0.1 + 0.2}), (TWO, {"x": None})])
    again = ResultLines(path)
    assert again[ONE] == {"x": 0.1 + 0.2}
    assert again[TWO] == {"x": None}
    assert {**ONE, "seed": 3} not in again


def test_the_order_of_facts_does_not_matter(path):
    ResultLines(path).add([(ONE, {"x": 1})])
    assert dict(reversed(ONE.items())) in ResultLines(path)


@pytest.mark.parametrize("rest", ['{"task": "12', "[]\n", "\x00\n", '{"x": 1}\n', "null"])
def test_half_a_line_is_none_and_the_next_is_whole(path, rest):
    ResultLines(path).add([(ONE, {"x": 1})])
    with open(path, "a") as file:
        file.write(rest)
    lines = ResultLines(path)
    assert TWO not in lines
    lines.add([(TWO, {"x": 2})])
    assert ResultLines(path)[ONE] == {"x": 1}
    assert ResultLines(path)[TWO] == {"x": 2}


def test_nothing_infinite_is_written(path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        ResultLines(path).add([(ONE, {"x": float("nan")})])
    assert not path.exists()


def test_a_damaged_result_is_none(path):
    """Before, a flipped digit was another result."""
    ResultLines(path).add([(ONE, {"x": 1}), (TWO, {"x": 1})])
    path.write_text(path.read_text().replace('"x": 1', '"x": 3', 1))
    lines = ResultLines(path)
    assert ONE not in lines
    assert lines[TWO] == {"x": 1}


def test_lines_of_earlier_versions_are_read(path):
    path.parent.mkdir()
    path.write_text(f'{{"task": "{task_digest(ONE)}", "x": 1}}\n')
    assert ResultLines(path)[ONE] == {"x": 1}
