"""LOQA's scalability figure without sampling: seconds to three thresholds, boards 3x3 to 9x9.

Thresholds are the figure's (loqa_scalability.py): rewards a step, times 2 floor(G / 2), in
self-play and against always-defect. Seconds are those that one core computes for one seed, from
the rules to the policy (building the game and learning; not importing, not evaluating), for the
first of every `every` updates that passes. Scores are of episodes of 50 steps.

The published seconds are of an A100 with compilation and of another task: rules unknown, games
sampled, a GRU that has to find its own memory; here rules are known, policies read the board and
whose coin each player took last (memory "pickups"), and values are linear algebra. So the ratios
say what the game costs to solve, not who has the faster code. M-FOS has no exact form here.

Boards up to 5x5 have 10 seeds, 6x6 and 7x7 three, 8x8 and 9x9 one. Policies do the mirrored thing
on mirrored boards (symmetry="all"), which learning from a symmetric start keeps anyway.
"""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents.exact.solve import solve
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.exact_games import HORIZON
from benchmarks.harness.plots import BLUE, PINK, RED, make_axes, save_figure
from benchmarks.harness.plots import PAPER as GREY
from benchmarks.loqa_scalability import PAPER as LOQA
from benchmarks.loqa_scalability import THRESHOLDS

BOARDS = (3, 4, 5, 6, 7, 8, 9)
LEARNERS = {"loqa": BLUE, "loqa_proximal": PINK, "pola": RED}
# Seconds to weak, medium and strong, by board; None: never. The same figure as LOQA's.
POLA: dict[int, tuple[int | None, ...]] = {
    3: (1581, 4199, 23_895),
    4: (1595, 2484, None),
    5: (2582, 9269, None),
    6: (2746, 6061, None),
    7: (5247, 14_724, None),
}
MFOS: dict[int, tuple[int | None, ...]] = {
    3: (2308, 5965, None),
    4: (5618, 10_234, None),
    5: (8436, None, None),
    6: (8542, None, None),
    7: (4321, None, None),
}
PUBLISHED: dict[str, dict[int, Any]] = {"loqa": dict(LOQA), "pola": POLA}
NOTE = "another task: rules known, finite memory, no samples; published on an A100"
MEMORY = "pickups"
# Core-seconds for 60 updates of LOQA, board and seeds side by side; stated before the first run.
SPEED = {(3, 64): 1.0, (5, 1): 0.3, (7, 1): 2.0, (9, 1): 5.0}
AN_UPDATE = 0.2  # of three players
SETTINGS = {
    "runs": 10,
    "large_runs": 3,
    "largest_runs": 1,
    "speed_runs": 3,
    "updates": 120,
    "every": 5,
    "speed_updates": 60,
    "player_updates": 60,
    "largest_board": 9,
    "gamma": 0.96,
}
SMALL = {
    "runs": 1,
    "large_runs": 1,
    "speed_runs": 1,
    "updates": 4,
    "every": 4,
    "speed_updates": 1,
    "player_updates": 1,
    "largest_board": 3,
}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner and board, then the speed of LOQA, then three players."""
    boards = [board for board in BOARDS if board <= settings["largest_board"]]
    return [
        *(build_cell(learner, board, settings) for learner, board in product(LEARNERS, boards)),
        *(build_speed_cell(*key, settings) for key in SPEED if key[0] in boards),
        *(build_players_cell(ties, settings) for ties in ("both", "split")),
    ]


def build_cell(learner: str, board: int, settings: Settings) -> Cell:
    """One learner on one board."""
    name = f"{learner} {board}x{board}"
    count = "runs" if board <= 5 else "large_runs" if board <= 7 else "largest_runs"
    own = {"kind": "thresholds", "learner": learner, "board": board}
    own |= pick_settings(settings, "updates", "every", "gamma", "device")

    # Seconds, and how many times more were published.
    rows = []
    published = PUBLISHED.get(learner, {}).get(board, (None,) * len(THRESHOLDS))
    for threshold, paper in zip(THRESHOLDS, published, strict=True):
        about: dict[str, Any] = {"note": NOTE if paper else "", "judged": False, "paper_runs": 3}
        number = float(paper) if paper else None
        rows.append(
            Row(f"{name} {threshold}, core-s", number, f"{threshold} seconds", unit="s", **about)
        )
        if paper:
            ratio = f"{name} {threshold}: published seconds over ours"
            rows.append(Row(ratio, None, f"{threshold} ratio", digits=0, **about))
    return Cell(name, own, settings[count], tuple(rows), chunk=1, cost=0.03 * board**3, count=count)


def build_speed_cell(board: int, seeds: int, settings: Settings) -> Cell:
    """So many updates of LOQA, for so many seeds at once."""
    name = f"loqa {board}x{board}, {settings['speed_updates']} updates of {seeds} seeds"
    row = Row(f"{name}: core-s", None, "seconds", target=(0.0, SPEED[board, seeds]), unit="s")
    own = {"kind": "speed", "board": board, "seeds": seeds, "updates": settings["speed_updates"]}
    own |= pick_settings(settings, "gamma", "device")
    return Cell(name, own, settings["speed_runs"], (row,), chunk=1, cost=2.0, count="speed_runs")


def build_players_cell(ties: str, settings: Settings) -> Cell:
    """Three players on 3x3."""
    name = f"three players, ties {ties}"
    rows = (
        Row(f"{name}: core-s an update", None, "an update", target=(0.0, AN_UPDATE), unit="s"),
        Row(f"{name}: self-play", None, "self", digits=3),
        Row(f"{name}: one always-defect earns", None, "AD vs it", digits=3),
    )
    own = {"kind": "players", "ties": ties, "updates": settings["player_updates"]}
    own |= pick_settings(settings, "gamma", "device")
    return Cell(name, own, 1, rows, cost=20.0, count="largest_runs")


def score(settings: Settings, runs: int, seed: int) -> Result:
    """One cell; seconds are of computing, not of waiting."""
    kinds = {"thresholds": time_thresholds, "speed": time_updates, "players": play_three}
    return kinds[settings["kind"]](settings, runs, seed)


def make_game(settings: Settings, **kwargs: Any) -> Any:
    """The Coin Game of a cell."""
    return sde.exact_game(
        "coin_game_v0", memory=MEMORY, gamma=settings["gamma"], symmetry="all", **kwargs
    )


def learn(settings: Settings, learner: str, updates: int, seed: int, **game: Any) -> Any:
    """Core-seconds from the rules to the policies of one seed, and those, [N, S, A]."""
    begin = time.process_time()
    exact = make_game(settings, **game)
    solution = solve(learner, exact, updates=updates, seed=seed, device=settings["device"])
    seconds = time.process_time() - begin
    return seconds, solution.policies[0].double().cpu().numpy()


def time_thresholds(settings: Settings, runs: int, seed: int) -> Result:
    """Seconds until each threshold, of one seed."""
    assert runs == 1, "cells have chunks of one run"
    board, every = settings["board"], settings["every"]
    scale = 2 * (board // 2)  # a coin is about G // 2 steps away

    # What the evaluation needs is not timed.
    episode = make_game(settings, grid_size=board).finite(HORIZON)
    defector = episode.policy("always_defect")

    # Train afresh for so many updates, and look.
    passed: dict[str, tuple[float, int]] = {}
    spent = (0.0, 0)
    for updates in range(every, settings["updates"] + 1, every):
        seconds, policies = learn(settings, settings["learner"], updates, seed, grid_size=board)
        alone = scale * episode.score(list(policies)).mean()
        against = scale * episode.score([policies[0], defector])[0]
        spent = seconds, updates
        for name, (least_alone, least_against) in THRESHOLDS.items():
            if alone > least_alone and against > least_against:
                passed.setdefault(name, spent)
        if len(passed) == len(THRESHOLDS):
            break

    # A run that never passes counts as all its time.
    samples: dict[str, list[float]] = {}
    published = PUBLISHED.get(settings["learner"], {}).get(board, (None,) * len(THRESHOLDS))
    for name, paper in zip(THRESHOLDS, published, strict=True):
        seconds, updates = passed.get(name, spent)
        samples |= {f"{name} seconds": [seconds], f"{name} updates": [updates]}
        samples[f"{name} ratio"] = [(paper or np.nan) / seconds]
    return {"samples": samples, "passed": sorted(passed)}


def time_updates(settings: Settings, runs: int, seed: int) -> Result:
    """Seconds of updates of LOQA; building the game is not counted."""
    game = make_game(settings, grid_size=settings["board"])
    own = pick_settings(settings, "updates", "device")
    begin = time.process_time()
    solve("loqa", game, runs=settings["seeds"], seed=seed, **own)
    return {"samples": {"seconds": [time.process_time() - begin] * runs}}


def play_three(settings: Settings, runs: int, seed: int) -> Result:
    """Three players learn LOQA's rule; what the pair of them keeps against one who steals."""
    game = make_game(settings, num_agents=3, ties=settings["ties"])
    begin = time.process_time()
    solution = solve(
        "loqa", game, updates=settings["updates"], seed=seed, device=settings["device"]
    )
    seconds = (time.process_time() - begin) / settings["updates"]

    # All three share one policy.
    policy, episode = solution.policies[0, 0].double().cpu().numpy(), game.finite(HORIZON)
    samples = {
        "an update": seconds,
        "self": float(episode.score([policy] * 3).mean()),
        "AD vs it": float(episode.score(["always_defect", policy, policy])[0]),
    }
    return {"samples": {key: [value] * runs for key, value in samples.items()}}


