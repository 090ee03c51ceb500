"""LOLA's Table 3: how often naive and LOLA learners end as tit for tat, or at the Nash equilibrium.

Exact learners climb the closed-form value; PG learners see sampled games only. %TFT counts (runs x
states) in which *both* agents' likeliest action is tit for tat's; pure defection scores 20 %. The
paper gives no threshold: this is decoded from its numbers (agents/matrix_games/policy_metrics.py),
and the stricter count, both agents in all five states of a run, is shown beside it.

LOLA-PG's shaping rate η is the one setting that differs between the games: hidden factors of the
released code make it 1/2, with which the printed row of the IPD comes out; that of IMP comes out
with the paper's 1, not with 1/2. Both are run. The row of the IPD is also run with ten times the
games: 65 % [57, 72] are tit for tat then, as with exact gradients, so that noise is enough to
explain what is missing of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from agents.learners.exact_table import RunConfig, exact_learner, run
from agents.learners.lola.lola_pg import LolaPg, LolaPgConfig
from agents.learners.naive.naive_pg import NaivePg, NaivePgConfig
from agents.matrix_games import policy_metrics
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.sampled import SampleConfig, SampledGame
from benchmarks.harness.benchmark import Benchmark, Cell, Result, Row, Settings, pick_settings
from benchmarks.harness.plots import (
    BLUE,
    RED,
    find_row,
    make_axes,
    plot_comparison,
    plot_curve,
    save_figure,
)

# Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Table 3, 50 runs: % TFT or % Nash, mean
# reward a step, its std.
PAPER = {
    "IPD NL-Ex": (20.8, -1.98, 0.14),
    "IPD LOLA-Ex": (81.0, -1.06, 0.19),
    "IMP NL-Ex": (0.0, 0.0, 0.37),
    "IMP LOLA-Ex": (98.8, 0.0, 0.02),
    "IPD NL-PG": (20.0, -1.98, 0.00),
    "IPD LOLA-PG": (66.4, -1.17, 0.34),
    "IMP NL-PG": (13.2, 0.0, 0.19),
    "IMP LOLA-PG": (93.2, 0.0, 0.06),
    "IMP LOLA-PG, eta .5": (93.2, 0.0, 0.06),  # the same row with the rate of the IPD
    "IPD LOLA-PG, ten times": (66.4, -1.17, 0.34),  # the row of the IPD with ten times the games
}
# What the authors' recipe gives over thousands of runs (an independent re-creation of it, in its
# own code); the paper's 50 runs move %TFT by 3 points (sd). Stated before this benchmark was first
# run.
TARGETS = {
    "IPD NL-Ex share": (19.7, 21.7),
    "IPD NL-Ex R": (-2.00, -1.98),
    "IPD NL-Ex strict": (0.0, 1.0),
    "IPD LOLA-Ex share": (78.5, 81.5),
    "IPD LOLA-Ex R": (-1.055, -1.035),
    "IPD LOLA-Ex strict": (32.4, 39.6),  # re-creation: 36 % of 2,000 runs
    "IMP LOLA-Ex share": (97.0, 99.0),  # 98 % within .25 of one half
    "IMP LOLA-Ex std": (0.0, 0.05),
}
NOTES = {
    "IPD NL-PG R": "ours: the exact value of the last policies, with neither sampling noise nor a "
    "cut after 150 steps",
    "IMP NL-PG share": "simultaneous ascent of rate 1 leaves the mixed equilibrium; the released "
    "code cannot run this row",
    "IMP LOLA-PG std": "closer to the equilibrium than the paper's runs",
}
STRICT = "both agents in all five states; the paper does not print it"
# Environment, discount (the authors' run_lola.py), what is counted, its label.
GAMES = {
    "IPD": ("ipd_v0", 0.96, "tft", "%TFT"),
    "IMP": ("imp_v0", 0.9, "nash", "%Nash"),
}
SETTINGS = {
    "runs": 1000,
    "steps": 200,
    "pg_runs": 20,
    "pg_steps": 150,
    "pg_games": 4000,
    "pg_horizon": 150,
}
SMALL = {"runs": 32, "steps": 20, "pg_runs": 2, "pg_steps": 2, "pg_games": 20, "pg_horizon": 20}


def build_rows(name: str) -> tuple[Row, ...]:
    """Share, strict share (IPD only), mean and spread of the reward of one learner."""
    share, mean, std = PAPER[name]
    share_label, reward_label = f"{name} {GAMES[name.split()[0]][3]}", f"{name} R"

    def describe(what: str) -> dict[str, Any]:
        key = f"{name} {what}"
        return {"target": TARGETS.get(key), "note": NOTES.get(key, "")}

    rows = [Row(share_label, share, "share", digits=1, unit="%", **describe("share"))]
    if f"{name} strict" in TARGETS:
        more = describe("strict") | {"note": STRICT}
        rows.append(Row(f"{share_label}, strict", None, "strict", digits=1, unit="%", **more))
    rows.append(Row(reward_label, mean, "reward", **describe("R")))
    rows.append(Row(f"{reward_label}, std", std, "reward", "std", **describe("std")))
    return tuple(rows)


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner and game; the exact ones first."""
    return [build_cell(name, settings) for name in PAPER]


