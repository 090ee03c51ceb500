"""Which games are dilemmas at all: what cooperators and defectors earn, exactly, by their number.

Schelling's two curves, with always-cooperate and always-defect of the suite (with exact games and
no sampling). Of N players, k others defect:

    C(k), D(k)     what a cooperator, a defector earns a step, k = 0 .. N - 1; mean over all choices
                   of seats
    temptation     D(k) - C(k); greed for k = 0, fear for k = N - 1
    cost           C(0) - D(N - 1), what it costs each that all defect
    index          the least of all temptations and the cost, over the range of C and D

The index is positive where defecting pays whatever the others do and all are worse off for it (R.
Dawes, Social Dilemmas, 1980), at most 1, and near 0 where one of both hardly holds. Stag hunts and
games of chicken, without fear or greed of some k, are below 0: one needs another's trust there, but
no renouncing. With `ties="red"` the seat decides: its rows are means over seats, and say so.

Scores are means of episodes of 50 steps; those called "discounted" are of the game without end,
gamma .96. Left out: three players with a coin each ("mfos") beyond 3x3, 139,656 states on 4x4 and
more; matching pennies, rock paper scissors and battle of the sexes, where nothing is to cooperate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import BLUE, RED, make_axes, save_figure
from social_dilemmas_env.exact import schelling

VARIANTS: dict[str, dict[str, Any]] = {
    "ties both": {},  # LOQA's rules; POLA's are the same
    "ties split": {"ties": "split"},
    "ties red": {"ties": "red"},
    "lola": {"variant": "lola"},
    "mfos": {"variant": "mfos"},
}
BOARDS, PLAYERS = (3, 4, 5), (2, 3)
MATRIX_GAMES = {
    "prisoner's dilemma": ("ipd_v0", {}),
    "chicken": ("chicken_v0", {}),
    "stag hunt": ("stag_hunt_v0", {}),
    **{f"public goods, {n} players": ("public_goods_v0", {"num_agents": n}) for n in (2, 3, 4)},
}
QUANTITIES = ("all cooperate", "all defect", "lone defector", "its victims", "index")
DISCOUNTED = ", discounted"
# Computed apart from this code before the first run: 50 steps, then discounted; three players to
# three digits.  (Where .33326 or .222 are told of cooperation, cooperators only sidestep coins.)
ANCHORS: dict[str, dict[str, float]] = {
    "coins, 2 players, 3x3, ties both": {
        "all cooperate": 0.348600,
        "lone defector": 0.636887,
        "its victims": -0.265995,
        "all defect": 0.0,
        "all cooperate, discounted": 0.347166,
    },
    "coins, 2 players, 5x5, ties both": {
        "all cooperate": 0.202829,
        "lone defector": 0.370690,
        "its victims": -0.141338,
    },
    "coins, 3 players, 3x3, ties both": {
        "all defect, discounted": 0.195,
    },
    "prisoner's dilemma": {
        "all cooperate": -1.0,
        "lone defector": 0.0,
        "its victims": -3.0,
        "all defect": -2.0,
        "index": 1 / 3,
    },
}
SETTINGS = {"runs": 1, "horizon": 50, "gamma": 0.96, "largest_board": 5}
SMALL = {"horizon": 3, "largest_board": 3}


def name_games(largest: int) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name -> game and its arguments, the Coin Game's first."""
    games: dict[str, tuple[str, dict[str, Any]]] = {}
    for players in PLAYERS:
        for size in (n for n in BOARDS if n <= largest):
            for variant, kwargs in VARIANTS.items():
                if variant == "mfos" and players > 2 and (size > 3 or largest < 4):
                    continue  # too many states; and too slow for a smoke run
                own = {"num_agents": players, "grid_size": size, **kwargs}
                games[f"coins, {players} players, {size}x{size}, {variant}"] = "coin_game_v0", own
    return games | MATRIX_GAMES


def cells(settings: Settings) -> list[Cell]:
    """A cell for each game."""
    common = pick_settings(settings, "horizon", "gamma")
    return [
        Cell(
            name,
            {"env_id": env_id, "game": kwargs, **common},
            settings["runs"],
            build_rows(name),
            cost=1.0,
        )
        for name, (env_id, kwargs) in name_games(settings["largest_board"]).items()
    ]


