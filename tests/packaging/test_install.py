"""What users install works: wheel and sdist, in a clean environment without torch, from another
folder."""

import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("packaging")

USE = """
import importlib.util, sys
import social_dilemmas_env as sde
assert importlib.util.find_spec("torch") is None, "torch must not be needed"
assert "site-packages" in sde.__file__, sde.__file__
for env_id in ("ipd_v0", "coin_game_v0"):
    assert sde.check_env(lambda **kw: sde.make_env(env_id, **kw)) == [], env_id
    env = sde.make_env(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().ndim == 3
venv = sde.make_vec_env("coin_game_v0", num_envs=3)
venv.reset(seed=0)
import agents  # installed too; needs torch only when used
print("ok")
"""


def run(*words, cwd="/", **kwargs):
    """A subprocess that must succeed."""
    done = subprocess.run(
        [str(w) for w in words], cwd=cwd, capture_output=True, text=True, timeout=300, **kwargs
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the sdist, made from a copy of the files git knows (or would add)."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT).split(
        "\n"
    )
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--outdir", out, source)
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def test_the_wheel_holds_the_packages_and_the_art_but_not_the_tests(built):
    """`tests` and `benchmarks` stay out; sprites, type marker and licence come along."""
    names = zipfile.ZipFile(built[0]).namelist()
    tops = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert tops == {"social_dilemmas_env", "agents"}
    assert any(
        name.startswith("social_dilemmas_env/render_assets/") and name.endswith(".png")
        for name in names
    )
    assert {"social_dilemmas_env/py.typed", "agents/py.typed"} <= set(names)
    assert any(name.endswith("LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name]


def test_every_package_folder_is_in_the_wheel(built):
    """setup.cfg lists packages by hand; a new folder must not be forgotten."""
    names = zipfile.ZipFile(built[0]).namelist()
    for init in [
        *ROOT.glob("social_dilemmas_env/**/__init__.py"),
        *ROOT.glob("agents/**/__init__.py"),
    ]:
        assert str(init.relative_to(ROOT)) in names


@pytest.mark.parametrize("which", [0, 1], ids=["wheel", "sdist"])
def test_it_works_installed_in_a_clean_environment_without_torch(built, which, tmp_path):
    """From /, so that the checkout cannot help."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    constraints = ROOT / "constraints.txt"
    run(python, "-m", "pip", "install", "-q", "-c", constraints, f"{built[which]}[render]")
    assert run(python, "-W", "error::DeprecationWarning:social_dilemmas_env", "-c", USE).endswith(
        "ok\n"
    )
    listing = run(tmp_path / "env" / "bin" / "social-dilemmas", "envs")
    assert "coin_game_v0" in listing


def test_the_sdist_can_rebuild_everything(built):
    """Tests, benchmarks and constraints are in the sdist for those who package it."""
    with tarfile.open(built[1]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE", "render_assets/LICENSE"} <= names


def test_the_version_is_one():
    """CITATION.cff, CHANGELOG.md and the package agree."""
    from social_dilemmas_env import __version__

    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()
