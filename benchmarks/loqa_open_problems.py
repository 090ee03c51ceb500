"""Two problems that LOQA's paper leaves open: more than two players, and opponents whose values
nobody shows us.

    three players     the sum over opponents of the shaping term, on the 3x3 Coin Game of three
    no access         `loqa_modelled`: the opponents' rewards, policies and action values are learned from play

each beside the same learner without shaping (weight 0), which has nothing to make it cooperate. No
numbers are published; the targets say what it means to work, and were written down before the first
run. An adversarial pick-up is one of another player's coin: two of three if nobody cares, one of
two among two players. Among three players on this board cooperation pays little (always-cooperate
+.230 a step each, always-defect +.207, 200 episodes), so that the share of wrong coins says more
than the reward.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import (
    Benchmark,
    Cell,
    Row,
    Settings,
)
from benchmarks.harness.plots import axes, save
from benchmarks.harness.resumable_training import folder_of, metric, stages
from benchmarks.loqa_ipd import STATES, policies

# name: learner, game, its arguments, shaping weight
CELLS = {
    "three players": ("loqa", "coin_game_v0", {"num_agents": 3}, 1.0),
    "three players, no shaping": ("loqa", "coin_game_v0", {"num_agents": 3}, 0.0),
    "no access, coins": ("loqa_modelled", "coin_game_v0", {}, 1.0),
    "coins, no shaping": ("loqa", "coin_game_v0", {}, 0.0),
    "no access, dilemma": ("loqa_modelled", "ipd_v0", {}, 1.0),
    "dilemma, no shaping": ("loqa", "ipd_v0", {}, 0.0),
}
TARGETS = {  # two players: half of what cooperation pays; three: a third fewer wrong coins than by chance
    "three players": {"adversarial": (0.0, 0.44), "self": (0.0, 1.0)},
    "no access, coins": {"adversarial": (0.0, 0.25), "self": (0.17, 1.0)},
    "no access, dilemma": {"self-play": (-1.5, -1.0), "P(C|DD)": (0.0, 0.2)},
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
    made = []
    for name, (learner, env_id, game, weight) in CELLS.items():
        kind = "ipd_" if env_id == "ipd_v0" else ""
        own = {key: settings[kind + key] for key in ("batch", "iterations")}
        own |= {
            "learner": learner,
            "env_id": env_id,
            "game": game,
            "weight": weight,
            "device": settings["device"],
        }
        if not kind:
            own["episodes"] = settings["episodes"]
        runs = settings[f"{kind}runs"]
        chunk = 0 if kind else 1
        made.append(
            Cell(
                name,
                own,
                runs,
                rows_of(name, env_id, game),
                chunk=chunk,
                cost=900.0,
                count=f"{kind}runs",
            )
        )
    return made


def rows_of(name: str, env_id: str, game: dict[str, Any]) -> tuple[Row, ...]:
    """Self-play, and in the Coin Game what others do to it; in the dilemma the policy."""
    if env_id == "ipd_v0":
        quantities = ["self-play", *(f"P(C|{state})" for state in STATES)]
    else:
        quantities = ["self", "adversarial", "vs always_cooperate", "vs always_defect"]
    wanted = TARGETS.get(name, {})
    return tuple(
        Row(f"{name}: {q}", None, f"{name}: {q}", target=wanted.get(q), digits=3)
        for q in quantities
    )


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Trains; then plays, or reads the policy."""
    learner, env_id, game = settings["learner"], settings["env_id"], dict(settings["game"])
    dilemma = env_id == "ipd_v0"
    name = next(
        key for key, cell in CELLS.items() if cell == (learner, env_id, game, settings["weight"])
    )
    folder = folder_of("loqa_open_problems", settings, runs, seed)
    how = {key: settings[key] for key in ("batch", "weight", "device")} | {
        "runs": runs,
        "seed": seed,
        **game,
    }

    def look(run: Path) -> dict[str, Any]:
        found = policies(run) if dilemma else games(run, settings["episodes"])
        samples = {f"{name}: {key}": x for key, x in found.items()}
        return {"samples": samples, "curves": {"reward": metric(run, "reward")}}

    [(_, result)] = stages(folder, [settings["iterations"]], look, learner, env_id, **how)
    return result


def games(run: Path, episodes: int) -> dict[str, list[float]]:
    """Mean rewards a step of a run folder's only run, in self-play and against scripted players."""
    from agents import load_agent
    from agents.evaluation.scoring import score_agent

    agent = load_agent(run)
    found = score_agent(agent, episodes=episodes, seed=agent.facts["seed"])
    return {key: [score] for key, score in found.items()}


def plot(result: dict[str, Any], path: Path) -> None:
    """Rewards while training."""
    figure, panels = axes(2)
    for axis, word, title in zip(
        panels, ("ipd_v0", "coin_game_v0"), ("Prisoner's dilemma", "3x3 Coin Game"), strict=True
    ):
        for name, (_, env_id, *_) in CELLS.items():
            if env_id == word and name in result["curves"]:
                rewards = result["curves"][name]["reward"]
                axis.plot([20 * (k + 1) for k in range(len(rewards))], rewards, label=name)
        axis.set(title=f"{title}, reward a step in training", xlabel="iteration")
        if axis.lines:
            axis.legend(fontsize=7)
    save(figure, path)


BENCHMARK = Benchmark(
    name="loqa_open_problems", title="LOQA: more than two players, and no access to the opponents' values",
    source="named as open in Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035; no numbers published",
    settings=SETTINGS, small=SMALL, cells=cells, score=score, plot=plot,
)  # fmt: skip
