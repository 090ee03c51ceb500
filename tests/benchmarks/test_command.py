"""`python -m benchmarks list | run | report`, and what the page says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from agents.tasks.progress import progress
from benchmarks.__main__ import main
from benchmarks.harness.catalogue import catalogue
from benchmarks.throughput.__main__ import main as throughput
from tests.benchmarks.toy import SETTINGS

ROOT = Path(__file__).parents[2]


def test_list_names_every_benchmark_and_its_time(toy, capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in lines] == list(catalogue())
    line = next(line for line in lines if line.startswith("toy"))
    assert line.split()[1:] == ["44", "s", "Dice"]  # 40 + 4 runs of a second


def test_run_prints_the_table_and_writes_the_file(toy, tmp_path, capsys):
    words = ["--out", str(tmp_path), "--runs", "40", "--seed", "3", "--set", "faces=6"]
    assert main(["run", "toy", *words]) == 0

    out = capsys.readouterr().out
    for word in ("near the target", "reproduced", "runs"):
        assert word in out
    result = json.loads((tmp_path / "toy.json").read_text())
    assert result["settings"] == {"device": "cpu", **SETTINGS, "seed": 3}
    assert result["command"] == "python -m benchmarks run toy --runs 40 --seed 3 --set faces=6"


def test_run_prints_what_was_run(toy, tmp_path, capsys):
    """Rows of other cells are counted, not shown as if nothing were stored of them."""
    main(["run", "toy", "--out", str(tmp_path)])
    assert "not part of this run" not in capsys.readouterr().out
    main(["run", "toy", "--out", str(tmp_path), "--seed", "1", "--only", "costly"])
    out = capsys.readouterr().out
    assert "minus" in out
    assert "near the target" not in out
    assert "5 rows of other cells were not part of this run" in out


def test_run_says_how_long_it_takes_before_it_starts(toy, tmp_path, capsys):
    main(["run", "toy", "--out", str(tmp_path)])
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "toy: 4 of 4 parts to compute, about 44 s on one core"
    assert lines[1].startswith("done: ")

    main(["run", "toy", "--out", str(tmp_path)])
    assert capsys.readouterr().err == "toy: all that is wanted of 4 parts is stored\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "toi"], "no benchmark 'toi'; did you mean 'toy'"),
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
    assert message in error
    assert "Traceback" not in error
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize(
    "words",
    [["--runs", "0"], ["--runs", "-3"], ["--runs", "2.5"], ["--seed", "-1"]],
)
def test_counts_are_positive(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "lola_table", *words])
    assert stop.value.code == 2
    assert "integer" in capsys.readouterr().err


def test_report(toy, tmp_path, capsys):
    main(["run", "toy", "--out", str(tmp_path)])
    assert main(["report", "--out", str(tmp_path)]) == 0
    page = (tmp_path / "README.md").read_text()
    for text in (
        "| near the target pips | 3.5 | 3.",
        "| a note |",
        "![toy](toy.png)",
        "nobody 1900",
        "faces 6",
        "Device: cpu",
        "`python -m benchmarks run toy`",
        "| [toy](#toy) | 2 | 1 | 2 | 1 | 0 | 0 | 0 |",
        "- `lola_table`: not run (`python -m benchmarks run lola_table`)",
    ):
        assert text in page

    assert main(["report", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "README.md").read_text() == page


def test_report_says_what_was_reduced(toy, tmp_path):
    main(["run", "toy", "--out", str(tmp_path), "--runs", "3"])
    main(["report", "--out", str(tmp_path)])
    page = (tmp_path / "README.md").read_text()
    assert "a reduced setting" in page
    assert "| reproduced |" not in page.split("## toy")[1]


def test_report_says_where_rows_of_earlier_runs_are_from(toy, tmp_path):
    main(["run", "toy", "--out", str(tmp_path), "--only", "plain", "--seed", "7"])
    main(["run", "toy", "--out", str(tmp_path), "--only", "costly"])
    main(["report", "--out", str(tmp_path)])
    page = (tmp_path / "README.md").read_text()
    assert "Command: `python -m benchmarks run toy --only 'costly'`" in page
    earlier = next(
        line for line in page.splitlines() if line.startswith("Of an earlier run: plain")
    )
    assert "command: `python -m benchmarks run toy --seed 7 --only 'plain'`" in earlier


def test_report_names_a_file_it_cannot_read(tmp_path, capsys):
    (tmp_path / "broken.json").write_text('{"benchmark": "x"}')
    assert main(["report", "--out", str(tmp_path)]) == 2
    assert "broken.json is no file of results" in capsys.readouterr().err


def test_progress_without_a_terminal_is_a_line_a_part(capsys):
    with progress("title", 2.0) as advance:
        advance(1.0, "one part")
    assert capsys.readouterr().err == "done: one part\n"


def run_python(*words):
    line = [sys.executable, *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["throughput", "env_throughput"])
def test_throughput_has_one_command_and_its_old_name(name):
    process = run_python("-m", f"benchmarks.{name}", "--help")
    assert process.returncode == 0, process.stderr
    assert "usage: python -m benchmarks.throughput" in process.stdout
    warns = "DeprecationWarning: python -m benchmarks.env_throughput is now" in process.stderr
    assert warns == (name == "env_throughput")


WITHOUT_TORCH = """
import runpy, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name="torch")
sys.meta_path.insert(0, Missing())
sys.argv = ["benchmarks", "list"]
runpy.run_module("benchmarks", run_name="__main__")
"""


def test_a_missing_library_is_named_with_the_pip_line():
    process = run_python("-c", WITHOUT_TORCH)
    assert process.returncode == 1
    assert "needs torch: pip install" in process.stderr
    assert "Traceback" not in process.stderr


NOTHING_IS_LOST = {
    "no such device": ("benchmarks", "run lola_table --scale small --device cuda", "'cuda'"),
    "no such device of a learner": ("benchmarks", "run loqa_ipd --device cuda", "cuda"),
    "no device at all": ("benchmarks", "run lola_table --scale small --set device=gpu", "'gpu'"),
    "a folder that cannot be": ("benchmarks", "run lola_table --out /proc/x", "/proc/x"),
    "no results to report": ("benchmarks", "report --out /no/such/folder", "/no/such/folder"),
    "no such core": ("benchmarks.throughput", "--core 9999", "--core must be one of"),
    "a negative core": ("benchmarks.throughput", "--core -1", "--core must be one of"),
    "no peer": ("benchmarks.throughput", "--peer foo", "module:function"),
    "no module of a peer": ("benchmarks.throughput", "--peer no_such:loop", "PYTHONPATH"),
    "no function of a peer": ("benchmarks.throughput", "--peer json:loop", "json has no 'loop'"),
    "nowhere to write": ("benchmarks.throughput", "--out /proc/x", "cannot write in /proc/x"),
    "no time": ("benchmarks.throughput", "--seconds nan", "--seconds must be"),
}  # fmt: skip


COMMANDS = {"benchmarks": main, "benchmarks.throughput": throughput}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module, words, expected", NOTHING_IS_LOST.values(), ids=NOTHING_IS_LOST)
def test_a_mistake_is_found_before_anything_is_measured(module, words, expected, capsys):
    status = COMMANDS[module](words.split())
    out, error = capsys.readouterr()
    assert (status, out) == (2, "")
    assert expected in error
    assert error.count("\n") == 1


def test_its_status_is_that_of_the_process():
    module, words, expected = NOTHING_IS_LOST["no such core"]
    process = run_python("-m", module, *words.split())
    assert process.returncode == 2
    assert expected in process.stderr
