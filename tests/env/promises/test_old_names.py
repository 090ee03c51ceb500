"""Names that modules had before go on working for one release, with a warning that names the new
one."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.moved import MOVED_MODULES

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def forget():
    """Import them anew in every test."""
    for old in MOVED_MODULES:
        sys.modules.pop(old, None)
    yield
    for old in MOVED_MODULES:
        sys.modules.pop(old, None)


@pytest.mark.parametrize(("old", "new"), MOVED_MODULES.items())
def test_an_old_module_is_the_new_one(old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now {new}"):
        module = importlib.import_module(old)
    target = importlib.import_module(new)
    for name in getattr(target, "__all__", [n for n in vars(target) if not n.startswith("_")]):
        assert getattr(module, name) is getattr(target, name)


def test_what_was_in_the_old_modules_is_there():
    """Of modules that were split too."""
    contents = {
        "parallel": ["DilemmaEnv", "SequentialEnv", "OrderedEnv", "SequentialState"],
        "single": ["SingleEnv", "SingleVectorEnv", "SingleState", "Opponents"],
        "batch": ["NumpyBatch", "NumpyTables", "NumpyArrays"],
        "batch_torch": ["TorchBatch", "TorchTables", "TorchArrays", "checked_device"],
        "games.checks": ["integer", "nearest", "horizon", "finite", "noise", "flag"],
        "draws": ["draw", "mix", "key", "bounded", "check_seed"],
    }
    for old, names in contents.items():
        with pytest.warns(DeprecationWarning, match="is now"):
            module = importlib.import_module(f"social_dilemmas_env.{old}")
        assert [name for name in names if not hasattr(module, name)] == []


@pytest.mark.parametrize("module", ["vector", "registry"])
def test_names_that_left_a_module_that_is_still_there(module):
    with pytest.warns(DeprecationWarning, match=r"make_env is now social_dilemmas_env\.make_env"):
        make_env = importlib.import_module(f"social_dilemmas_env.{module}").make_env
    assert make_env is sde.make_env


def test_the_old_names_load_nothing():
    """Neither an old nor a new module is imported before somebody asks for the old name."""
    code = (
        "import sys, social_dilemmas_env\n"
        "from social_dilemmas_env.moved import MOVED_MODULES\n"
        "print([old for old in MOVED_MODULES if old in sys.modules], 'torch' in sys.modules)"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert out.stdout == "[] False\n"


def test_a_name_that_never_was():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("social_dilemmas_env.a_name_that_never_was")
