"""A library that is missing is named in one sentence, with a pip line that works in a checkout."""

import subprocess
import sys
import tomllib

import gymnasium
import pytest
from gymnasium.error import DependencyNotInstalled

import social_dilemmas_env as sde
from social_dilemmas_env import extras
from tests.packaging.sources import ROOT


def test_the_error_is_gymnasiums_and_pythons():
    with pytest.raises(DependencyNotInstalled) as caught:
        extras.need("no_such_module", extra="render", what="rendering")
    assert isinstance(caught.value, ModuleNotFoundError)
    assert caught.value.name == "no_such_module"
    assert str(caught.value) == (
        'rendering needs no_such_module: pip install -e ".[render]" in a checkout of '
        "social_dilemmas_env"
    )
    with pytest.raises(ImportError, match=r"no_such_module: pip install no_such_module$"):
        extras.need("no_such_module", extra="", what="logging")


def test_need_imports():
    assert extras.need("json", extra="render") is sys.modules["json"]
    extras.need_found("json", extra="render")
    with pytest.raises(ImportError, match="is not installed"):
        extras.need_found("no_such_module.part", extra="render")


def test_every_extra_is_one_of_pyproject():
    text = (ROOT / "pyproject.toml").read_text()
    there = tomllib.loads(text)["project"]["optional-dependencies"]
    for module, extra in extras.EXTRAS.items():
        packages = " ".join(there[extra]).replace("-", "_").replace("pillow", "PIL")
        assert module in packages or module == "tensordict", module  # which torchrl brings


def test_pictures_ask_for_their_library_when_drawn(monkeypatch):
    """Stable-Baselines3's `make_vec_env` wants "rgb_array" of environments that nobody looks at."""
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent="tit_for_tat", render_mode="rgb_array")
    env.reset(seed=0)
    assert env.step(1)[1] == 0
    with pytest.raises(DependencyNotInstalled, match=r'rendering needs pygame: .*"\.\[render\]"'):
        env.render()
    with pytest.raises(DependencyNotInstalled, match="rendering needs pygame"):
        sde.make_env("ipd_v0", render_mode="human")


COMMANDS = {
    "train": ("train loqa coin_game_v0", "torch", "agents"),
    "evaluate": ("evaluate bundled:loqa_ipd", "torch", "agents"),
    "export": ("export bundled:loqa_ipd x.json", "torch", "agents"),
    "solve": ("solve ipd_v0 loqa", "scipy", "exact"),
    "demo": ("demo --out /nowhere", "matplotlib", "benchmarks"),
    "an agent at play": ("play ipd_v0 bundled:loqa_ipd random", "torch", "agents"),
    "a league of agents": ("league ipd_v0 bundled:loqa_ipd", "torch", "agents"),
    "a window": ("play ipd_v0 random random --render human", "pygame", "render"),
    "a film": ("play ipd_v0 random random --save x.gif", "pygame", "render"),
    "help on a learner": ("train loqa --help", "torch", "agents"),
}


@pytest.mark.parametrize(("words", "module", "extra"), COMMANDS.values(), ids=COMMANDS)
def test_no_command_leaves_a_traceback(words, module, extra):
    if extra in ("agents", "benchmarks"):  # of which this is to be the only one that is missing
        pytest.importorskip("safetensors")
        pytest.importorskip("tyro")
    code = (
        f"import sys; sys.modules[{module!r}] = None; "
        "from agents.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *words.split()],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (process.returncode, process.stdout) == (2, ""), process.stderr
    assert f'pip install -e ".[{extra}]"' in process.stderr
    assert module in process.stderr
    assert "Traceback" not in process.stderr
