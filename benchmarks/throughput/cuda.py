"""The CUDA part of `env_throughput`: wall time by CUDA events, eager and captured, against a
measured device copy.
"""

from collections.abc import Callable
from typing import Any

import social_dilemmas_env as sde

BATCHES = tuple(1 << k for k in (12, 14, 16, 18, 20, 21))
OBS_MODES = ("float32", "uint8", "state")
GAMES = {
    "coin 3x3": ("coin_game_v0", {}),
    "coin 7x7": ("coin_game_v0", {"grid_size": 7}),
    "ipd": ("ipd_v0", {}),
}
TIMED = 5  # measurements of each row; the median counts


def milliseconds(run: Callable[[], Any]) -> float:
    """Median time of a call on the device, in ms."""
    import torch

    run()
    times = []
    for _ in range(TIMED):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
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
    """What a step of one game must at least move: observations, rewards and flags written, actions
    and state read.
    """
    numbers = venv.num_agents * venv.engine.numbers
    seen = {"float32": 4 * numbers, "uint8": numbers, "state": 4 * venv.num_agents}[venv.obs_mode]
    return seen + venv.num_agents * (4 + 2 + 8) + 16


def row(name: str, num_envs: int, obs_mode: str, captured: bool) -> dict[str, Any]:
    """One measurement: an episode of random actions, step by step or as one graph."""
    import torch

    from social_dilemmas_env.vector.cuda_graph import capture

    env_id, arguments = GAMES[name]
    venv: Any = sde.make_vec_env(env_id, num_envs, "torch", "cuda", obs_mode=obs_mode, **arguments)
    venv.reset(seed=0)
    shape, count, horizon = (num_envs, venv.num_agents), venv.game.num_actions[0], venv.max_cycles

    def act(observations: Any) -> Any:
        return torch.randint(count, shape, device="cuda")

    if captured:
        # The rollout's K observations are kept: K is the longest part of an episode that fits 8 GB.
        fits = max(1, (8 << 30) // (num_envs * bytes_per_step(venv)))
        steps = max(k for k in range(1, horizon + 1) if horizon % k == 0 and k <= fits)
        run: Callable[[], Any] = capture(venv, act, steps)
    else:
        steps = horizon

        def run() -> None:
            for _ in range(steps):
                venv.step(act(None))

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


def measure() -> dict[str, Any]:
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
    for name in GAMES:
        for obs_mode in OBS_MODES:
            for num_envs in BATCHES:
                for captured in (False, True):
                    one = row(name, num_envs, obs_mode, captured)
                    rows.append({**one, "fraction_of_copy": one["bytes_per_second"] / bandwidth})
                    torch.cuda.empty_cache()
    return {
        "verdict": "run",
        "device": torch.cuda.get_device_name(),
        "copy_bytes_per_second": bandwidth,
        "rows": rows,
    }
