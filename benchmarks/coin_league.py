"""LOQA's Coin Game league: everybody against everybody, 32 episodes of 50 steps a pair.

How much better than an agent itself a player can do against it ("exploitable") is exact for agents
with a finite memory and bounded from below for recurrent ones: the most that a player who was
trained against them, or responds best to their averaged policy, gained (agents/evaluation/
exploit.py).  "Robs first" is one response that anybody can think of: it takes every coin for ten
steps, and cooperates from then on.

On the 3x3 board. Ours are the agents that come with the package (agents/bundled/), the scripted
players, and a uniform one. The published numbers are means over 10 seeds of each learner; a seed of
ours more or less is a row's `runs`. `social-dilemmas league` plays the same with anybody's agents.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from agents import load_agent, load_agents
from agents.evaluation.agent import AgentPlayer, TrainedAgent
from agents.evaluation.cards import bundled_facts, list_bundled
from agents.evaluation.exploit import ExploitConfig, exploit, known_gain
from agents.evaluation.league import round_robin as play_league
from agents.evaluation.scoring import play_episodes, score_agent
from agents.evaluation.thief import Thief
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings
from benchmarks.harness.plots import make_axes, save_figure

Published = dict[str, tuple[float | None, tuple[float, float] | None]]  # number, target
# League of 2023-09-24 in the authors' repository (10 seeds, iteration 6000), and the targets that
# were set for our agents.
PAPER: Published = {
    "loqa self": (0.318, (0.29, 0.40)),
    "loqa cross": (0.294, (0.27, 0.40)),
    "loqa vs AD": (-0.054, (-0.08, 0.05)),
    "AD vs loqa": (0.123, None),
    "loqa vs AC": (0.352, (0.33, 0.60)),
    "AC vs loqa": (0.318, None),
    "loqa vs random": (0.264, None),
    "loqa adversarial": (None, (0.0, 0.10)),
}
# advantage_alignment_new_baseline.pkl: 9 seeds, but episodes of 16 steps.
ALIGNMENT: Published = {
    "advantage_alignment self": (0.288, None),
    "advantage_alignment vs AD": (-0.084, None),
    "AD vs advantage_alignment": (0.155, None),
    "advantage_alignment vs AC": (0.349, None),
    "AC vs advantage_alignment": (0.313, None),
    "advantage_alignment vs random": (0.261, None),
    "advantage_alignment cross": (0.277, None),
}
# The same league as LOQA's: 10 seeds at update 250.
POLA: Published = {
    "pola_dice vs AD": (-0.032, None),
    "AD vs pola_dice": (0.068, None),
    "pola_dice vs AC": (0.375, None),
    "AC vs pola_dice": (0.286, None),
    "pola_dice vs random": (0.235, None),
}
PUBLISHED = {"loqa": PAPER, "advantage_alignment": ALIGNMENT, "pola_dice": POLA}

# Selected and shorter: never "reproduced"; the target says what was asked of them.
NOTES = {
    "loqa": "ours: of each run the copy that kept most against always-defect (bundled metadata); "
    "published: iteration 6000; seed 44 can be robbed (loqa robbed)",
    "advantage_alignment": "ours: of each run the copy that kept most against always-defect "
    "(bundled metadata); published with episodes of 16 steps",
    "pola_dice": "ours: a small part of the published training (bundled metadata)",
}
# Published number, first player, second player, whose reward it is.
SCRIPTED = {
    "AC-AC": (0.347, "AC", "AC", 0),
    "AC-AD": (-0.269, "AC", "AD", 0),
    "AD-AC": (0.631, "AC", "AD", 1),
}
ROBBED = 10  # steps that the one who robs first takes every coin for
NAMES = {"AC": "always_cooperate", "AD": "always_defect", "random": "random"}
SEEDS = 3
# `budget`: steps of the game for each of the bounds of exploitability; `robberies`: episodes.
SETTINGS = {"runs": SEEDS, "episodes": 32, "budget": 50_000, "robberies": 2048}
SMALL = {"runs": 1, "episodes": 2, "budget": 3200, "robberies": 2}


def find_agents(learner: str) -> list[str]:
    """A learner's bundled agents that were trained on the league's own game, by their metadata."""
    entries = []
    for name in list_bundled():
        facts = bundled_facts(name)
        own_game = facts["env_id"] == "coin_game_v0" and facts["game"] in ({}, {"grid_size": 3})
        if facts["learner"] == learner and own_game:
            entries.append(f"bundled:{name}")
    return entries


def cells(settings: Settings) -> list[Cell]:
    """Three cells for each learner, and one for scripted players.

    A learner has as many runs as it has bundled seeds, `runs` at most.
    """
    common = {"episodes": settings["episodes"]}
    seeds = {learner: len(find_agents(learner)[: settings["runs"]]) for learner in PUBLISHED}
    of_learners = [
        Cell(learner, {**common, "learner": learner}, count, build_rows(learner, count), cost=3.0)
        for learner, count in seeds.items()
        if count
    ]

    exploited = [
        build_exploit_cell(learner, settings["budget"], count)
        for learner, count in seeds.items()
        if count
    ]

    robbed = [
        build_robbed_cell(learner, settings["robberies"], count)
        for learner, count in seeds.items()
        if count
    ]

    rows = tuple(Row(name, SCRIPTED[name][0], digits=3, paper_runs=32) for name in SCRIPTED)
    own = {**common, "learner": ""}
    scripted = Cell("scripted", own, settings["episodes"], rows, cost=0.1, count="episodes")
    return [*of_learners, *exploited, *robbed, scripted]


def build_exploit_cell(learner: str, budget: int, seeds: int) -> Cell:
    """How much a player can gain over a learner's agents."""
    note = "gain of the best response that was found, a lower bound for recurrent agents"
    row = Row(f"{learner} exploitable", None, "gain", digits=3, note=note)
    own = {"learner": learner, "budget": budget}
    return Cell(f"{learner} exploitability", own, seeds, (row,), cost=120.0)


