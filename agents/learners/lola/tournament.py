"""The LOLA paper's tournament: every learner against every learner, round robin.

Some update at every step (q_learners.py); the others, naive learning and LOLA with exact values,
once an episode: they see the policy that the other shows and take one step δ f.  All tables of all
runs are played at once; a learner sits at all its tables as one batch of lanes.

Paper   Foerster et al. 2018, LOLA, section 6.1 and Figure 4, https://arxiv.org/abs/1709.04326
Source  https://github.com/alshedivat/lola, tournament.py, exact.py (commit 0e8b13e)

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
    JalQ,
    NlQ,
    Phc,
    PlayingLearner,
    Seats,
    Transition,
    sample,
    wolf_phc,
)
from agents.learners.naive.naive_exact import naive
from agents.matrix_games.closed_form import MatrixGame, other_view
from agents.matrix_games.gradient_runs import Direction
from agents.sampling import seeded_generator
from agents.shapes import check_shapes
from social_dilemmas_env.deprecation import moved_names

SMALLEST = 1e-12  # least probability of an action that a shown policy's logits know
CD, DC = 2, 3  # states, own action first


class ExactPlayer:
    """An exact learner at its tables.

    It plays its policy, and after each episode climbs its value against the other's.

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
        return sample(self.policy()[self.lane, state], self.seats.generator)

    def learn(self, step: Transition) -> None:
        """Nothing: it learns between episodes."""

    def policy(self) -> Tensor:
        """Its own policy.  [L, S, A]."""
        p = torch.sigmoid(self.theta)
        return torch.stack((p, 1 - p), -1)

    def improve(self, other: Tensor, lr: float) -> None:
        """One step against the other's policy.  The other's logits in its own words, [L, S]."""
        check_shapes("theta: L S, other: L S", self.theta, other)
        theta = torch.stack((self.theta, other), 1)
        theta = torch.where(self.seat[:, None, None] == 0, theta, theta.flip(1))
        self.theta = self.theta + lr * self.direction(theta, self.game)[self.lane, self.seat]


def mirrored(logits: Tensor, states: Sequence[int]) -> Tensor:
    """The released code's other player, taken for what it does in *our* states.  [L, S] -> [L, S].

    Args:
        logits: of the other, in its own words.
        states: in which p → 1 - p.
    """
    check_shapes("logits: L 5", logits)
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
    """A learner and where it sits."""

    learner: PlayingLearner  # the learner of all these lanes
    own: Tensor  # [L], index of its seat in a flattened [M, 2]
    other: Tensor  # [L], index of the seat opposite


def seat_groups(
    game: MatrixGame, names: Sequence[str], cfg: TournamentConfig
) -> tuple[list[tuple[int, int]], list[Group]]:
    """All pairs of learners (with themselves too), and each learner with all its seats at them."""
    pairs = list(itertools.combinations_with_replacement(range(len(names)), 2))
    who = torch.tensor(pairs).repeat_interleave(cfg.runs, 0).flatten()  # [2 M], by seat
    generator = seeded_generator(cfg.seed, game.device)

    groups = []
    for i, name in enumerate(names):
        own = (who == i).nonzero()[:, 0].to(game.device)
        seats = Seats(len(own), game.num_actions, game.gamma, generator, game.device)
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
        second = state if cfg.perspective == "released" else swap[state]
        return torch.stack((state, second), 1).flatten()

    before = seen_by_seat(state)
    for _ in range(cfg.steps):
        # Everybody acts.
        for group in groups:
            actions[group.own] = group.learner.act(before[group.own])

        # The tables pay and move.
        first, second = actions.view(-1, 2).unbind(1)
        joint = first * game.num_actions + second
        reward, after = rewards[joint], seen_by_seat(1 + joint)
        total += reward

        # Everybody learns.
        for group in groups:
            own, other = group.own, group.other
            step = Transition(
                before[own], actions[own], actions[other], reward.flatten()[own], after[own]
            )
            group.learner.learn(step)
        before = after
    return total / cfg.steps


def improve_exact(game: MatrixGame, groups: list[Group], cfg: TournamentConfig) -> None:
    """Every exact learner takes its step against the policy that the other shows.

    All see the same old policies.
    """
    seats = sum(len(group.own) for group in groups)
    shown = torch.empty(seats, game.num_states, dtype=torch.float64, device=game.device)
    for group in groups:
        shown[group.own] = torch.logit(group.learner.policy()[..., 0], eps=SMALLEST)

    for group in groups:
        if isinstance(group.learner, ExactPlayer):
            other = shown[group.other]
            if cfg.perspective == "released":
                other = mirrored(other, cfg.mirrored_states)
            group.learner.improve(other, cfg.lr)


def learning_tournament(
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
    """The tournament of the paper's Figure 4."""

    runs: int = 10  # of every pair; ours
    episodes: int = 1000  # paper; the script's default is 50
    steps: int = 200  # of an episode; paper
    lr: float = 1.0  # δ of the exact learners; exact.py
    # "released" has the bug of the published figure, see the top of this file
    perspective: Literal["own", "released"] = "own"
    # where "released" turns policies around; (0, 1, 2, 3, 4) in matching pennies
    mirrored_states: tuple[int, ...] = (CD, DC)
    seed: int = 0  # of everything that is drawn


__getattr__ = moved_names(__name__, {"round_robin": "learning_tournament"})
