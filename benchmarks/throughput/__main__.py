"""How many games a second: env-steps per core-second on the CPU, per second on CUDA.

    python -m benchmarks.throughput.__main__                        # all rows, about 6 minutes
    python -m benchmarks.throughput.__main__ --quick                # a few, to see that it works
    python -m benchmarks.throughput.__main__ --peer my_peers:pola   # also times another project (see throughput_loops.peer_loop)

One env-step: all players of one game act once.  Protocol: pinned to one core, work divided by
process CPU time, which swings less than the wall clock on shared machines; loops that are compared
are measured in turn, and their ratio is the median of the ratios of neighbouring measurements.
Random actions, rewards, observations of all players and automatic resets are inside the timed loop.
On CUDA: wall time by events.

Writes <out>/env_throughput.json and .png.
"""

import argparse
import json
import os
import statistics
import time
import tracemalloc
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import social_dilemmas_env as sde
from benchmarks.harness.provenance import commit, describe_device, versions
from benchmarks.throughput import cuda as throughput_cuda
from benchmarks.throughput.loops import (
    bare_loop,
    numpy_loop,
    peer_loop,
    rps_v2,
    single_loop,
    steps_per_second,
    torch_loop,
)

BATCHES = (1, 64, 1024, 16384, 65536)
OBS_MODES = ("float32", "uint8", "state")
COMPARED = 16384  # games in the rows that figures are about
GAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "coin 3x3": ("coin_game_v0", {"grid_size": 3}),
    "coin 7x7": ("coin_game_v0", {"grid_size": 7}),
    "ipd": ("ipd_v0", {}),
}
# figure -> (at least, unit); ratios are to `bare_loop` with the same actions, in the same run
FIGURES: dict[str, tuple[float, str]] = {
    "3x3 numpy uint8, of the bare table loop": (0.7, "ratio"),
    "3x3 numpy float32, of the bare table loop": (0.7, "ratio"),
    "3x3 torch float32": (12e6, "env-steps/s"),
    "7x7 numpy state ids": (8e6, "env-steps/s"),
    "7x7 numpy uint8": (8e6, "env-steps/s"),
    "7x7 numpy float32": (8e6, "env-steps/s"),
    "ipd numpy float32": (100e6, "env-steps/s"),
    "ipd numpy uint8": (100e6, "env-steps/s"),
    "one Coin Game, times rps_v2": (12.0, "ratio"),
    "memory of 65536 games, uint8, below": (64e6, "bytes"),
    "cuda 3x3 float32": (1e9, "env-steps/s"),
    "cuda 3x3 state ids": (3e9, "env-steps/s"),
    "cuda 3x3 captured step at B=65536, below": (40.0, "us"),
}


def cpu_rows(batches: tuple[int, ...], seconds: float) -> list[dict[str, Any]]:
    """Both backends, all observation modes, tables and rules."""
    rows = []
    for game, (env_id, arguments) in GAMES.items():
        routes = ("rules",) if game == "coin 7x7" else ("tables", "rules")
        for backend, maker in (("numpy", numpy_loop), ("torch", torch_loop)):
            for route in routes:
                for obs_mode in OBS_MODES:
                    for num_envs in batches:
                        loop = maker(
                            env_id,
                            num_envs,
                            obs_mode=obs_mode,
                            tables=route == "tables",
                            **arguments,
                        )
                        rate = statistics.median(
                            steps_per_second({"": loop}, num_envs, seconds)[""]
                        )
                        rows.append(
                            {
                                "name": f"{game}, {backend} {route}, {obs_mode}, B={num_envs}",
                                "game": game,
                                "backend": backend,
                                "route": route,
                                "obs_mode": obs_mode,
                                "num_envs": num_envs,
                                "steps_per_second": rate,
                            }
                        )
    return rows


