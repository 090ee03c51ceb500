"""README's blocks run as they stand, and the links of all pages lead somewhere.

The blocks of the site's pages run in test_pages.py.
"""

import re

import pytest

import social_dilemmas_env as sde
from tests.packaging.pages import PAGES, blocks, is_generated, run
from tests.packaging.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


# The first four are what everybody pastes; the others train.
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(number, marks=[pytest.mark.wide] * (number > 3))
        for number in range(len(blocks("README.md")))
    ],
)
def test_every_python_block_runs(number, record_property):
    done = run(blocks("README.md")[number])
    assert done.returncode == 0, done.stderr
    record_property("blocks of Python", 1)


def test_no_block_uses_what_is_deprecated():
    """A word of ours would make it an error; PettingZoo's and torch's warnings are theirs."""
    block = blocks("README.md")[0]
    warn = "import warnings\nwarnings.simplefilter('error', DeprecationWarning)\n"
    done = run(warn + block)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    """Every relative link and picture exists; `#headings` of other pages are their matter, and
    pages that are made when the site is built are the build's."""
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) + re.findall(r'src="([^"]+)"', text)
    here = (ROOT / page).parent
    wrong = [t for t in targets if not t.startswith("http") and not (here / t).exists()]
    assert [t for t in wrong if not is_generated((here / t).resolve())] == []


@pytest.mark.parametrize("page", PAGES)
def test_headings_that_are_linked_exist(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", text):
        path = ((ROOT / page).parent / target).resolve()
        if not target.startswith("http") and not is_generated(path):
            assert anchor in headings((ROOT / page).parent / target if target else ROOT / page)


def headings(path):
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_paths_in_contributing_exist():
    """Those that end in a name of a file, from the root of the repository."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(
        r"`((?:social_dilemmas_env|agents|benchmarks|tests|docs)/[\w/]+\.\w+)`", text
    )
    examples = {"social_dilemmas_env/games/my_game.py"}
    assert [p for p in paths if p not in examples and not (ROOT / p).exists()] == []


def test_every_game_is_in_the_table():
    """A new game must not be forgotten."""
    assert [env_id for env_id in sde.list_envs() if f"`{env_id}`" not in README] == []


def test_twelve_things_are_found_by_path():
    """Twelve rows, each with a link; test_links_lead_to_files follows them."""
    section = README.partition("## Find it in ten seconds")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 12
    assert all("](" in row for row in rows)
