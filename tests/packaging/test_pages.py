"""The blocks of the site's pages: Python runs, commands are ones that the parser takes, and run.

The blocks of one page run after one another in one process, in a folder of their own.  One that
needs hours, or a library of another environment, says so in its first line (`# not run: why`); its
imports run all the same.  Commands run at small size (page_commands.py).
"""

import ast
import os
import re
import shlex
import subprocess

import pytest

from agents.cli.main import make_parser
from tests.packaging.page_commands import MINE, lines, reason, small, with_commands
from tests.packaging.pages import PAGES, blocks, run
from tests.packaging.sources import ROOT

NOT_RUN = "# not run: "
# Trains something, or needs libraries that take seconds to import.
SLOW = ("from agents", "torch", "stable_baselines3", "exact_game", "save_video")
SITE = [page for page in PAGES if page != "README.md"]


def page_code(page):
    """All blocks of a page; of those that are not run, the imports."""
    return "\n".join(
        imports(block) if block.startswith(NOT_RUN) else block for block in blocks(page)
    )


def imports(block):
    nodes = [n for n in ast.walk(ast.parse(block)) if isinstance(n, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in nodes)


def with_python():
    """The pages that have blocks, the long ones marked as such."""
    codes = {page: page_code(page) for page in SITE if blocks(page)}
    return [
        pytest.param(page, id=page, marks=[pytest.mark.slow] * any(word in code for word in SLOW))
        for page, code in codes.items()
    ]


@pytest.mark.parametrize("page", with_python())
def test_python_runs(page, tmp_path, record_property):
    done = run(page_code(page), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole = [block for block in blocks(page) if not block.startswith(NOT_RUN)]
    record_property("blocks of Python", len(whole))
    record_property("blocks whose imports ran", len(blocks(page)) - len(whole))


def test_what_is_not_run_says_why():
    """A few words at least."""
    marks = [block.splitlines()[0] for page in SITE for block in blocks(page)]
    reasons = [mark.removeprefix(NOT_RUN) for mark in marks if mark.startswith(NOT_RUN)]
    assert all(len(reason.split()) >= 2 for reason in reasons), reasons


def commands():
    """Every line that calls the command."""
    return [
        pytest.param(words[1:], id=f"{page}: {' '.join(words)}"[:120])
        for page in PAGES
        for words in lines(page)
        if words[0] == "social-dilemmas"
    ]


@pytest.mark.parametrize("words", commands())
def test_commands_are_ones_that_the_parser_takes(words):
    while words[:1] == ["--import"]:
        words = words[2:]
    if "--help" in words or words[:1] == ["--version"]:
        return
    arguments, options = make_parser(words[0]).parse_known_args(words)
    assert arguments.command == words[0]
    assert not options or words[0] == "train", options


@pytest.mark.slow
@pytest.mark.parametrize("page", with_commands())
def test_commands_run(page, tmp_path, record_property):
    """In the order of the page, in a folder with what it says is there."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "80"}

    run_here = [words for words in lines(page) if not reason(words)]
    for words in run_here:
        done = subprocess.run(
            small(words),
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"
    record_property("lines of the shell", len(run_here))
    record_property("lines of the shell not run", len(lines(page)) - len(run_here))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("social-dilemmas play ipd_v0 human tit_for_tat", "a person"),
        ("social-dilemmas sweep loqa ipd_v0 --executor ray", "a cluster"),
        ("social-dilemmas play ipd_v0 tit_for_tat random", ""),
    ],
)
def test_a_line_that_is_not_run_has_a_reason(line, why):
    found = reason(shlex.split(line))
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_a_line_is_made_small():
    words = shlex.split("social-dilemmas train loqa ipd_v0 --set batch=512 minutes=30")
    assert small(words)[3:] == ["train", "loqa", "ipd_v0", "--set", "batch=16", "iterations=20"]
    assert small(["cp", "a", "b"]) == ["cp", "a", "b"]


def test_equations_of_the_families_are_there():
    """A learner without a family shows its module's docstring instead."""
    text = (ROOT / "docs" / "generator" / "families.py").read_text()
    named = set(re.findall(r'Family\(\s*"(\w+)"', text))
    there = {path.stem for path in (ROOT / "docs/learners/equations").glob("*.md")}
    assert named == there


def test_functions_that_equations_name_exist():
    """The role's target is `package.module.name`; the build would leave it without a link."""
    for path in (ROOT / "docs" / "learners" / "equations").glob("*.md"):
        for target in re.findall(r"\{py:\w+\}`[^<`]*<([\w.]+)>`", path.read_text()):
            module, _, name = target.rpartition(".")
            source = (ROOT / f"{module.replace('.', '/')}.py").read_text()
            assert re.search(rf"^(def|class) {name}\b", source, re.MULTILINE), (path.name, target)