def build_robbed_cell(learner: str, robberies: int, seeds: int) -> Cell:
    """What a learner's agents and one who robs them first earn."""
    note = f"takes every coin for {ROBBED} steps, and cooperates from then on"
    names = (f"robs first vs {learner}", f"{learner} vs robs first", f"{learner} robbed: gain")
    rows = tuple(Row(name, None, digits=3, note=note) for name in names)
    own = {"learner": learner, "robberies": robberies}
    return Cell(f"{learner} robbed", own, seeds, rows, cost=6.0)


def build_rows(learner: str, seeds: int) -> tuple[Row, ...]:
    """The published numbers.

    With fewer than SEEDS bundled agents they are notes, and nothing can say "reproduced".
    """
    rows = []
    for name, (published, target) in PUBLISHED[learner].items():
        note = NOTES[learner]
        if name.endswith("cross") and seeds == 1:
            continue
        if seeds < SEEDS:
            note = f"{note}; published {published}; {seeds} of {SEEDS} seeds"
            rows.append(Row(name, None, digits=3, note=note))
        else:
            about: dict[str, Any] = {"paper_runs": 10, "digits": 3, "judged": False}
            rows.append(Row(name, published, target=target, note=note, **about))
    return tuple(rows)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Mean rewards a step of every seed of a learner; for scripted players, of every episode."""
    if "budget" in settings:
        return score_gains(settings, runs, seed)
    if "robberies" in settings:
        return score_robberies(settings, runs, seed)
    episodes, name = settings["episodes"], settings["learner"]
    if not name:
        games = {row: play_scripted(a, b, runs, seed) for row, (_, a, b, _) in SCRIPTED.items()}
        return {"samples": {row: games[row][:, SCRIPTED[row][-1]].tolist() for row in SCRIPTED}}

    # The league: the learner's seeds, scripted players, everybody else.
    entries = find_agents(name)[:runs]
    all_agents = [find_agents(learner)[:SEEDS] for learner in (*PUBLISHED, "sb3_ppo")]
    strangers = [entry for some in all_agents for entry in some if entry not in entries]
    members = [*entries, *NAMES.values(), *strangers]
    league = play_league(members, "coin_game_v0", episodes=episodes, seed=seed)

    samples = average_league(name, league.means, len(entries))
    if name == "loqa":
        samples["loqa adversarial"] = [score_adversarial(each, episodes, seed) for each in entries]
    return {"samples": samples, "league": league.json()}


def score_gains(settings: Settings, runs: int, seed: int) -> Result:
    """What the best of three exploiters gains over each of a learner's agents, a step."""
    cfg = ExploitConfig(budget=settings["budget"], seed=seed)
    entries = find_agents(settings["learner"])[:runs]
    reports = [exploit(load_agents(entry), cfg) for entry in entries]
    return {"samples": {"gain": [known_gain(report) for report in reports]}, "reports": reports}