def ratio_rows(seconds: float) -> list[dict[str, Any]]:
    """The numpy batch against the bare table loop, taken in turn, for each way to give actions and
    to keep observations.
    """
    rows = []
    for obs_mode in ("uint8", "float32"):
        options = {"obs_mode": obs_mode, "num_envs": COMPARED}
        loops = {
            "bare, actions of each player": bare_loop(COMPARED, obs_mode),
            "bare, joint actions": bare_loop(COMPARED, obs_mode, joint=True),
            "int64 actions, fresh arrays": numpy_loop("coin_game_v0", **options),
            "int64 actions, reused buffer": numpy_loop(
                "coin_game_v0", **options, reuse_buffers=True
            ),
            "uint8 actions, fresh arrays": numpy_loop("coin_game_v0", **options, actions=np.uint8),
            "uint8 actions, reused buffer": numpy_loop(
                "coin_game_v0", **options, actions=np.uint8, reuse_buffers=True
            ),
        }
        rates = steps_per_second(loops, COMPARED, 2 * seconds)
        for name, values in rates.items():
            rows.append(
                {
                    "name": f"coin 3x3, {obs_mode}, B={COMPARED}: {name}",
                    "obs_mode": obs_mode,
                    "steps_per_second": statistics.median(values),
                    "ratio": _ratio(values, rates["bare, actions of each player"]),
                    "ratio_to_joint": _ratio(values, rates["bare, joint actions"]),
                }
            )
    return rows


def _ratio(values: list[float], others: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(values, others, strict=True))


def single_rows(seconds: float) -> list[dict[str, Any]]:
    """One game through the PettingZoo interface, beside PettingZoo's own rps_v2."""
    loops = {"pettingzoo.classic.rps_v2": single_loop(rps_v2())}
    loops |= {
        env_id: single_loop(sde.make_env(env_id)) for env_id in ("rps_v0", "ipd_v0", "coin_game_v0")
    }
    rates = steps_per_second(loops, 1, seconds, chunk=150)
    peer = rates["pettingzoo.classic.rps_v2"]
    return [
        {
            "name": name,
            "microseconds_per_step": 1e6 / statistics.median(values),
            "times_rps_v2": _ratio(values, peer),
        }
        for name, values in rates.items()
    ]


def peer_rows(path: str, batches: tuple[int, ...], seconds: float) -> list[dict[str, Any]]:
    """Another project's environment."""
    rows = []
    for num_envs in batches:
        rates = steps_per_second({"": peer_loop(path, num_envs)}, num_envs, seconds)[""]
        rows.append(
            {
                "name": f"{path}, B={num_envs}",
                "num_envs": num_envs,
                "steps_per_second": statistics.median(rates),
            }
        )
    return rows


