"""M-FOS's cross-play table, the part without M-FOS: naive, LOLA and M-MAML learners.

Of exact gradients, against one another. Mean reward a step over a meta-episode of 100 simultaneous
updates, from N(0, 1) logits (M-MAML: from its learned ones), after one update that is not counted
(the authors' reset). LOLA is the full Taylor form; all step sizes are 1, M-MAML's too.

Three sets of rows. The table itself, with the authors' ten shipped M-MAML starts (mfos_inits.py),
which differ so much that no other ten give the same mean; and M-MAML players trained here, whose
unit of repetition is the trained player: once with the step size 1 that they then play with
("trained at rate 1"), and once with a learned one, as the authors' generator has it. The latter are
not judged: in the table every player's step size is 1, and a start that was learned together with
another is a start for that one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.learners.exact_table import exact_learner
from agents.learners.meta_mapg.m_maml import MMamlConfig, meta_train
from agents.matrix_games.closed_form import MatrixGame, one_shot
from agents.matrix_games.differentiable import DifferentiableGame
from agents.matrix_games.gradient_runs import RunConfig, initial_theta, run
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import BLUE, RED, make_axes, plot_comparison, save_figure
from benchmarks.mfos_inits import INITS

# Lu et al. 2022, https://arxiv.org/abs/2205.01447, measured with the authors' code (commit 3efb169,
# NonMfosMetaGames, batch 4096, M-MAML 1024 x 10 starts): reward of the first, of the second; in the
# zero-sum game of the first.
PAPER: dict[str, dict[tuple[str, str], tuple[float, ...]]] = {
    "IPD": {
        ("NL", "static"): (-1.00, -2.46),
        ("LOLA", "static"): (-1.37, -1.74),
        ("M-MAML", "static"): (-1.12, -2.24),
        ("NL", "NL"): (-1.98, -1.98),
        ("NL", "LOLA"): (-1.52, -1.30),
        ("NL", "M-MAML"): (-1.28, -1.25),
        ("LOLA", "LOLA"): (-1.09, -1.09),
        ("LOLA", "M-MAML"): (-1.04, -1.15),
        ("M-MAML", "M-MAML"): (-1.17, -1.17),
    },
    "IMP": {
        ("NL", "static"): (0.366,),
        ("LOLA", "static"): (0.087,),
        ("M-MAML", "static"): (0.367,),
        ("NL", "NL"): (0.0,),
        ("NL", "LOLA"): (0.189,),
        ("NL", "M-MAML"): (-0.001,),
        ("LOLA", "LOLA"): (0.0,),
        ("LOLA", "M-MAML"): (-0.201,),
        ("M-MAML", "M-MAML"): (0.0,),
    },
    "chicken": {
        ("M-MAML", "NL"): (0.264, -0.267),
        ("M-MAML", "M-MAML"): (-0.150, -0.150),
    },
}
WITHIN = 0.03  # of the measured table; stated before the first run
GAMMA = 0.96  # also in matching pennies
ENV_IDS = {"IPD": "ipd_v0", "IMP": "imp_v0"}
# The authors': swerve, straight; played once.
CHICKEN = [
    [[0.0, 0.0], [-1.0, 1.0]],
    [[1.0, -1.0], [-100.0, -100.0]],
]
SETTINGS = {
    "runs": 4000,
    "steps": 100,
    "trained_runs": 10,
    "batch": 32,
    "iterations": 1000,
    "opponents": 100,
}
SMALL = {"runs": 20, "steps": 5, "trained_runs": 2, "batch": 2, "iterations": 2, "opponents": 4}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each pair of the table, then two a game for the players trained here."""
    return [
        *(build_pair_cell(game, pair, settings) for game in PAPER for pair in PAPER[game]),
        *(build_trained_cell(game, settings) for game in PAPER),
        *(build_trained_cell(game, settings, " at rate 1", {"alpha": 1.0}) for game in PAPER),
    ]


def build_pair_cell(game: str, pair: tuple[str, str], settings: Settings) -> Cell:
    """A pair of the table."""
    label = f"{game} {pair[0]} vs {pair[1]}"
    numbers = zip(("first", "second"), PAPER[game][pair], strict=False)
    rows = tuple(
        build_row(game, f"{label}: {role}", paper, f"player {i}", target=within(paper))
        for i, (role, paper) in enumerate(numbers)
    )
    own = {"game": game, "learners": list(pair)} | pick_settings(settings, "steps", "device")
    return Cell(label, own, settings["runs"], rows, chunk=1000, cost=0.005)


def within(paper: float) -> tuple[float, float]:
    """The target of a pair."""
    return paper - WITHIN, paper + WITHIN


def build_trained_cell(
    game: str, settings: Settings, manner: str = "", alpha: Settings | None = None
) -> Cell:
    """The players trained here, against every kind; compared with the authors' ten by chance.

    Args:
        game: its name.
        settings: of the invocation.
        manner: in which they were trained, in words.
        alpha: the step size that they train with; None for a learned one.
    """
    label, judged = f"{game} M-MAML trained here{manner}", alpha is not None
    rows = tuple(
        build_row(game, f"{label} vs {other}: {role}", paper, f"{other} {role}", judged=judged)
        for other, numbers in tabulate_mmaml(game).items()
        for role, paper in numbers.items()
    )
    sizes = pick_settings(settings, "steps", "batch", "iterations", "opponents", "device")
    own, count = {"game": game} | sizes | dict(alpha or {}), "trained_runs"
    return Cell(
        f"{game} trained{manner}", own, settings[count], rows, chunk=5, cost=200.0, count=count
    )


