"""POLA-DiCE's estimate of the memory that it takes, and what is said where there is too little."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from agents import train
from agents.execution import memory
from agents.execution.memory import available_memory
from agents.learners.pola.memory import memory_needed
from agents.learners.pola.pola_dice import PolaDiceConfig

GAME = {"contribution_factor": 1.33}


def test_too_little_memory_is_said_before_anything_is_done(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 10**6)
    with pytest.raises(
        ValueError,
        match=r"GB and cpu has 0\.0 GB free: lower batch \(now 2000\).*rematerialise=True",
    ):
        train("pola_dice", "ipd_v0", device="cpu", out=tmp_path / "x", **GAME)
    assert not list(tmp_path.glob("x/checkpoints/*"))


def test_memory_estimate_grows_with_what_it_says():
    cfg = PolaDiceConfig()
    assert 2e9 < memory_needed(cfg) < 2e10
    assert memory_needed(replace(cfg, rematerialise=True)) < memory_needed(cfg)
    assert memory_needed(replace(cfg, batch=1000)) == memory_needed(cfg) // 2
    mlp = replace(cfg, actor="mlp")
    assert memory_needed(mlp) == memory_needed(cfg)
    assert memory_needed(replace(mlp, symmetry="all")) == memory_needed(cfg) // cfg.hidden
    assert available_memory("cpu") is None or available_memory("cpu") > 0


PEAK = """
import re, sys, torch
from agents.execution.memory import keep_memory
from agents.learners.pola.learner import make_pola_dice
from agents.learners.pola.memory import memory_needed
from agents.learners.pola.pola_dice import PolaDiceConfig
torch.set_num_threads(1)
keep_memory()
status = lambda: open("/proc/self/status").read()
peak = lambda: 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status())[1])  # ru_maxrss outlives exec
how = {"inner_steps": int(sys.argv[1]), "rematerialise": sys.argv[2] == "1"}
how |= {"horizon": 16, "hidden": 64}
small, large = (PolaDiceConfig(batch=b, **how) for b in (2, 512))
make_pola_dice(small, "coin_game_v0", {}, 1, "cpu").update()
before = peak()
make_pola_dice(large, "coin_game_v0", {}, 1, "cpu").update()
print(memory_needed(large) / (peak() - before))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from /proc")
@pytest.mark.parametrize(
    ("inner_steps", "again"),
    [
        (0, 0),
        pytest.param(2, 0, marks=pytest.mark.slow),
        pytest.param(4, 1, marks=pytest.mark.slow),
    ],
)
def test_the_memory_estimate_is_within_half_of_the_peak(inner_steps, again):
    """Of an outer step of 512 games.

    The estimate is there to refuse what cannot fit, not to the byte.
    """
    words = [sys.executable, "-c", PEAK, str(inner_steps), str(again)]
    found = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert 0.67 < float(found.stdout) < 1.5
