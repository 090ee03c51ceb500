"""Proximal LOQA as `train` and `load_agent` know it.

    train("loqa_proximal", "coin_game_v0")

One iteration:

    every `push_every` iterations: keep a copy of the learner
    draw opponents from the copies and the thieves; play n games of T steps in each of R runs
    weigh each own action by W (loqa_proximal.py); `epochs` steps of the actor on this batch
    `critic_epochs` steps of the critic on it; average the critic

The first `thief_iterations` are naive learning; of these the last copies are the thieves, and the
learner starts anew. It takes each seat in turn. Everything random in iteration k follows from
(seed, k), so that a resumed run continues bit for bit.

Shapes  R runs, n games a run, T steps, N players, J = N - 1 opponents, G opponents an iteration, P
        parameters, A actions.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.execution.direct import Direct
from agents.execution.games import check_told_apart, make_games
from agents.execution.memory import check_memory
from agents.execution.rollout import JointPolicy, Trajectory, time_last
from agents.learners.loqa.data import OpponentData, PlayerData, player_data
from agents.learners.loqa.loqa import entropy, huber, sarsa_targets, state_values
from agents.learners.loqa.player_state import PlayerState
from agents.learners.loqa_proximal.loqa_proximal import (
    ProximalConfig,
    action_weights,
    default_config,
    divergence,
    explored,
    scaled,
    surrogate,
)
from agents.learners.loqa_proximal.playing import (
    actor_critic,
    learned_game,
    on_ids,
    restore_agent,
)
from agents.learners.loqa_proximal.views import make_view
from agents.nn.adam import clip
from agents.nn.networks import log_softmax, of_actions
from agents.protocol import LearnerSpec
from social_dilemmas_env.rng import Stream, draw

TINY = 1e-6  # a chance of exploring that is none


class Batch(NamedTuple):
    """What one iteration learns from; constants.

    Attributes:
        own: the learner's side of the games.
        log_policy: [R, n, T, A], of the policy before the first step.
        played: [R, n, T], log-probability of the actions played, exploration and all.
        weights: [R, n, T], W as the steps take it.
        targets: [R, n, T], the critic's.
        shaping: what the shaping part of W weighs beside the other: standard deviations.
    """

    own: PlayerData
    log_policy: Tensor
    played: Tensor
    weights: Tensor
    targets: Tensor
    shaping: Tensor


class Proximal:
    """A learner (protocol.py); see the module's docstring.

    Args:
        cfg: the settings.
        venv: R x n games on the learner's device, `obs_mode="state"`.
        seed: fixes everything.

    Attributes:
        player: the network that learns, its optimisers and past selves.
        thieves: θ [R, P] of those who learned naively; none before there are.
    """

    def __init__(self, cfg: ProximalConfig, venv: Any, seed: int) -> None:
        self.cfg, self.venv, self.seed, self.iteration = cfg, venv, seed, 0
        self._games = Direct()
        self.num_players = len(venv.possible_agents)
        self.device = torch.device(venv.device)

        view = make_view(venv.game, cfg.centred, str(self.device))
        num_actions = int(venv.single_action_space.n)
        self.net = on_ids(actor_critic(cfg, view, num_actions), view)
        self.player, self.thieves = self._fresh(0), list[Tensor]()

    @property
    def exploration(self) -> float:
        """The chance of a uniform action in the roll-out; not 0 where some steps need it."""
        return self.cfg.epsilon or (TINY if self.cfg.random_steps else 0.0)

    def _fresh(self, phase: int) -> PlayerState:
        """A learner at its start, of naive learning (0) or after it (1)."""
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.INIT, phase))
        return PlayerState.of(self.net.initial(self.cfg.runs, generator).to(self.device))

    # One iteration.

    def update(self) -> dict[str, Tensor]:
        """One iteration.

        Returns:
            Its metrics, 0-dimensional tensors (averages over runs).
        """
        cfg = self.cfg
        naive = self.iteration < cfg.naive_until
        # Thieves are made: start anew; keep a copy, and the latest `capacity` of them.
        if cfg.naive_until and self.iteration == cfg.naive_until:
            self.thieves, self.player = self.player.past[-cfg.thieves :], self._fresh(1)
        if cfg.past_selves and self._age() % cfg.push_every == 0:
            self.player.past = [*self.player.past, self.player.theta.clone()][-cfg.capacity :]

        # Play, and learn from it.
        games, seats, thetas = self._play()
        batch = self._batch(games, seats, thetas, naive)
        metrics = self._metrics(games, batch, naive) | self._learn(batch)
        self.iteration += 1
        return metrics

    def _age(self) -> int:
        """Updates of the present learner, before this one."""
        before = self.cfg.naive_until
        return self.iteration - before if self.iteration >= before else self.iteration

    def _learn(self, batch: Batch) -> dict[str, Tensor]:
        """All steps on one batch."""
        cfg, player = self.cfg, self.player
        for _ in range(cfg.steps_of_actor):
            actor, metrics = self._actor_gradient(player.theta, batch)
            step = clip(actor, cfg.max_norm)
            player.theta = player.actor_adam.step(player.theta, step, cfg.actor_lr)

        # The critic, and its average.
        for _ in range(cfg.critic_epochs):
            critic, loss = self._critic_gradient(player.theta, batch)
            player.theta = player.critic_adam.step(player.theta, critic, cfg.critic_lr)
        player.target.lerp_(player.theta, 1 - cfg.ema)
        return metrics | {"actor_gradient": actor.norm(dim=1).mean(), "critic_loss": loss.mean()}

    def _metrics(self, games: Trajectory, batch: Batch, naive: bool) -> dict[str, Tensor]:
        own = batch.own.rewards - self.cfg.payoff_shift
        count = own.numel() * (self.num_players - 1)
        return {
            "reward": own.mean(),
            "reward_others": (games.rewards.sum() - own.sum()) / count,
            "shaping": batch.shaping,
            "naive": own.new_tensor(float(naive)),
        }

    # Playing.

    def _play(self) -> tuple[Trajectory, list[int], list[Tensor]]:
        """Games of the learner with its opponents; seats and θ [K, P], the learner's first."""
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.ROLLOUT, self.iteration))
        seats = [(self.iteration + j) % self.num_players for j in range(self.num_players)]
        thetas = [self.player.theta, *[self._opponent(j, generator) for j in range(len(seats) - 1)]]
        by_seat = dict(zip(seats, thetas, strict=True))

        ordered = tuple(by_seat[i] for i in range(self.num_players))
        players = JointPolicy(self.net, ordered, self.exploration)
        size = (
            2 if self.exploration else 1,
            self.cfg.horizon,
            self.venv.num_envs,
            self.num_players,
        )
        uniforms = torch.rand(size, generator=generator).to(self.device)
        uniforms[1:, : self.cfg.random_steps] *= self.exploration  # below it: these explore
        seed = draw(self.seed, Stream.ENV, self.iteration)
        return self._games.rollout(self.venv, seed, players, uniforms), seats, thetas

    def _opponent(self, j: int, generator: torch.Generator) -> Tensor:
        """Parameters [R G, P] of the j-th opponent in every group of games; [R, P] of itself."""
        cfg, player = self.cfg, self.player
        if not cfg.past_selves:
            return player.theta
        which = torch.randint(len(player.past), (cfg.snapshots,), generator=generator).tolist()
        met = [player.past[i] for i in which]

        # Thieves take groups of their own, another opponent's half of the same.
        for i, thief in enumerate(self.thieves):
            met[(j * (cfg.thieves // 2) + i) % cfg.snapshots] = thief
        return torch.stack(met, 1).flatten(0, 1)

    # What is learned from.

    @torch.no_grad()
    def _batch(
        self, games: Trajectory, seats: list[int], thetas: list[Tensor], naive: bool
    ) -> Batch:
        """The weights of the own actions, and the critic's targets."""
        cfg, player = self.cfg, self.player
        own = shift_rewards(player_data(games, seats[0], cfg.runs), cfg.payoff_shift)
        others = [
            self._one_opponent(theta, games, seat)
            for seat, theta in zip(seats[1:], thetas[1:], strict=True)
        ]
        pool = OpponentData(*(torch.stack(part) for part in zip(*others, strict=True)))

        # Own values, by the critic and by its average.
        log_policy = time_last(log_softmax(self.net.logits(player.theta, own.obs_ids)))
        policy = log_policy.exp()
        q, q_target = (time_last(self.net.q(x, own.obs_ids)) for x in (player.theta, player.target))
        advantages, shaping = action_weights(own.rewards, state_values(policy, q), pool, cfg)
        weights = scaled(advantages if naive else advantages + shaping, cfg)

        targets = sarsa_targets(
            own.rewards,
            of_actions(q_target[..., 1:-1, :], own.actions[..., 1:]),
            state_values(policy[..., -1, :], q_target[..., -1, :]),
            cfg.gamma,
        )
        share = shaping.std() / advantages.std().clamp(min=1e-8)
        log_policy = log_policy[..., :-1, :]
        played = explored(of_actions(log_policy, own.actions), log_policy.shape[-1], cfg.epsilon)
        played[..., : cfg.random_steps] = -math.log(log_policy.shape[-1])
        return Batch(own, log_policy, played, weights, targets, share)

    def _one_opponent(self, theta: Tensor, games: Trajectory, seat: int) -> OpponentData:
        """Of one opponent, without the axis J; its θ [K, P]."""
        other = shift_rewards(player_data(games, seat, self.cfg.runs), self.cfg.payoff_shift)
        obs_ids = other.obs_ids[:-1].reshape(self.cfg.horizon, len(theta), -1)
        q = time_last(self.net.q(theta, obs_ids).reshape(*other.logits.shape))
        values = state_values(time_last(log_softmax(other.logits)).exp(), q)
        return OpponentData(other.rewards, other.actions, q, values)

    # Gradients.

    def _actor_gradient(self, theta: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """∇ of the actor's loss [R, P], and its parts."""
        cfg, theta = self.cfg, theta.detach().requires_grad_()
        log_policy = time_last(log_softmax(self.net.logits(theta, batch.own.obs_ids[:-1])))
        logp = of_actions(log_policy, batch.own.actions)

        moved, spread = divergence(log_policy, batch.log_policy), entropy(log_policy)
        loss = surrogate(logp, batch.played, batch.weights, cfg) - cfg.entropy * spread
        if cfg.step_rule == "kl":
            loss = loss + cfg.kl_weight * moved
        (gradient,) = torch.autograd.grad(loss.sum(), theta)

        found = {"actor_loss": loss, "divergence": moved, "entropy": spread}
        return gradient, {name: x.detach().mean() for name, x in found.items()}

    def _critic_gradient(self, theta: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """∇ of the critic's loss [R, P], and the loss [R]."""
        theta = theta.detach().requires_grad_()
        q = time_last(self.net.q(theta, batch.own.obs_ids[:-1]))
        loss = huber(of_actions(q, batch.own.actions) - batch.targets)
        (gradient,) = torch.autograd.grad(loss.sum(), theta)
        return gradient, loss.detach()

    # Saving and resuming.

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name."""
        return {f"self0.{name}": tensor for name, tensor in self.player.tensors().items()}

    def frozen(self) -> dict[str, Tensor]:
        """Thieves and past selves, numbered in the order in which they were kept."""
        named = zip(self._kept(), [*self.thieves, *self.player.past], strict=True)
        return {f"past0.{number:06d}": theta for number, theta in named}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """Continues from the state after `iteration` updates."""
        self.iteration, cfg = iteration, self.cfg
        age = iteration - cfg.naive_until if iteration > cfg.naive_until else iteration
        self.player.load(tensors, "self0.", age)
        self.player.actor_adam.steps = age * cfg.steps_of_actor
        self.player.critic_adam.steps = age * cfg.critic_epochs

        kept = [tensors[f"past0.{number:06d}"].to(self.device) for number in self._kept()]
        if any(theta.shape != self.player.theta.shape for theta in kept):
            raise ValueError("a past self is of another size than the present one")
        count = cfg.thieves if iteration > cfg.naive_until > 0 else 0
        self.thieves, self.player.past = kept[:count], kept[count:]

    def _kept(self) -> list[int]:
        """The numbers of the copies that are there after `iteration` updates."""
        cfg, k = self.cfg, self.iteration
        if not cfg.past_selves:
            return []
        naive = -(-cfg.naive_until // cfg.push_every)
        if k <= cfg.naive_until:
            last = -(-k // cfg.push_every)
            return list(range(max(0, last - cfg.capacity), last))

        last = -(-(k - cfg.naive_until) // cfg.push_every)
        thieves = range(naive - cfg.thieves, naive) if naive else range(0)
        return [*thieves, *range(naive + max(0, last - cfg.capacity), naive + last)]


def shift_rewards(side: PlayerData, shift: float) -> PlayerData:
    """The same with another origin of the rewards."""
    return side._replace(rewards=side.rewards + shift) if shift else side


def memory_needed(cfg: ProximalConfig, num_players: int) -> int:
    """Bytes that an iteration takes at its peak, roughly.

    Arrays [T, R, n, H] of the actor's graph and of the opponents' action values.
    """
    width = max(cfg.actor_hidden, cfg.critic_hidden)
    arrays = 20 if "gru" in (cfg.actor, cfg.critic) else 8 * cfg.actor_layers
    return 4 * cfg.horizon * cfg.runs * cfg.batch * width * (arrays + num_players)


def make_proximal(
    cfg: ProximalConfig, env_id: str, game: dict[str, Any], seed: int, device: str
) -> Proximal:
    """A learner with its games.

    Raises:
        ValueError: a view in which no player knows who it is, or too little memory.
    """
    game = learned_game(cfg, env_id, game)
    rules = sde.spec(env_id).game(**game)
    check_told_apart(rules)

    needed = memory_needed(cfg, len(rules.num_actions))
    check_memory(needed, device, batch=cfg.batch, runs=cfg.runs)
    return Proximal(cfg, make_games(env_id, game, cfg.runs * cfg.batch, cfg.horizon, device), seed)


LOQA_PROXIMAL = LearnerSpec(
    "loqa_proximal",
    "proximal LOQA: the same gradient, several proximal steps on a batch",
    default_config,
    make_proximal,
    restore_agent,
)