def memory() -> int:
    """Peak bytes of a batch of 65,536 games, uint8, with its tables and the outputs of a step."""
    tracemalloc.start()
    venv = sde.make_vec_env("coin_game_v0", 65536, obs_mode="uint8", max_cycles=3)
    venv.reset(seed=0)
    for _ in range(7):
        outputs = venv.step(np.zeros((65536, 2), np.uint8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak if outputs else 0


def verdicts(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The figures that this project promises, and whether they were reached."""

    def best(
        rows: list[dict[str, Any]], key: str = "steps_per_second", **wanted: Any
    ) -> float | None:
        values = [
            row[key]
            for row in rows
            if all(row.get(name) == value for name, value in wanted.items())
        ]
        return max(values, default=None)

    rows, ratios, cuda = report["measurements"], report["ratios"], report["cuda"]["rows"]
    ours = [
        row for row in ratios if "int64 actions, fresh arrays" in row["name"]
    ]  # what a user has who sets nothing
    at = {"num_envs": COMPARED}
    dense = {"obs_mode": "float32"}
    captured = [row for row in cuda if row["captured"] and row["num_envs"] == 65536]
    found = {
        "3x3 numpy uint8, of the bare table loop": best(ours, "ratio", obs_mode="uint8"),
        "3x3 numpy float32, of the bare table loop": best(ours, "ratio", obs_mode="float32"),
        "3x3 torch float32": best(
            rows, game="coin 3x3", backend="torch", obs_mode="float32", route="tables", **at
        ),
        "7x7 numpy state ids": best(rows, game="coin 7x7", backend="numpy", obs_mode="state", **at),
        "7x7 numpy uint8": best(rows, game="coin 7x7", backend="numpy", obs_mode="uint8", **at),
        "7x7 numpy float32": best(rows, game="coin 7x7", backend="numpy", **dense, **at),
        "ipd numpy float32": best(rows, game="ipd", backend="numpy", **dense, **at),
        "ipd numpy uint8": best(rows, game="ipd", backend="numpy", obs_mode="uint8", **at),
        "one Coin Game, times rps_v2": best(report["single"], "times_rps_v2", name="coin_game_v0"),
        "memory of 65536 games, uint8, below": report["memory_bytes"],
        "cuda 3x3 float32": best(cuda, game="coin 3x3", obs_mode="float32"),
        "cuda 3x3 state ids": best(cuda, game="coin 3x3", obs_mode="state"),
        "cuda 3x3 captured step at B=65536, below": best(
            captured, "microseconds_per_step", game="coin 3x3", **dense
        ),
    }
    return [_figure(name, found[name], bound, unit) for name, (bound, unit) in FIGURES.items()]


def _figure(name: str, ours: float | None, bound: float, unit: str) -> dict[str, Any]:
    """A row as `benchmarks.harness.report` prints it.

    A figure is reproduced if it is on the right side of its bound.
    """
    below = name.endswith("below")
    reached = ours is not None and (ours <= bound if below else ours >= bound)
    return {
        "name": name,
        "paper": None,
        "ours": ours,
        "ci_low": None,
        "ci_high": None,
        "target": (None, bound) if below else (bound, None),
        "runs": 5,
        "unit": unit,
        "verdict": "not run" if ours is None else "reproduced" if reached else "not reproduced",
    }


def plot(report: dict[str, Any], path: Path) -> None:
    """Env-steps a second against the number of games: 3x3 Coin Game and IPD, by backend and
    observation mode.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True)
    lines = {"numpy": "-o", "torch": "--s", "cuda": ":^"}
    colours = dict(zip(OBS_MODES, ("tab:blue", "tab:orange", "tab:green"), strict=True))
    for axis, game in zip(axes, GAMES, strict=True):
        for backend, line in lines.items():
            for obs_mode, colour in colours.items():
                chosen = [
                    row
                    for row in report["measurements"] + report["cuda"]["rows"]
                    if row["game"] == game
                ]
                chosen = [
                    row
                    for row in chosen
                    if (row["backend"], row["obs_mode"]) == (backend, obs_mode)
                ]
                chosen = [
                    row
                    for row in chosen
                    if row.get("captured", row.get("route") != "rules" or game == "coin 7x7")
                ]
                if chosen:
                    points = [(row["num_envs"], row["steps_per_second"]) for row in chosen]
                    axis.loglog(
                        *zip(*points, strict=True),
                        line,
                        color=colour,
                        label=f"{backend}, {obs_mode}",
                    )
        axis.set(title=game, xlabel="games in the batch")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("env-steps per core-second (CUDA: per second)")
    axes[0].legend(fontsize=8)
    figure.suptitle(report["device"], fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def measure(
    batches: tuple[int, ...] = BATCHES, seconds: float = 1.0, peer: str | None = None
) -> dict[str, Any]:
    """Everything, as a dict fit for JSON."""
    start = time.time()
    report: dict[str, Any] = {
        "benchmark": "env_throughput",
        "title": "Env-steps a second: a batch of games against its ceiling and its peers",
        "command": "python -m benchmarks.throughput.__main__",
        "device": describe_device("cpu"),
        "versions": {**versions(), **commit()},
        "settings": {"batches": list(batches), "seconds_per_row": seconds, "compared_at": COMPARED},
        "measurements": cpu_rows(batches, seconds),
        "ratios": ratio_rows(seconds),
        "single": single_rows(seconds),
        "peer": peer_rows(peer, batches, seconds) if peer else [],
        "memory_bytes": memory(),
        "cuda": throughput_cuda.measure(),
    }
    report["rows"] = verdicts(report)
    report["seconds"] = round(time.time() - start, 1)
    return report


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.throughput.__main__", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results"), help="folder of the results"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU seconds a row")
    parser.add_argument(
        "--quick", action="store_true", help="few games, little time: only to see that it works"
    )
    parser.add_argument(
        "--core", type=int, default=None, help="the core to run on (Linux); default: the last"
    )
    parser.add_argument(
        "--peer", help='another environment, "module:function"; see throughput_loops.peer_loop'
    )
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        core = max(os.sched_getaffinity(0)) if options.core is None else options.core
        os.sched_setaffinity(0, {core})
    batches, seconds = ((1, 64), 0.02) if options.quick else (BATCHES, options.seconds)
    report = measure(batches, seconds, options.peer)
    report["settings"]["quick"] = options.quick
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "env_throughput.json").write_text(json.dumps(report, indent=1) + "\n")
    plot(report, options.out / "env_throughput.png")
    for one in report["rows"]:
        ours = "-" if one["ours"] is None else f"{one['ours']:.4g}"
        bound = next(bound for bound in one["target"] if bound is not None)
        print(f"{one['verdict']:14} {one['name']}: {ours} {one['unit']} (bound {bound:.4g})")


if __name__ == "__main__":
    main()
