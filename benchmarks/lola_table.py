"""LOLA's Table 3: how often naive and LOLA learners end as tit for tat, or at the Nash equilibrium.

Exact learners climb the closed-form value; PG learners see sampled games only. %TFT counts (runs x
states) in which *both* agents' likeliest action is tit for tat's; pure defection scores 20 %. The
paper gives no threshold: this is decoded from its numbers (agents/matrix_games/policy_metrics.py),
and the stricter count, both agents in all five states of a run, is shown beside it.

LOLA-PG's shaping rate η is the one setting that differs between the games: hidden factors of the
released code make it 1/2, with which the printed row of the IPD comes out; that of IMP comes out
with the paper's 1, not with 1/2. Both are run.
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
from benchmarks.harness.plots import (
    BLUE,
    RED,
    axes,
    comparison,
    curve,
    row_of,
    save,
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
    "IPD NL-PG R": "ours: the exact value of the last policies, with neither sampling noise nor a cut after 150 steps",
    "IMP NL-PG share": "simultaneous ascent of rate 1 leaves the mixed equilibrium; the released code cannot run this row",
    "IMP LOLA-PG std": "closer to the equilibrium than the paper's runs",
}
GAMES = {
    "IPD": ("ipd_v0", 0.96, "tft", "%TFT"),
    "IMP": ("imp_v0", 0.9, "nash", "%Nash"),
}  # gamma: authors' run_lola.py
SETTINGS = {
    "runs": 1000,
    "steps": 200,
    "pg_runs": 20,
    "pg_steps": 150,
    "pg_games": 4000,
    "pg_horizon": 150,
}
SMALL = {"runs": 32, "steps": 20, "pg_runs": 2, "pg_steps": 2, "pg_games": 20, "pg_horizon": 20}


def rows_of(name: str) -> tuple[Row, ...]:
    """Share, strict share (IPD only), mean and spread of the reward of one learner."""
    game = name.split()[0]
    share, mean, std = PAPER[name]
    label = GAMES[game][3]
    share_note, std_note = NOTES.get(f"{name} share", ""), NOTES.get(f"{name} std", "")
    rows = [
        Row(
            f"{name} {label}",
            share,
            "share",
            target=TARGETS.get(f"{name} share"),
            digits=1,
            unit="%",
            note=share_note,
        )
    ]
    if f"{name} strict" in TARGETS:
        note = "both agents in all five states; the paper does not print it"
        wanted = TARGETS[f"{name} strict"]
        rows.append(
            Row(
                f"{name} {label}, strict",
                None,
                "strict",
                target=wanted,
                digits=1,
                unit="%",
                note=note,
            )
        )
    rows.append(
        Row(
            f"{name} R",
            mean,
            "reward",
            target=TARGETS.get(f"{name} R"),
            note=NOTES.get(f"{name} R", ""),
        )
    )
    rows.append(
        Row(
            f"{name} R, std", std, "reward", "std", target=TARGETS.get(f"{name} std"), note=std_note
        )
    )
    return tuple(rows)


def cells(settings: Settings) -> list[Cell]:
    """A cell for each learner and game; the exact ones first."""
    made = []
    for name in PAPER:
        game, method, *half = name.replace(",", "").split()
        learner, kind = method.split("-")
        common = {"game": game, "learner": learner, "device": settings["device"]}
        if kind == "Ex":
            own = {"steps": settings["steps"]}
            made.append(Cell(name, common | own, settings["runs"], rows_of(name), cost=0.002))
        else:
            own = {key: settings[f"pg_{key}"] for key in ("steps", "games", "horizon")}
            if (game, learner) == ("IMP", "LOLA") and not half:
                own["eta"] = 1.0
            made.append(
                Cell(
                    name,
                    common | own,
                    settings["pg_runs"],
                    rows_of(name),
                    chunk=5,
                    cost=20.0,
                    count="pg_runs",
                )
            )
    return made


def score(settings: Settings, runs: int, seed: int) -> dict[str, Any]:
    """Shares and rewards of every run."""
    import social_dilemmas_env as sde
    from agents.matrix_games import policy_metrics as metrics
    from agents.matrix_games.closed_form import MatrixGame

    env_id, gamma, count, _ = GAMES[settings["game"]]
    game = MatrixGame(sde.payoffs(env_id), gamma, settings["device"])
    history = (learn_from_samples if "games" in settings else learn_exactly)(
        game, settings, runs, seed
    )
    policies = game.policies(history.theta)
    rate = metrics.tft_rate if count == "tft" else metrics.nash_rate
    rates = [rate(policies[r : r + 1]) for r in range(runs)]
    shown = history.values.mean(-1) if count == "tft" else history.values.abs().mean(-1)
    return {
        "samples": {
            "share": [100 * each.per_state for each in rates], "strict": [100 * each.all_states for each in rates],
            "reward": history.values[-1], "policy": policies[..., 0].mean(1),
        },
        "curves": {"mean": shown.mean(-1), "low": shown.quantile(0.05, -1), "high": shown.quantile(0.95, -1)},
        "stopped": [str(each) for each in history.stopped],
    }  # fmt: skip


def learn_exactly(game: Any, settings: Settings, runs: int, seed: int) -> Any:
    """Closed-form gradients: authors' run_lola.py, step size and shaping rate 1."""
    from agents.learners.exact_table import RunConfig, exact_learner, run

    learner = exact_learner({"NL": "naive", "LOLA": "lola"}[settings["learner"]])
    return run(game, learner, RunConfig(runs=runs, steps=settings["steps"], seed=seed))


