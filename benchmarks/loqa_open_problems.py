"""Two problems that LOQA's paper leaves open.

    three players     the sum over opponents of the shaping term, on the 4x4 Coin Game of three
    no access         `loqa_modelled`: nobody shows us the opponents' rewards, policies and action
                      values; they are learned from play

each beside the same learner without shaping (weight 0), which has nothing to make it cooperate. No
numbers are published; the targets say what it means to work, and were written down before the first
run. An adversarial pick-up is one of another player's coin: two of three if nobody cares, one of
two among two players.

Which game of three players is a dilemma is computed (benchmarks/dilemmas.py, exact, 50 steps). On
3x3 always-defect earns nearly what always-cooperate does (index .029), so that an earlier version
of this benchmark, there, showed little. On 4x4 three cooperators earn .158 each, three defectors
.007, a lone defector .440 and its victims -.124: index .254, the largest of LOQA's rules.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import make_axes, save_figure
from benchmarks.harness.policies import read_run, score_of
from benchmarks.harness.resumable_training import read_metric, train_in_stages, training_folder
from benchmarks.loqa_ipd import LOGGED, STATES, sample_policies

THREE = {"num_agents": 3, "grid_size": 4}
CELLS: dict[str, tuple[str, str, dict[str, Any], float]] = {
    # name: learner, game, its arguments, shaping weight
    "three players": ("loqa", "coin_game_v0", THREE, 1.0),
    "three players, no shaping": ("loqa", "coin_game_v0", THREE, 0.0),
    "no access, coins": ("loqa_modelled", "coin_game_v0", {}, 1.0),
    "coins, no shaping": ("loqa", "coin_game_v0", {}, 0.0),
    "no access, dilemma": ("loqa_modelled", "ipd_v0", {}, 1.0),
    "dilemma, no shaping": ("loqa", "ipd_v0", {}, 0.0),
}
# Two players: half of what cooperation pays; three: a third fewer wrong coins than by chance,
# and half of what cooperation pays.
TARGETS: dict[str, dict[str, tuple[float, float]]] = {
    "three players": {"adversarial": (0.0, 0.44), "self": (0.08, 1.0)},
    "no access, coins": {"adversarial": (0.0, 0.25), "self": (0.17, 1.0)},
    "no access, dilemma": {"self-play": (-1.5, -1.0), "P(C|DD)": (0.0, 0.2)},
}
QUANTITIES = {
    "ipd_v0": ("self-play", *(f"P(C|{state})" for state in STATES)),
    "coin_game_v0": ("self", "adversarial", "vs always_cooperate", "vs always_defect"),
}
SETTINGS = {
    "runs": 3,
    "batch": 128,
    "iterations": 3000,
    "episodes": 512,
    "ipd_runs": 10,
    "ipd_batch": 128,
    "ipd_iterations": 4000,
}
SMALL = {
    "runs": 1,
    "batch": 8,
    "iterations": 2,
    "episodes": 4,
    "ipd_runs": 2,
    "ipd_batch": 8,
    "ipd_iterations": 2,
}


def cells(settings: Settings) -> list[Cell]:
    """A cell for each problem, and for what there is without shaping."""
    return [build_cell(name, settings) for name in CELLS]


def build_cell(name: str, settings: Settings) -> Cell:
    """One learner in one game."""
    learner, env_id, game, weight = CELLS[name]
    prefix = "ipd_" if env_id == "ipd_v0" else ""
    own = {"learner": learner, "env_id": env_id, "game": game, "weight": weight}
    own |= pick_settings(settings, "batch", "iterations", prefix=prefix)
    own |= pick_settings(settings, "device")

    # Runs of the dilemma are learned side by side; those of the Coin Game one after another.
    chunk = 0
    if not prefix:
        own["episodes"], chunk = settings["episodes"], 1
    count, rows = f"{prefix}runs", build_rows(name, env_id)
    return Cell(name, own, settings[count], rows, chunk=chunk, cost=900.0, count=count)


def build_rows(name: str, env_id: str) -> tuple[Row, ...]:
    """Self-play, and in the Coin Game what others do to it; in the dilemma the policy."""
    targets = TARGETS.get(name, {})
    return tuple(
        Row(f"{name}: {q}", None, f"{name}: {q}", target=targets.get(q), digits=3)
        for q in QUANTITIES[env_id]
    )


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Trains; then plays, or reads the policy."""
    learner, env_id, game = settings["learner"], settings["env_id"], dict(settings["game"])
    problem = learner, env_id, game, settings["weight"]
    name = next(name for name, each in CELLS.items() if each == problem)

    # The game's arguments and the learner's settings are told alike.
    folder = training_folder("loqa_open_problems", settings, runs, seed)
    arguments = pick_settings(settings, "batch", "weight", "device") | game
    arguments |= {"runs": runs, "seed": seed}
    evaluate = partial(evaluate_run, name=name, episodes=settings.get("episodes"))
    stages = [settings["iterations"]]
    [(_, result)] = train_in_stages(folder, stages, evaluate, learner, env_id, **arguments)
    evaluation: Result = result
    return evaluation


def evaluate_run(run_folder: Path, name: str, episodes: int | None) -> Result:
    """The samples and curves of a run folder.

    Args:
        run_folder: where the training is.
        name: of the cell.
        episodes: to play; None for games whose policy is read.
    """
    sampled = score_games(run_folder, episodes) if episodes else sample_policies(run_folder)
    samples = {f"{name}: {key}": x for key, x in sampled.items()}
    return {"samples": samples, "curves": {"reward": read_metric(run_folder, "reward")}}


def score_games(run_folder: Path, episodes: int) -> dict[str, list[float]]:
    """Mean rewards a step of a run folder's only run, in self-play and against scripted players."""
    scores = score_of(run_folder, episodes, read_run(run_folder).seed)
    return {key: [value] for key, value in scores.items()}


def plot(result: Result, path: Path) -> None:
    """Rewards while training."""
    figure, panels = make_axes(2)
    titles = {"ipd_v0": "Prisoner's dilemma", "coin_game_v0": "Coin Game"}
    for axis, (game, title) in zip(panels, titles.items(), strict=True):
        for name, (_, env_id, *_) in CELLS.items():
            if env_id == game and name in result["curves"]:
                rewards = result["curves"][name]["reward"]
                axis.plot([LOGGED * (k + 1) for k in range(len(rewards))], rewards, label=name)

        axis.set(title=f"{title}, reward a step in training", xlabel="iteration")
        if axis.lines:
            axis.legend(fontsize=7)
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="loqa_open_problems",
    title="LOQA: more than two players, and no access to the opponents' values",
    source="named as open in Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035; "
    "no numbers published",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
