"""Importing the environments is light, dependencies point one way, and nothing that is loaded from
a file is ever run."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import social_dilemmas_env as sde

ROOT = Path(__file__).parents[2]
HEAVY = [
    "torch",
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
LAYERS = [
    "render_assets",
    "social_dilemmas_env",
    "agents",
    "benchmarks",
]  # each imports those before it only
MAY_IMPORT_TORCH = ("vector/torch_env.py", "vector/cuda_graph.py", "adapters/")
MAY_PICKLE = (
    "testing/",
)  # the conformance kit pickles environments in memory, to see whether they survive it


def sources(*folders):
    """(path relative to the root, syntax tree) of every module."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imports(nodes):
    """(module, name) of every import statement among the nodes.

    Name is None for `import module`.
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (
                ((node.module or "") if not node.level else ".", alias.name) for alias in node.names
            )


def at_import_time(tree):
    """Nodes that run when the module is imported: not bodies of functions, nor of `if
    TYPE_CHECKING`."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting.extend(node.orelse)
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def packages(tree, nodes=None):
    return {
        module.split(".")[0] for module, _ in imports(ast.walk(tree) if nodes is None else nodes)
    }


# -------------------------------------------------------------------------------------------- light


LIGHT = {
    "import": "import social_dilemmas_env",
    "every game": """
import social_dilemmas_env as sde
for env_id in sde.list_envs():
    for api in ("parallel", "aec"):
        env = sde.make_env(env_id, api=api, **({"payoffs": [[1.0]]} if env_id == "matrix_game_v0" else {}))
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


# ------------------------------------------------------------------------------------------ one way


def test_torch_is_imported_by_torch_drivers_only():
    """At module level; inside functions it may be imported where it is needed."""
    found = [
        path
        for path, tree in sources("social_dilemmas_env")
        if "torch" in packages(tree, at_import_time(tree))
        and not path.removeprefix("social_dilemmas_env/").startswith(MAY_IMPORT_TORCH)
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
    for path, tree in sources("social_dilemmas_env"):
        for library in packages(tree) & set(own):
            assert path.startswith(own[library]), f"{path} imports {library}"


def test_dependencies_point_one_way():
    """render_assets <- social_dilemmas_env <- agents <- benchmarks, and nobody imports the
    tests."""
    found = []
    for i, layer in enumerate(LAYERS):
        for path, tree in sources(layer):
            found += [
                f"{path} imports {other}" for other in packages(tree) & {*LAYERS[i + 1 :], "tests"}
            ]
    assert found == []


def private(module, name):
    return any(
        part.startswith("_") and not part.startswith("__")
        for part in (*module.split("."), name or "")
    )


def test_agents_and_benchmarks_use_public_names_only():
    """No underscore of another layer: neither imported nor reached through an imported module."""
    found = []
    for path, tree in sources("agents", "benchmarks"):
        own = path.split("/")[0]
        modules = {}
        for node in ast.walk(tree):
            for module, name in imports([node]):
                if module.split(".")[0] in LAYERS and module.split(".")[0] != own:
                    if private(module, name):
                        found.append(f"{path}:{node.lineno}: {module} {name}")
                    for alias in node.names:
                        modules[alias.asname or alias.name.split(".")[0]] = module
        for node in ast.walk(tree):
            reached = (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in modules
            )
            if reached and private("", node.attr):
                found.append(f"{path}:{node.lineno}: {node.value.id}.{node.attr}")
    assert found == []


# --------------------------------------------------------------------------------------------- safe


def dangers(tree):
    """What could run code from a file or a string: line and name."""
    unpickles = {
        "pickle",
        "cPickle",
        "_pickle",
        "dill",
        "cloudpickle",
        "marshal",
        "shelve",
        "joblib",
        "jsonpickle",
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for package in {module.split(".")[0] for module, _ in imports([node])} & unpickles:
                yield node.lineno, package
            if isinstance(node, ast.ImportFrom) and node.module in ("torch", "torch.serialization"):
                yield from (
                    (node.lineno, "torch.load") for alias in node.names if alias.name == "load"
                )
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in {
                "eval",
                "exec",
                "compile",
                "__import__",
            }:
                yield node.lineno, node.func.id
            if isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in {
                "torch.load",
                "torch.jit.load",
                "os.system",
            }:
                yield node.lineno, ast.unparse(node.func)
            for keyword in node.keywords:
                if (
                    keyword.arg in {"allow_pickle", "shell"}
                    and getattr(keyword.value, "value", True) is not False
                ):
                    yield node.lineno, keyword.arg


def test_nothing_that_is_loaded_is_run():
    """No pickle, torch.load, eval or exec in the packages."""
    found = [
        f"{path}:{line}: {name}"
        for path, tree in sources("social_dilemmas_env", "agents")
        for line, name in dangers(tree)
        if not (
            name == "pickle" and path.removeprefix("social_dilemmas_env/").startswith(MAY_PICKLE)
        )
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
    assert list(dangers(ast.parse(code)))


def test_the_scan_lets_innocents_pass():
    assert not list(
        dangers(
            ast.parse(
                "model.eval()\nnumpy.load(f, allow_pickle=False)\nre.compile('a')\nimport json"
            )
        )
    )
