"""What is done very often, or with very many games at once."""

import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import social_dilemmas_env as sde
from social_dilemmas_env import render
from tests.agents.faults.tiny_learners import TINY, request_of
from tests.helpers.games import GAMES, Dice

ROOT = Path(__file__).parents[2]
MB = 1 << 20
FIRST = dict(reversed(GAMES.values()))  # the first of the list of every game
SMALL = {"commons_harvest_v0", "clean_up_v0"}  # rules on arrays: a step costs some hundred others
# Whose updates are differentiated through; all others are tried too, a tenth as often.
SECOND_ORDER = ("lola", "look_ahead", "sos", "consensus", "pola", "meta_mapg", "loqa")


class Subject(NamedTuple):
    """Something that is done again and again.

    Attributes:
        tries: how often.
        work: (how often) -> a sentence about what failed, "" for nothing.
        grows: whether the growth of the process is measured.
    """

    tries: int
    work: Callable[[int], str]
    grows: bool = True


def resident() -> float:
    """MB of memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB


def measure(subject: Subject, share: float) -> dict[str, Any]:
    """Does a tenth, which may fill caches, then the rest."""
    tries = max(10, round(subject.tries * share))
    began = time.process_time()
    failed = subject.work(tries // 10) if subject.grows else ""
    before = resident()
    failed = failed or subject.work(tries - tries // 10 if subject.grows else tries)
    grown = resident() - before if subject.grows else 0.0
    seconds = time.process_time() - began
    return {"tries": tries, "grown": grown, "seconds": seconds, "failed": failed}


def make(env_id: str, **how: Any) -> Any:
    return sde.make_env(env_id, **FIRST[env_id], **how)


def step(env_id: str, tries: int) -> str:
    """Single games, one after another."""
    env, dice = make(env_id), Dice(0)
    actions = [dice.actions(env) for _ in range(1000)]
    env.reset(seed=0)
    for chosen in itertools.islice(itertools.cycle(actions), tries):
        if not env.agents:
            env.reset()
        env.step(chosen)
    return ""


def reset(env_id: str, tries: int) -> str:
    """By seeds, all views made anew each time."""
    for seed in range(tries):
        env = make(env_id, api=("parallel", "aec")[seed % 2])
        env.reset(seed=seed)
        env.close()
    return ""


def draw(env_id: str, tries: int) -> str:
    """Pictures and text, step by step."""
    pictures, texts = make(env_id, render_mode="rgb_array"), make(env_id, render_mode="ansi")
    dice = Dice(0)
    for env in (pictures, texts):
        env.reset(seed=0)
    for _ in range(tries):
        for env in (pictures, texts):
            if not env.agents:
                env.reset()
            env.step(dice.actions(env))
            if env.render() is None:
                return "nothing was drawn"
    pictures.close()
    texts.close()
    return ""


def open_windows(tries: int) -> str:
    """Windows that are opened, drawn into and closed, on a display of nobody."""
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    env = make("coin_game_v0", render_mode="ansi")
    env.reset(seed=0)
    scene = env.scene()
    for _ in range(tries):
        window = render.Window(fps=100_000)
        window.show(scene)
        window.close()
    return ""


def update(learner: str, tries: int) -> str:
    """Updates of small networks and tables."""
    import torch

    torch.set_num_threads(1)
    request = request_of(learner)
    made = request.spec.make(request.config, request.env_id, request.game, 1, "cpu")
    for _ in range(tries):
        metrics = made.update()
    wrong = [name for name, x in metrics.items() if not np.isfinite(float(x))]
    return f"{wrong[0]} is not finite" if wrong else ""


def play_batch(env_id: str, backend: str, tries: int) -> str:
    """Steps of 2^20 games at once; some of them are those of smaller batches."""
    games, few = 1 << 20, 3
    make_batch = partial(sde.make_vec_env, env_id, backend=backend, obs_mode="state", seed=7)
    large, small = (make_batch(num_envs=n, **FIRST[env_id]) for n in (games, few))
    counts = np.array(large.game.num_actions)
    large.reset(seed=7)
    small.reset(seed=7)
    for k in range(tries):
        actions = np.arange(games)[:, None] * (k + 3) // 5 % counts
        chosen = [x if backend == "numpy" else _tensor(x) for x in (actions, actions[:few])]
        one, other = large.step(chosen[0]), small.step(chosen[1])
        for mine, theirs in zip(one[:4], other[:4], strict=True):
            if not np.array_equal(np.asarray(mine[:few]), np.asarray(theirs)):
                return f"step {k} differs from that of a batch of {few}"
    return ""


def _tensor(x: np.ndarray) -> Any:
    import torch

    return torch.as_tensor(x)


def run_benchmark(tries: int) -> str:
    """Runs of a benchmark that is killed three times and goes on, beside one that is not."""
    words = ["run", "lola_orders", "--set", "steps=2", "--runs", str(max(1, tries // 5))]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        for kill in (1, 2, 3, None):
            line = [sys.executable, "-m", "tests.endurance.killed", str(kill or 0)]
            line += [*words, "--jobs", "1", "--out", str(folder / "killed")]
            status = subprocess.run(line, cwd=ROOT, capture_output=True).returncode
            if status != (0 if kill is None else -signal.SIGKILL):
                return f"it ended with status {status}"
        line = [sys.executable, "-m", "benchmarks", *words, "--jobs", "1", "--out", f"{folder}/own"]
        if subprocess.run(line, cwd=ROOT, capture_output=True).returncode:
            return "it does not run"
        texts = [(folder / x / "lola_orders.json").read_text() for x in ("killed", "own")]
    one, other = map(json.loads, texts)
    same = all(one[key] == other[key] for key in ("rows", "samples", "curves"))
    return "" if same else "killed and undisturbed runs differ"


def _often(env_id: str) -> int:
    return 10**5 if env_id in SMALL else 10**7 if env_id in ("ipd_v0", "coin_game_v0") else 10**6


SUBJECTS: dict[str, Subject] = {
    **{f"steps of {x}": Subject(_often(x), partial(step, x)) for x in FIRST},
    **{f"resets of {x}": Subject(10**4, partial(reset, x)) for x in FIRST},
    **{f"renders of {x}": Subject(10**4, partial(draw, x)) for x in FIRST},
    "windows": Subject(10**4, open_windows),
    **{
        f"updates of {x}": Subject(10 ** (3 + x.startswith(SECOND_ORDER)), partial(update, x))
        for x in TINY
    },
    **{
        f"2^20 games of {x} on {backend}": Subject(20, partial(play_batch, x, backend), False)
        for x in ("ipd_v0", "coin_game_v0", "public_goods_v0")
        for backend in ("numpy", "torch")
    },
    "benchmark runs, killed thrice": Subject(10**4, run_benchmark, False),
}