def learn_from_samples(game: Any, settings: Settings, runs: int, seed: int) -> Any:
    """Batches of play: the released step sizes (1).

    The shaping rate is the cell's, or that of the released code, 1/2.
    """
    import social_dilemmas_env as sde
    from agents.learners.lola.lola_pg import LolaPg, LolaPgConfig
    from agents.learners.naive.naive_pg import NaivePg, NaivePgConfig
    from agents.matrix_games.gradient_runs import RunConfig, run
    from agents.matrix_games.sampled import SampleConfig, SampledGame

    play, critic = sde.draw(seed, 1), sde.draw(seed, 2)  # `seed` itself draws the policies
    sampled = SampledGame(
        game, SampleConfig(games=settings["games"], steps=settings["horizon"], seed=play)
    )
    if settings["learner"] == "NL":
        learner = NaivePg(NaivePgConfig(critic_seed=critic))
    else:
        learner = LolaPg(
            LolaPgConfig(critic_seed=critic, **{k: settings[k] for k in ("eta",) if k in settings})
        )
    return run(sampled, learner, RunConfig(runs=runs, steps=settings["steps"], seed=seed))


def plot(result: dict[str, Any], path: Path) -> None:
    """Learning curves, and %TFT and %Nash beside the paper's."""
    figure, (ipd, imp, shares) = axes(3)
    for axis, game in ((ipd, "IPD"), (imp, "IMP")):
        for learner, color in (("NL", BLUE), ("LOLA", RED)):
            curve(axis, result["curves"][f"{game} {learner}-Ex"], color, f"{learner}-Ex")
            if f"{game} {learner}-PG" in result["curves"]:
                axis.plot(
                    result["curves"][f"{game} {learner}-PG"]["mean"],
                    color=color,
                    ls=":",
                    label=f"{learner}-PG",
                )
        axis.set_xlabel("update")
    ipd.set(title="Prisoner's dilemma, mean reward a step", ylim=(-2.1, -0.9))
    imp.set(title="Matching pennies, |reward| a step")
    ipd.legend()
    names = [f"{name} {GAMES[name.split()[0]][3]}" for name in PAPER]
    comparison(shares, [row_of(result, name) for name in names], names)
    shares.set(title="Share of tit for tat, or Nash", xlabel="%", xlim=(-4, 104))
    save(figure, path)


BENCHMARK = Benchmark(
    name="lola_table", title="LOLA, Table 3: naive and LOLA learners, exact and from samples",
    source="Foerster et al. 2018, https://arxiv.org/abs/1709.04326, Table 3", settings=SETTINGS, small=SMALL,
    cells=cells, score=score, plot=plot,
)  # fmt: skip
