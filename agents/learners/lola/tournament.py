"""Round robin between learners that update at every step and learners that update from exact values
once an episode.

Paper   Foerster et al. 2018, LOLA, section 6.1 and Figure 4, https://arxiv.org/abs/1709.04326
Source  https://github.com/alshedivat/lola, tournament.py, exact.py (commit 0e8b13e)

All tables of all runs are played at once; a learner sits at all its tables as one batch of lanes.
Exact learners see the policy that the other shows and take one step δ f of naive learning or LOLA
after each episode.

`perspective="released"` re-creates the published figure's bug: both players are shown the state
with player 0's action first, everybody reads it as own action first, and exact learners turn the
other's policy around by p → 1 - p in CD and DC (in matching pennies in all states) instead of
exchanging the two states.

Shapes  M tables = pairs x runs, L lanes of one learner, N = 2 seats, S = 5 states, A = 2 actions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.learners.lola.q_learners import (
    Experience,
    JalQ,
    NlQ,
    Phc,
    PlayingLearner,
    Seats,
    sample,
    wolf_phc,
)
from agents.learners.naive.naive_exact import naive
from agents.matrix_games.closed_form import MatrixGame, other_view
from agents.matrix_games.gradient_runs import Direction

SMALLEST = 1e-12
CD, DC = 2, 3


class ExactPlayer:
    """An exact learner at its tables: plays its policy, and after each episode climbs its value
    against the other's.

    Args:
        seats: its lanes.
        seat: which player it is, 0 or 1.  [L]
        game: the game.
        direction: naive or LOLA.
    """

    def __init__(self, seats: Seats, seat: Tensor, game: MatrixGame, direction: Direction) -> None:
        self.seats, self.game, self.direction = seats, game, direction
        self.lane, self.seat = seats.lane(), seat
        self.theta = seats.normal(game.dim)

    def act(self, state: Tensor) -> Tensor:
        """Draws from its policy.  [L] -> [L]."""
        return sample(self.policy()[self.lane, state], self.seats.draws)

    def learn(self, seen: Experience) -> None:
        """Nothing: it learns between episodes."""

    def policy(self) -> Tensor:
        """Its own policy.  [L, S, A]."""
        p = torch.sigmoid(self.theta)
        return torch.stack((p, 1 - p), -1)

    def improve(self, other: Tensor, lr: float) -> None:
        """One step against the other's policy.  The other's logits in its own words, [L, S]."""
        theta = torch.stack((self.theta, other), 1)
        theta = torch.where(self.seat[:, None, None] == 0, theta, theta.flip(1))
        self.theta = self.theta + lr * self.direction(theta, self.game)[self.lane, self.seat]


def mirrored(logits: Tensor, states: Sequence[int]) -> Tensor:
    """The released code's other player: p → 1 - p in some states, taken for what it does in *our*
    states.  [L, S].
    """
    turned = logits.clone()
    turned[:, list(states)] *= -1
    return turned[:, other_view(2, logits.device)]


Maker = Callable[[Seats, Tensor, MatrixGame], PlayingLearner]
TOURNAMENT_LEARNERS: dict[str, Maker] = {
    "NL-Q": lambda seats, seat, game: NlQ(seats),
    "JAL-Q": lambda seats, seat, game: JalQ(seats),
    "PHC": lambda seats, seat, game: Phc(seats),
    "WoLF-PHC": lambda seats, seat, game: wolf_phc(seats),
    "NL-Ex": lambda seats, seat, game: ExactPlayer(seats, seat, game, naive),
    "LOLA-Ex": lambda seats, seat, game: ExactPlayer(
        seats, seat, game, lambda t, g: lola(t, g, LolaConfig())
    ),
}


@dataclass
class Group:
    """A learner and where it sits.

    Attributes:
        learner: the learner of all these lanes.
        own: [L], index of its seat in a flattened [M, 2].
        other: [L], index of the seat opposite.
    """

    learner: PlayingLearner
    own: Tensor
    other: Tensor


def seat_groups(
    game: MatrixGame, names: Sequence[str], cfg: TournamentConfig
) -> tuple[list[tuple[int, int]], list[Group]]:
    """All pairs of learners (with themselves too), and each learner with all its seats at them."""
    pairs = list(itertools.combinations_with_replacement(range(len(names)), 2))
    who = torch.tensor(pairs).repeat_interleave(cfg.runs, 0).flatten()
    draws = torch.Generator(game.device).manual_seed(cfg.seed)
    groups = []
    for i, name in enumerate(names):
        own = (who == i).nonzero()[:, 0].to(game.device)
        seats = Seats(len(own), game.num_actions, game.gamma, draws, game.device)
        groups.append(Group(TOURNAMENT_LEARNERS[name](seats, own % 2, game), own, own ^ 1))
    return pairs, groups


def play_episode(game: MatrixGame, groups: list[Group], cfg: TournamentConfig) -> Tensor:
    """One episode at every table; learners learn as they go.  -> mean reward a step [M, 2]."""
    swap = other_view(game.num_actions, game.device)
    rewards = game.payoffs.flatten(0, 1)
    tables = sum(len(group.own) for group in groups) // 2
    state = torch.zeros(tables, dtype=torch.long, device=game.device)
    total = torch.zeros(tables, 2, dtype=torch.float64, device=game.device)
    actions = torch.zeros(2 * tables, dtype=torch.long, device=game.device)

    def seen_by_seat(state: Tensor) -> Tensor:
        return torch.stack(
            (state, state if cfg.perspective == "released" else swap[state]), 1
        ).flatten()

    before = seen_by_seat(state)
    for _ in range(cfg.steps):
        for group in groups:
            actions[group.own] = group.learner.act(before[group.own])
        joint = actions.view(-1, 2)[:, 0] * game.num_actions + actions.view(-1, 2)[:, 1]
        earned, after = rewards[joint], seen_by_seat(1 + joint)
        total += earned
        for group in groups:
            own, other = group.own, group.other
            group.learner.learn(
                Experience(
                    before[own], actions[own], actions[other], earned.flatten()[own], after[own]
                )
            )
        before = after
    return total / cfg.steps


def improve_exact(game: MatrixGame, groups: list[Group], cfg: TournamentConfig) -> None:
    """Every exact learner takes its step against the policy that the other shows.

    All see the same old policies.
    """
    shown = torch.empty(
        sum(len(group.own) for group in groups),
        game.num_states,
        dtype=torch.float64,
        device=game.device,
    )
    for group in groups:
        shown[group.own] = torch.logit(group.learner.policy()[..., 0], eps=SMALLEST)
    for group in groups:
        if isinstance(group.learner, ExactPlayer):
            other = shown[group.other]
            if cfg.perspective == "released":
                other = mirrored(other, cfg.mirrored_states)
            group.learner.improve(other, cfg.lr)


def round_robin(
    game: MatrixGame,
    names: Sequence[str] = tuple(TOURNAMENT_LEARNERS),
    cfg: TournamentConfig | None = None,
) -> dict[tuple[str, str], Tensor]:
    """Plays every pair of learners.

    Args:
        game: a matrix game of 2 actions; its γ is everybody's.
        names: keys of TOURNAMENT_LEARNERS.
        cfg: runs, episodes, steps, perspective.

    Returns:
        {(row, column): [episodes, R, 2]}, mean reward a step of the first and of the second.

    Raises:
        ValueError: another number of actions, or an unknown learner.
    """
    cfg = cfg or TournamentConfig()
    if game.num_actions != 2:
        raise ValueError(
            f"the tournament's exact learners play games of 2 actions, not {game.num_actions}"
        )
    unknown = [name for name in names if name not in TOURNAMENT_LEARNERS]
    if unknown:
        raise ValueError(
            f"no tournament learner {unknown[0]!r}; there are {', '.join(TOURNAMENT_LEARNERS)}"
        )
    pairs, groups = seat_groups(game, names, cfg)
    episodes = []
    for _ in range(cfg.episodes):
        episodes.append(play_episode(game, groups, cfg))
        improve_exact(game, groups, cfg)
    rewards = torch.stack(episodes).view(cfg.episodes, len(pairs), cfg.runs, 2)
    return {(names[i], names[j]): rewards[:, k] for k, (i, j) in enumerate(pairs)}


@dataclass(frozen=True)
class TournamentConfig:
    """The round robin of the paper's Figure 4."""

    runs: int = 10  # ours
    episodes: int = 1000  # paper; the script's default is 50
    steps: int = 200  # paper
    lr: float = 1.0  # δ of the exact learners, exact.py
    perspective: Literal["own", "released"] = "own"
    mirrored_states: tuple[int, ...] = (
        CD,
        DC,
    )  # "released" only; (0, 1, 2, 3, 4) in matching pennies
    seed: int = 0
