"""The measurements on the CPU: batches of games, the ceiling, single games, peers, and memory."""

import statistics
import tracemalloc
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from benchmarks.throughput.loops import (
    Loop,
    bare_loop,
    jax_loop,
    numpy_loop,
    peer_loop,
    pure_jax_loop,
    rps_v2,
    single_loop,
    steps_per_second,
    torch_loop,
)

OBS_MODES = ("float32", "uint8", "state")
COMPARED = 16384  # games in the rows that figures are about
GAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "coin 3x3": ("coin_game_v0", {"grid_size": 3}),
    "coin 7x7": ("coin_game_v0", {"grid_size": 7}),
    "ipd": ("ipd_v0", {}),
}
BACKENDS: dict[str, Callable[..., Loop]] = {"numpy": numpy_loop, "torch": torch_loop}
if find_spec("jax"):  # an extra
    BACKENDS |= {"jax": jax_loop, "pure jax": pure_jax_loop}
ROUTES = {"tables": True, "rules": False, "halves": None}  # what `tables` says of each
BARE, BARE_JOINT = "bare, actions of each player", "bare, joint actions"
FRESH = "int64 actions, fresh arrays"  # what a user has who sets nothing
Row = dict[str, Any]


def measure_batches(batches: tuple[int, ...], seconds: float) -> list[Row]:
    """All backends, all observation modes, tables and rules."""
    rows = []
    for game, (env_id, arguments) in GAMES.items():
        # 7x7 boards are too many for whole tables; numpy plays them from halves.
        routes = ("rules", "halves") if game == "coin 7x7" else ("tables", "rules")
        for backend, route, obs_mode, num_envs in product(BACKENDS, routes, OBS_MODES, batches):
            if route == "halves" and backend != "numpy":
                continue
            options = {"obs_mode": obs_mode, "tables": ROUTES[route]}
            loop = BACKENDS[backend](env_id, num_envs, **options, **arguments)
            rate = statistics.median(steps_per_second({"": loop}, num_envs, seconds)[""])
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


def measure_ratios(seconds: float) -> list[Row]:
    """The numpy batch against the bare table loop, taken in turn.

    For each way to give actions and to keep observations.
    """
    rows = []
    for obs_mode in ("uint8", "float32"):

        def batch(obs_mode: str = obs_mode, **options: Any) -> Loop:
            return numpy_loop("coin_game_v0", COMPARED, obs_mode=obs_mode, **options)

        # Ceilings first; then int64 as a user has them, and what can be had beyond.
        loops = {
            BARE: bare_loop(COMPARED, obs_mode),
            BARE_JOINT: bare_loop(COMPARED, obs_mode, joint=True),
            FRESH: batch(),
            "int64 actions, reused buffer": batch(reuse_buffers=True),
            "uint8 actions, fresh arrays": batch(actions=np.uint8),
            "uint8 actions, reused buffer": batch(actions=np.uint8, reuse_buffers=True),
        }
        rates = steps_per_second(loops, COMPARED, 2 * seconds)
        rows += [
            {
                "name": f"coin 3x3, {obs_mode}, B={COMPARED}: {name}",
                "obs_mode": obs_mode,
                "steps_per_second": statistics.median(values),
                "ratio": median_ratio(values, rates[BARE]),
                "ratio_to_joint": median_ratio(values, rates[BARE_JOINT]),
            }
            for name, values in rates.items()
        ]
    return rows


def median_ratio(values: list[float], others: list[float]) -> float:
    """The median of the ratios of neighbouring measurements."""
    return statistics.median(a / b for a, b in zip(values, others, strict=True))


def measure_single_games(seconds: float) -> list[Row]:
    """One game through the PettingZoo interface, beside PettingZoo's own rps_v2."""
    peer = "pettingzoo.classic.rps_v2"
    loops = {peer: single_loop(rps_v2())}
    loops |= {
        env_id: single_loop(sde.make_env(env_id)) for env_id in ("rps_v0", "ipd_v0", "coin_game_v0")
    }

    rates = steps_per_second(loops, 1, seconds, chunk=150)
    return [
        {
            "name": name,
            "microseconds_per_step": 1e6 / statistics.median(values),
            "times_rps_v2": median_ratio(values, rates[peer]),
        }
        for name, values in rates.items()
    ]


def measure_peers(paths: Sequence[str], seconds: float) -> list[Row]:
    """Other projects' Coin Games beside ours on every backend, taken in turn.

    Args:
        paths: their loops, "module:function"; none: nothing is measured.
        seconds: CPU seconds a row.
    """
    if not paths:
        return []
    loops = {path: peer_loop(path, COMPARED) for path in paths}
    loops |= {f"ours, {name}": make("coin_game_v0", COMPARED) for name, make in BACKENDS.items()}
    rates = steps_per_second(loops, COMPARED, seconds)

    # The fastest of theirs, by its median.
    fastest = max(paths, key=lambda path: statistics.median(rates[path]))
    return [
        {
            "name": f"{name}, B={COMPARED}",
            "num_envs": COMPARED,
            "steps_per_second": statistics.median(values),
            "times_fastest_peer": median_ratio(values, rates[fastest]),
        }
        for name, values in rates.items()
    ]


def measure_memory() -> int:
    """Peak bytes of a batch of 65,536 games, uint8, with its tables and the outputs of a step."""
    # Seven steps pass two ends of an episode.
    tracemalloc.start()
    venv = sde.make_vec_env("coin_game_v0", 65536, obs_mode="uint8", max_cycles=3)
    venv.reset(seed=0)
    for _ in range(7):
        outputs = venv.step(np.zeros((65536, 2), np.uint8))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak if outputs else 0
