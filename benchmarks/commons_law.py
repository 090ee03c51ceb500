"""Whether our commons follow the law of Melting Pot's: what scripted players earn, leave and dirty.

The same players in our game and in Melting Pot's own engine (dmlab2d, Melting Pot 2.4.1 at
81ee2e7), which see the same views: the numbers of the column "paper" are the engine's means, as
recorded in `tests/oracle/law`.  A case is written with its number of steps.

    apples   of all seven players together, an episode
    left     ripe apples on the map after so many steps
    z        distance of ours from the engine's mean, in standard errors of their difference;
             beyond 3.3 by chance once in 1,000 rows
    dirty    part of the river that is dirty after so many steps, in Clean Up

What all greedy leave after 50 steps is nothing in most games (the engine: 88 of 100, ours: 82 %)
and much in some, so that its z says too much: a permutation test over all games, made after the
run, gives p = .11.

Random players of Clean Up once in a while find an apple, in 12 of our 1,024 games; none of the
engine's 100 is by chance then 31 times of 100, and z, which takes the engine for one that never
varies, says too much there.

Speed is env-steps (joint moves of seven players) a second of process time, random actions, uint8
views; a run is one measurement.  Beside it, measured by us on one core of a shared Xeon, 2026-11:
Melting Pot 2,133 (with its pictures), SocialJax 4,386 (64 games side by side, after compilation).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import social_dilemmas_env as sde
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import BLACK, BLUE, GREEN, ORANGE, RED, make_axes, save_figure
from benchmarks.throughput.loops import Loop, numpy_loop, steps_per_second, torch_loop
from social_dilemmas_env.modes import Backend

HARVEST, CLEAN_UP = "commons_harvest_v0", "clean_up_v0"
SETTINGS = {"runs": 1024, "speed_runs": 5} | {
    "steps": 1000,
    "num_envs": 1024,
    "seconds": 4.0,
}
SMALL = {
    "runs": 8,
    "speed_runs": 2,
    "steps": 50,
    "num_envs": 16,
    "seconds": 0.02,
}
EVERY = 50  # steps between two looks at what is left
ENGINE_EPISODES = 100
Z = 3.3  # two-sided: false alarm .001 a row
MELTING_POT, SOCIAL_JAX = 2133, 4386  # env-steps a core-second
MOST = 1e9  # steps a second: no bound


class Engine(NamedTuple):
    """What Melting Pot's engine gave in `ENGINE_EPISODES` episodes: means and standard errors."""

    apples: tuple[float, float]
    left: tuple[float, float]  # ripe apples, or dirty part, after `at` steps
    at: int


class Case(NamedTuple):
    """Who plays what, for how long at most."""

    env_id: str
    players: tuple[str, ...]
    steps: int
    engine: Engine


