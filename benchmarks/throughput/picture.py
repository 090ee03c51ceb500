"""Env-steps a second against the number of games: a panel a game."""

from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.harness.plots import BLUE, GREEN, ORANGE, make_axes, save_figure
from benchmarks.throughput.cpu_rows import GAMES, OBS_MODES

LINES = {"numpy": "-o", "torch": "--s", "pure jax": "-.d", "cuda": ":^"}
COLORS = dict(zip(OBS_MODES, (BLUE, ORANGE, GREEN), strict=True))


def plot_throughput(report: dict[str, Any], path: Path) -> None:
    """Draws 3x3 and 7x7 Coin Game and IPD, by backend and observation mode."""
    import matplotlib

    matplotlib.use("Agg")
    figure, panels = make_axes(len(GAMES), sharey=True)
    rows = report["measurements"] + report["cuda"]["rows"]
    for axis, game in zip(panels, GAMES, strict=True):
        for backend, obs_mode in product(LINES, OBS_MODES):
            points = choose_points(rows, game, backend, obs_mode)
            if points:
                style = {"color": COLORS[obs_mode], "label": f"{backend}, {obs_mode}"}
                axis.loglog(*zip(*points, strict=True), LINES[backend], **style)
        axis.set(title=game, xlabel="games in the batch")

    panels[0].set_ylabel("env-steps per core-second (CUDA: per second)")
    panels[0].legend(fontsize=8)
    figure.suptitle(report["device"], fontsize=9)
    save_figure(figure, path)


def choose_points(
    rows: list[dict[str, Any]], game: str, backend: str, obs_mode: str
) -> list[tuple[int, float]]:
    """Games and steps a second of the fastest route: captured on CUDA, tables if there are any."""
    line, points = (game, backend, obs_mode), dict[int, float]()
    for row in rows:
        drawn = row.get("captured", row.get("route") != "rules" or game == "coin 7x7")
        if drawn and (row["game"], row["backend"], row["obs_mode"]) == line:
            rate = max(row["steps_per_second"], points.get(row["num_envs"], 0.0))
            points[row["num_envs"]] = rate
    return list(points.items())
