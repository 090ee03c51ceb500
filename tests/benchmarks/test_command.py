"""`python -m benchmarks list | run | report`, and what the page says."""

import json

import pytest

from benchmarks.__main__ import main
from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.progress import progress
from tests.benchmarks.toy import SETTINGS


def test_list_names_every_benchmark(toy, capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue())
    assert any("Dice" in line for line in lines)


def test_run_prints_the_table_and_writes_the_file(toy, tmp_path, capsys):
    assert (
        main(
            [
                "run",
                "toy",
                "--out",
                str(tmp_path),
                "--runs",
                "40",
                "--seed",
                "3",
                "--set",
                "faces=6",
            ]
        )
        == 0
    )
    out = capsys.readouterr().out
    assert "near the target" in out and "reproduced" in out and "runs" in out
    result = json.loads((tmp_path / "toy.json").read_text())
    assert result["settings"] == {"device": "cpu", **SETTINGS, "seed": 3}
    assert result["command"] == "python -m benchmarks run toy --runs 40 --seed 3 --set faces=6"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "toi"], "no benchmark 'toi'; did you mean toy"),
        (["run", "toy", "--set", "faces=x"], "faces must be of type int"),
        (["run", "toy", "--set", "faces"], "name=value"),
        (["run", "toy", "--set", "small=True"], "toy has no setting small"),
        (["run", "toy", "--set", "runs=x"], "runs must be of type int"),
        (["run", "toy", "--only", "nothing"], "no cell is called nothing; there are plain, costly"),
        (["run", "toy", "--out", __file__], "toy.parts"),
    ],
)
def test_mistakes_end_in_one_sentence(toy, tmp_path, capsys, words, message):
    words = words if "--out" in words else [*words, "--out", str(tmp_path)]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize(
    "words",
    [["--runs", "0"], ["--runs", "-3"], ["--runs", "2.5"], ["--seed", "-1"], ["--jobs", "0"]],
)
def test_counts_are_positive(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "lola_table", *words])
    assert stop.value.code == 2 and "integer" in capsys.readouterr().err


def test_report(toy, tmp_path, capsys):
    main(["run", "toy", "--out", str(tmp_path)])
    assert main(["report", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "README.md").read_text()
    assert "| near the target pips | 3.5 | 3." in page and "| a note |" in page
    assert "![toy](toy.png)" in page and "nobody 1900" in page
    assert "faces 6" in page and "Device: cpu" in page and "`python -m benchmarks run toy`" in page
    assert "| [toy](#toy) | 5 | 1 | 0 |" in page
    assert "- `lola_table`: not run (`python -m benchmarks run lola_table`)" in page
    assert (
        main(["report", "--out", str(tmp_path)]) == 0
        and (tmp_path / "README.md").read_text() == page
    )


def test_report_says_what_was_reduced(toy, tmp_path):
    main(["run", "toy", "--out", str(tmp_path), "--runs", "3"])
    main(["report", "--out", str(tmp_path)])
    page = (tmp_path / "README.md").read_text()
    assert "a reduced setting" in page and "| reproduced |" not in page.split("## toy")[1]


def test_report_names_a_file_it_cannot_read(tmp_path, capsys):
    (tmp_path / "broken.json").write_text('{"benchmark": "x"}')
    assert main(["report", "--out", str(tmp_path)]) == 2
    assert "broken.json is no file of results" in capsys.readouterr().err


def test_progress_without_a_terminal_is_a_line_a_part(capsys):
    with progress("title", 2.0) as advance:
        advance(1.0, "one part")
    assert capsys.readouterr().err == "done: one part\n"
