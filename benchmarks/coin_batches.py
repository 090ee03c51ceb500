"""Sampled gradients of the 3x3 Coin Game by tables: the deep learners' own formulas.

Games are drawn from the enumerated game's own tables, which are the law of the environment: joint
actions by the players' tables, next states by `successors`, boards that wait for chance by
`chance`.  Estimators are those of `pola_dice.py`, `loqa.py` and `advantage_alignment.py`, called
as they stand on tables over the same states (the learners' `actor="tabular"`), with critics that
know the values: what is left are the noise of sampling and the bias of the estimator.

Shapes  L batches at once, n games of each, T steps, S states, A actions, J = A² joint actions,
        D = S A parameters.  States in seat 0's words, time first, until estimators see them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from agents.exact.markov_game import Play
from agents.execution.rollout import time_last
from agents.learners.loqa import advantage_alignment, loqa
from agents.learners.loqa.data import ActorData, OpponentData
from agents.learners.pola.pola_dice import (
    Games,
    OuterProblem,
    PolaDiceConfig,
    Side,
    last_step,
    look_ahead,
    look_ahead_vjp,
)
from agents.nn.networks import ActorCritic, Tabular, of_actions, pick
from agents.sampling import invert_cdf
from benchmarks.coin_gradients import Coin
from benchmarks.gradient_quality import Parts

NEVER = 2.0  # a cumulative probability that no uniform reaches


class Record(NamedTuple):
    """Games played.

    Attributes:
        states: [T + 1, L, n].
        joint: [T, L, n], joint actions.
    """

    states: Tensor
    joint: Tensor


class Table:
    """Plays an enumerated game of two players from its own tables.

    Args:
        coin: the game.
        generator: of all draws.

    Raises:
        ValueError: a game in which the view of a seat renames actions.
    """

    def __init__(self, coin: Coin, generator: torch.Generator) -> None:
        if coin.game.seen_actions is not None:
            raise ValueError(
                'a view that renames actions cannot be played: symmetry="translations"'
            )
        self.coin, self.generator = coin, generator
        self.num_actions = coin.markov.num_actions
        self.successors = coin.markov.structure.successors  # [S J]
        self.start = coin.markov.start.cumsum(0)[:-1]

        # What chance may bring, and how likely so much of it is, [P, W].
        chance = coin.game.chance
        width = max(int((chance.indptr[1:] - chance.indptr[:-1]).max()), 1)
        self.outcome = torch.zeros(chance.shape[0], width, dtype=torch.long)
        self.cumulative = torch.full(self.outcome.shape, NEVER, dtype=torch.float64)
        for pending in range(chance.shape[0]):
            row = slice(chance.indptr[pending], chance.indptr[pending + 1])
            targets, likely = chance.indices[row], chance.data[row]
            self.outcome[pending, : len(targets)] = torch.as_tensor(targets)
            self.cumulative[pending, : len(targets) - 1] = torch.as_tensor(likely).cumsum(0)[:-1]

    @torch.no_grad()
    def play(self, logits: tuple[Tensor, Tensor], games: int, steps: int) -> Record:
        """New games between two tables of logits, [L, S, A] each, as their seats see the states."""
        markov = self.coin.markov
        policies = [markov.in_play(torch.softmax(x.double(), -1), n) for n, x in enumerate(logits)]
        joint = markov.joint(policies)
        rows = joint.cumsum(-1)[..., :-1].flatten(0, 1)
        first = (markov.num_states * torch.arange(len(joint)))[:, None]

        shape = (len(joint), games)
        states, moves = [torch.searchsorted(self.start, self._uniforms(shape), right=True)], []
        for _ in range(steps):
            moves.append(invert_cdf(rows[first + states[-1]], self._uniforms(shape)))
            to = self.successors[states[-1] * joint.shape[-1] + moves[-1]]
            states.append(self._after_chance(to))
        return Record(torch.stack(states), torch.stack(moves))

    def _after_chance(self, to: Tensor) -> Tensor:
        """Where chance leads from boards that wait for it; others stay.  [L, n] -> [L, n]."""
        waits = (to >= self.coin.markov.num_states).nonzero(as_tuple=True)
        pending = to[waits] - self.coin.markov.num_states
        drawn = invert_cdf(self.cumulative[pending, :-1], self._uniforms(tuple(pending.shape)))
        to[waits] = self.outcome[pending, drawn]
        return to

    def _uniforms(self, shape: tuple[int, ...]) -> Tensor:
        return torch.rand(shape, dtype=torch.float64, generator=self.generator)

    def side(self, record: Record, seat: int) -> Side:
        """What a seat saw, did and got."""
        markov, count = self.coin.markov, self.num_actions
        actions = record.joint // count if seat == 0 else record.joint % count
        played = record.states[:-1] * count**2 + record.joint
        rewards = markov.rewards[seat].flatten()[played]
        return Side(markov.seen[seat][record.states], time_last(actions), time_last(rewards))


# POLA-DiCE.


def pola_batches(
    table: Table, cfg: PolaDiceConfig, after: Play, batches: int
) -> tuple[Parts, Tensor]:
    """L outer gradients by θ of seat 0, each from games of its own, and φ_K.

    The other's critic knows V_1 at φ_0, one's own V_0 at the exact φ_K.

    Args:
        table: the game, and the policies θ and φ_0.
        cfg: the settings.
        after: play at θ and the exact φ_K.
        batches: L.

    Returns:
        Parts [L, D], and φ_K [L, S, A], logits.
    """
    problem = outer_problem(table, cfg, after, batches)
    own, policy = problem.old.clone().requires_grad_(), problem.net.actor_size

    # As `outer_gradient`, its two terms apart.
    other, steps = look_ahead(own, problem)
    games = problem.play(own.detach(), other, cfg.inner_steps)
    last = last_step(own, other.detach(), games, problem)
    shaping = torch.zeros_like(own)
    if last.by_other is not None:
        shaping = look_ahead_vjp(own, last.by_other, steps, problem)
    parts = Parts(last.by_own[:, :policy], shaping[:, :policy])
    return parts, other.detach()[:, :policy].unflatten(1, (-1, table.num_actions))


def outer_problem(table: Table, cfg: PolaDiceConfig, after: Play, batches: int) -> OuterProblem:
    """An outer step of seat 0 on tables: θ = log π and the critic's values, L times."""
    coin = table.coin
    seen, states = torch.zeros(coin.markov.num_states, 1), coin.markov.num_states
    net = ActorCritic(Tabular(seen, table.num_actions), Tabular(seen, 1))

    def parameters(seat: int, play: Play) -> Tensor:
        values = coin.table(play.values[0, :, seat], seat)
        flat = torch.cat((coin.play.policies[0, seat].log().flatten(), values))
        return flat.expand(batches, -1).clone()

    def logits(theta: Tensor) -> Tensor:
        actor: Tensor = theta[:, : net.actor_size].unflatten(1, (states, table.num_actions))
        return actor

    def play(own: Tensor, other: Tensor, k: int) -> Games:
        record = table.play((logits(own), logits(other)), cfg.batch, cfg.horizon)
        share = own.new_full(record.states.shape[1:], 1 / cfg.batch)
        return Games(table.side(record, 0), table.side(record, 1), share)

    own, other = parameters(0, after), parameters(1, coin.play)
    return OuterProblem(net, cfg, own, other, play)


