"""What the tests of trainers share: libraries that may be missing, and what counts as learned.

Each library has an environment of its own (`make interop`), where a missing one is a failure;
elsewhere its tests are skipped.
"""

import importlib
import importlib.util
import os
import sys

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.packaging.sources import ROOT

# Payoffs of the dilemma: C C -1, D D -2. Two independent learners that discount end at -2; an hour
# of luck at uniform play is worth -1.5. Against tit for tat, cooperation is worth -1 a step,
# defection -1.96, taking turns -1.5.
DEFECTS = -1.8
COOPERATES = -1.2


def library(name):
    """A module, or the reason why there is none."""
    if os.environ.get("INTEROP"):
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed: `make interop` does it")


def example(name, *modules):
    """examples/trainers/with_NAME.py as a module, once its libraries are there."""
    for module in modules:
        library(module)
    folder = ROOT / "examples" / "trainers"
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # the scripts share a file

    plan = importlib.util.spec_from_file_location(f"with_{name}", folder / f"with_{name}.py")
    script = importlib.util.module_from_spec(plan)
    sys.modules[plan.name] = script
    plan.loader.exec_module(script)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return script


def coin_rates(act, games=64, steps=50, seed=5):
    """Coins a step and the share of them that was somebody else's.

    Args:
        act: observations [B, N, ...] -> actions [B, N].
        games: B.
        steps: of one episode.
        seed: of the games.
    """
    batch = sde.make_vec_env("coin_game_v0", games, max_cycles=steps, autoreset="disabled")
    observations, _ = batch.reset(seed=seed)
    coins = stolen = 0
    for _ in range(steps):
        observations, rewards, *_ = batch.step(act(observations))
        # A coin pays 1 to whoever takes it; its owner loses 2 if that is another.
        coins += int((rewards > 0).any(1).sum() + (rewards.min(1) == -1).sum())
        stolen += int((rewards < 0).any(1).sum())
    return coins / (games * steps), stolen / max(coins, 1)


def random_coin_rate():
    """Coins a step if everybody moves at random."""
    generator = np.random.default_rng(3)
    rate, _ = coin_rates(lambda o: generator.integers(4, size=o.shape[:2]))
    return rate
