"""Deep learners that play themselves and their past selves.

The learner's mathematics is one function, `loss(data, cfg) -> [R]` (loqa.py,
advantage_alignment.py); this file brings it the data. One iteration, in the authors' order:

    every `push_every` iterations: keep a copy of the learner
    draw opponents from the copies; play n games of T steps in each of R runs
    one Adam step on the actor's loss; one on the critic's; average the critic's target

Everything random in iteration k follows from (seed, k), so that a resumed run continues bit for
bit.

Shapes  R runs, n games a run, T steps, N players, J = N - 1 opponents, K parameter sets,
        P parameters.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from agents.execution.direct import Direct
from agents.execution.rollout import JointPolicy, Trajectory, time_last
from agents.learners.loqa.data import (
    ActorData,
    ActorGradient,
    CriticGradient,
    LearningData,
    OpponentData,
    PlayerData,
    player_data,
)
from agents.learners.loqa.loqa import (
    LoqaConfig,
    entropy,
    huber,
    sarsa_targets,
    standardised,
    state_values,
    td_advantages,
)
from agents.learners.loqa.player_state import PlayerState
from agents.nn.adam import clip
from agents.nn.networks import ActorCritic, Gru, Mlp, Network, Tabular, log_softmax, of_actions
from social_dilemmas_env.rng import Stream, draw

Loss = Callable[[ActorData, Any], Tensor]


def actor_critic(cfg: LoqaConfig, table: Tensor, num_actions: int) -> ActorCritic:
    """The policy and action values that the settings ask for; observations `table` [V, F]."""

    def net(kind: str, hidden: int, layers: int, time: bool) -> Network:
        if kind == "gru":
            return Gru(table, num_actions, hidden, layers, time)
        if kind == "mlp":
            return Mlp(table, num_actions, (hidden,) * layers, time)
        return Tabular(table, num_actions)

    # Only the critic is told the time: values depend on the steps that are left.
    actor = net(cfg.actor, cfg.actor_hidden, cfg.actor_layers, False)
    return ActorCritic(actor, net(cfg.critic, cfg.critic_hidden, cfg.critic_layers, True))


class SelfPlay:
    """A learner (protocol.py); see the module's docstring.

    Args:
        cfg: the settings.
        venv: R x n games on the learner's device, `obs_mode="state"`.
        loss: the actor's loss, one number a run.
        seed: fixes everything.

    Attributes:
        player_states: of each network; one for all players if `shared`, else one each.
    """

    def __init__(self, cfg: LoqaConfig, venv: Any, loss: Loss, seed: int) -> None:
        self.cfg, self.venv, self.loss, self.seed, self.iteration = cfg, venv, loss, seed, 0
        self.compute = Direct()
        self.num_players = len(venv.possible_agents)
        self.net = actor_critic(cfg, venv.observation_table, int(venv.single_action_space.n))
        self.device = venv.observation_table.device

        count = 1 if cfg.shared else self.num_players
        self.player_states = [PlayerState.of(self._initial(i)) for i in range(count)]

    def _initial(self, index: int) -> Tensor:
        """Fresh parameters of a network.  [R, P]."""
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.INIT, index))
        return self.net.initial(self.cfg.runs, generator, self.cfg.zero_critic).to(self.device)

    # One iteration.

    def update(self) -> dict[str, Tensor]:
        """One iteration.

        Returns:
            Its metrics, 0-dimensional tensors (averages over runs and networks).
        """
        cfg, k = self.cfg, self.iteration

        # Start again; keep a copy, and the latest `capacity` of them.
        if cfg.reset_every and k and (k - 1) % cfg.reset_every == 0:
            for i, player in enumerate(self.player_states):
                player.theta = self._initial(i)
        if cfg.past_selves and k % cfg.push_every == 0:
            for player in self.player_states:
                player.past = [*player.past, player.theta.clone()][-cfg.capacity :]

        # Each network learns in games of its own.
        metrics = [self._learn(index) for index in range(len(self.player_states))]
        self.iteration += 1
        return {name: torch.stack([m[name] for m in metrics]).mean() for name in metrics[0]}

    def _learn(self, index: int) -> dict[str, Tensor]:
        """Player `index`'s episodes and its update.  (With one shared network that player is 0.)"""
        cfg, player = self.cfg, self.player_states[index]
        games, seats, thetas = self._play(index)

        # What there is to learn from.
        own = player_data(games, index, cfg.runs)
        others = self._opponent_data(games, seats[1:], thetas[1:])
        targets = self.compute(self._targets, player.target, own)
        data = LearningData(own, others, targets, self.iteration <= cfg.shaping_until)

        # Actor, critic, and the critic's target.
        actor, critic = self.compute(self._gradients, player.theta, data)
        stepped = player.actor_adam.step(player.theta, clip(actor.gradient, cfg.clip), cfg.actor_lr)
        if critic is None:  # the actor's step has moved the critic too
            critic = self.compute(self._critic, stepped, data)
        player.theta = player.critic_adam.step(stepped, critic.gradient, cfg.critic_lr)
        player.target.lerp_(player.theta, 1 - cfg.ema)

        # Models, where the opponents' networks are not looked into.
        metrics = self._update_models(index, games, seats)
        return metrics | self._metrics(games, own, actor, critic)

    def _metrics(
        self, games: Trajectory, own: PlayerData, actor: ActorGradient, critic: CriticGradient
    ) -> dict[str, Tensor]:
        count = own.rewards.numel() * (self.num_players - 1)
        return {
            "reward": own.rewards.mean(),
            "reward_others": (games.rewards.sum() - own.rewards.sum()) / count,
            "advantage": actor.advantages.mean(),
            "entropy": actor.entropy.mean(),
            "actor_loss": actor.loss.mean(),
            "actor_gradient": actor.gradient.norm(dim=1).mean(),
            "critic_loss": critic.loss.mean(),
        }

    def _update_models(
        self, index: int, games: Trajectory, seats: Sequence[int]
    ) -> dict[str, Tensor]:
        """What else there is to learn from the games; metrics."""
        return {}

    # Playing.

    def _play(self, index: int) -> tuple[Trajectory, list[int], list[Tensor]]:
        """Games of player `index` with its opponents; seats and θ [K, P], the player's first."""
        time = self.iteration * self.cfg.fresh_draws
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.ROLLOUT, time, index))
        seats = [(index + j) % self.num_players for j in range(self.num_players)]

        # Past selves are drawn before the actions, from the same generator.
        thetas = [self.player_states[index].theta]
        for seat in seats[1:]:
            thetas.append(self._opponent(seat % len(self.player_states), generator))
        by_seat = dict(zip(seats, thetas, strict=True))
        games = self._episodes([by_seat[i] for i in range(self.num_players)], generator)
        return games, seats, thetas

    def _opponent(self, whose: int, generator: torch.Generator) -> Tensor:
        """Parameters [R * G, P] of one opponent in every group of games.

        G copies a run, or the present learner.
        """
        other = self.player_states[whose]
        if not self.cfg.past_selves:
            return other.theta.detach()

        groups = (min(self.cfg.snapshots, self.cfg.batch),)
        which = torch.randint(len(other.past), groups, generator=generator).tolist()
        return torch.stack([other.past[i] for i in which], 1).flatten(0, 1)

    def _episodes(self, thetas: list[Tensor], generator: torch.Generator) -> Trajectory:
        """One batch of episodes.  thetas: [K, P] of each seat."""
        cfg = self.cfg
        seed = draw(self.seed, Stream.ENV, self.iteration * cfg.fresh_draws)
        players = JointPolicy(self.net, tuple(thetas), cfg.epsilon)
        size = (2 if cfg.epsilon else 1, cfg.horizon, self.venv.num_envs, self.num_players)
        uniforms = torch.rand(size, generator=generator).to(self.device)
        return self.compute.rollout(self.venv, seed, players, uniforms)

    # What is computed; each of these functions may be recorded as a graph.

    def _opponent_data(
        self, games: Trajectory, seats: Sequence[int], thetas: Sequence[Tensor]
    ) -> OpponentData:
        """The opponents' own networks, rewards and actions; θ of those in `seats`."""
        parts = [
            self.compute(self._one_opponent, theta, games, seat)
            for seat, theta in zip(seats, thetas, strict=True)
        ]
        return OpponentData(*(torch.stack(part) for part in zip(*parts, strict=True)))

    @torch.no_grad()
    def _one_opponent(self, theta: Tensor, games: Trajectory, seat: int) -> OpponentData:
        """One of them, without the axis J; its θ [K, P]."""
        other = player_data(games, seat, self.cfg.runs)
        obs_ids = other.obs_ids[:-1].reshape(self.cfg.horizon, len(theta), -1)
        q = time_last(self.net.q(theta, obs_ids).reshape(*other.logits.shape))
        values = state_values(time_last(log_softmax(other.logits)).exp(), q)
        return OpponentData(other.rewards + self.cfg.payoff_shift, other.actions, q, values)

    @torch.no_grad()
    def _targets(self, target: Tensor, own: PlayerData) -> Tensor:
        """What the critic learns to predict.  θ̄ [R, P] -> [R, n, T]."""
        q = time_last(self.net.q(target, own.obs_ids))
        following, last = q[..., 1:-1, :], q[..., -1, :]
        policy = torch.softmax(self.net.logits(target, own.obs_ids)[-1], -1)

        # Of the best action, or of the action taken and of the averaged policy.
        if self.cfg.max_q:
            q_next, v_last = following.amax(-1), last.amax(-1)
        else:
            q_next = of_actions(following, own.actions[..., 1:])
            v_last = state_values(policy, last)
        return sarsa_targets(own.rewards + self.cfg.payoff_shift, q_next, v_last, self.cfg.gamma)

    def _gradients(
        self, theta: Tensor, data: LearningData
    ) -> tuple[ActorGradient, CriticGradient | None]:
        """Both losses at θ [R, P] and their gradients.

        Not the critic's if the actor's step moves the critic.
        """
        cfg, theta = self.cfg, theta.detach().requires_grad_()
        q = self.net.q(theta, data.own.obs_ids)
        actor_data = self._actor_data(data, self.net.logits(theta, data.own.obs_ids), q)
        loss = self.loss(actor_data, cfg) - cfg.entropy * entropy(actor_data.log_policy)

        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        spread = entropy(actor_data.log_policy.detach())
        actor = ActorGradient(gradient, loss.detach(), actor_data.advantages.detach(), spread)
        return actor, critic_gradient(theta, q, data) if cfg.detach_advantage else None

    def _actor_data(self, data: LearningData, logits: Tensor, q: Tensor) -> ActorData:
        """What the loss is made of; logits and q [T + 1, R, n, A] are the learner's, attached."""
        cfg, own = self.cfg, data.own
        log_policy, q = time_last(log_softmax(logits)), time_last(q)
        rewards = own.rewards + cfg.payoff_shift

        # Attached values let the actor's loss move the critic, as in the released code.
        if cfg.detach_advantage:
            values = state_values(log_policy.exp().detach(), q.detach())
        else:
            values = state_values(log_policy.exp(), q)
        advantages = td_advantages(rewards, values, cfg.gamma)
        advantages = standardised(advantages) if cfg.standardise else advantages

        log_policy = log_policy[..., :-1, :]
        logp = of_actions(log_policy, own.actions)
        return ActorData(log_policy, logp, advantages, rewards, values, data.others, data.shaping)

    def _critic(self, theta: Tensor, data: LearningData) -> CriticGradient:
        """The critic's loss at θ [R, P] and its gradient."""
        theta = theta.detach().requires_grad_()
        return critic_gradient(theta, self.net.q(theta, data.own.obs_ids), data)

    # Saving and resuming.

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name.

        With `frozen()` and the number of iterations enough to continue bit for bit.
        """
        return {
            f"self{i}.{name}": tensor
            for i, player in enumerate(self.player_states)
            for name, tensor in player.tensors().items()
        }

    def frozen(self) -> dict[str, Tensor]:
        """The past selves: tensors that never change once they are there."""
        first = self._pushed() - len(self.player_states[0].past)
        return {
            f"past{i}.{first + j:06d}": theta
            for i, player in enumerate(self.player_states)
            for j, theta in enumerate(player.past)
        }

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """Continues from the state after `iteration` updates."""
        self.iteration = iteration
        last = self._pushed()
        first = max(0, last - self.cfg.capacity)
        for i, player in enumerate(self.player_states):
            player.load(tensors, f"self{i}.", iteration)
            # One by one: a wrong number of iterations asks for more than there are.
            names = (f"past{i}.{j:06d}" for j in range(first, last))
            player.past = [tensors[name].to(self.device) for name in names]
            if any(theta.shape != player.theta.shape for theta in player.past):
                raise ValueError("a past self is of another size than the present one")

    def _pushed(self) -> int:
        """How many copies have been kept so far."""
        return -(-self.iteration // self.cfg.push_every) if self.cfg.past_selves else 0


def critic_gradient(theta: Tensor, q: Tensor, data: LearningData) -> CriticGradient:
    """Towards the targets; q [T + 1, R, n, A] attached to θ."""
    errors = huber(of_actions(time_last(q[:-1]), data.own.actions) - data.targets)
    (gradient,) = torch.autograd.grad(errors.sum(), theta)
    return CriticGradient(gradient, errors.detach())