# LOQA and Advantage Alignment.


def loqa_batches(table: Table, cfg: loqa.LoqaConfig, batches: int) -> Parts:
    """L gradients of seat 0's actor, each from games of its own.  -> Parts [L, D]."""
    policies = table.coin.play.policies[0]
    theta = policies[0].log().expand(batches, -1, -1).clone().requires_grad_()
    logits = (theta.detach(), policies[1].log().expand(batches, -1, -1))
    data = actor_data(table, theta, table.play(logits, cfg.batch, cfg.horizon), cfg)

    # Losses are climbed down; without `shaping` only the actor-critic term is left.
    aligns = isinstance(cfg, advantage_alignment.AlignmentConfig)
    loss: Any = advantage_alignment.loss if aligns else loqa.loss
    whole, own = (
        -torch.autograd.grad(loss(each, cfg).sum(), theta, retain_graph=True)[0].flatten(1)
        for each in (data, data._replace(shaping=False))
    )
    return Parts(own, whole - own)


def actor_data(table: Table, theta: Tensor, record: Record, cfg: loqa.LoqaConfig) -> ActorData:
    """What LOQA's losses are made of, with true values in the critics' place.

    Args:
        table: the game.
        theta: [L, S, A], seat 0's logits, attached.
        record: the games.
        cfg: γ.
    """
    play, own, other = table.coin.play, table.side(record, 0), table.side(record, 1)
    states = record.states
    log_policy = pick(torch.log_softmax(theta, -1), own.obs_ids[:-1]).movedim(0, 2)

    # Values by state: mine at every step, the other's with those of all its actions.
    mine = time_last(play.values[0, :, 0][states])
    theirs = time_last(play.values[0, :, 1][states[:-1]])
    q = play.q_of_own(1, 1)[0][states[:-1]].movedim(0, 2)
    others = OpponentData(*(x[None] for x in (other.rewards, other.actions, q, theirs)))

    advantages = loqa.td_advantages(own.rewards, mine, cfg.gamma)
    logp = of_actions(log_policy, own.actions)
    return ActorData(log_policy, logp, advantages, own.rewards, mine, others, True)
