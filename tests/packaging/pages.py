"""The pages of the repository, and the blocks of code in them."""

import os
import re
import subprocess
import sys

import pytest

from tests.packaging.sources import ROOT

FOLDERS = (
    (".", "*.md"),
    ("docs", "**/*.md"),
    ("agents", "*.md"),
    ("benchmarks", "**/*.md"),
    ("examples", "**/*.md"),
)
# In docs/reference, when the site is built.
MADE = {"api", "cards", "cli", "games", "learners", "results"}
NEEDS = {
    "stable_baselines3": "stable_baselines3",
    "adapters.torchrl": "torchrl",
    "from agents": "torch",
    "matplotlib": "matplotlib",
    "axelrod": "axelrod",
}


def is_generated(path):
    """Whether a page was made when the site was built."""
    in_reference = path.parent.parent.name == "reference" and path.parent.name in MADE
    return "_build" in path.parts or in_reference


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, pattern in FOLDERS
    for path in (ROOT / folder).glob(pattern)
    if not is_generated(path)
)


def blocks(page, language="python"):
    """The blocks of a page in one language, also those inside lists."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def run(code, cwd=ROOT):
    """In a process of its own."""
    for word, module in NEEDS.items():
        if word in code:
            pytest.importorskip(module, reason=f"this block needs {module}")
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