def build_rows(name: str) -> tuple[Row, ...]:
    """The ends of both curves and the index; discounted ones where something is known of them."""
    anchors = ANCHORS.get(name, {})
    known = [quantity for quantity in anchors if quantity.endswith(DISCOUNTED)]
    rows = []
    for quantity in (*QUANTITIES, f"index{DISCOUNTED}", *known):
        target = None
        if quantity in anchors:
            value = anchors[quantity]
            # Half a unit of the last digit that is known.
            half = 5e-4 if "3 players" in name else 5e-7
            target = value - half, value + half
        note = "mean over seats, which are not alike" if "red" in name or "lola" in name else ""
        rows.append(Row(f"{name}: {quantity}", None, quantity, target=target, digits=3, note=note))
    return tuple(rows)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Both curves of one game, to the end of an episode and without end."""
    game = sde.exact_game(
        settings["env_id"], gamma=settings["gamma"], symmetry="all", **settings["game"]
    )

    # Nothing here is random: all runs are one.
    curves = schelling(game.finite(settings["horizon"]))
    endless = schelling(game)
    facts = describe_dilemma(*curves)
    facts |= {key + DISCOUNTED: value for key, value in describe_dilemma(*endless).items()}
    return {
        "samples": {key: [value] * runs for key, value in facts.items()},
        "curves": {"cooperate": curves[0], "defect": curves[1]},
        "states": game.num_states,
    }


def describe_dilemma(cooperate: np.ndarray, defect: np.ndarray) -> dict[str, float]:
    """The ends of Schelling's curves [N], temptations, cost and index; see the top of this file."""
    temptation, cost = defect - cooperate, float(cooperate[0] - defect[-1])
    spread = float(max(cooperate.max(), defect.max()) - min(cooperate.min(), defect.min()))
    return {
        "all cooperate": float(cooperate[0]),
        "all defect": float(defect[-1]),
        "lone defector": float(defect[0]),
        "its victims": float(cooperate[1]),
        "greed": float(temptation[0]),
        "fear": float(temptation[-1]),
        "least temptation": float(temptation.min()),
        "cost": cost,
        "index": min(float(temptation.min()), cost) / spread,
    }


def plot(result: Result, path: Path) -> None:
    """Schelling's curves of two rules for three players, and every game's index."""
    figure, (both, split, indices) = make_axes(3, width=4.6, height=7.2)
    for axis, ties in ((both, "both"), (split, "split")):
        curves = result["curves"][f"coins, 3 players, 3x3, ties {ties}"]
        others = range(len(curves["cooperate"]))
        axis.plot(others, curves["defect"], "o-", color=RED, label="a defector earns")
        axis.plot(others, curves["cooperate"], "o-", color=BLUE, label="a cooperator earns")
        axis.set(title=f"Three players, 3x3, ties {ties}", xlabel="others who defect")
        axis.set(xticks=list(others), ylim=(-0.3, 0.7))
        axis.axhline(curves["cooperate"][0], color=BLUE, lw=1, ls=":")
        axis.legend()
    both.set_ylabel("reward a step, 50 steps")

    # A bar a game, from top to bottom.
    rows = [row for row in result["rows"] if row["name"].endswith(": index")][::-1]
    values = [row["ours"] for row in rows]
    colors = [RED if value < 0.05 else BLUE for value in values]
    indices.barh(range(len(rows)), values, color=colors)
    indices.set_yticks(
        range(len(rows)), [row["name"].partition(": ")[0] for row in rows], fontsize=7
    )
    indices.set(title="Index; red: below .05", ylim=(-0.6, len(rows) - 0.4))
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="dilemmas",
    title="Which games are dilemmas: exact values of cooperating and defecting, by how many defect",
    source="no published numbers; the curves: T. Schelling, Hockey Helmets, Concealed Weapons, and "
    "Daylight Saving, Journal of Conflict Resolution 17 (1973), "
    "https://doi.org/10.1177/002200277301700302",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