CASES = {
    "harvest, greedy": Case(
        HARVEST, ("greedy",) * 7, 200, Engine((68.31, 0.241), (0.39, 0.129), 50)
    ),
    "harvest, random": Case(
        HARVEST, ("random",) * 7, 1000, Engine((140.29, 3.164), (49.47, 0.664), 1000)
    ),
    "harvest, 1 greedy, 6 restrained": Case(
        HARVEST,
        ("greedy", *["restrained"] * 6),
        600,
        Engine((99.39, 1.418), (8.80, 0.402), 100),
    ),
    "harvest, restrained": Case(
        HARVEST, ("restrained",) * 7, 1000, Engine((579.01, 2.548), (29.99, 0.276), 1000)
    ),
    "clean up, random": Case(
        CLEAN_UP, ("random",) * 7, 300, Engine((0.0, 0.0), (0.6088, 0.00692), 100)
    ),
    "clean up, free riders": Case(
        CLEAN_UP, ("free_rider",) * 7, 300, Engine((0.0, 0.0), (0.7059, 0.00265), 100)
    ),
    "clean up, alternating": Case(
        CLEAN_UP, ("alternating",) * 7, 300, Engine((355.31, 6.284), (0.1765, 0.0085), 300)
    ),
    "clean up, 3 cleaners, 4 free riders": Case(
        CLEAN_UP,
        (*["cleaner"] * 3, *["free_rider"] * 4),
        300,
        Engine((607.84, 5.501), (0.0727, 0.00337), 300),
    ),
}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each case, and one for speed."""
    found = []
    for name, case in CASES.items():
        # The engine's numbers are among what a stored part depends on.
        own = {"case": name, "steps": min(case.steps, settings["steps"]), "engine": case.engine}
        found.append(Cell(name, own, settings["runs"], build_rows(name, case), cost=0.03))

    timed = pick_settings(settings, "num_envs", "seconds")
    speed = Cell("speed", timed, settings["speed_runs"], speed_rows(), cost=20, count="speed_runs")
    return [*found, speed]


def build_rows(name: str, case: Case) -> tuple[Row, ...]:
    """Apples and what is left, beside the engine's numbers, and how far ours are from them."""
    label, engine = f"{name}, {case.steps} steps", case.engine
    pairs: list[Any] = [("apples", "apples", engine.apples, {"digits": 1})]
    if case.env_id == HARVEST:
        pairs.append((f"left after {engine.at}", "left", engine.left, {"digits": 1}))
    else:
        pairs.append((f"dirty after {engine.at}", "left", engine.left, {"digits": 3, "span": 1.0}))

    rows = []
    for text, key, (mean, error), how in pairs:
        note = f"the engine: {ENGINE_EPISODES} episodes, standard error {error:g}"
        paper = {"paper_runs": ENGINE_EPISODES, "note": note, **how}
        rows.append(Row(f"{label}: {text}", mean, key, **paper))
        rows.append(Row(f"{label}: z of {text}", None, f"z {key}", target=(-Z, Z)))
    return tuple(rows)


def speed_rows() -> tuple[Row, ...]:
    """Steps a core-second, and how many times those of others."""
    rates = {
        "harvest, numpy, rules only": (300_000, MOST),
        "harvest, numpy, all observations": (120_000, MOST),
        "harvest, torch, rules only": None,
        "harvest, torch, all observations": None,
        "clean up, numpy, rules only": None,
        "clean up, numpy, all observations": None,
    }
    times = "harvest, numpy, all observations, times "
    return (
        *(Row(name, None, target=target, digits=0) for name, target in rates.items()),
        Row(f"{times}Melting Pot's {MELTING_POT}", None, "melting pot", target=(50, MOST)),
        Row(f"{times}SocialJax's {SOCIAL_JAX}", None, "socialjax"),
        Row("harvest, torch over numpy, all observations", None, "torch", target=(0.5, 2)),
        Row("harvest, torch over numpy, rules only", None, "torch rules", target=(0.5, 2)),
    )


