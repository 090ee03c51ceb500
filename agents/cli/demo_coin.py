"""The demo's Coin Game: four learners without sampling, a table, curves, and films."""

from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

import social_dilemmas_env as sde
from agents.cli.solving import Row, Solved, learn, make_game, score
from agents.cli.words import progress
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.memory_agent import table_player
from agents.evaluation.scoring import play_episodes
from agents.evaluation.thief import Thief

RUNS = 5  # of each learner
ENV_ID, GAMMA = "coin_game_v0", 0.96
COLORS = {"naive": "#0072B2", "lola": "#D55E00", "pola": "#009E73", "loqa": "#CC79A7"}
SETTINGS: dict[str, dict[str, Any]] = {name: {} for name in COLORS}  # of each: the defaults
COLUMNS = {
    "self-play": "with itself",
    "against always_defect": "always_defect",
    "against always_cooperate": "always_cooperate",
}
STOLEN = 6  # steps that the thief steals for
EPISODE = 50  # steps
GAMES = 1000  # episodes that the cost of stealing is the mean of

# learner -> mean rewards a step that its paper's agents earn with the three of COLUMNS; None: not
# published.  LOQA: arXiv:2405.01035; POLA: arXiv:2210.10125, after 50,200 outer steps.
PUBLISHED: dict[str, tuple[float | None, ...]] = {
    "loqa": (0.318, -0.054, 0.352),
    "pola": (0.263, -0.027, None),
}
COSTS = {"loqa": "237 s, A100", "pola": "1 day, T4"}
NOTES = (
    "In brackets what the papers' agents earn, and their cost: LOQA's (arXiv:2405.01035) "
    "237 s of an A100 to .8 of the optimum, POLA's (arXiv:2210.10125) 50,200 outer steps, a day "
    "of a T4; but theirs is another task, for they know no rules and learn a recurrent memory from "
    "samples, while ours know the rules, are given a finite memory (who took whose coin last) and "
    "draw no samples, so that costs and scores do not compare."
)

Learned = dict[str, Solved]
Scores = dict[str, dict[str, Row]]


class Film(NamedTuple):
    """An episode to be shown: what it is called, and who plays."""

    title: str
    names: tuple[str, str]
    players: tuple[Any, Any]


def learn_all(runs: int, seed: int) -> tuple[Any, Learned]:
    """The game, and every learner's policies; a progress bar each."""
    game = make_game(ENV_ID, None, GAMMA, {})
    return game, {name: learn(game, name, runs, seed, SETTINGS[name]) for name in SETTINGS}


def score_all(game: Any, learned: Learned) -> Scores:
    """The rows of `score`, by learner and label."""
    return {
        name: {row.label: row for row in score(game, solved.policies)}
        for name, solved in learned.items()
    }


def table(game: Any, learned: Learned, scores: Scores) -> str:
    """Ours beside the published numbers, 80 columns wide."""
    runs, _, states, _ = learned["loqa"].policies.shape
    lines = [
        f"Coin Game 3x3, solved: {states:,} states, gamma {game.gamma:g}, {runs} runs a learner,",
        "no sampling; mean reward a step, exact (papers' agents in brackets), against",
        f"{'':8s}" + "".join(f"{head:17s}" for head in COLUMNS.values()) + "seconds of a core",
    ]
    for name, solved in learned.items():
        published = PUBLISHED.get(name, (None, None, None))
        cells = [
            f"{scores[name][label].values.mean():+.3f} {_bracket(paper)}"
            for label, paper in zip(COLUMNS, published, strict=True)
        ]
        cost = f"{solved.seconds:.1f}" + (f" ({COSTS[name]})" if name in COSTS else "")
        lines.append(f"{name:8s}" + "".join(f"{cell:17s}" for cell in cells) + cost)

    # How far from equilibrium, against every strategy there is.
    gaps = "; ".join(
        f"{name} {rows['epsilon of Nash'].values.max():.4f}" for name, rows in scores.items()
    )
    lines.append(fill(f"Gain of the best deviation of all (worst run): {gaps}.", 80))
    return "\n".join([*lines, fill(NOTES, 80)])


def _bracket(value: float | None) -> str:
    return "" if value is None else f"({value:+.3f})"


def plot(learned: Learned, scores: Scores, path: Path) -> None:
    """Learning curves, and what the learned policies earn against three opponents."""
    # Inside: it takes a second to import, which --help need not pay.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (curves, bars) = pyplot.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    plot_curves(curves, learned)
    plot_scores(bars, scores)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def plot_curves(axis: Any, learned: Learned) -> None:
    """Self-play update by update: mean, and the range of the runs."""
    for name, solved in learned.items():
        runs = solved.curves.mean(2)  # [U + 1, R]
        axis.plot(runs.mean(1), color=COLORS[name], label=name)
        band = range(len(runs)), runs.min(1), runs.max(1)
        axis.fill_between(*band, color=COLORS[name], alpha=0.15, linewidth=0)

    axis.axhline(0, color="#999999", linewidth=0.8, linestyle=":")
    axis.set(
        title="Learning the 3x3 Coin Game without samples",
        xlabel=f"update (mean and range of {runs.shape[1]} runs)",
        ylabel="reward a step in self-play",
    )
    axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.08))


