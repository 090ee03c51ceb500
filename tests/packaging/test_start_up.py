"""Importing the package and asking the command for help import next to nothing, and the registries
of Gymnasium and PettingZoo know the games in whichever order things are imported.

No clock: what was imported says how long it takes (each in a process of its own).
"""

import ast
import importlib
import importlib.util
import os
import subprocess
import sys
import types
from importlib.machinery import ModuleSpec

import gymnasium
import pettingzoo
import pytest

import agents
import social_dilemmas_env as sde
from social_dilemmas_env import lazy, registries
from tests.packaging.sources import ROOT

LIBRARIES = ("numpy", "gymnasium", "pettingzoo", "torch", "jax", "scipy", "pygame")
SLOW = (*LIBRARIES, "importlib.resources", "typing_extensions", "tempfile")
# All that importing the package runs of it; who adds to it looks at what that imports in turn.
IMPORTED = ["deprecation", "lazy", "modes", "moved", "registries", "version"]
has_registry = pytest.mark.skipif(
    not hasattr(pettingzoo, "register"), reason="PettingZoo has a registry from 1.27 on"
)


def output(code):
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def modules_after(code):
    """Names of what is in `sys.modules` at the end."""
    printed = output(f"{code}\nimport sys\nprint('MODULES', *sys.modules)")
    return printed.split("MODULES ")[1].split()


# --------------------------------------------------------------------------------- what it imports


def test_the_import_needs_no_library():
    modules = modules_after("import social_dilemmas_env")
    assert sorted(set(SLOW) & set(modules)) == []
    own = [name for name in modules if name.startswith("social_dilemmas_env.")]
    assert sorted(own) == [f"social_dilemmas_env.{name}" for name in IMPORTED]


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"]])
def test_the_commands_help_needs_no_library(words):
    code = f"""
from agents.cli.main import main
try:
    main({words!r})
except SystemExit:
    pass
"""
    modules = modules_after(code)
    assert sorted(set(SLOW) & set(modules)) == []
    assert [name for name in modules if name.startswith("agents.cli.")] == ["agents.cli.main"]


def test_names_that_need_no_environment_import_none():
    modules = modules_after("import social_dilemmas_env as sde\nsde.list_envs(), sde.draw(0, 1)")
    assert not {"gymnasium", "pettingzoo"} & set(modules)


# -------------------------------------------------------------------------------------- registries

ORDERS = {
    "first": "import gymnasium, pettingzoo\nimport social_dilemmas_env as sde",
    "last": "import social_dilemmas_env as sde\nimport gymnasium, pettingzoo",
    "looked for": "import social_dilemmas_env as sde\nfrom importlib.util import find_spec\n"
    "assert find_spec('gymnasium') and find_spec('pettingzoo')\nimport gymnasium, pettingzoo",
}


@pytest.mark.parametrize("order", ORDERS)
def test_gymnasium_and_pettingzoo_know_the_games(order):
    """Without a warning (they are errors), all of them, with what was registered meanwhile."""
    code = f"""
{ORDERS[order]}
print(*[n for n in gymnasium.registry if n.startswith("social_dilemmas/")])
print(*getattr(pettingzoo, "parallel_registry", []))
print(*getattr(pettingzoo, "aec_registry", []))
"""
    names = [f"social_dilemmas/{g.replace('_v', '-v')}" for g in registries.GAMES]
    by_gymnasium, parallel, aec = output(code).splitlines()
    assert by_gymnasium.split() == names
    if hasattr(pettingzoo, "register"):
        assert set(names) <= set(parallel.split()) & set(aec.split())


def test_a_game_that_was_registered_before_gymnasium_was_imported():
    code = """
import functools, sys
import social_dilemmas_env as sde
from social_dilemmas_env.games.matrix import matrix_game
sde.register("mine_v0", functools.partial(matrix_game, payoffs=[[1.0], [2.0]]))
assert "gymnasium" not in sys.modules
import gymnasium, importlib
importlib.reload(gymnasium)
env = gymnasium.make("social_dilemmas/mine-v0")
env.reset(seed=0)
print(env.step(1)[1])
"""
    assert output(code) == "2.0\n"


