"""A missing trainer, or one of a version that does not work: the sentence names one that does."""

import importlib
import importlib.util
import re
import runpy
import sys
import types

import pytest

from social_dilemmas_env.adapters import versions
from tests.packaging.sources import ROOT

TRAINERS = ROOT / "examples" / "trainers"
# Adapter -> what it cannot import: a module that has none of the names asked for.
ADAPTERS = {
    "agilerl": ("agilerl", "agilerl.vector.pz_vec_env"),
    "benchmarl": ("benchmarl", "benchmarl.environments.common"),
    "sb3": ("stable_baselines3", "stable_baselines3.common.vec_env"),
    "torchrl": ("torchrl", "torchrl.envs"),
}
REQUIREMENTS = {"stable_baselines3": "sb3"}


def pins(name):
    """Package -> version of requirements/NAME.txt."""
    lines = (TRAINERS / "requirements" / f"{name}.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def hide(monkeypatch, name):
    """Puts an empty module, or package, in the place of a library's."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        stand_in = types.ModuleType(".".join(parts[:end]))
        stand_in.__path__ = []
        stand_in.__spec__ = importlib.util.spec_from_loader(stand_in.__name__, None)
        monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_names_versions_that_work(name, monkeypatch):
    if name in ("benchmarl", "torchrl"):
        pytest.importorskip("torchrl", reason="the task is made of TorchRLEnv")
        importlib.import_module("social_dilemmas_env.adapters.torchrl")
    library, module = ADAPTERS[name]
    adapter = f"social_dilemmas_env.adapters.{name}"
    hide(monkeypatch, module)
    monkeypatch.delitem(sys.modules, adapter, raising=False)

    with pytest.raises(ImportError, match="cannot use what is installed") as caught:
        importlib.import_module(adapter)
    for package, version in versions.RAN[library].items():
        assert f"{package}=={version}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_not_called_another_version(monkeypatch):
    monkeypatch.setitem(sys.modules, "agilerl", None)
    error = versions.unusable("agilerl", ModuleNotFoundError(name="agilerl"), "AgileVecEnv")
    assert isinstance(error, ModuleNotFoundError)
    wanted = "pip install agilerl==" + versions.RAN["agilerl"]["agilerl"]
    assert str(error).startswith(f"AgileVecEnv needs agilerl: {wanted}")


def test_a_library_of_an_extra_has_the_extras_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchrl", None)
    error = versions.unusable("torchrl", ModuleNotFoundError(name="torchrl"), "TorchRLEnv")
    assert 'pip install -e ".[torchrl]"' in str(error)


def test_a_module_that_a_newer_release_removed_is_another_version(monkeypatch):
    """Python then says that there is no such module, though the library is installed."""
    hide(monkeypatch, "torchrl.envs")
    hide(monkeypatch, "benchmarl")
    gone = ModuleNotFoundError("No module named 'torchrl.gone'", name="torchrl.gone")
    said = str(versions.unusable("benchmarl", gone, "SocialDilemmaTask"))
    assert said.startswith("SocialDilemmaTask cannot use what is installed: No module named")


def test_only_what_differs_is_told(monkeypatch):
    monkeypatch.setattr(versions, "version", {"a": "1.0+cpu", "b": "2.0"}.__getitem__)
    assert versions.ran({"a": "1.0", "b": "2.1"}) == "it ran with b 2.1 (here: 2.0): "
    assert versions.ran({"a": "1.0", "b[extra]": "2.0"}) == ""


@pytest.mark.parametrize("library", sorted(set(versions.RAN) - {"agilerl"}))
def test_the_versions_are_those_that_make_interop_runs(library):
    run = pins(REQUIREMENTS.get(library, library))
    for package, version in versions.RAN[library].items():
        assert run.get(package, version) == version


@pytest.mark.parametrize("path", sorted(TRAINERS.glob("with_*.py")), ids=lambda path: path.stem)
def test_a_script_names_its_requirements(path, monkeypatch):
    """Without its library, or with one that has lost what the script imports."""
    name = path.stem.removeprefix("with_")
    text = path.read_text()
    assert f'with pinned("{name}"):' in text
    block = re.search(r"with pinned\(.*\n((?: {4}.*\n|\n)*)", text)[1]
    monkeypatch.setitem(sys.modules, re.search(r"(?:import|from) ([\w.]+)", block)[1], None)
    monkeypatch.syspath_prepend(str(TRAINERS))
    with pytest.raises(SystemExit, match=rf"requirements/{name}\.txt$"):
        runpy.run_path(str(path))
