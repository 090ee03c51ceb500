"""What writes the table of promises, and what holds coverage to its floors."""

import pytest

from tests.packaging import promises
from tests.packaging.coverage_floors import measure, shortfalls
from tests.packaging.promises import PROMISES, ROOT, read_results, write_row


def test_every_promise_names_tests_that_are_there():
    assert len(PROMISES) == 12
    for promise in PROMISES:
        assert promise.tests
        for path in promise.tests.values():
            assert (ROOT / path).exists(), path


def test_results_are_counted():
    """A test is a try, or as many as it says."""
    many = '<properties><property name="tries" value="1000"/></properties>'
    inside = ["", "", many, "<failure/>", f"{many}<error/>", "<skipped/>"]
    tests = "".join(f"<testcase>{text}</testcase>" for text in inside)
    assert read_results(f"<testsuites><testsuite>{tests}</testsuite></testsuites>") == (1002, 2, 1)


def test_results_of_a_whole_run_are_those_of_the_named_files():
    names = ["tests.env.a", "tests.env.a.TestX", "tests.env.ab", "tests.env.b.c", "tests.env.b"]
    text = "".join(f'<testcase classname="{name}"/>' for name in names)
    text = f"<testsuite>{text}</testsuite>"
    assert read_results(text, ["tests/env/a.py"])[0] == 2
    assert read_results(text, ["tests/env/a.py", "tests/env/b"])[0] == 4
    assert read_results(text)[0] == 5


def test_a_page_gets_the_table_in_the_place_of_its_old_one(tmp_path):
    page, table = tmp_path / "README.md", ["| | promise |", "|---|---|", "| 1 | new |"]
    page.write_text("before\n\n| | promise |\n|---|---|\n| 1 | old |\n| 2 | old |\n\nafter\n")
    promises.put_table(page, table)
    assert page.read_text() == "before\n\n| | promise |\n|---|---|\n| 1 | new |\n\nafter\n"

    # Alone in a new file; never in the place of another page.
    promises.put_table(tmp_path / "table.md", table)
    assert (tmp_path / "table.md").read_text().splitlines() == table
    other = tmp_path / "other.md"
    other.write_text("a page\n")
    with pytest.raises(ValueError, match="no table"):
        promises.put_table(other, table)
    assert other.read_text() == "a page\n"


def test_a_table_of_results(monkeypatch, capsys, tmp_path):
    results = tmp_path / "results.xml"
    results.write_text('<testsuite><testcase classname="tests.agents.exact.test_x"/></testsuite>')
    monkeypatch.setattr("sys.argv", ["promises", "--only", "5", "--results", str(results)])
    promises.main()
    assert capsys.readouterr().out.splitlines()[2].endswith("| 1 | none |")


def test_the_command_counts_without_running(monkeypatch, capsys, tmp_path):
    out = tmp_path / "table.md"
    monkeypatch.setattr("sys.argv", ["promises", "--only", "2", "--out", str(out)])
    monkeypatch.setattr(promises, "count", lambda paths, slow: len(paths))
    promises.main()
    assert capsys.readouterr().out == out.read_text()
    assert out.read_text().splitlines()[2].endswith("| 2 | not run |")


def test_a_run_that_writes_no_results_is_a_failure(monkeypatch):
    monkeypatch.setattr(promises.subprocess, "run", lambda *arguments, **more: None)
    assert promises.run(["nowhere"], False) == (0, 1, 0)


def test_a_row_says_whether_it_was_run():
    assert write_row(1, PROMISES[4], None, 9).endswith("| 9 | not run |")
    assert write_row(1, PROMISES[4], (5, 0, 2), 0).endswith("| 5 (2 skipped) | none |")
    assert write_row(1, PROMISES[4], (5, 3, 0), 0).endswith("| 8 | 3 |")


def summary(lines, branches):
    """Of a file of a hundred of each."""
    counts = {"num_statements": 100, "num_branches": 100}
    return {"summary": {**counts, "covered_lines": lines, "covered_branches": branches}}


def test_floors_are_held_package_by_package():
    report = {"files": {"agents/a.py": summary(100, 80), "agents/b.py": summary(92, 98)}}
    report["files"]["social_dilemmas_env/c.py"] = summary(94, 100)
    report["files"]["benchmarks/d.py"] = summary(0, 0)
    assert measure(report, "agents") == {"lines": 96.0, "branches": 89.0}
    assert shortfalls(report) == [
        "social_dilemmas_env: 94.0 % of lines, of at least 95 %",
        "agents: 89.0 % of branches, of at least 90 %",
    ]