def test_the_games_that_come_with_the_package():
    assert sorted(registries.GAMES) == list(registries.GAMES)
    assert set(registries.GAMES) <= set(sde.list_envs())
    bundled = {n.partition(".")[0] for n in os.listdir(ROOT / "social_dilemmas_env")}
    assert {name for name in bundled if name.endswith("_v0")} == set(registries.GAMES)


def test_announced_twice_is_registered_once():
    """As when the package is imported anew; PettingZoo would warn."""
    before = dict(gymnasium.registry), dict(getattr(pettingzoo, "parallel_registry", {}))
    registries.announce("ipd_v0")
    assert gymnasium.registry == before[0]
    assert getattr(pettingzoo, "parallel_registry", {}) == before[1]
    registries._announced.pop()


def test_an_old_pettingzoo_has_no_registry(monkeypatch):
    monkeypatch.setitem(sys.modules, "pettingzoo", types.ModuleType("pettingzoo"))
    registries._tell_pettingzoo("ipd_v0")


def test_the_messenger_finds_nothing_else():
    messenger = registries._Messenger()
    assert messenger.find_spec("numpy", None) is None
    assert messenger.find_spec("social_dilemmas_env", None) is None


def test_a_library_that_is_not_installed_is_not_found(monkeypatch):
    messenger = registries._Messenger()
    monkeypatch.setattr(sys, "meta_path", [messenger])
    assert messenger.find_spec("gymnasium", None) is None


def test_a_module_is_told_when_it_has_been_run(monkeypatch):
    """Of all games; and its loader is its own from then on, as `inspect` and `reload` want it."""

    class Own:
        kind = "a loader"

        def create_module(self, spec):
            return None

        def exec_module(self, module):
            heard.append(module.__name__)

    heard = []
    monkeypatch.setitem(registries._TELL, "gymnasium", heard.append)
    own = Own()
    spec = ModuleSpec("gymnasium", registries._TellingLoader(own))
    assert spec.loader.kind == "a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert heard == ["gymnasium", *registries._announced]
    assert module.__loader__ is module.__spec__.loader is own


def test_who_only_looks_sees_the_source():
    code = """
import social_dilemmas_env
from importlib.util import find_spec
print(find_spec("gymnasium").loader.get_source("gymnasium")[:3])
import gymnasium, inspect
print(type(gymnasium.__loader__).__name__, gymnasium.__loader__ is gymnasium.__spec__.loader)
"""
    assert output(code).splitlines() == ['"""', "SourceFileLoader True"]


# -------------------------------------------------------------------------------------- lazy names


def test_names_are_those_that_type_checkers_see():
    """`_HOMES` and the imports under TYPE_CHECKING are two lists of one thing."""
    tree = ast.parse((ROOT / "social_dilemmas_env/__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {node.module: tuple(name.name for name in node.names) for node in block.body}
    assert seen == {f"social_dilemmas_env.{home}": names for home, names in sde._HOMES.items()}


def test_every_public_name_is_there():
    assert set(sde.__all__) <= set(dir(sde))
    assert set(agents.__all__) <= set(dir(agents))
    for name in sde.__all__:
        assert getattr(sde, name) is getattr(sde, name)


def test_modules_of_a_package_are_its_attributes():
    """As they were when importing it imported them."""
    assert sde.games.ipd is importlib.import_module("social_dilemmas_env.games.ipd")


@pytest.mark.parametrize("name", ["no_such_name", "_private", "__wrapped__"])
def test_a_name_that_is_not_there(name):
    with pytest.raises(AttributeError, match=f"'social_dilemmas_env' has no attribute '{name}'"):
        getattr(sde, name)


def test_what_a_module_misses_is_said(tmp_path, monkeypatch):
    """That a module's own import failed is not "no attribute"."""
    (tmp_path / "house").mkdir()
    (tmp_path / "house/__init__.py").touch()
    (tmp_path / "house/room.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    get, names = lazy.lazy_names("house", {"chair": "house.room"})
    importlib.import_module("house")
    for name in ("room", "chair"):
        with pytest.raises(ModuleNotFoundError, match="no_such_library"):
            get(name)
    assert "chair" in names()