def build_row(game: str, name: str, paper: float, samples: str, **more: Any) -> Row:
    """A number of the table; `more` are fields of Row."""
    digits, count = 2 if game == "IPD" else 3, len(INITS[game])
    if not more.get("judged", True):
        more["note"] = "trained with a learned step size, and played with 1"
    return Row(name, paper, samples, paper_runs=count, digits=digits, **more)


def tabulate_mmaml(game: str) -> dict[str, dict[str, float]]:
    """The table from M-MAML's side: other -> {"own": its reward, "other": the other's}."""
    table = {}
    for pair, numbers in PAPER[game].items():
        if "M-MAML" not in pair:
            continue
        rewards = (numbers[0], numbers[1] if len(numbers) == 2 else -numbers[0])
        own = pair.index("M-MAML")
        roles = {"own": rewards[own], "other": rewards[1 - own]}
        if len(numbers) == 1:  # the zero-sum game
            del roles["other"]
        table[pair[1 - own]] = roles
    return table


@cache
def build_game(name: str, device: str) -> DifferentiableGame:
    """The game called `name`."""
    if name == "chicken":
        return one_shot(CHICKEN, device)
    return MatrixGame(sde.payoffs(ENV_IDS[name]), GAMMA, device)


def build_learner(name: str) -> Any:
    """The direction of a learner; M-MAML is a naive learner with another start."""
    if name == "static":
        return lambda theta, game: torch.zeros_like(theta)
    return exact_learner("lola", form="taylor") if name == "LOLA" else exact_learner("naive")


def play_meta_episode(
    game: DifferentiableGame, learners: list[str], starts: Tensor, *, steps: int, seed: int
) -> Tensor:
    """Mean reward a step over `steps` updates after the first.

    Args:
        game: the game.
        learners: names.
        starts: first parameters of M-MAML players, [runs, D].
        steps: of the meta-episode.
        seed: of the others' first parameters.

    Returns:
        [runs, 2].
    """
    config = RunConfig(runs=len(starts), steps=steps, seed=seed)
    theta = initial_theta(game, config)  # [runs, 2, D]
    for i, name in enumerate(learners):
        if name == "M-MAML":
            theta[:, i] = starts

    history = run(game, [build_learner(name) for name in learners], config, theta)
    return history.values[1:].mean(0)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Rewards of a pair, or of players trained now."""
    game = build_game(settings["game"], settings["device"])
    if "learners" not in settings:
        return train_and_play(game, settings, runs, seed)

    # Run r starts from the (r mod 10)-th of the authors' ten.
    shipped = torch.tensor(INITS[settings["game"]], dtype=torch.float64, device=game.device)
    starts = shipped[torch.arange(runs) % len(shipped)]
    steps = settings["steps"]
    rewards = play_meta_episode(game, settings["learners"], starts, steps=steps, seed=seed)
    return {"samples": {f"player {i}": rewards[:, i] for i in range(2)}}


def train_and_play(game: DifferentiableGame, settings: Settings, runs: int, seed: int) -> Result:
    """Trains `runs` M-MAML players and plays each against `opponents` of every kind.

    Against itself, with the same start.
    """
    batch, iterations = settings["batch"], settings["iterations"]
    alpha = settings.get("alpha")
    config = MMamlConfig(runs=runs, batch=batch, iterations=iterations, alpha=alpha, seed=seed)
    learned = meta_train(game, config)

    # Every player in turn, its games averaged: the player is the unit of repetition.
    samples: dict[str, Any] = {}
    starts, steps = learned.init.repeat_interleave(settings["opponents"], 0), settings["steps"]
    for other in tabulate_mmaml(settings["game"]):
        pair = ["M-MAML", other]
        rewards = play_meta_episode(game, pair, starts, steps=steps, seed=seed + 1)
        by_player = rewards.view(runs, settings["opponents"], 2).mean(1)
        samples |= {f"{other} own": by_player[:, 0], f"{other} other": by_player[:, 1]}

    samples |= {"alpha": learned.alpha, "init": learned.init}
    return {"samples": samples, "curves": {"meta": learned.curve.mean(1)}}


def plot(result: Result, path: Path) -> None:
    """The table beside the measured one, and M-MAML's training."""
    figure, (ipd, imp, meta) = make_axes(3, height=5.2, width_ratios=(1.2, 1.2, 1))
    pairs = [row for row in result["rows"] if "trained" not in row["name"]]
    for axis, game in ((ipd, "IPD"), (imp, "IMP")):
        rows = [row for row in pairs if row["name"].startswith(game)]
        plot_comparison(axis, rows, [row["name"].removeprefix(game + " ") for row in rows])
        axis.set(title=f"{game}, mean reward a step", xlabel="reward a step")

    for manner, color in (("", BLUE), (" at rate 1", RED)):
        if curve := result["curves"].get(f"IPD trained{manner}"):
            meta.plot(curve["meta"], color=color, linewidth=1, label=f"trained{manner}")
    if meta.lines:
        meta.legend(fontsize=7)
    label = "reward a step over its 100 updates"
    meta.set(title="IPD: training M-MAML", xlabel="meta-update", ylabel=label)
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="mfos_table",
    title="M-FOS: cross-play of naive, LOLA and M-MAML learners with exact gradients",
    source="Lu et al. 2022, https://arxiv.org/abs/2205.01447, cross-play table, "
    "as measured with the authors' code",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