def build_cell(name: str, settings: Settings) -> Cell:
    """One learner in one game."""
    game, method, *changed = name.replace(",", "").split()
    learner, kind = method.split("-")
    own = {"game": game, "learner": learner} | pick_settings(settings, "device")
    if kind == "Ex":
        own |= {"steps": settings["steps"]}
        return Cell(name, own, settings["runs"], build_rows(name), cost=0.002)

    own |= pick_settings(settings, "steps", "games", "horizon", prefix="pg_")
    if changed[:1] == ["ten"]:
        own["games"] *= 10
    if (game, learner) == ("IMP", "LOLA") and not changed:
        own["eta"] = 1.0
    rows, count = build_rows(name), "pg_runs"
    cost = own["games"] / 200
    return Cell(name, own, settings[count], rows, chunk=5, cost=cost, count=count)


def score(settings: Settings, runs: int, seed: int) -> Result:
    """Shares and rewards of every run."""
    env_id, gamma, counted, _ = GAMES[settings["game"]]
    game = MatrixGame(sde.payoffs(env_id), gamma, settings["device"])
    learn = learn_from_samples if "games" in settings else learn_exactly
    history = learn(game, settings, runs, seed)

    # Count states of both agents, run by run.
    policies = game.policies(history.theta)
    rate = policy_metrics.tft_rate if counted == "tft" else policy_metrics.nash_rate
    rates = [rate(policies[r : r + 1]) for r in range(runs)]
    values = history.values.mean(-1) if counted == "tft" else history.values.abs().mean(-1)
    return {
        "samples": {
            "share": [100 * each.per_state for each in rates],
            "strict": [100 * each.all_states for each in rates],
            "reward": history.values[-1],
            "policy": policies[..., 0].mean(1),
        },
        "curves": {
            "mean": values.mean(-1),
            "low": values.quantile(0.05, -1),
            "high": values.quantile(0.95, -1),
        },
        "stopped": [str(each) for each in history.stopped],
    }


def learn_exactly(game: Any, settings: Settings, runs: int, seed: int) -> Any:
    """Closed-form gradients: authors' run_lola.py, step size and shaping rate 1."""
    learner = exact_learner({"NL": "naive", "LOLA": "lola"}[settings["learner"]])
    return run(game, learner, RunConfig(runs=runs, steps=settings["steps"], seed=seed))


def learn_from_samples(game: Any, settings: Settings, runs: int, seed: int) -> Any:
    """Batches of play: the released step sizes (1).

    The shaping rate is the cell's, or that of the released code, 1/2.
    """
    # `seed` itself draws the policies.
    sampling_seed, critic_seed = sde.draw(seed, 1), sde.draw(seed, 2)
    sampling = SampleConfig(games=settings["games"], steps=settings["horizon"], seed=sampling_seed)
    rate = {"eta": settings["eta"]} if "eta" in settings else {}

    learner: Any
    if settings["learner"] == "NL":
        learner = NaivePg(NaivePgConfig(critic_seed=critic_seed))
    else:
        learner = LolaPg(LolaPgConfig(critic_seed=critic_seed, **rate))
    loop = RunConfig(runs=runs, steps=settings["steps"], seed=seed)
    return run(SampledGame(game, sampling), learner, loop)


def plot(result: Result, path: Path) -> None:
    """Learning curves, and %TFT and %Nash beside the paper's."""
    figure, (ipd, imp, shares) = make_axes(3)
    curves = result["curves"]
    for axis, game in ((ipd, "IPD"), (imp, "IMP")):
        for learner, color in (("NL", BLUE), ("LOLA", RED)):
            exact, sampled = f"{learner}-Ex", f"{learner}-PG"
            plot_curve(axis, curves[f"{game} {exact}"], color, label=exact)
            if f"{game} {sampled}" in curves:
                mean = curves[f"{game} {sampled}"]["mean"]
                axis.plot(mean, color=color, ls=":", label=sampled)
        axis.set_xlabel("update")
    ipd.set(title="Prisoner's dilemma, mean reward a step", ylim=(-2.1, -0.9))
    imp.set(title="Matching pennies, |reward| a step")
    ipd.legend()

    names = [f"{name} {GAMES[name.split()[0]][3]}" for name in PAPER]
    plot_comparison(shares, [find_row(result, name) for name in names], names)
    shares.set(title="Share of tit for tat, or Nash", xlabel="%", xlim=(-4, 104))
    save_figure(figure, path)


BENCHMARK = Benchmark(
    name="lola_table",
    title="LOLA, Table 3: naive and LOLA learners, exact and from samples",
    source="Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Table 3",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
