"""The demo's matrix games: naive and LOLA learners beside LOLA's Table 3."""

from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from agents.cli.words import progress

# (game, learner) -> what the paper has: LOLA (arXiv:1709.04326), Table 3, 50 runs; %TFT or %Nash,
# reward a step, its standard deviation over runs.
PAPER = {
    ("ipd_v0", "naive"): (20.8, -1.98, 0.14),
    ("ipd_v0", "lola"): (81.0, -1.06, 0.19),
    ("imp_v0", "naive"): (0.0, 0.0, 0.37),
    ("imp_v0", "lola"): (98.8, 0.0, 0.02),
}
COLORS = {"naive": "#0072B2", "lola": "#D55E00"}
GAMMA = {"ipd_v0": 0.96, "imp_v0": 0.9}  # the paper's

# (game, learner) -> the row of `exact_table`.
Results = dict[tuple[str, str], dict[str, Any]]


def learn(runs: int, seed: int) -> Results:
    """Exact naive and LOLA learners on both games."""
    # Inside: torch takes a second to import, which --help need not pay.
    import torch

    from agents.learners.exact_table import RunConfig, exact_table

    torch.set_num_threads(1)
    advance = progress("learning", len(PAPER))
    results = {}
    for env_id, learner in PAPER:
        config = RunConfig(runs=runs, seed=seed)
        results[env_id, learner] = exact_table(sde.payoffs(env_id), GAMMA[env_id], learner, config)
        advance()
    return results


def print_table(results: Results) -> None:
    """The rows beside the paper's."""
    runs = next(iter(results.values()))["runs"]
    print(f"Exact learners, {runs} runs of 200 updates; in brackets LOLA's Table 3 (50 runs)")
    heads = "".join(f" {word:>16s}" for word in ("share %", "reward a step", "std over runs"))
    print(f"{'game':8s} {'learner':8s} {'':5s}{heads}")

    # A cell is "ours (paper)".
    for (env_id, learner), row in results.items():
        share = row["tft" if env_id == "ipd_v0" else "nash"]["per_state"]
        ours = (100 * share, row["reward_mean"], row["reward_std"])
        cells = [
            f"{a:7.{digits}f} ({b:.{digits}f})"
            for a, b, digits in zip(ours, PAPER[env_id, learner], (1, 2, 2), strict=True)
        ]
        label = "%TFT" if env_id == "ipd_v0" else "%Nash"
        print(f"{env_id:8s} {learner:8s} {label:5s} " + " ".join(f"{cell:>16s}" for cell in cells))

    print("Shares over runs x states.  %TFT: the likeliest action of both agents is that")
    print("of tit for tat; %Nash: both are within .25 of one half (the paper gives no")
    print("threshold).")


def plot(results: Results, path: Path) -> None:
    """Learning curves of both games, and the policies learned on the prisoner's dilemma."""
    # Inside: it takes a second to import, which --help need not pay.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    # Two panels of curves, one of policies.
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4), layout="constrained")
    plot_curves(axes[0], axes[1], results)
    plot_policies(axes[2], results)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def plot_curves(dilemma: Any, pennies: Any, results: Results) -> None:
    """Rewards on the dilemma (mean and 5 to 95 % of runs), their spread on matching pennies."""
    for learner, color in COLORS.items():
        row = results["ipd_v0", learner]
        low, high = (row["curve_quantiles"][q] for q in ("0.05", "0.95"))
        dilemma.plot(row["curve"], color=color, label=learner)
        dilemma.fill_between(range(len(low)), low, high, color=color, alpha=0.15, linewidth=0)
        pennies.plot(results["imp_v0", learner]["spread"], color=color, label=learner)

    runs = results["ipd_v0", "lola"]["runs"]
    dilemma.set(
        title="Prisoner's dilemma",
        ylabel="reward a step (mean; 5 to 95 % of runs)",
        xlabel=f"update ({runs} runs)",
    )
    pennies.set(
        title="Matching pennies",
        ylabel="spread of the reward (0 at the equilibrium)",
        xlabel="update",
        ylim=(0, None),
    )
    for axis in (dilemma, pennies):
        axis.legend(frameon=False)


def plot_policies(axis: Any, results: Results) -> None:
    """Mean probability to cooperate in each state of the prisoner's dilemma."""
    states = ("start", "CC", "CD", "DC", "DD")
    for offset, (learner, color) in zip((-0.2, 0.2), COLORS.items(), strict=True):
        policies = results["ipd_v0", learner]["policies"].reshape(-1, len(states))
        positions = [i + offset for i in range(len(states))]
        axis.bar(positions, policies.mean(0), 0.38, color=color, alpha=0.8, label=learner)

    axis.set(
        title="What they learn on the dilemma",
        ylabel="mean probability to cooperate",
        xlabel="after (own action first)",
    )

    axis.set_xticks(range(len(states)), states)
    axis.set_ylim(0, 1.2)  # room for the legend
    axis.legend(frameon=False, loc="upper right", ncols=2)
