"""The lines of the pages that call a command, and how each is run in a test.

A line runs as it stands, in the folder of its page's earlier lines, but for what takes hours (SMALL
has a shorter one) and what a test has no hands for (ALONE says why it is given to the parser only).
"""

import importlib.util
import re
import shlex
import sys

from tests.packaging.pages import PAGES, blocks

# What takes long -> the same in seconds.
SMALL = {
    "minutes=30": "iterations=20",
    "minutes=55": "iterations=1 batch=16",
    "iterations=4000": "iterations=2",
    "batch=512": "batch=16",
    "batch=128": "batch=16",
    "actor_lr=1e-3,3e-3": "actor_lr=1e-3,3e-3 --set iterations=1 batch=16",
    "--seeds 10": "--seeds 1",
    "--budget 200000": "--budget 6400 --episodes 64",
    "--episodes 256": "--episodes 32",
}
# Words of a line -> why it is not run.
ALONE = {
    "human": "a person, or a window that one closes",
    "--executor ray": "a cluster: make test-ray",
    "--help": "nothing to run",
    "make ": "builds or tests all of this",
    "pip install": "installs",
    ".venvs/": "another environment: make interop",
    "#SBATCH": "for a scheduler",
    "export OMP": "of the shell",
    "activate": "of the shell",
    "python -m benchmarks run": "hours",
    "examples/01_defect.py": "runs in test_examples.py",
    "examples/02_reciprocate.py": "runs in test_examples.py",
}
MINE = """
class Agent:
    '''Always cooperates.'''

    def act(self, observations, first=None):
        return [0] * len(observations)

    def reset(self, num_games, seed=None):
        pass
"""


def lines(page):
    """Every line of the shell on a page, comments cut off, variables filled in."""
    found = []
    for block in (b for language in ("sh", "bash", "console") for b in blocks(page, language)):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(re.sub(r"\$[A-Z_]+", "0", line.removeprefix("$ ")), comments=True)
            found += [words] if words else [["#SBATCH"]] * line.startswith("#SBATCH")
    return found


def reason(words):
    """Why a line is not run; "" for one that is."""
    line = shlex.join(words) + " "
    if "axelrod" in line and importlib.util.find_spec("axelrod") is None:
        return "axelrod is not installed"
    return next((why for word, why in ALONE.items() if word in line), "")


def small(words):
    """The words of a line that takes seconds, ours called by this interpreter."""
    line = shlex.join(words)
    for long, short in SMALL.items():
        line = line.replace(long, short)
    call = "import sys; from agents.cli.main import main; sys.exit(main(sys.argv[1:]))"
    own = {"social-dilemmas": [sys.executable, "-c", call], "python": [sys.executable]}
    first, *rest = shlex.split(line)
    return [*own.get(first, [first]), *rest]


def with_commands():
    """The pages with a line that runs."""
    return [page for page in PAGES if any(not reason(words) for words in lines(page))]