def score(settings: Settings, runs: int, seed: int) -> Result:
    """One case, or the speed."""
    if "num_envs" in settings:
        return score_speed(settings["num_envs"], settings["seconds"], runs)
    case = CASES[settings["case"]]
    apples, left, dirty = play(case, settings["steps"], runs, seed)

    engine, state = case.engine, left if case.env_id == HARVEST else dirty
    samples = {"apples": apples, "left": state[:, min(engine.at // EVERY, state.shape[1]) - 1]}
    for key, (mean, error) in (("apples", engine.apples), ("left", engine.left)):
        # Neither chance here nor there: equal, or as far as can be.
        scale = max(1e-9, np.hypot(error, samples[key].std() / runs**0.5))
        samples[f"z {key}"] = (samples[key] - mean) / scale
    return {
        "samples": {key: values.tolist() for key, values in samples.items()},
        "curves": {"left": left.mean(0), "dirty": dirty.mean(0)},
    }


def play(
    case: Case, steps: int, episodes: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Apples of all [episodes]; apples left and part dirty, each [episodes, steps / EVERY]."""
    venv = sde.make_vec_env(case.env_id, episodes, obs_mode="uint8", max_cycles=steps + 1)
    seen, _ = venv.reset(seed=seed)
    players = [
        sde.make_strategy(name, case.env_id, player=i) for i, name in enumerate(case.players)
    ]
    for player in players:
        player.reset(episodes, seed=seed + 7)
    game: Any = venv.game
    parts = [name for name, *_ in game.parts]
    ripe = 4 if case.env_id == HARVEST else 1

    apples, left, dirty = np.zeros(episodes), [], []
    # The episode ends a step after the last that is played: nothing is reset.
    for t in range(steps):
        actions = np.stack([p.act(seen[:, i]) for i, p in enumerate(players)], 1)
        seen, rewards, *_ = venv.step(actions)
        apples += rewards.sum(1)
        if (t + 1) % EVERY == 0:
            board = dict(zip(parts, venv.running.encoded, strict=True))
            left.append((board["apple"] == ripe).sum(0))
            dirty.append(board["dirt"].mean(0) if "dirt" in board else np.zeros(episodes))
    return apples, np.stack(left, 1), np.stack(dirty, 1)


def score_speed(num_envs: int, seconds: float, runs: int) -> Result:
    """Measurements of all loops, in turn; process time."""
    loops: dict[str, Loop] = {}
    for label, env_id in (("harvest", HARVEST), ("clean up", CLEAN_UP)):
        loops[f"{label}, numpy, rules only"] = rules_loop(env_id, num_envs)
        loops[f"{label}, numpy, all observations"] = numpy_loop(env_id, num_envs, obs_mode="uint8")
    loops["harvest, torch, rules only"] = rules_loop(HARVEST, num_envs, "torch")
    loops["harvest, torch, all observations"] = torch_loop(HARVEST, num_envs, obs_mode="uint8")
    measured = steps_per_second(loops, num_envs, seconds, chunk=5)

    # Run k of all loops was measured side by side: ratios are of the same moment.
    rates = {name: np.array(values)[:runs] for name, values in measured.items()}
    seeing = rates["harvest, numpy, all observations"]
    rates["melting pot"], rates["socialjax"] = seeing / MELTING_POT, seeing / SOCIAL_JAX
    rates["torch"] = rates["harvest, torch, all observations"] / seeing
    rules = rates["harvest, torch, rules only"] / rates["harvest, numpy, rules only"]
    rates["torch rules"] = rules
    return {"samples": {name: values.tolist() for name, values in rates.items()}}


def rules_loop(env_id: str, num_envs: int, backend: Backend = "numpy") -> Loop:
    """The moves alone: no observations, episodes without end, actions drawn by numpy."""
    venv = sde.make_vec_env(env_id, num_envs, backend, obs_mode="uint8")
    rng = np.random.default_rng(0)
    venv.reset(seed=0)

    # One endless episode: the clock only chooses the random words.
    engine, key = venv.engine, venv.running.key
    shape, count = (num_envs, venv.num_agents), venv.game.num_actions[0]
    kept: dict[str, Any] = {"board": venv.running.encoded, "t": 0}

    def run(steps: int) -> None:
        for _ in range(steps):
            actions = engine.xp.column(rng.integers(count, size=shape))
            kept["board"], _ = engine.play(kept["board"], actions, key, kept["t"], None)
            kept["t"] += 1

    return run


def plot(result: Result, path: Path) -> None:
    """What is left of Harvest, the engine's points beside it, and how dirty Clean Up's river is."""
    figure, axes = make_axes(2, width=5.0)

    # A curve for each case, in the order of the table.
    for axis, kind, key in zip(axes, (HARVEST, CLEAN_UP), ("left", "dirty"), strict=True):
        colors = iter((RED, BLUE, ORANGE, GREEN))
        for name, case in CASES.items():
            if case.env_id == kind:
                curve, color = result["curves"][name][key], next(colors)
                times = np.arange(1, len(curve) + 1) * EVERY
                axis.plot(times, curve, color=color, label=name.partition(", ")[2])
                mean, error = case.engine.left
                style = {"fmt": "o", "color": color, "mec": BLACK, "ms": 4}
                axis.errorbar([case.engine.at], [mean], [1.96 * error], **style)
        axis.set_xlabel("step")
        axis.legend(fontsize=7)
    axes[0].set(title="Harvest (points: Melting Pot)", ylabel="ripe apples left")
    axes[1].set(title="Clean Up (points: the same)", ylabel="part of the river that is dirty")
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="commons_law",
    title="Harvest and Clean Up beside Melting Pot's engine: apples of scripted players, and speed",
    source="no published numbers: Melting Pot 2.4.1, https://github.com/google-deepmind/meltingpot "
    "at 81ee2e7, with dmlab2d (both Apache-2.0), recorded by tests/oracle/record_law.py",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