def plot_scores(axis: Any, scores: Scores) -> None:
    """What each learner earns with itself and the two simplest players, beside the papers'."""
    width = 0.8 / len(scores)
    for k, (name, rows) in enumerate(scores.items()):
        positions = np.arange(len(COLUMNS)) + (k - (len(scores) - 1) / 2) * width
        means = [rows[label].values.mean() for label in COLUMNS]
        axis.bar(positions, means, 0.9 * width, color=COLORS[name], alpha=0.85, label=name)

        # The papers', where there are any.
        known = PUBLISHED.get(name, ())
        pairs = [(x, y) for x, y in zip(positions, known, strict=False) if y is not None]
        if pairs:
            label = "published" if name == "loqa" else None
            style = {"color": "#222222", "markersize": 5, "zorder": 3}
            axis.plot(*zip(*pairs, strict=True), "D", label=label, **style)

    axis.axhline(0, color="#999999", linewidth=0.8)
    axis.set_xticks(range(len(COLUMNS)), COLUMNS.values())
    axis.set(title="What was learned earns", ylabel="reward a step", xlabel="the other player")
    axis.legend(frameon=False, loc="upper left")


def films(game: Any, learned: Learned, seed: int) -> list[Film]:
    """Learned agents with themselves, and LOQA's with one that steals at first."""

    def player(name: str, seat: int) -> AgentPlayer:
        return table_player(game, learned[name].policies[0, seat], seat, sde.draw(seed, seat))

    return [
        Film("naive learners", ("naive", "naive"), (player("naive", 0), player("naive", 1))),
        Film("LOQA's learners", ("LOQA", "LOQA"), (player("loqa", 0), player("loqa", 1))),
        Film("one that steals", ("LOQA", "LOQA, thief"), thieves(game, learned, seed)),
    ]


def thieves(game: Any, learned: Learned, seed: int) -> tuple[AgentPlayer, Thief]:
    """LOQA's learner, and another one that takes every coin for the first steps."""
    first, second = (
        table_player(game, learned["loqa"].policies[0, seat], seat, sde.draw(seed, seat))
        for seat in range(2)
    )
    return first, Thief(second, sde.make_strategy("always_defect", ENV_ID, player=1), STOLEN)


def cost_of_stealing(game: Any, learned: Learned, seed: int) -> str:
    """What both earn while one steals, and afterwards; over many episodes."""
    players = thieves(game, learned, seed)
    rewards = play_episodes(ENV_ID, players, GAMES, seed, max_cycles=EPISODE)["rewards"].mean(1)
    while_, after = rewards[:STOLEN].mean(0), rewards[STOLEN:].mean(0)
    text = (
        f"Over {GAMES:,} such episodes the thief earns {while_[1]:+.2f} a step in the {STOLEN} "
        f"steps in which it steals (the other {while_[0]:+.2f}) and {after[1]:+.2f} in those that "
        f"follow, though it goes on as LOQA again (the other {after[0]:+.2f}): they take each "
        "other's coins, for neither forgives."
    )
    return fill(text, 80)


def record(game: Any, learned: Learned, path: Path, seed: int) -> str:
    """Plays the films in `coin_game_v0` itself, writes them into one file; what was earned."""
    # Inside: it draws with pygame, which --help need not import.
    from social_dilemmas_env.render.video import save_video

    frames: list[np.ndarray] = []
    lines = [f"Played in {ENV_ID}, one episode of {EPISODE} steps each, mean reward a step"]
    shown = films(game, learned, seed)
    advance = progress("playing", len(shown) * EPISODE)
    for film in shown:
        env = sde.make_env(ENV_ID, max_cycles=EPISODE, render_mode="rgb_array")
        env.player_names = film.names
        totals = np.zeros(2)
        for frame, rewards in play(env, film.players, seed):
            frames.append(frame)
            totals += rewards
            advance()

        # Each beside its name.
        pairs = zip(film.names, totals / EPISODE, strict=True)
        lines.append("  " + "   ".join(f"{name:6s} {mean:+.2f}" for name, mean in pairs))

    save_video(frames, str(path), 4)
    return "\n".join([*lines, cost_of_stealing(game, learned, seed)])


def play(env: Any, players: tuple[Any, Any], seed: int) -> Any:
    """One episode; yields a frame and the rewards [N] after every step."""
    observations, _ = env.reset(seed=seed)
    for seat, player in enumerate(players):
        player.reset(1, sde.draw(seed, seat))

    while env.agents:
        actions = {
            agent: int(player.act(observations[agent][None])[0])
            for agent, player in zip(env.agents, players, strict=True)
        }
        observations, rewards, *_ = env.step(actions)
        yield env.render(), np.array(list(rewards.values()))
