"""What users install works: wheel and sdist, in a clean environment without torch, from another
folder."""

import configparser
import os
import re
import runpy
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile

import pytest

from tests.packaging.sources import ROOT

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


def run(*words, cwd="/"):
    """A subprocess that must succeed, and that PYTHONPATH does not lead to this checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1800,  # a watchdog, not a promise
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the files git knows (or would add)."""
    folder = tmp_path_factory.mktemp("source")
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, names.split("\n")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def built(checkout, tmp_path_factory):
    """The wheel and the sdist, made from the copy."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", out, checkout)
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


# ------------------------------------------------------------------------------------------ lists


def package_folders():
    """The packages that are installed, as the tree has them."""
    for name in ("agents", "social_dilemmas_env"):
        for init in sorted((ROOT / name).rglob("__init__.py")):
            yield ".".join(init.parent.relative_to(ROOT).parts)


def test_setup_lists_every_package_folder():
    """Discovery cannot find render_assets beside the rest; a new folder must not be forgotten."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = setup["options"]["packages"].split()
    wanted = sorted({*package_folders(), "social_dilemmas_env.render_assets"})
    assert listed == wanted, "setup.cfg should list:\n    " + "\n    ".join(wanted)


def floors(requirements):
    """Name -> lowest version of each requirement."""
    return dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(requirements), re.MULTILINE))


def pins(name):
    """Name -> version of each line of a file of constraints."""
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def release(version):
    """1.0 and 1.0.0 are the same release."""
    numbers = [int(number) for number in version.split(".")]
    return numbers + [0] * (3 - len(numbers))


def test_the_oldest_versions_are_those_that_are_promised():
    """Of what the environments need; `make test-oldest` installs them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    promised = floors([*project["dependencies"], *extras["render"], *extras["exact"]])
    oldest = pins("constraints-oldest.txt")
    wrong = {name for name, v in promised.items() if release(oldest[name]) != release(v)}
    assert not wrong


def test_every_dependency_is_pinned_for_ci():
    """But ray and moviepy, which CI does not install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = floors(project["dependencies"])
    for requirements in project["optional-dependencies"].values():
        wanted |= floors(requirements)
    assert set(wanted) - set(pins("constraints.txt")) == {"ray", "moviepy"}


# ------------------------------------------------------------------------------------------ built


@pytest.mark.wide
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


@pytest.mark.wide
def test_every_package_folder_is_in_the_wheel(built):
    names = zipfile.ZipFile(built[0]).namelist()
    folders = [package.replace(".", "/") for package in package_folders()]
    assert [folder for folder in folders if f"{folder}/__init__.py" not in names] == []


@pytest.mark.wide
@pytest.mark.parametrize(
    "which", [pytest.param(0, id="wheel"), pytest.param(1, id="sdist", marks=pytest.mark.slow)]
)
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


@pytest.mark.wide
def test_the_sdist_can_rebuild_everything(built):
    """Tests, benchmarks and constraints are in the sdist for those who package it."""
    with tarfile.open(built[1]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE", "render_assets/LICENSE"} <= names
    assert {"constraints.txt", "SECURITY.md", "docs/glossary.md", "benchmarks/README.md"} <= names


TYPED = """
import social_dilemmas_env as sde
from agents.registry import LEARNERS
reveal_type(sde.list_envs)
reveal_type(LEARNERS)
"""


@pytest.mark.wide
def test_an_editable_install_is_seen_by_type_checkers(checkout, tmp_path):
    """By `pip install -e .` as it stands, from a folder that is not the checkout: a path in a .pth
    file, which mypy and pyright follow, and not an import hook, which they do not."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "--no-deps", "-e", checkout)
    (tmp_path / "user.py").write_text(TYPED)
    mypy = [sys.executable, "-m", "mypy", "--python-executable", python, "--cache-dir", tmp_path]
    said = run(*mypy, "user.py", cwd=tmp_path)
    assert 'Revealed type is "def () -> list[str]"' in said
    assert 'Revealed type is "Any"' not in said


@pytest.mark.parametrize("repository", ["", "https://example.org/me/dilemmas"])
def test_nothing_in_readme_is_broken_on_a_package_index(repository):
    """With the owner's address pictures and links lead there; without, there are none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = runpy.run_path(str(ROOT / "setup.py"))["index_readme"](text, repository)
    targets = re.findall(r"\]\(([^)]+)\)", shown) + re.findall(r'src="([^"]+)"', shown)
    assert [t for t in targets if not t.startswith(("https://", "http://", "#"))] == []
    assert ("<img" in shown) == bool(repository)


@pytest.mark.wide
def test_the_long_description_is_that_readme(built):
    with zipfile.ZipFile(built[0]) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith("METADATA")]
        metadata = wheel.read(name).decode()
    assert "Description-Content-Type: text/markdown" in metadata
    assert "## The Coin Game, solved" in metadata
    assert 'src="render_assets' not in metadata


@pytest.mark.wide
def test_twine_takes_wheel_and_sdist(built):
    """As an index would: metadata and README can be read and rendered."""
    pytest.importorskip("twine", reason="twine is in the extra dev")
    assert "FAILED" not in run(sys.executable, "-m", "twine", "check", "--strict", *built)


def test_the_citation_is_of_the_format():
    """What version 1.2.0 of the Citation File Format requires, and no key that it has not."""
    yaml = pytest.importorskip("yaml")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    known = {"type", "license", "version", "keywords", "abstract", "doi", "url", "date-released"}
    known |= {"repository-code", "preferred-citation", "references", "identifiers"}
    assert set(cited) - {"cff-version", "message", "title", "authors"} <= known
    assert cited["cff-version"] == "1.2.0"
    assert all(set(a) & {"name", "family-names", "given-names", "alias"} for a in cited["authors"])
    assert all(isinstance(word, str) for word in cited["keywords"])


def test_the_version_is_one():
    """CITATION.cff, CHANGELOG.md and the package agree."""
    from social_dilemmas_env import __version__

    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.slow
def test_a_notebook_runs_from_the_wheel_alone(built, tmp_path):
    """As in Colab: its first cell installs the wheel that was uploaded beside it."""
    nbformat = pytest.importorskip("nbformat", reason="notebooks need the extra docs")
    book = nbformat.read(ROOT / "examples" / "notebooks" / "first_game.ipynb", as_version=4)
    code = [cell.source for cell in book.cells if cell.cell_type == "code"]
    script = "import matplotlib\nmatplotlib.use('Agg')\n" + "\n".join(code)
    (tmp_path / "book.py").write_text(script)
    shutil.copy(built[0], tmp_path)

    # What Colab has: pip and matplotlib; nothing of ours.
    venv.create(tmp_path / "env", with_pip=True)
    python, constraints = tmp_path / "env" / "bin" / "python", ROOT / "constraints.txt"
    run(python, "-m", "pip", "install", "-q", "-c", constraints, "matplotlib")
    assert "C D" in run(python, "book.py", cwd=tmp_path)
