"""LOLA and POLA in the prisoner's dilemma, LOQA in the Coin Game, learn not to defect.

    pip install -c constraints.txt -e ".[agents,benchmarks,exact]"
    python examples/02_reciprocate.py             # seconds; --out FOLDER, --runs N

Naive learners, who take the other for a part of the environment, defect in both.  LOLA and POLA
climb their value after the other's next step of learning; LOQA takes the other to choose by its
values.  Nothing is sampled: values are linear algebra, and a learner's runs are one batch.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch

import social_dilemmas_env as sde
from agents import solve
from agents.learners.lola.lola_exact import lola
from agents.learners.naive.naive_exact import naive
from agents.learners.pola.pola_exact import PolaConfig, pola
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.gradient_runs import RunConfig, run

# Name -> (direction of a step, updates); POLA's update is a problem of a hundred steps.
DILEMMA: dict[str, tuple[Callable[..., Any], int]] = {
    "naive": (naive, 60),
    "LOLA": (lola, 60),
    "POLA": (partial(pola, cfg=PolaConfig(outer_steps=100)), 30),
}
STATES = ("start", "CC", "CD", "DC", "DD")  # own move first
Found = dict[str, tuple[np.ndarray, np.ndarray]]


def dilemma(runs: int) -> Found:
    """Learner -> mean reward a step [U + 1, R], and P(cooperate) of player 0 [R, 5]."""
    game, found = MatrixGame(sde.payoffs("ipd_v0"), gamma=0.96), {}
    for name, (direction, updates) in DILEMMA.items():
        history = run(game, direction, RunConfig(runs=runs, steps=updates))
        cooperation = game.policies(history.theta)[:, 0, :, 0]
        found[name] = history.values.mean(-1).numpy(), cooperation.numpy()
    return found


def coin_game(runs: int) -> dict[str, np.ndarray]:
    """Learner -> mean reward a step [U + 1, R] on the 3x3 board."""
    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)
    found = {}
    for shown, name in {"naive": "naive", "LOQA": "loqa"}.items():
        solution = solve(name, game, runs=runs)
        found[shown] = solution.curves.mean(-1).numpy()
    return found


def draw(found: Found, coins: dict[str, np.ndarray], path: Path) -> None:
    """Curves of all runs, with their medians, and bars of what was learned in the dilemma."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.4), layout="constrained")
    for axes, curves in ((left, {n: c for n, (c, _) in found.items()}), (right, coins)):
        for i, (name, values) in enumerate(curves.items()):
            color = f"C{i if name != 'LOQA' else 3}"
            axes.plot(values, color=color, alpha=0.15)
            axes.plot(np.median(values, axis=1), color=color, label=name)
        axes.set(xlabel="update", ylabel="mean reward a step")
        axes.legend()
    for i, (name, (_, cooperation)) in enumerate(found.items()):
        middle.bar(np.arange(5) + (i - 1) / 4, cooperation.mean(0), 0.23, color=f"C{i}", label=name)
    middle.set(xticks=range(5), xticklabels=STATES, ylabel="P(cooperate), mean of runs")

    left.set_title("prisoner's dilemma")
    middle.set_title("what was learned: tit for tat, or defection")
    right.set_title("Coin Game, 3x3")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main(words: list[str] | None = None) -> tuple[Found, dict[str, np.ndarray]]:
    """Runs it; gives curves and policies."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/examples"))
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)

    found, coins = dilemma(arguments.runs), coin_game(arguments.runs)
    draw(found, coins, arguments.out / "02_reciprocate.png")
    print(f"medians of {arguments.runs} runs, mean reward a step")
    for name, (curves, chances) in found.items():
        bars = ", ".join(f"{s} {p:.2f}" for s, p in zip(STATES, chances.mean(0), strict=True))
        print(f"dilemma    {name:5s} {np.median(curves[-1]):+.3f}   P(C) after {bars}")
    for name, curves in coins.items():
        print(f"Coin Game  {name:5s} {np.median(curves[-1]):+.3f}")
    return found, coins


if __name__ == "__main__":
    main()