def score_robberies(settings: Settings, runs: int, seed: int) -> Result:
    """What one who robs first earns, and each of a learner's agents, and what robbing gains."""
    learner, episodes = settings["learner"], settings["robberies"]
    scores = []
    for entry in find_agents(learner)[:runs]:
        agents = load_agents(entry)
        robbed, robber = rob(agents, episodes, seed).mean(0)
        alone = score_agent(agents, episodes=episodes, seed=seed, opponents=())["self"]
        scores.append((robber, robbed, robber - alone))

    names = (f"robs first vs {learner}", f"{learner} vs robs first", f"{learner} robbed: gain")
    return {"samples": dict(zip(names, np.array(scores).T.tolist(), strict=True))}


def rob(agents: list[TrainedAgent], episodes: int, seed: int) -> np.ndarray:
    """Mean rewards a step of an agent and one who robs it first, [episodes, 2]."""
    first, game = AgentPlayer(agents[0]), agents[0].game_kwargs
    later, before = (
        sde.make_strategy(NAMES[name], "coin_game_v0", player=1, **game) for name in ("AC", "AD")
    )
    robber = Thief(later, before, ROBBED)
    games = play_episodes("coin_game_v0", [first, robber], episodes, seed, **game)
    return np.asarray(games["rewards"].mean(0))


def average_league(name: str, means: Any, count: int) -> dict[str, list[float]]:
    """Rewards of the first `count` members: own copies, each other, scripted players.

    Args:
        name: of their learner.
        means: [E, E, 2], of the row's and the column's member.
        count: how many members are of that learner.
    """
    each = range(count)
    samples = {f"{name} self": [means[k, k].mean() for k in each]}
    if count > 1:
        samples[f"{name} cross"] = [
            sum(means[k, j].mean() for j in each if j != k) / (count - 1) for k in each
        ]

    # Scripted players come after the learner's own seeds.
    for j, short in enumerate(NAMES):
        samples[f"{name} vs {short}"] = [means[k, count + j, 0] for k in each]
        samples[f"{short} vs {name}"] = [means[k, count + j, 1] for k in each]
    return samples


def score_adversarial(entry: str, episodes: int, seed: int) -> float:
    """Share of the pick-ups in self-play that are of the other's coin."""
    scores = score_agent(load_agent(entry), episodes=episodes, seed=seed, opponents=())
    return float(scores["adversarial"])


def play_scripted(first: str, second: str, episodes: int, seed: int) -> np.ndarray:
    """Mean rewards a step of two scripted players, [episodes, 2]."""
    players = [
        sde.make_strategy(NAMES[name], "coin_game_v0", player=seat)
        for seat, name in enumerate((first, second))
    ]
    return np.asarray(play_episodes("coin_game_v0", players, episodes, seed)["rewards"].mean(0))


def plot(result: Result, path: Path) -> None:
    """A heat map of each league."""
    extra = result.get("extra", {}).items()
    leagues = {name: more["league"] for name, more in extra if "league" in more}
    figure, panels = make_axes(max(1, len(leagues)), width=6.0, height=5.0)

    for axis, (name, league) in zip(np.atleast_1d(panels), leagues.items(), strict=False):
        means = np.array(league["means"], float)[..., 0]
        axis.imshow(means, cmap="RdYlGn", vmin=-0.6, vmax=0.6)
        for (i, j), value in np.ndenumerate(means):
            axis.text(j, i, f"{value:+.2f}", ha="center", va="center", fontsize=6)

        # Members on both axes.
        labels = [entry.removeprefix("bundled:") for entry in league["names"]]
        axis.set_xticks(range(len(labels)), labels, rotation=90, fontsize=6)
        axis.set_yticks(range(len(labels)), labels, fontsize=6)
        axis.grid(False)
        axis.set_title(f"{name}: reward a step of the row")
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="coin_league",
    title="LOQA's league on the 3x3 Coin Game",
    source="Aghajohari et al. 2024, https://arxiv.org/abs/2405.01035, league figure; "
    "MiladInk/loqa 32f50c9, league/results",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
