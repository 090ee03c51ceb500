"""`social-dilemmas demo`: naive and LOLA learners, a Coin Game episode, and the pictures of both,
in a minute.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from agents.cli.main import progress
from agents.evaluation.players import Single, play_episode

# LOLA (arXiv:1709.04326), Table 3, 50 runs: %TFT or %Nash, reward a step, its standard deviation
# over runs.
PAPER = {
    ("ipd_v0", "naive"): (20.8, -1.98, 0.14),
    ("ipd_v0", "lola"): (81.0, -1.06, 0.19),
    ("imp_v0", "naive"): (0.0, 0.0, 0.37),
    ("imp_v0", "lola"): (98.8, 0.0, 0.02),
}
GAMMA = {"ipd_v0": 0.96, "imp_v0": 0.9}  # the paper's
EPISODES = (
    ("always_cooperate", "always_cooperate"),
    ("always_cooperate", "always_defect"),
    ("tit_for_tat", "always_defect"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "--out", default="demo_output", help="folder for the pictures (default demo_output)"
    )
    parser.add_argument(
        "--runs", type=int, default=1000, help="independent runs of each learner (default 1000)"
    )
    parser.add_argument("--seed", type=int, default=0)


def run(arguments: argparse.Namespace) -> int:
    """Learns, prints the table, plots, plays, records."""
    begin = time.perf_counter()
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    results = learn(arguments.runs, arguments.seed)
    print_table(results)
    plot(results, out / "learning.png")
    record(out / "coin_game.gif", arguments.seed)
    print(
        f"\n{time.perf_counter() - begin:.0f} s; look at {out}/learning.png and {out}/coin_game.gif"
    )
    return 0


def learn(runs: int, seed: int) -> dict[tuple[str, str], dict[str, Any]]:
    """Exact naive and LOLA learners on both games: {(game, learner): the row}."""
    import torch

    from agents.learners.exact_table import RunConfig, exact_table

    torch.set_num_threads(1)
    advance = progress("learning", len(PAPER))
    results = {}
    for env_id, learner in PAPER:
        results[env_id, learner] = exact_table(
            sde.payoffs(env_id), GAMMA[env_id], learner, RunConfig(runs=runs, seed=seed)
        )
        advance()
    return results


def print_table(results: dict[tuple[str, str], dict[str, Any]]) -> None:
    """The rows beside the paper's."""
    runs = next(iter(results.values()))["runs"]
    print(f"Exact learners, {runs} runs of 200 updates, CPU; in brackets LOLA's Table 3 (50 runs)")
    print(
        f"{'game':8s} {'learner':8s} {'':5s} {'share %':>16s} {'reward a step':>16s} {'std over runs':>16s}"
    )
    for (env_id, learner), row in results.items():
        share = row["tft" if env_id == "ipd_v0" else "nash"]["per_state"]
        ours = (100 * share, row["reward_mean"], row["reward_std"])
        cells = [
            f"{a:7.{d}f} ({b:.{d}f})"
            for a, b, d in zip(ours, PAPER[env_id, learner], (1, 2, 2), strict=True)
        ]
        label = "%TFT" if env_id == "ipd_v0" else "%Nash"
        print(f"{env_id:8s} {learner:8s} {label:5s} " + " ".join(f"{cell:>16s}" for cell in cells))
    print(
        "Shares over runs x states.  %TFT: the likeliest action of both agents is tit for tat's; %Nash: both are within .25"
    )
    print("of one half (the paper gives no threshold).")


def plot(results: dict[tuple[str, str], dict[str, Any]], path: Path) -> None:
    """Learning curves (mean and 5 to 95 % of runs), and the policies learned on the prisoner's
    dilemma.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    colors = {"naive": "#0072B2", "lola": "#D55E00"}
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for learner, color in colors.items():
        dilemma, pennies = results["ipd_v0", learner], results["imp_v0", learner]
        low, high = (dilemma["curve_quantiles"][q] for q in ("0.05", "0.95"))
        axes[0].plot(dilemma["curve"], color=color, label=learner)
        axes[0].fill_between(range(len(low)), low, high, color=color, alpha=0.15, linewidth=0)
        axes[1].plot(pennies["spread"], color=color, label=learner)
    runs = results["ipd_v0", "lola"]["runs"]
    axes[0].set(
        title="Prisoner's dilemma",
        ylabel="reward a step (mean; 5 to 95 % of runs)",
        xlabel=f"update ({runs} runs)",
    )
    axes[1].set(
        title="Matching pennies",
        ylabel="spread of the reward (0 at the equilibrium)",
        xlabel="update",
        ylim=(0, None),
    )
    for axis in axes[:2]:
        axis.legend(frameon=False)
    states = ("start", "CC", "CD", "DC", "DD")
    for offset, (learner, color) in zip((-0.2, 0.2), colors.items(), strict=True):
        policies = results["ipd_v0", learner]["policies"].reshape(-1, len(states))
        positions = [i + offset for i in range(len(states))]
        axes[2].bar(positions, policies.mean(0), 0.38, color=color, alpha=0.8, label=learner)
    axes[2].set(
        title="What they learn on the dilemma",
        ylabel="mean probability to cooperate",
        xlabel="after (own action first)",
    )
    axes[2].set_xticks(range(len(states)), states)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def record(path: Path, seed: int) -> None:
    """Coin Game episodes between scripted players, into one file."""
    from social_dilemmas_env.render.video import save_video

    frames: list[Any] = []
    lines = ["\nCoin Game 3x3, one episode of 50 steps each, mean reward a step"]
    advance = progress("playing", len(EPISODES) * 50)
    for names in EPISODES:
        env = sde.make_env("coin_game_v0", render_mode="rgb_array")
        env.player_names = names
        policies = [
            Single(name, "coin_game_v0", i, sde.draw(seed, i), {}) for i, name in enumerate(names)
        ]
        totals = [0.0, 0.0]
        for rewards in play_episode(env, policies, seed):
            totals = [
                total + reward for total, reward in zip(totals, rewards.values(), strict=True)
            ]
            frames.append(env.render())
            advance()
        first, second = (total / env.max_cycles for total in totals)
        lines.append(f"  {names[0]:18s} {first:+.2f}   {names[1]:18s} {second:+.2f}")
    print("\n".join(lines))
    save_video(frames, str(path), 4)