def plot(result: Result, path: Path) -> None:
    """Seconds by board, ours and published."""
    figure, panels = make_axes(len(THRESHOLDS), height=4.2, sharey=True)
    by_name = {row["name"]: row for row in result["rows"]}
    published: dict[str, Any] = {
        "LOQA": (LOQA, "o:"),
        "POLA": (POLA, "s:"),
        "M-FOS": (MFOS, "^:"),
    }
    for k, (axis, threshold) in enumerate(zip(panels, THRESHOLDS, strict=True)):
        for learner, color in LEARNERS.items():
            rows = {n: by_name.get(f"{learner} {n}x{n} {threshold}, core-s") for n in BOARDS}
            points = [(n, row["ours"]) for n, row in rows.items() if row and row["ours"]]
            label = f"{learner.replace('_', ' ')}, exact, one core"
            axis.plot(*zip(*points, strict=True), "o-", color=color, label=label, markersize=4)

        for label, (numbers, style) in published.items():
            known = [(n, row[k]) for n, row in numbers.items() if row[k] is not None]
            axis.plot(
                *zip(*known, strict=True),
                style,
                color=GREY,
                markersize=4,
                label=f"{label}, published, A100",
            )
        axis.set(title=f"{threshold} threshold", xlabel="board", yscale="log", xticks=list(BOARDS))
        axis.set_xlim(BOARDS[0] - 0.4, BOARDS[-1] + 0.4)
    panels[0].set_ylabel("seconds a seed")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="coin_exact_scaling",
    title="The Coin Game without sampling: time to cooperate, by the size of the board",
    source="Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035, scalability figure; "
    "MiladInk/loqa 32f50c9, notebooks; another task: rules known, finite memory, no samples",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
