"""Importing the environments is light, heavy libraries keep to their corners, and nothing that is
loaded from a file is ever run."""

import ast
import os
import subprocess
import sys

import pytest

import social_dilemmas_env as sde
from tests.packaging.sources import PACKAGES, ROOT, Source, packages, sources

HEAVY = [
    "torch",
    "jax",
    "pygame",
    "PIL",
    "imageio",
    "matplotlib",
    "scipy",
    "pandas",
    "tensordict",
    "torchrl",
    "stable_baselines3",
]
HEAVY += ["safetensors", "tyro", "rich", "ray", "axelrod", "agents", "benchmarks"]
MAY_IMPORT_TORCH = (
    "engine/torch_engine.py",
    "vector/torch_env.py",
    "vector/cuda_graph.py",
    "vector/graph_recorder.py",
    "adapters/",
)
MAY_IMPORT_JAX = ("engine/jax_", "vector/jax_env.py", "vector/pure_jax.py", "adapters/")
# The conformance kit pickles environments in memory, to see whether they survive it.
MAY_PICKLE = "social_dilemmas_env/testing/"


# -------------------------------------------------------------------------------------------- light


LIGHT = {
    "import": "import social_dilemmas_env",
    "every game": """
import social_dilemmas_env as sde
for env_id in sde.list_envs():
    game = {"payoffs": [[1.0]]} if env_id == "matrix_game_v0" else {}
    for api in ("parallel", "aec"):
        env = sde.make_env(env_id, api=api, **game)
        env.reset(seed=0)
        env.state()
""",
    "a step": """
import social_dilemmas_env as sde
env = sde.make_env("coin_game_v0")
env.reset()
env.step({"player_0": 0, "player_1": 1})
env.set_state(env.get_state())
""",
    "modules": """
from social_dilemmas_env import coin_game_v0, ipd_v0
coin_game_v0.env().reset()
ipd_v0.parallel_env().reset()
""",
    "registries": """
import gymnasium, social_dilemmas_env
gymnasium.spec("social_dilemmas/ipd-v0")
""",
}


@pytest.mark.parametrize("what", LIGHT)
def test_light(what):
    """Neither importing nor playing needs anything but numpy, gymnasium and pettingzoo (in a
    process of its own)."""
    code = f"{LIGHT[what]}\nimport sys\nprint(sorted(set({HEAVY}) & set(sys.modules)))"
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (result.returncode, result.stdout) == (0, "[]\n"), result.stdout + result.stderr


def test_public_names():
    """`__all__` holds what it says, each with a docstring, and nothing private."""
    for name in sde.__all__:
        assert hasattr(sde, name)
        assert name == "__version__" or (not name.startswith("_") and getattr(sde, name).__doc__)
    assert {"make_env", "list_envs", "spec", "payoffs", "register", "State"} <= set(sde.__all__)


# ------------------------------------------------------------------------------------------ corners


@pytest.mark.parametrize(
    ("library", "corners"), [("torch", MAY_IMPORT_TORCH), ("jax", MAY_IMPORT_JAX)]
)
def test_torch_and_jax_are_imported_by_their_drivers_only(library, corners):
    """At module level; inside functions they may be imported where they are needed."""
    found = [
        source.path
        for source in sources("social_dilemmas_env")
        if library in packages(source, source.at_import_time())
        and not source.path.removeprefix("social_dilemmas_env/").startswith(corners)
    ]
    assert found == []


def test_adapters_import_their_library_inside():
    """And nobody imports a trainer's library, a plotting library or a window anywhere but in its
    own corner."""
    own = {
        "stable_baselines3": ("social_dilemmas_env/adapters/",),
        "torchrl": ("social_dilemmas_env/adapters/",),
        "tensordict": ("social_dilemmas_env/adapters/",),
        "pygame": ("social_dilemmas_env/render/", "social_dilemmas_env/render/video.py"),
        "PIL": ("social_dilemmas_env/render/", "social_dilemmas_env/render/video.py"),
        "imageio": ("social_dilemmas_env/render/video.py",),
        "matplotlib": (),
        "scipy": ("social_dilemmas_env/exact/",),
        "ray": (),
        "axelrod": (),
    }
    found = [
        f"{source.path} imports {library}"
        for source in sources("social_dilemmas_env")
        for library in packages(source) & set(own)
        if not source.path.startswith(own[library])
    ]
    assert found == []


# --------------------------------------------------------------------------------------------- safe


UNPICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve"}
UNPICKLES |= {"joblib", "jsonpickle"}
RUNS = {"eval", "exec", "compile", "__import__"}
RUNS |= {"torch.load", "torch.jit.load", "os.system"}
SWITCHES = {"allow_pickle", "shell"}


def dangers(source):
    """What could run code from a file or a string: line and name."""
    for found in source.imports():
        if found.module.split(".")[0] in UNPICKLES:
            yield found.line, found.module.split(".")[0]
        if found.module in ("torch", "torch.serialization") and found.name == "load":
            yield found.line, "torch.load"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield from ((node.lineno, name) for name in dangers_of_call(node))


def dangers_of_call(node):
    """The function, if it runs what it is given, and keywords that let it."""
    if ast.unparse(node.func) in RUNS:
        yield ast.unparse(node.func)
    for keyword in node.keywords:
        if keyword.arg in SWITCHES and getattr(keyword.value, "value", True) is not False:
            yield keyword.arg


def test_nothing_that_is_loaded_is_run():
    """No pickle, torch.load, eval or exec in the packages."""
    found = [
        f"{source.path}:{line}: {name}"
        for source in sources(*PACKAGES)
        for line, name in dangers(source)
        if not (name == "pickle" and source.path.startswith(MAY_PICKLE))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load(f)",
        "from torch import load",
        "eval('1')",
        "def f():\n    exec(s)",
        "import dill as d",
        "numpy.load(f, allow_pickle=True)",
        "os.system('ls')",
    ],
)
def test_the_scan_would_notice(code):
    assert list(dangers(Source("agents/x.py", code)))


@pytest.mark.parametrize(
    "code",
    ["model.eval()", "numpy.load(f, allow_pickle=False)", "re.compile('a')", "import json"],
)
def test_the_scan_lets_innocents_pass(code):
    assert not list(dangers(Source("agents/x.py", code)))
