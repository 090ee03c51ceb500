"""The figures that the project promises, and whether a measurement reached them."""

from typing import Any

from benchmarks.throughput.cpu_rows import COMPARED, FRESH

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
LARGE = 65536  # games of the captured step that a figure is about


def compare_figures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as `benchmarks.harness.report` prints them, in the order of FIGURES."""
    rows, ratios, cuda = report["measurements"], report["ratios"], report["cuda"]["rows"]

    def batch(game: str, obs_mode: str, backend: str = "numpy", **columns: Any) -> float | None:
        columns |= {"game": game, "obs_mode": obs_mode, "backend": backend, "num_envs": COMPARED}
        return best(rows, **columns)

    # What a user has who sets nothing; and the step inside a captured graph.
    ours = [row for row in ratios if FRESH in row["name"]]
    captured = [row for row in cuda if row["captured"] and row["num_envs"] == LARGE]
    step = {"game": "coin 3x3", "obs_mode": "float32"}
    reached = {
        "3x3 numpy uint8, of the bare table loop": best(ours, "ratio", obs_mode="uint8"),
        "3x3 numpy float32, of the bare table loop": best(ours, "ratio", obs_mode="float32"),
        "3x3 torch float32": batch("coin 3x3", "float32", "torch", route="tables"),
        "7x7 numpy state ids": batch("coin 7x7", "state"),
        "7x7 numpy uint8": batch("coin 7x7", "uint8"),
        "7x7 numpy float32": batch("coin 7x7", "float32"),
        "ipd numpy float32": batch("ipd", "float32"),
        "ipd numpy uint8": batch("ipd", "uint8"),
        "one Coin Game, times rps_v2": best(report["single"], "times_rps_v2", name="coin_game_v0"),
        "memory of 65536 games, uint8, below": report["memory_bytes"],
        "cuda 3x3 float32": best(cuda, game="coin 3x3", obs_mode="float32"),
        "cuda 3x3 state ids": best(cuda, game="coin 3x3", obs_mode="state"),
        "cuda 3x3 captured step at B=65536, below": best(captured, "microseconds_per_step", **step),
    }
    return [judge_figure(name, reached[name], *FIGURES[name]) for name in FIGURES]


def best(
    rows: list[dict[str, Any]], key: str = "steps_per_second", /, **columns: Any
) -> float | None:
    """The largest number of the rows with these columns; None if there is none."""
    # A column that a row lacks differs from any value.
    chosen = [
        row[key] for row in rows if all(row.get(name) == value for name, value in columns.items())
    ]
    return max(chosen, default=None)


def judge_figure(name: str, ours: float | None, bound: float, unit: str) -> dict[str, Any]:
    """A figure holds if it is on the right side of its bound: ours, nobody has published one."""
    below = name.endswith("below")  # the less, the better
    reached = ours is not None and (ours <= bound if below else ours >= bound)
    verdict = "holds" if reached else "not reproduced"
    return {
        "name": name,
        "paper": None,
        "ours": ours,
        "ci_low": None,
        "ci_high": None,
        "target": (None, bound) if below else (bound, None),
        "runs": 5,
        "unit": unit,
        "verdict": "not run" if ours is None else verdict,
    }
