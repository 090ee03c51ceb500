"""Every example runs, at small size, as a reader would run it; notebooks are executed.

Those with others' trainers run in `make interop` (tests/interop/trainers).
"""

import os
import subprocess
import sys

import pytest

from tests.packaging.sources import ROOT

EXAMPLES = ROOT / "examples"
# Script -> what it needs, small arguments, and a word of what it says.
SMALL = {
    "01_defect.py": (("stable_baselines3", "matplotlib"), ("--steps", "3200"), "a step"),
    "02_reciprocate.py": (("torch", "matplotlib"), ("--runs", "2"), "LOLA"),
    "03_exact_coin_game.py": (("torch", "scipy"), ("--grid-size", "2"), "epsilon-Nash"),
    "04_own_game.py": (("scipy",), (), "both few              1.000"),
    "05_own_learner.py": (("torch",), (), "P(cooperate)"),
    "06_train_against_loqa.py": (("stable_baselines3",), ("--steps", "12800"), "own coins"),
    "07_text_player.py": ((), (), "defect"),
    "08_commons.py": (("stable_baselines3",), ("--updates", "1", "--steps", "40"), "apples a head"),
    "jax_ippo.py": (("jax",), ("--env", "ipd_v0", "--updates", "10"), "update 0"),
    "jax_lola.py": (("jax",), ("--updates", "50"), "P(cooperate)"),
    "ray_tune.py": (("ray.tune",), (), ""),
}
QUICK = {"04_own_game.py"}
PICTURES = {"01_defect.py": "01_defect.png", "02_reciprocate.py": "02_reciprocate.png"}


def scripts():
    """All of examples/, the long ones marked as such."""
    return [
        pytest.param(name, id=name, marks=[] if name in QUICK else [pytest.mark.slow])
        for name in sorted(path.name for path in EXAMPLES.glob("*.py"))
    ]


@pytest.mark.parametrize("name", scripts())
def test_it_runs(name, tmp_path, record_property):
    needed, arguments, said = SMALL[name]
    for module in needed:
        pytest.importorskip(module, reason=f"{name} needs {module}")
    command = [sys.executable, EXAMPLES / name, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    record_property("examples", 1)
    if name in PICTURES:
        assert (tmp_path / "runs" / "examples" / PICTURES[name]).stat().st_size > 10_000


def test_every_example_is_among_those_that_run():
    """With what it needs, and what it says."""
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((EXAMPLES / "notebooks").glob("*.ipynb")), ids=str)
def test_a_notebook_executes(path, tmp_path, monkeypatch, record_property):
    nbclient = pytest.importorskip("nbclient", reason="notebooks need the extra docs")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        book, timeout=600, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    drawn = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in drawn)
    record_property("notebooks", 1)


def test_notebooks_are_committed_without_outputs():
    """A difference in them then says what has changed."""
    nbformat = pytest.importorskip("nbformat", reason="notebooks need the extra docs")
    for path in (EXAMPLES / "notebooks").glob("*.ipynb"):
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        assert not any(cell.get("outputs") for cell in book.cells), path.name


def test_every_trainer_has_pinned_requirements_and_a_test():
    """examples/trainers/with_NAME.py, requirements/NAME.txt, test_NAME.py."""
    names = {path.stem.removeprefix("with_") for path in (EXAMPLES / "trainers").glob("with_*.py")}
    pinned = {path.stem for path in (EXAMPLES / "trainers" / "requirements").glob("*.txt")}
    tests = ROOT / "tests" / "interop" / "trainers"
    assert names == pinned == {path.stem.removeprefix("test_") for path in tests.glob("test_*.py")}
    assert len(names) == 10
