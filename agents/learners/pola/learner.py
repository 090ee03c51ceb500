"""POLA-DiCE, POLA-OM, LOLA-DiCE and naive learning with recurrent policies.

As `train` and `load_agent` know them:

    train("pola_dice", "ipd_v0", contribution_factor=1.33, iterations=20_000)
    train("lola_dice_gru", "coin_game_v0", variant="pola")

One iteration is one outer step of both players (pola_dice.py). Every `outer_steps` iterations an
update begins: both take the other's present parameters as given (or fit models of one another), and
their own as the centre of the proximal term. Everything random in iteration k follows from (seed,
k), so that a resumed run continues bit for bit.

Shapes  N = 2 learners, R runs, L = N R lanes (learner first), n games a lane, T steps,
        P parameters; θ [L, P].
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.evaluation.restore import restore_agent
from agents.execution.direct import Direct
from agents.execution.games import make_games
from agents.execution.memory import available_memory
from agents.execution.rollout import JointPolicy, time_last
from agents.interruption import between_parts
from agents.learners.pola.pola_dice import (
    Games,
    OuterProblem,
    PolaDiceConfig,
    Side,
    critic_loss,
    gradient,
    log_probability,
    mean_over_games,
    outer_gradient,
    state_values,
)
from agents.learners.protocol import LearnerSpec
from agents.nn.adam import Adam
from agents.nn.networks import ActorCritic, Gru, Network, Tabular
from social_dilemmas_env.rng import Stream, draw

PLAYERS = 2


def actor_critic(cfg: PolaDiceConfig, table: Tensor, num_actions: int) -> ActorCritic:
    """A policy, and a critic with a network of its own; observations `table` [V, F]."""

    def net(outputs: int) -> Network:
        if cfg.actor == "tabular":
            return Tabular(table, outputs)
        return Gru(table, outputs, cfg.hidden, cfg.layers)

    return ActorCritic(net(num_actions), net(1))


class PolaDice:
    """A learner (protocol.py).

    Args:
        cfg: the settings.
        venv: N x R x n games of two players on the learner's device, `obs_mode="state"`.
        seed: fixes everything.

    Attributes:
        theta: θ, of both players.
        start: θ when the update began.
        model: φ₀ where it is a model of the other, else None.
    """

    leaves_between_parts = True  # an iteration takes seconds

    def __init__(self, cfg: PolaDiceConfig, venv: Any, seed: int) -> None:
        self.cfg, self.venv, self.seed, self.iteration = cfg, venv, seed, 0
        self.compute = Direct()
        self.net = actor_critic(cfg, venv.observation_table, int(venv.single_action_space.n))
        self.device = venv.observation_table.device
        # Whose lane it is.
        self.seat = torch.arange(PLAYERS, device=self.device).repeat_interleave(cfg.runs)

        # Bit for bit the same start for a player and run, whatever the other settings.
        self.theta = self._initial(Stream.INIT)
        self.start, self.adam = self.theta.clone(), Adam.of(self.theta)
        self.model = self._initial(Stream.MODELS) if cfg.model_batches else None
        self.model_adam = Adam.of(self.theta)

    def _initial(self, stream: Stream) -> Tensor:
        """Fresh parameters of both players, or of the models of them.  [L, P]."""
        seeds = [draw(self.seed, stream, i) for i in range(PLAYERS)]
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        thetas = [self.net.initial(self.cfg.runs, generator) for generator in generators]
        return torch.cat(thetas).to(self.device)

    # One iteration.

    def update(self) -> dict[str, Tensor]:
        """One outer step of both players.

        Returns:
            Metrics: means over lanes.
        """
        cfg, step = self.cfg, self.iteration % self.cfg.outer_steps
        model_metrics = self._begin() if step == 0 else {}

        outer = outer_gradient(self.theta, self._outer_problem())
        self.adam.steps = step if cfg.reset_optimiser else self.iteration
        rates = self.rates(cfg.lr_out, cfg.lr_v)
        self.theta = self.adam.step(self.theta, -outer.gradient, rates)
        self.iteration += 1

        return {
            "reward": (outer.first.own.rewards + outer.first.other.rewards).mean() / 2,
            "reward_ahead": outer.games.own.rewards.mean(),
            "kl": outer.divergence.mean(),
            "critic_loss": outer.critic.mean(),
            "gradient": outer.gradient.norm(dim=1).mean(),
            **model_metrics,
        }

    def _outer_problem(self) -> OuterProblem:
        other = self.swapped(self.start) if self.model is None else self.model
        # A bound method, equal in every iteration: part of what names a recorded graph.
        play = self._play_outer
        return OuterProblem(self.net, self.cfg, self.start, other, play, self.compute)

    def _play_outer(self, own: Tensor, other: Tensor, number: int) -> Games:
        return self.play(own, other, number, purpose=0)

    def rates(self, actor: float, critic: float) -> Tensor:
        """A rate for each parameter.  [P]."""
        rates = torch.full_like(self.theta[0], critic)
        rates[: self.net.actor_size] = actor
        return rates

    # An update begins.

    def _begin(self) -> dict[str, Tensor]:
        """The centres, the optimiser, the models; metrics."""
        self.start = self.theta.clone()
        if self.cfg.reset_optimiser:
            self.adam, self.model_adam = Adam.of(self.theta), Adam.of(self.theta)
        losses = [self._fit_models(batch) for batch in range(self.cfg.model_batches)]
        return {"model_loss": torch.stack(losses).mean()} if losses else {}

    def _fit_models(self, batch: int) -> Tensor:
        """One step of the models towards what the others did in new games, and were paid.

        Returns:
            The cross-entropy.
        """
        assert self.model is not None
        between_parts()
        cfg = self.cfg
        games = self.play(self.start, self.swapped(self.start), batch, purpose=1)
        descent, cross_entropy = self.compute(
            model_gradient, self.model.detach(), games, self.net, cfg.gamma
        )

        steps_before = self.iteration // cfg.outer_steps * cfg.model_batches
        self.model_adam.steps = batch if cfg.reset_optimiser else steps_before + batch
        rates = self.rates(cfg.lr_model, cfg.lr_model_v)
        self.model = self.model_adam.step(self.model.detach(), descent, rates)
        return cross_entropy.mean()

    # Playing.

    def swapped(self, theta: Tensor) -> Tensor:
        """The other player's parameters in each lane.  [L, P] -> [L, P]."""
        first, second = theta.chunk(PLAYERS)
        return torch.cat((second, first))

    def play(self, own: Tensor, other: Tensor, number: int, *, purpose: int) -> Games:
        """New games of the learner of each lane, in its own seat, and its opponent.

        Args:
            own: [L, P].
            other: [L, P].
            number: of the roll-out within the iteration.
            purpose: 0 for an outer step, 1 to fit models; other numbers give other games.
        """
        cfg, batch, key = self.cfg, self.venv.num_envs, (self.iteration, purpose, number)
        thetas = tuple(torch.where((self.seat == i)[:, None], own, other) for i in range(PLAYERS))
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.ROLLOUT, *key))
        uniforms = torch.rand((1, cfg.horizon, batch, PLAYERS), generator=generator)

        games = self.compute.rollout(
            self.venv,
            draw(self.seed, Stream.ENV, *key),
            JointPolicy(self.net, thetas),
            uniforms.to(self.device),
        )
        seen = (games.obs_ids, games.actions, games.rewards)
        own_side, other_side = (
            side(*(self._side_of(x, swap) for x in seen)) for swap in (False, True)
        )
        share = torch.full((len(own), cfg.batch), 1 / cfg.batch, device=self.device)
        return Games(own_side, other_side, share)

    def _side_of(self, x: Tensor, swap: bool) -> Tensor:
        """The learner's (or its opponent's) part in each lane.  [T, B, N] -> [T, L, n]."""
        first, second = x.unflatten(1, (len(self.seat), -1)).unbind(-1)
        return torch.where(((self.seat == 0) != swap)[:, None], first, second)

    # Saving and resuming.

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name and player."""
        return {
            f"self{i}.{name}": x
            for name, tensor in self._tensors().items()
            for i, x in enumerate(tensor.chunk(PLAYERS))
        }

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {"theta": self.theta.detach(), "start": self.start.detach()}
        tensors |= self.adam.tensors("adam.")
        if self.model is not None:
            tensors |= {"model": self.model.detach(), **self.model_adam.tensors("model_adam.")}
        return tensors

    def frozen(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """Continues from the state after `iteration` outer steps."""
        self.iteration = iteration
        both = {
            name: torch.cat([tensors[f"self{i}.{name}"] for i in range(PLAYERS)]).to(self.device)
            for name in self._tensors()
        }

        # The age of the optimisers follows from the iteration.
        self.theta, self.start = both["theta"], both["start"]
        self.adam.load(both, "adam.", steps=0)
        if self.model is not None:
            self.model = both["model"]
            self.model_adam.load(both, "model_adam.", steps=0)


def model_gradient(
    model: Tensor, games: Games, net: ActorCritic, gamma: float
) -> tuple[Tensor, Tensor]:
    """∇ of a model's cross-entropy and of its critic's loss [L, P]; the cross-entropy [L]."""
    logp = log_probability(net, model.requires_grad_(), games.other)
    cross_entropy = -logp.mean(-1)
    errors = critic_loss(games.other.rewards, state_values(net, model, games.other), gamma)
    descent = gradient(mean_over_games(cross_entropy + errors, games), model)
    return descent, mean_over_games(cross_entropy.detach(), games)


def side(obs_ids: Tensor, actions: Tensor, rewards: Tensor) -> Side:
    """Time first -> time last, but for the observations."""
    return Side(obs_ids, time_last(actions), time_last(rewards))


def memory_needed(cfg: PolaDiceConfig) -> int:
    """Bytes that an outer step takes at its peak, roughly.

    Arrays [T, L, n, H] of the graphs that exist at once.
    """
    width = cfg.hidden if cfg.actor == "gru" else 1
    graphs = 1 if cfg.rematerialise else max(1, cfg.inner_steps)
    # Measured (tests/agents/learners/pola/test_pola_dice_learning.py).
    arrays = 30 + 27 * graphs if cfg.inner_steps else 40
    return 4 * cfg.horizon * PLAYERS * cfg.runs * cfg.batch * width * arrays


def check_memory(cfg: PolaDiceConfig, device: str) -> None:
    """Raises ValueError, before anything is computed, if the device has too little memory."""
    needed, there = memory_needed(cfg), available_memory(device)
    if there is None or needed <= there:
        return

    sizes = ", ".join(f"{name} (now {getattr(cfg, name)})" for name in ("batch", "runs", "horizon"))
    tips = f"lower {sizes} or hidden (now {cfg.hidden})"
    if cfg.inner_steps > 1 and not cfg.rematerialise:
        tips += ", or set rematerialise=True"
    gigabytes = f"{needed / 1e9:.1f} GB and {device} has {there / 1e9:.1f} GB free"
    raise ValueError(f"this needs about {gigabytes}: {tips}")


def make_pola_dice(
    cfg: PolaDiceConfig, env_id: str, game: dict[str, Any], seed: int, device: str
) -> PolaDice:
    """A learner with its games.

    Raises:
        ValueError: not a game of two players, or too little memory.
    """
    count = len(sde.spec(env_id).game(**game).num_actions)
    if count != PLAYERS:
        raise ValueError(f"POLA-DiCE is for {PLAYERS} players, this game has {count}")
    check_memory(cfg, device)
    venv = make_games(env_id, game, PLAYERS * cfg.runs * cfg.batch, cfg.horizon, device)
    return PolaDice(cfg, venv, seed)


# What a learner changes in the README's POLA-DiCE commands, in matrix games and in the Coin Game.
COIN: dict[str, Any] = {
    "inner_steps": 4,
    "lr_in": 0.01,
    "beta_in": 5.0,
    "beta_out": 150.0,
    "batch": 1000,
}
NO_PROXIMAL_TERM: dict[str, Any] = {
    "outer_steps": 1,
    "beta_in": 0.0,
    "beta_out": 0.0,
    "batch": 2000,
}
PRESETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "pola_dice": ({}, COIN),
    "pola_om": (
        {"model_batches": 200},
        {**COIN, "inner_steps": 6, "beta_in": 15.0, "model_batches": 200},
    ),
    "lola_dice_gru": (
        {**NO_PROXIMAL_TERM, "inner_steps": 1, "lr_in": 0.05},
        {**NO_PROXIMAL_TERM, "inner_steps": 1, "lr_in": 0.003},
    ),
    "naive_pg_gru": (
        {**NO_PROXIMAL_TERM, "inner_steps": 0},
        {**NO_PROXIMAL_TERM, "inner_steps": 0},
    ),
}
TITLES = {
    "pola_dice": "POLA-DiCE: proximal opponent shaping with recurrent policies (2022)",
    "pola_om": "POLA-DiCE against a model of the opponent, learned from play",
    "lola_dice_gru": "LOLA-DiCE with recurrent policies, as POLA's authors ran it",
    "naive_pg_gru": "naive policy gradient with recurrent policies",
}


def default_config(name: str) -> Callable[[str], PolaDiceConfig]:
    """Default settings of a learner, by game."""
    matrix, coin = PRESETS[name]
    return lambda env_id: replace(
        PolaDiceConfig(), **(coin if env_id == "coin_game_v0" else matrix)
    )


def learner_spec(name: str) -> LearnerSpec[PolaDiceConfig]:
    """One of PRESETS as a learner."""
    agent = partial(restore_agent, base=PolaDiceConfig(), networks=actor_critic)
    return LearnerSpec(name, TITLES[name], default_config(name), make_pola_dice, agent, graphs=True)


POLA_DICE, POLA_OM, LOLA_DICE_GRU, NAIVE_PG_GRU = map(learner_spec, PRESETS)
