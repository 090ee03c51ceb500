"""The measurements on CUDA: wall time by events, eager and captured, against a device copy."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import social_dilemmas_env as sde
from benchmarks.harness.provenance import describe_device
from social_dilemmas_env.modes import ObsMode

BATCHES = tuple(1 << k for k in (12, 14, 16, 18, 20, 21))
OBS_MODES = ("float32", "uint8", "state")
GAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "coin 3x3": ("coin_game_v0", {}),
    "coin 7x7": ("coin_game_v0", {"grid_size": 7}),
    "ipd": ("ipd_v0", {}),
}
TIMED = 5  # measurements of each row; the median counts


def milliseconds(run: Callable[[], Any]) -> float:
    """Median time of a call on the device, in ms."""
    import torch

    def event() -> Any:
        make: Any = torch.cuda.Event
        return make(enable_timing=True)

    run()  # warm
    times: list[float] = []
    for _ in range(TIMED):
        start, end = event(), event()
        torch.cuda.synchronize()
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end))
    return sorted(times)[TIMED // 2]


def copy_bandwidth() -> float:
    """Bytes a second, read and written, of a copy of 1 GB on the device."""
    import torch

    source = torch.empty(1 << 30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return 2 * source.numel() / (milliseconds(lambda: target.copy_(source)) / 1e3)


def bytes_per_step(venv: Any) -> int:
    """What a step of one game must at least move.

    Observations, rewards and flags are written, actions and state read.
    """
    players = int(venv.num_agents)
    numbers = players * int(math.prod(venv.game.observation_shape))
    sizes = {"float32": 4 * numbers, "uint8": numbers, "state": 4 * players}
    observed = sizes[str(venv.obs_mode)]
    return observed + players * (4 + 2 + 8) + 16


def measure_row(name: str, num_envs: int, obs_mode: ObsMode, captured: bool) -> dict[str, Any]:
    """One measurement: an episode of random actions, step by step or as one graph."""
    import torch

    # Here, because it imports torch, which the rows of the CPU do without where it is missing.
    from social_dilemmas_env.vector.cuda_graph import capture

    env_id, arguments = GAMES[name]
    venv: Any = sde.make_vec_env(env_id, num_envs, "torch", "cuda", obs_mode=obs_mode, **arguments)
    venv.reset(seed=0)
    shape, count, horizon = (num_envs, venv.num_agents), venv.game.num_actions[0], venv.max_cycles

    def act(observations: Any) -> Any:
        return torch.randint(count, shape, device="cuda")

    # The rollout's K observations are kept: K is the longest part of an episode that fits 8 GB.
    if captured:
        fits = max(1, (8 << 30) // (num_envs * bytes_per_step(venv)))
        steps = max(k for k in range(1, horizon + 1) if horizon % k == 0 and k <= fits)
        run: Callable[[], Any] = capture(venv, act, steps)
    else:
        steps = horizon

        def run() -> None:
            for _ in range(steps):
                venv.step(act(None))

    # Time it.
    seconds = milliseconds(run) / 1e3 / steps
    moved = bytes_per_step(venv) * num_envs / seconds
    return {
        "name": f"{name}, cuda {'captured' if captured else 'eager'}, {obs_mode}, B={num_envs}",
        "game": name,
        "backend": "cuda",
        "captured": captured,
        "obs_mode": obs_mode,
        "num_envs": num_envs,
        "steps_per_second": num_envs / seconds,
        "microseconds_per_step": seconds * 1e6,
        "bytes_per_second": moved,
    }


def measure_cuda() -> dict[str, Any]:
    """All rows, or why there are none."""
    try:
        import torch

        present = torch.cuda.is_available()
    except ModuleNotFoundError:
        present = False
    if not present:
        return {"verdict": "not run", "reason": "no CUDA device", "rows": []}

    bandwidth = copy_bandwidth()
    rows = []
    for name, obs_mode, num_envs, captured in product(GAMES, OBS_MODES, BATCHES, (False, True)):
        row = measure_row(name, num_envs, obs_mode, captured)
        rows.append({**row, "fraction_of_copy": row["bytes_per_second"] / bandwidth})
        torch.cuda.empty_cache()
    return {
        "verdict": "run",
        "device": describe_device("cuda"),
        "copy_bytes_per_second": bandwidth,
        "rows": rows,
    }
