"""The house: no circle of imports, dependencies one way, no import hidden in a function without a
reason, and nobody reaches for another's private names.

`python -m tests.packaging.structure` prints the graph's figures.
"""

import ast
import json
import re
import subprocess
import sys

import pytest

from tests.packaging.graph import circles, file_graph, floors, room_graph
from tests.packaging.sources import FUNCTIONS, LAYERS, PACKAGES, ROOT, Source, packages, sources

COMMAND_STARTS = "the command starts, completes and explains itself without torch"
# "file" or "file:function" -> why first-party imports may stand inside its functions.
LATE = {
    "social_dilemmas_env/make.py:_batch": "torch or JAX, for their backends only",
    "social_dilemmas_env/make.py:jax_env": "JAX, which few have",
    "agents/cli/demo_coin.py": COMMAND_STARTS,
    "agents/cli/demo_matrix.py": COMMAND_STARTS,
    "agents/cli/main.py:run_command": "Gymnasium, which `--help` does not need",
    "agents/cli/evaluate.py": COMMAND_STARTS,
    "agents/cli/exploit.py": COMMAND_STARTS,
    "agents/cli/export.py": COMMAND_STARTS,
    "agents/cli/solve.py": COMMAND_STARTS,
    "agents/cli/solving.py": COMMAND_STARTS,
    "agents/cli/sweep.py": COMMAND_STARTS,
    "agents/cli/plot.py": COMMAND_STARTS,
    "agents/cli/play.py": "pygame, for windows only; scipy, for exact advantages only",
    "agents/cli/saving.py": "pygame, pillow and ffmpeg, for films only",
    "agents/cli/train.py": COMMAND_STARTS,
    "agents/evaluation/entrants.py": "torch, for trained agents only",
    "agents/evaluation/groups.py": "torch, for trained agents only",
    "agents/evaluation/players.py": "torch, for trained agents only",
    "agents/evaluation/scoring.py": "torch, for trained agents only",
    "agents/learners/sb3_ppo.py": "Stable-Baselines3, which few have",
    "benchmarks/harvest_trainers.py": "Stable-Baselines3 and TorchRL, which few have",
    "benchmarks/throughput/cuda_rows.py": "torch, for the rows of a CUDA device only",
}


# ---------------------------------------------------------------------------------------- circles


def test_no_circle():
    """Each is printed as the way that leads back to its start."""
    found = [" -> ".join(circle) for circle in circles(file_graph())]
    assert not found, "files that import each other:\n" + "\n".join(found)


@pytest.mark.parametrize("layer", LAYERS)
def test_no_circle_of_rooms(layer):
    found = [" -> ".join(circle) for circle in circles(room_graph(layer))]
    assert not found, "rooms that import each other:\n" + "\n".join(found)


def test_a_circle_would_be_noticed():
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("bd"), "d": frozenset()}
    assert circles(graph) == [["b", "c", "b"]]


def test_floors_of_a_small_house():
    graph = {"a": frozenset("bc"), "b": frozenset("c"), "c": frozenset()}
    assert floors(graph) == 3


def test_arrows_are_imports_of_files():
    """Of the file that holds a name, not of the packages on the way to it."""
    arrows = file_graph()["social_dilemmas_env.registry"]
    assert "social_dilemmas_env.games.coin" in arrows
    assert "social_dilemmas_env.games" not in arrows


def test_rooms_are_entries_of_a_package():
    assert "games" in room_graph("social_dilemmas_env")["registry"]


# ---------------------------------------------------------------------------------------- one way


def test_dependencies_point_one_way():
    """render_assets <- social_dilemmas_env <- agents <- benchmarks, and nobody imports the
    tests."""
    found = []
    for i, layer in enumerate(LAYERS):
        above = {*LAYERS[i + 1 :], "tests"}
        for source in sources(layer):
            found += [f"{source.path} imports {other}" for other in packages(source) & above]
    assert found == []


# ------------------------------------------------------------------------------- inside a function


