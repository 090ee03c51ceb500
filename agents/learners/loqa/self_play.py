"""Deep learners that play themselves and their past selves: networks, opponents, episodes,
optimisers.

The learner's mathematics is one function, `loss(play, cfg) -> [R]` (loqa.py,
advantage_alignment.py); this file brings it the data. One iteration, in the authors' order:

    every `push_every` iterations: keep a copy of the learner
    draw opponents from the copies; play n games of T steps in each of R runs
    one Adam step on the actor's loss; one on the critic's; average the critic's target

Everything random in iteration k follows from (seed, k), so that a resumed run continues bit for
bit.

Shapes  R runs, n games a run, T steps, N players, J = N - 1 opponents, K parameter sets, P
parameters.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.execution.direct import Direct
from agents.execution.rollout import Players, Trajectory
from agents.learners.loqa.loqa import (
    LoqaConfig,
    entropy,
    huber,
    sarsa_targets,
    standardised,
    state_values,
    td_advantages,
)
from agents.nn.adam import Adam, clip
from agents.nn.networks import (
    ActorCritic,
    Gru,
    Mlp,
    Network,
    Tabular,
    log_softmax,
)


class Opponents(NamedTuple):
    """What the learner knows of them; constants.

    Attributes:
        rewards: [J, R, n, T].
        actions: [J, R, n, T], b_t.
        q: [J, R, n, T, A], Q_j(s_t, .).
        values: [J, R, n, T], V_j(s_t).
    """

    rewards: Tensor
    actions: Tensor
    q: Tensor
    values: Tensor


class Play(NamedTuple):
    """What an actor's loss is made of; time last (but actions).

    Attributes:
        log_policy: [R, n, T, A], log π_i(. | s_t), attached.
        logp: [R, n, T], log π_i(a_t | s_t), attached.
        advantages: [R, n, T], A_t.
        rewards: [R, n, T].
        values: [R, n, T + 1], V_i(s_t).
        others: the opponents.
        shaping: whether the opponents' answers count (`shaping_until`).
    """

    log_policy: Tensor
    logp: Tensor
    advantages: Tensor
    rewards: Tensor
    values: Tensor
    others: Opponents
    shaping: bool


@dataclass
class Self:
    """One network that learns, with its past; θ and target [R, P]."""

    theta: Tensor
    target: Tensor
    actor_adam: Adam
    critic_adam: Adam
    past: list[Tensor] = field(default_factory=list)

    def tensors(self) -> dict[str, Tensor]:
        """What changes with every update."""
        names = (
            "theta",
            "target",
            "actor_adam.first",
            "actor_adam.second",
            "critic_adam.first",
            "critic_adam.second",
        )
        return attributes(self, names)


def networks(cfg: LoqaConfig, table: Tensor, num_actions: int) -> ActorCritic:
    """The policy and action values that the settings ask for."""

    def net(kind: str, hidden: int, layers: int, time: bool) -> Network:
        if kind == "gru":
            return Gru(table, num_actions, hidden, layers, time)
        if kind == "mlp":
            return Mlp(table, num_actions, (hidden,) * layers, time)
        return Tabular(table, num_actions)

    actor = net(cfg.actor, cfg.actor_hidden, cfg.actor_layers, False)
    return ActorCritic(actor, net(cfg.critic, cfg.critic_hidden, cfg.critic_layers, True))


class SelfPlay:
    """A learner; see the module's docstring.

    Args:
        cfg: the settings.
        venv: R x n games on the learner's device, `obs_mode="state"`.
        loss: the actor's loss, one number a run.
        seed: fixes everything.
    """

    def __init__(
        self, cfg: LoqaConfig, venv: Any, loss: Callable[[Play, LoqaConfig], Tensor], seed: int
    ) -> None:
        self.cfg, self.venv, self.loss, self.seed, self.iteration = cfg, venv, loss, seed, 0
        self.compute = Direct()
        self.players = len(venv.possible_agents)
        self.net = networks(cfg, venv.observation_table, int(venv.single_action_space.n))
        self.device = venv.observation_table.device
        self.selves = [self._fresh(i) for i in range(1 if cfg.shared else self.players)]

    def _fresh(self, index: int) -> Self:
        draws = torch.Generator().manual_seed(sde.draw(self.seed, 1, index))
        theta = self.net.initial(self.cfg.runs, draws, self.cfg.zero_critic).to(self.device)
        return Self(theta, theta.clone(), Adam.of(theta), Adam.of(theta))

    def update(self) -> dict[str, Tensor]:
        """One iteration.

        Returns its metrics, 0-dimensional tensors (averages over runs and networks).
        """
        if (
            self.cfg.reset_every
            and self.iteration
            and (self.iteration - 1) % self.cfg.reset_every == 0
        ):
            for i, each in enumerate(self.selves):
                each.theta = self._fresh(i).theta
        if self.cfg.past_selves and self.iteration % self.cfg.push_every == 0:
            for each in self.selves:
                each.past = [*each.past, each.theta.clone()][-self.cfg.capacity :]
        metrics = [self._learn(index) for index in range(len(self.selves))]
        self.iteration += 1
        return {name: torch.stack([m[name] for m in metrics]).mean() for name in metrics[0]}

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name.

        With `kept()` and the number of iterations enough to continue bit for bit.
        """
        return {
            f"self{i}.{name}": tensor
            for i, each in enumerate(self.selves)
            for name, tensor in each.tensors().items()
        }

    def kept(self) -> dict[str, Tensor]:
        """The past selves: tensors that never change once they are there."""
        first = self._pushed() - len(self.selves[0].past)
        return {
            f"past{i}.{first + j:06d}": x
            for i, each in enumerate(self.selves)
            for j, x in enumerate(each.past)
        }

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """Continues from the state after `iteration` updates."""
        self.iteration = iteration
        for i, each in enumerate(self.selves):
            restore(each, each.tensors(), f"self{i}.", tensors)
            each.actor_adam.steps = each.critic_adam.steps = iteration
            first = max(0, self._pushed() - self.cfg.capacity)
            each.past = [
                tensors[f"past{i}.{j:06d}"].to(self.device) for j in range(first, self._pushed())
            ]

    def _pushed(self) -> int:
        """How many copies have been kept so far."""
        return -(-self.iteration // self.cfg.push_every) if self.cfg.past_selves else 0

    def _learn(self, index: int) -> dict[str, Tensor]:
        """Player `index`'s episodes and its update.  (With one shared network that player is 0.)"""
        cfg, me = self.cfg, self.selves[index]
        draws = torch.Generator().manual_seed(
            sde.draw(self.seed, 2, self.iteration * cfg.fresh_draws, index)
        )
        seats = [(index + j) % self.players for j in range(self.players)]
        thetas = [me.theta, *(self._opponent(seat % len(self.selves), draws) for seat in seats[1:])]
        games = self._episodes(dict(zip(seats, thetas, strict=True)), draws)
        own, others = (
            of_player(games, index, cfg.runs),
            self._opponents(games, seats[1:], thetas[1:]),
        )
        lesson = Lesson(
            own,
            others,
            self.compute(self._targets, me.target, own),
            self.iteration <= cfg.shaping_until,
        )
        actor, critic = self.compute(self._gradients, me.theta, lesson)
        stepped = me.actor_adam.step(me.theta, clip(actor.gradient, cfg.clip), cfg.actor_lr)
        if critic is None:  # the actor's step has moved the critic too
            critic = self.compute(self._critic, stepped, lesson)
        me.theta = me.critic_adam.step(stepped, critic.gradient, cfg.critic_lr)
        me.target.lerp_(me.theta, 1 - cfg.ema)
        return {
            **self._study(index, games, seats),
            "reward": own.rewards.mean(),
            "reward_others": (games.rewards.sum() - own.rewards.sum())
            / (own.rewards.numel() * (self.players - 1)),
            "advantage": actor.advantages.mean(),
            "entropy": actor.entropy.mean(),
            "actor_loss": actor.loss.mean(),
            "actor_gradient": actor.gradient.norm(dim=1).mean(),
            "critic_loss": critic.loss.mean(),
        }

    def _study(self, index: int, games: Trajectory, seats: Sequence[int]) -> dict[str, Tensor]:
        """What else there is to learn from the games; metrics."""
        return {}

    def _opponent(self, whose: int, draws: torch.Generator) -> Tensor:
        """Parameters [R * G, P] of one opponent in every group of games: G copies a run, or the
        present learner.
        """
        other = self.selves[whose]
        if not self.cfg.past_selves:
            return other.theta.detach()
        which = torch.randint(
            len(other.past), (min(self.cfg.snapshots, self.cfg.batch),), generator=draws
        ).tolist()
        return torch.stack([other.past[i] for i in which], 1).flatten(0, 1)

    def _episodes(self, thetas: dict[int, Tensor], draws: torch.Generator) -> Trajectory:
        """One batch of episodes.  thetas: seat -> [K, P]."""
        cfg, seed = self.cfg, sde.draw(self.seed, 3, self.iteration * self.cfg.fresh_draws)
        players = Players(self.net, tuple(thetas[i] for i in range(self.players)), cfg.epsilon)
        size = (2 if cfg.epsilon else 1, cfg.horizon, self.venv.num_envs, self.players)
        return self.compute.rollout(
            self.venv, seed, players, torch.rand(size, generator=draws).to(self.device)
        )

    def _gradients(self, theta: Tensor, lesson: "Lesson") -> "tuple[OfActor, OfCritic | None]":
        """Both losses at θ [R, P] and their gradients.

        Not the critic's if the actor's step moves the critic.
        """
        cfg, theta, views = self.cfg, theta.detach().requires_grad_(), lesson.own.views
        q = self.net.q(theta, views)
        play = self._data(lesson, self.net.logits(theta, views), q)
        loss = self.loss(play, cfg) - cfg.entropy * entropy(play.log_policy)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        actor = OfActor(
            gradient, loss.detach(), play.advantages.detach(), entropy(play.log_policy.detach())
        )
        return actor, critic_gradient(theta, q, lesson) if cfg.detach_advantage else None

    def _critic(self, theta: Tensor, lesson: "Lesson") -> "OfCritic":
        """The critic's loss at θ [R, P] and its gradient."""
        theta = theta.detach().requires_grad_()
        return critic_gradient(theta, self.net.q(theta, lesson.own.views), lesson)

    def _data(self, lesson: "Lesson", logits: Tensor, q: Tensor) -> Play:
        """What the loss is made of; logits and q [T + 1, R, n, A] are the learner's, attached."""
        own, others, _, shaping = lesson
        cfg, log_policy = self.cfg, time_last(log_softmax(logits))
        rewards = own.rewards + cfg.payoff_shift
        q, policy = time_last(q), log_policy.exp()
        values = (
            state_values(policy.detach(), q.detach())
            if cfg.detach_advantage
            else state_values(policy, q)
        )
        advantages = td_advantages(rewards, values, cfg.gamma)
        advantages = standardised(advantages) if cfg.standardise else advantages
        log_policy = log_policy[..., :-1, :]
        return Play(
            log_policy, taken(log_policy, own.actions), advantages, rewards, values, others, shaping
        )

    def _opponents(
        self, games: Trajectory, seats: Sequence[int], thetas: Sequence[Tensor]
    ) -> Opponents:
        """The opponents' own networks, rewards and actions; θ of those in `seats`."""
        found = [
            self.compute(self._opened, theta, games, seat)
            for seat, theta in zip(seats, thetas, strict=True)
        ]
        return Opponents(*(torch.stack(parts) for parts in zip(*found, strict=True)))

    @torch.no_grad()
    def _opened(self, theta: Tensor, games: Trajectory, seat: int) -> Opponents:
        """One of them; its θ [K, P]."""
        of = of_player(games, seat, self.cfg.runs)
        views = of.views[:-1].reshape(self.cfg.horizon, len(theta), -1)
        q = time_last(self.net.q(theta, views).reshape(*of.logits.shape))
        values = state_values(time_last(log_softmax(of.logits)).exp(), q)
        return Opponents(of.rewards + self.cfg.payoff_shift, of.actions, q, values)

    @torch.no_grad()
    def _targets(self, target: Tensor, own: "OfPlayer") -> Tensor:
        """What the critic learns to predict.  θ̄ [R, P] -> [R, n, T]."""
        q = time_last(self.net.q(target, own.views))
        last = torch.softmax(self.net.logits(target, own.views)[-1], -1)
        following = q[..., 1:-1, :]
        q_next = following.amax(-1) if self.cfg.max_q else taken(following, own.actions[..., 1:])
        v_last = q[..., -1, :].amax(-1) if self.cfg.max_q else state_values(last, q[..., -1, :])
        return sarsa_targets(own.rewards + self.cfg.payoff_shift, q_next, v_last, self.cfg.gamma)


class OfPlayer(NamedTuple):
    """One player's side of a batch.

    Attributes:
        views: [T + 1, R, n], time first, as networks take them.
        actions: [R, n, T].
        rewards: [R, n, T].
        logits: [T, R, n, A].
    """

    views: Tensor
    actions: Tensor
    rewards: Tensor
    logits: Tensor


class Lesson(NamedTuple):
    """What there is to learn from.

    Attributes:
        own: the learner's side of the games.
        others: its opponents.
        targets: [R, n, T], the critic's.
        shaping: see Play.
    """

    own: OfPlayer
    others: Opponents
    targets: Tensor
    shaping: bool


class OfActor(NamedTuple):
    """∇ of the actor's loss [R, P], the loss [R], A_t [R, n, T], H [R]."""

    gradient: Tensor
    loss: Tensor
    advantages: Tensor
    entropy: Tensor


class OfCritic(NamedTuple):
    """∇ of the critic's loss [R, P], the loss [R]."""

    gradient: Tensor
    loss: Tensor


def critic_gradient(theta: Tensor, q: Tensor, lesson: Lesson) -> OfCritic:
    """Towards the targets; q [T + 1, R, n, A] attached to θ."""
    errors = huber(taken(time_last(q[:-1]), lesson.own.actions) - lesson.targets)
    (gradient,) = torch.autograd.grad(errors.sum(), theta)
    return OfCritic(gradient, errors.detach())


def of_player(games: Trajectory, player: int, runs: int) -> OfPlayer:
    """One player's side, split into runs."""
    views, actions, rewards = (x[..., player].unflatten(1, (runs, -1)) for x in games[:3])
    return OfPlayer(
        views,
        time_last(actions),
        time_last(rewards),
        games.logits[:, :, player].unflatten(1, (runs, -1)),
    )


def attributes(holder: Any, names: Iterable[str]) -> dict[str, Tensor]:
    """Tensors by the paths of the attributes that hold them."""
    return {name: attrgetter(name)(holder).detach() for name in names}


def restore(holder: Any, names: Iterable[str], prefix: str, tensors: dict[str, Tensor]) -> None:
    """Sets what `attributes` gave, on the device that it is on."""
    for name in names:
        path, _, last = name.rpartition(".")
        owner = attrgetter(path)(holder) if path else holder
        setattr(owner, last, tensors[prefix + name].to(getattr(owner, last).device))


def time_last(x: Tensor) -> Tensor:
    """[T, R, n, ...] -> [R, n, T, ...]."""
    return x.movedim(0, 2).contiguous()


def taken(values: Tensor, actions: Tensor) -> Tensor:
    """The entry of the action taken.  [..., A], [...] -> [...]."""
    return values.gather(-1, actions[..., None])[..., 0]
