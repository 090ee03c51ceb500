"""The blocks of the site's pages: Python runs, commands are ones that the parser takes.

The blocks of one page run after one another in one process, in a folder of their own.  One that
needs hours, or a library of another environment, says so in its first line (`# not run: why`); its
imports run all the same.
"""

import ast
import re
import shlex

import pytest

from agents.cli.main import make_parser
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
def test_python_runs(page, tmp_path):
    done = run(page_code(page), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_what_is_not_run_says_why():
    """A few words at least."""
    marks = [block.splitlines()[0] for page in SITE for block in blocks(page)]
    reasons = [mark.removeprefix(NOT_RUN) for mark in marks if mark.startswith(NOT_RUN)]
    assert all(len(reason.split()) >= 2 for reason in reasons), reasons


def commands():
    """Every line that calls the command, comments cut off, variables of the shell filled in."""
    found = []
    for page in PAGES:
        for block in (*blocks(page, "sh"), *blocks(page, "bash"), *blocks(page, "console")):
            for line in block.replace("\\\n", " ").splitlines():
                line = re.sub(r"\$[A-Z_]+", "0", line.removeprefix("$ "))
                words = shlex.split(line, comments=True)
                if words[:1] == ["social-dilemmas"]:
                    found.append(pytest.param(words[1:], id=f"{page}: {' '.join(words)}"[:120]))
    return found


@pytest.mark.parametrize("words", commands())
def test_commands_are_ones_that_the_parser_takes(words):
    while words[:1] == ["--import"]:
        words = words[2:]
    if "--help" in words or words[:1] == ["--version"]:
        return
    arguments, options = make_parser(words[0]).parse_known_args(words)
    assert arguments.command == words[0]
    assert not options or words[0] == "train", options


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
