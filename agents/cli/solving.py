"""Games solved without sampling, for the commands `solve` and `demo`: learning, scores, a table."""

import time
from typing import Any, NamedTuple

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.intervals import half_interval
from agents.progress import ProgressBar

OTHERS = ("always_defect", "always_cooperate", "tit_for_tat")


class Solved(NamedTuple):
    """What a learner came to: R runs, N players, S states, A actions, U updates."""

    policies: np.ndarray  # [R, N, S, A]
    curves: np.ndarray  # [U + 1, R, N], mean reward a step, discounted
    seconds: float  # of one core


class Row(NamedTuple):
    """A line of the table: a number for each run."""

    label: str
    values: np.ndarray  # [R]
    of_other: np.ndarray | None = None  # [R], what the opponent earns


def make_game(env_id: str, memory: str | None, gamma: float, game_kwargs: dict[str, Any]) -> Any:
    """The game as tables; in the Coin Game with the memory of the last pick-ups unless told."""
    usual = "last_pickup" if env_id == "coin_game_v0" else None
    chosen = usual if memory is None else None if memory.lower() == "none" else memory
    return sde.exact_game(env_id, memory=chosen, gamma=gamma, **game_kwargs)


def learn(game: Any, learner: str, runs: int, seed: int, settings: dict[str, Any]) -> Solved:
    """All runs at once, under a progress bar."""
    # Inside: torch takes a second to import, which --help need not pay.
    import torch

    from agents.exact.learners import with_settings
    from agents.exact.solve import solve

    torch.set_num_threads(1)
    updates = with_settings(learner, **settings).updates
    begin = time.process_time()
    with ProgressBar(learner, updates, transient=True) as bar:

        def show(update: int, scores: Any) -> None:
            bar.move_to(update, f"self-play {float(scores.mean()):+.3f}")

        result = solve(learner, game, runs=runs, seed=seed, on_update=show, **settings)

    seconds = time.process_time() - begin
    policies = result.policies.double().cpu().numpy()
    return Solved(policies, result.curves.double().cpu().numpy(), seconds)


def score(game: Any, policies: np.ndarray) -> list[Row]:
    """Self-play, scripted opponents, the best response and the distance from an equilibrium."""
    runs, players = policies.shape[:2]
    selves = [list(policies[r]) for r in range(runs)]
    alone = np.array([game.score(own) for own in selves])
    rows = [Row("self-play", alone.mean(1))]

    # Scripted players in all other seats, where the game has them and they fit its memory.
    for name in OTHERS:
        try:
            scripted = [game.policy(name, player=i) for i in range(1, players)]
        except ValueError:
            continue
        met = np.array([game.score([own[0], *scripted]) for own in selves])
        rows.append(Row(f"against {name}", met[:, 0], met[:, 1:].mean(1)))

    # Against every strategy there is.
    with ProgressBar("best responses", runs, transient=True) as bar:
        answers, gaps = [], []
        for own in selves:
            gaps.append(game.certificate(own))
            answers.append(gaps[-1].scores + gaps[-1].gains)
            bar.advance()
    rows.append(Row("best response to it earns", np.array(answers).max(1)))
    rows.append(Row("epsilon of Nash", np.array([gap.epsilon for gap in gaps])))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as text."""
    head = f"{'':27s}{'mean':>8s} {'':9s} {'least':>8s} {'most':>8s}   opponent"
    return "\n".join([head, *map(_line, rows)])


def _line(row: Row) -> str:
    other = "" if row.of_other is None else f"{row.of_other.mean():+.4f}"
    numbers = f"{row.values.mean():+8.4f} {interval(row.values):9s}"
    ends = f"{row.values.min():+8.4f} {row.values.max():+8.4f}"
    return f"{row.label:27s}{numbers} {ends}   {other}".rstrip()


def interval(values: np.ndarray) -> str:
    """Half the 95 % interval of the mean over runs; nothing for one run."""
    return "" if len(values) < 2 else f"+-{half_interval(values):.4f}"