def late_imports(source):
    """(function, module) of every first-party import inside a function; methods by their own name,
    functions inside functions by the outer one's."""
    waiting = [(source.tree, None)]
    while waiting:
        node, function = waiting.pop()
        if function and isinstance(node, ast.Import | ast.ImportFrom):
            modules = {found.module for found in source.imports([node])}
            first_party = {module for module in modules if module.split(".")[0] in LAYERS}
            yield from ((function, module) for module in first_party)
        if isinstance(node, FUNCTIONS):
            function = function or node.name
        waiting += [(child, function) for child in ast.iter_child_nodes(node)]


def test_imports_inside_functions_have_a_reason():
    found = [
        f"{source.path}:{function} imports {module}"
        for source in sources(*PACKAGES)
        for function, module in late_imports(source)
        if not {source.path, f"{source.path}:{function}"} & set(LATE)
    ]
    assert not found, "without a reason in LATE:\n" + "\n".join(found)


def test_no_reason_without_an_import():
    used = set()
    for source in sources(*PACKAGES):
        for function, _ in late_imports(source):
            used |= {source.path, f"{source.path}:{function}"}
    assert sorted(set(LATE) - used) == [], "these entries of LATE are not needed any more"


def test_late_imports_would_be_noticed():
    text = "import agents\nclass A:\n    def f(self):\n        from agents.nn import gru\n"
    assert list(late_imports(Source("agents/x.py", text))) == [("f", "agents.nn")]


def test_relative_imports_are_followed():
    text = "def f():\n    from . import gru\n"
    assert list(late_imports(Source("agents/nn/x.py", text))) == [("f", "agents.nn")]


# ---------------------------------------------------------------------------------------- private


def is_private(name):
    return bool(name) and name.startswith("_") and not name.startswith("__")


def private_imports(source):
    """Private modules and names of first-party modules that a file imports."""
    for found in source.imports():
        parts = [*found.module.split("."), found.name]
        if parts[0] in LAYERS and any(map(is_private, parts)):
            yield f"{source.path}:{found.line}: {found.module}.{found.name or ''}"


def private_members(folders=PACKAGES):
    """`module._name` and `object._name` of others: ruff's SLF001, comments that silence it
    ignored."""
    command = [sys.executable, "-m", "ruff", "check", *folders, "--select", "SLF001"]
    command += ["--ignore-noqa", "--output-format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [
        f"{found['filename'].removeprefix(f'{ROOT}/')}:{found['location']['row']}: "
        + found["message"]
        for found in json.loads(done.stdout)
    ]


def test_nobody_imports_private_names():
    found = [place for source in sources(*LAYERS) for place in private_imports(source)]
    assert found == []


def test_nobody_reaches_for_private_members():
    found = private_members()
    assert not found, f"{len(found)} places:\n" + "\n".join(found)


def test_only_tests_are_excepted():
    """`make lint` holds the same rule; no file of the packages is excepted from it."""
    exceptions = re.findall(r'^"(.*)" = \[.*"SLF', (ROOT / "pyproject.toml").read_text(), re.M)
    assert exceptions == ["tests/**"]


@pytest.mark.parametrize(
    "text",
    [
        "from social_dilemmas_env.make import _kinds",
        "import social_dilemmas_env._private",
        "from agents.nn._gru import cell",
    ],
)
def test_private_imports_would_be_noticed(text):
    assert list(private_imports(Source("benchmarks/x.py", text)))


def test_other_peoples_privacy_is_ruffs_matter():
    assert not list(private_imports(Source("benchmarks/x.py", "from gymnasium import _x")))


# ---------------------------------------------------------------------------------------- the clock

WALL_CLOCKS = {"time.time", "time.monotonic", "time.perf_counter"}


def wall_clocks(source):
    """Places that read the clock on the wall, which runs on while a busy machine waits."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in WALL_CLOCKS:
            yield f"{source.path}:{node.lineno}: {ast.unparse(node)}"


def test_no_test_depends_on_the_wall_clock():
    """`time.process_time` says what something costs, whatever else the machine does."""
    assert [place for source in sources("tests") for place in wall_clocks(source)] == []


def test_a_wall_clock_would_be_noticed():
    text = "import time\nassert time.monotonic() < 5\n"
    assert list(wall_clocks(Source("tests/x.py", text))) == ["tests/x.py:2: time.monotonic"]
