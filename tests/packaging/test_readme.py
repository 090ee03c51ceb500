"""The README's Python blocks run as they stand, and its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_python_block_runs(number, tmp_path):
    """In a process of its own, from another folder."""
    needs = {
        "stable_baselines3": "stable_baselines3",
        "adapters.torchrl": "torchrl",
        "from agents": "torch",
    }
    for word, module in needs.items():
        if word in BLOCKS[number]:
            pytest.importorskip(module, reason=f"this block needs {module}")
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_links_lead_to_files():
    """Every relative link and picture exists."""
    targets = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README)
    missing = [t for t in targets if not t.startswith("http") and not (ROOT / t).exists()]
    assert not missing


def test_every_game_is_in_the_table():
    """A new game must not be forgotten."""
    import social_dilemmas_env as sde

    assert [env_id for env_id in sde.list_envs() if f"`{env_id}`" not in README] == []
