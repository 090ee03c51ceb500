"""LOLA's Figure 4: a round robin of six learners, mean reward a step after 1000 episodes.

Against all, themselves too. The published figure cannot be taken as it is. In the released code
both players are shown the state with the first player's action first, everybody takes it for own
action first, and the exact learners turn the other's policy around by p -> 1 - p. Run with that
perspective (`--released-perspective`), naive learners meet at -1.7; with the right one at -2.0.
Both stand beside the published numbers, which were read off the plots by eye. The learners discount
by .96 in both games, as released.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

import social_dilemmas_env as sde
from agents.learners.lola.tournament import TournamentConfig, learning_tournament
from agents.matrix_games.closed_form import MatrixGame
from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Result,
    Row,
    Samples,
    Settings,
    pick_settings,
)
from benchmarks.harness.plots import COLORS, make_axes, save_figure

# Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Figure 4, from the plots in the authors'
# notebook at episode 1000.
PAPER = {
    "IPD": {
        "LOLA-Ex": -1.1,
        "WoLF-PHC": -1.3,
        "PHC": -1.6,
        "NL-Q": -1.6,
        "JAL-Q": -2.0,
        "NL-Ex": -2.1,
    },
    "IMP": {
        "LOLA-Ex": -0.09,
        "WoLF-PHC": 0.03,
        "PHC": 0.09,
        "NL-Q": 0.13,
        "JAL-Q": 0.10,
        "NL-Ex": -0.25,
    },
}
BY_EYE = {"IPD": 0.1, "IMP": 0.05}  # how far off a reading may be; stated before the first run
# Pairs measured by an independent re-creation of both perspectives.
PAIRS = {
    "own": {("NL-Ex", "NL-Ex"): -2.00, ("LOLA-Ex", "LOLA-Ex"): -1.04},
    "released": {("NL-Ex", "NL-Ex"): -1.74, ("LOLA-Ex", "LOLA-Ex"): -1.16},
}
NOTES = {"own": "published under the bug", "released": "read by eye"}
# Environment, and the states in which the released code turns p around.
GAMES = {"IPD": ("ipd_v0", (2, 3)), "IMP": ("imp_v0", (0, 1, 2, 3, 4))}
GAMMA = 0.96
SETTINGS = {"runs": 10, "episodes": 1000, "steps": 200, "released_perspective": False}
SMALL = {"runs": 2, "episodes": 3, "steps": 5}
LAST = 10  # episodes that the final number is the mean of


def cells(settings: Settings) -> list[Cell]:
    """A cell a game; with `released_perspective` also one a game with the released code's bug."""
    perspectives = ("own", "released") if settings["released_perspective"] else ("own",)
    return [build_cell(game, each, settings) for each in perspectives for game in PAPER]


def build_cell(game: str, perspective: str, settings: Settings) -> Cell:
    """One game under one perspective."""
    label = game if perspective == "own" else f"{game} released"
    far, note = BY_EYE[game], NOTES[perspective]
    rows = [
        Row(f"{label}: {name}", paper, name, target=(paper - far, paper + far), note=note)
        for name, paper in PAPER[game].items()
    ]

    # Pairs that were measured.
    pairs = PAIRS[perspective] if game == "IPD" else {}
    for pair, value in pairs.items():
        quantity, note = " vs ".join(pair), "measured by a re-creation"
        rows.append(Row(f"{label}: {quantity}", value, quantity, note=note))

    own = {"game": game, "perspective": perspective}
    own |= pick_settings(settings, "episodes", "steps", "device")
    return Cell(label, own, settings["runs"], tuple(rows), chunk=10, cost=60.0)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Every learner's mean reward over opponents in the last episodes, and every pair's."""
    env_id, mirrored = GAMES[settings["game"]]
    game = MatrixGame(sde.payoffs(env_id), GAMMA, settings["device"])
    names = list(PAPER[settings["game"]])
    config = TournamentConfig(
        runs=runs,
        episodes=settings["episodes"],
        steps=settings["steps"],
        perspective=settings["perspective"],
        mirrored_states=mirrored,
        seed=seed,
    )
    rewards = learning_tournament(game, names, config)

    # Means over opponents, [episodes, R].
    samples, curves = {}, {}
    for name in names:
        mean = torch.stack([reward_against(rewards, name, other) for other in names]).mean(0)
        samples[name], curves[name] = mean[-LAST:].mean(0), mean.mean(1)

    for first, second in rewards:
        for name, other in {(first, second), (second, first)}:
            last = reward_against(rewards, name, other)[-LAST:]
            samples[f"{name} vs {other}"] = last.mean(0)
    return {"samples": samples, "curves": curves}


def reward_against(rewards: dict[tuple[str, str], Any], name: str, other: str) -> Any:
    """What `name` earns from `other`, [episodes, R]; in both seats at once against itself."""
    if name == other:
        return rewards[name, name].mean(-1)
    if (name, other) in rewards:
        return rewards[name, other][..., 0]
    return rewards[other, name][..., 1]


def derive(samples: dict[str, Samples]) -> Samples:
    """How much more LOLA earns in the prisoner's dilemma than the best of the others."""
    ipd = samples["IPD"]
    others = [name for name in PAPER["IPD"] if name != "LOLA-Ex"]
    best = max(others, key=lambda name: ipd[name].mean())
    return {"lead": ipd["LOLA-Ex"] - ipd[best]}


def plot(result: Result, path: Path) -> None:
    """Mean reward over opponents, episode by episode, one panel a game and perspective.

    Diamonds are the published ends.
    """
    labels = list(result["curves"])
    figure, panels = make_axes(len(labels), width=4.4)
    for panel, label in zip(panels, labels, strict=True):
        for k, (name, curve) in enumerate(result["curves"][label].items()):
            panel.plot(curve, color=COLORS[k], label=name, linewidth=1.4)
            diamond = {"color": COLORS[k], "markeredgecolor": "#666666", "markersize": 5}
            panel.plot(1.03 * len(curve), PAPER[label.split()[0]][name], "D", **diamond)
        title = label + ("" if "released" in label else ", right perspective")
        panel.set(title=title, xlabel="episode")

    panels[0].set_ylabel("reward a step, mean over opponents")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    save_figure(figure, path)


LEAD = Row(
    "IPD: LOLA-Ex ahead of the best of the others",
    0.2,
    "lead",
    target=(0.0, 2.0),
    note="the paper's claim",
)
BENCHMARK = Benchmark(
    name="lola_tournament",
    title="LOLA, Figure 4: round robin of six learners",
    source="Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Figure 4",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
    derive=derive,
    derived=(LEAD,),
    switches=("device", "released_perspective"),
)
