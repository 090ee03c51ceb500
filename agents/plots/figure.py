"""The figure of some runs or agents: a panel for each thing there is to see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.evaluation.agent import TrainedAgent
from agents.plots.conduct import (
    COINS,
    HISTORIES,
    PARTNERS,
    Bar,
    Reaction,
    bar_of,
    memory_one,
    reaction,
    state_names,
    what_is_counted,
)
from agents.plots.runs import Group
from social_dilemmas_env.extras import need
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.registry import spec

# M. Okabe and K. Ito, "Color Universal Design" (2008).
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#3C3C3C")
MAX_MAPS = 4  # of reactions, one an agent
ACROSS = 3  # panels in a row
Draw = Callable[[Any], None]


@dataclass(frozen=True)
class Subject:
    """Something to plot.

    Attributes:
        label: for legends.
        agents: of each run, one a seat.
        group: its runs; None for an agent that is no run folder.
    """

    label: str
    agents: list[list[TrainedAgent]]
    group: Group | None = None


def panels(subjects: Sequence[Subject]) -> list[Draw]:
    """What there is to see of some subjects, each a function that draws on an axis."""
    found: list[Draw] = []
    if any(subject.group for subject in subjects):
        found.append(lambda axis: draw_curves(axis, subjects))

    first = subjects[0].agents[0][0]
    if counted := what_is_counted(first):
        bars = [[bar_of(own.agents, partner) for partner in PARTNERS] for own in subjects]
        found.append(lambda axis: draw_bars(axis, subjects, bars, counted))

    policies = [memory_one(subject.agents[0][0]) for subject in subjects]
    if any(policy is not None for policy in policies):
        found.append(lambda axis: draw_policies(axis, subjects, policies))

    game = first.rules
    if isinstance(game, CoinGame) and game.num_agents == 2 and game.coins == 1:
        for subject in subjects[:MAX_MAPS]:
            found.append(_map_of(subject))
    return found


def _map_of(subject: Subject) -> Draw:
    found = reaction(subject.agents[0][0])
    return lambda axis: draw_reaction(axis, subject.label, found)


def draw_figure(subjects: Sequence[Subject], path: str) -> None:
    """Writes the figure, a PNG or an SVG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    matplotlib = need("matplotlib", "benchmarks", "plotting")
    matplotlib.use("Agg")
    pyplot = need("matplotlib.pyplot", "benchmarks", "plotting")

    # The same runs make the same file.
    style = {"svg.hashsalt": "social-dilemmas", "font.size": 10, "axes.spines.top": False}
    with pyplot.rc_context({**style, "axes.spines.right": False}):
        drawn = panels(subjects)
        columns = min(len(drawn), ACROSS)
        rows = -(-len(drawn) // columns)
        size = (4.6 * columns, 3.9 * rows)
        figure, axes = pyplot.subplots(rows, columns, figsize=size, layout="constrained")
        flat = np.ravel(axes)
        for axis, draw in zip(flat, drawn, strict=False):
            draw(axis)
        for axis in flat[len(drawn) :]:
            axis.axis("off")

        title = spec(subjects[0].agents[0][0].env_id).title
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        suffix = path.lower().rpartition(".")[2]
        metadata = {"Date": None} if suffix == "svg" else None
        figure.savefig(path, dpi=140, format=suffix, metadata=metadata)
        pyplot.close(figure)


def color(k: int) -> str:
    """The colour of the k-th subject."""
    return COLORS[k % len(COLORS)]


def draw_curves(axis: Any, subjects: Sequence[Subject]) -> None:
    """Reward by iteration: means, and 95 % intervals over seeds where there are several."""
    several = False
    for k, subject in enumerate(subjects):
        if subject.group is None:
            continue
        if any("reward" not in run.metrics for run in subject.group.runs):
            continue
        iterations, means, halves = subject.group.curve("reward")
        mark = "o" if len(iterations) < 8 else None
        axis.plot(iterations, means, color=color(k), label=subject.label, marker=mark, ms=4)
        if not np.isnan(halves).all():
            several = True
            low, high = means - halves, means + halves
            axis.fill_between(iterations, low, high, color=color(k), alpha=0.18, linewidth=0)

    note = "mean, 95 % over seeds" if several else "one seed each"
    axis.set(title="Learning", xlabel="iteration", ylabel=f"reward a step ({note})")
    axis.legend(frameon=False, fontsize=9)


def draw_bars(
    axis: Any, subjects: Sequence[Subject], bars: Sequence[Sequence[Bar]], counted: str
) -> None:
    """A group of bars a partner, a bar a subject."""
    width = 0.8 / len(subjects)
    for k, (subject, own) in enumerate(zip(subjects, bars, strict=True)):
        positions = np.arange(len(PARTNERS)) + (k - (len(subjects) - 1) / 2) * width
        means, halves = zip(*own, strict=True)
        style = {"color": color(k), "alpha": 0.85, "label": subject.label}
        axis.bar(positions, means, 0.92 * width, yerr=halves, capsize=2, **style)

    over = "seeds" if max(len(subject.agents) for subject in subjects) > 1 else "episodes"
    names = [name.replace("always_", "always\n") for name in PARTNERS]
    axis.set_xticks(range(len(names)), names)
    axis.set(
        title=counted[0].upper() + counted[1:],
        xlabel="the other player",
        ylabel=f"share (95 % over {over})",
        ylim=(0, 1.25 if len(subjects) > 1 else 1.05),
    )
    if len(subjects) > 1:
        axis.legend(frameon=False, fontsize=9, loc="upper left")


def draw_policies(
    axis: Any, subjects: Sequence[Subject], policies: Sequence[np.ndarray | None]
) -> None:
    """Memory-one policies: how likely the first action is, after what."""
    agent = subjects[0].agents[0][0]
    names, width = state_names(agent), 0.8 / len(subjects)
    for k, (subject, policy) in enumerate(zip(subjects, policies, strict=True)):
        if policy is not None:
            positions = np.arange(len(names)) + (k - (len(subjects) - 1) / 2) * width
            style = {"color": color(k), "alpha": 0.85, "label": subject.label}
            axis.bar(positions, policy, 0.92 * width, **style)

    action = agent.rules.action_names[0][0]
    axis.set_xticks(range(len(names)), names)
    axis.set(
        title="Policy of the first run",
        xlabel="after (own action first)",
        ylabel=f"probability of {action!r}",
        ylim=(0, 1.25 if len(subjects) > 1 else 1.05),
    )
    if len(subjects) > 1:
        axis.legend(frameon=False, fontsize=9, loc="upper left")


def draw_reaction(axis: Any, label: str, reaction: Reaction) -> None:
    """What an agent does with a coin in reach, by what was done to it."""
    axis.imshow(reaction.chance, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for (row, column), chance in np.ndenumerate(reaction.chance):
        text = "never" if np.isnan(chance) else f"{chance:.0%}"
        dark = not np.isnan(chance) and chance > 0.6
        style = {"ha": "center", "color": "white" if dark else "#1b2230"}
        axis.text(column, row - 0.06, text, va="center", fontsize=14, **style)
        axis.text(
            column, row + 0.2, f"n = {reaction.occasions[row, column]:,}", fontsize=8, **style
        )

    axis.set_xticks(range(len(HISTORIES)), HISTORIES)
    axis.set_yticks(range(len(COINS)), COINS)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set(
        title=f"{label}: takes a coin in reach",
        xlabel="the other's last coin",
        ylabel="coin in reach",
    )
