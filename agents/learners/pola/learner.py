"""POLA-DiCE, POLA-OM, LOLA-DiCE and naive learning with recurrent policies, as `train` and
`load_agent` know them.

    train("pola_dice", "ipd_v0", contribution_factor=1.33, iterations=20_000)
    train("lola_dice_gru", "coin_game_v0", variant="pola")

One iteration is one outer step of both players (pola_dice.py). Every `outer_steps` iterations an
update begins: both take the other's present parameters as given (or fit models of one another), and
their own as the centre of the proximal term. Everything random in iteration k follows from (seed,
k), so that a resumed run continues bit for bit.

Shapes  N = 2 learners, R runs, L = N R lanes (learner first), n games a lane, T steps, P
parameters; θ [L, P].
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.execution.direct import Direct
from agents.execution.memory import available_memory
from agents.execution.rollout import Players
from agents.learners.loqa.learner import agent, fresh_games
from agents.learners.pola.pola_dice import (
    Games,
    PolaDiceConfig,
    Side,
    View,
    critic_loss,
    gradient,
    log_policy,
    mean,
    of_actions,
    outer_gradient,
    state_values,
)
from agents.nn.adam import Adam
from agents.nn.networks import (
    ActorCritic,
    Gru,
    Network,
    Tabular,
)
from agents.registry import LearnerSpec

PLAYERS = 2


def networks(cfg: PolaDiceConfig, table: Tensor, num_actions: int) -> ActorCritic:
    """A policy, and a critic with a network of its own."""

    def net(outputs: int) -> Network:
        return (
            Tabular(table, outputs)
            if cfg.actor == "tabular"
            else Gru(table, outputs, cfg.hidden, cfg.layers)
        )

    return ActorCritic(net(num_actions), net(1))


class PolaDice:
    """A learner of `training.train`.

    Args:
        cfg: the settings.
        venv: N x R x n games of two players on the learner's device, `obs_mode="state"`.
        seed: fixes everything.
    """

    players = PLAYERS

    def __init__(self, cfg: PolaDiceConfig, venv: Any, seed: int) -> None:
        self.cfg, self.venv, self.seed, self.iteration = cfg, venv, seed, 0
        self.compute = Direct()
        self.net = networks(cfg, venv.observation_table, int(venv.single_action_space.n))
        self.device = venv.observation_table.device
        self.seat = torch.arange(PLAYERS, device=self.device).repeat_interleave(
            cfg.runs
        )  # whose lane it is
        # Bit for bit the same start for a player and run, whatever the other settings.
        self.theta = self._fresh(1)
        self.start, self.adam = self.theta.clone(), Adam.of(self.theta)
        self.model = self._fresh(4) if cfg.model_batches else None
        self.model_adam = Adam.of(self.theta)

    def _fresh(self, purpose: int) -> Tensor:
        draws = [
            torch.Generator().manual_seed(sde.draw(self.seed, purpose, i)) for i in range(PLAYERS)
        ]
        return torch.cat([self.net.initial(self.cfg.runs, each) for each in draws]).to(self.device)

    def rates(self, actor: float, critic: float) -> Tensor:
        """A rate for each parameter.  [P]."""
        rates = torch.full_like(self.theta[0], critic)
        rates[: self.net.actor_size] = actor
        return rates

    def update(self) -> dict[str, Tensor]:
        """One outer step of both players.  Returns metrics: means over lanes."""
        cfg, step = self.cfg, self.iteration % self.cfg.outer_steps
        found = self._begin() if step == 0 else {}
        outer = outer_gradient(self.theta, self._view())
        self.adam.steps = step if cfg.reset_optimiser else self.iteration
        self.theta = self.adam.step(self.theta, -outer.gradient, self.rates(cfg.lr_out, cfg.lr_v))
        self.iteration += 1
        return {
            "reward": (outer.first.own.rewards + outer.first.other.rewards).mean() / 2,
            "reward_ahead": outer.games.own.rewards.mean(),
            "kl": outer.divergence.mean(),
            "critic_loss": outer.critic.mean(),
            "gradient": outer.gradient.norm(dim=1).mean(),
            **found,
        }

    def _view(self) -> View:
        other = self.swapped(self.start) if self.model is None else self.model
        return View(self.net, self.cfg, self.start, other, self._play, self.compute)

    def _play(self, own: Tensor, other: Tensor, number: int) -> Games:
        return self.play(own, other, number, purpose=0)

    def _begin(self) -> dict[str, Tensor]:
        """An update begins: the centres, the optimiser, the models."""
        self.start = self.theta.clone()
        if self.cfg.reset_optimiser:
            self.adam, self.model_adam = Adam.of(self.theta), Adam.of(self.theta)
        losses = [self._fit(batch) for batch in range(self.cfg.model_batches)]
        return {"model_loss": torch.stack(losses).mean()} if losses else {}

    def _fit(self, batch: int) -> Tensor:
        """One step of the models towards what the others did in new games, and were paid.

        Returns the cross-entropy.
        """
        assert self.model is not None
        cfg = self.cfg
        games = self.play(self.start, self.swapped(self.start), batch, purpose=1)
        descent, surprise = self.compute(
            model_step, self.model.detach(), games, self.net, cfg.gamma
        )
        self.model_adam.steps = batch if cfg.reset_optimiser else self._fits() + batch
        self.model = self.model_adam.step(
            self.model.detach(), descent, self.rates(cfg.lr_model, cfg.lr_model_v)
        )
        return surprise.mean()

    def _fits(self) -> int:
        """Steps of the models in the updates before this one."""
        return self.iteration // self.cfg.outer_steps * self.cfg.model_batches

    def swapped(self, theta: Tensor) -> Tensor:
        """The other player's parameters in each lane.  [L, P] -> [L, P]."""
        return theta.unflatten(0, (PLAYERS, -1)).flip(0).flatten(0, 1)

    def play(self, own: Tensor, other: Tensor, number: int, *, purpose: int) -> Games:
        """New games of the learner of each lane, in its own seat, and its opponent.

        [L, P], [L, P].
        """
        cfg, batch, key = self.cfg, self.venv.num_envs, (self.iteration, purpose, number)
        thetas = tuple(torch.where((self.seat == i)[:, None], own, other) for i in range(PLAYERS))
        draws = torch.Generator().manual_seed(sde.draw(self.seed, 2, *key))
        uniforms = torch.rand((1, cfg.horizon, batch, PLAYERS), generator=draws).to(self.device)
        games = self.compute.rollout(
            self.venv, sde.draw(self.seed, 3, *key), Players(self.net, thetas), uniforms
        )
        mine, theirs = (tuple(self._of(x, swap) for x in games[:3]) for swap in (False, True))
        share = torch.full((len(own), cfg.batch), 1 / cfg.batch, device=self.device)
        return Games(side(*mine), side(*theirs), share)

    def _of(self, x: Tensor, swap: bool) -> Tensor:
        """The learner's (or its opponent's) part in each lane.  [T, B, N] -> [T, L, n]."""
        first, second = x.unflatten(1, (len(self.seat), -1)).unbind(-1)
        return torch.where(((self.seat == 0) != swap)[:, None], first, second)

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name and player."""
        return {
            f"self{i}.{name}": x
            for name, tensor in self._tensors().items()
            for i, x in enumerate(tensor.chunk(PLAYERS))
        }

    def _tensors(self) -> dict[str, Tensor]:
        found = {
            "theta": self.theta,
            "start": self.start,
            "adam.first": self.adam.first,
            "adam.second": self.adam.second,
        }
        if self.model is not None:
            moments = {
                "model_adam.first": self.model_adam.first,
                "model_adam.second": self.model_adam.second,
            }
            found |= {"model": self.model, **moments}
        return {name: tensor.detach() for name, tensor in found.items()}

    def kept(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """Continues from the state after `iteration` outer steps."""
        self.iteration = iteration
        found = {
            n: torch.cat([tensors[f"self{i}.{n}"] for i in range(PLAYERS)]).to(self.device)
            for n in self._tensors()
        }
        self.theta, self.start = found["theta"], found["start"]
        self.adam = Adam(found["adam.first"], found["adam.second"])
        if self.model is not None:
            self.model, self.model_adam = (
                found["model"],
                Adam(found["model_adam.first"], found["model_adam.second"]),
            )


def model_step(
    model: Tensor, games: Games, net: ActorCritic, gamma: float
) -> tuple[Tensor, Tensor]:
    """∇ of a model's cross-entropy and of its critic's loss [L, P]; the cross-entropy [L]."""
    surprise = -of_actions(log_policy(net, model.requires_grad_(), games.other), games.other).mean(
        -1
    )
    errors = critic_loss(games.other.rewards, state_values(net, model, games.other), gamma)
    return gradient(mean(surprise + errors, games), model), mean(surprise.detach(), games)


def side(views: Tensor, actions: Tensor, rewards: Tensor) -> Side:
    """Time first -> time last, but for the views."""
    return Side(views, actions.movedim(0, 2).contiguous(), rewards.movedim(0, 2).contiguous())


def memory_needed(cfg: PolaDiceConfig) -> int:
    """Bytes that an outer step takes at its peak, roughly: arrays [T, L, n, H] of the graphs that
    exist at once.
    """
    width = cfg.hidden if cfg.actor == "gru" else 1
    graphs = 1 if cfg.rematerialise else max(1, cfg.inner_steps)
    arrays = (
        30 + 27 * graphs if cfg.inner_steps else 40
    )  # measured (tests/agents/learners/pola/test_pola_dice_learning.py)
    return 4 * cfg.horizon * PLAYERS * cfg.runs * cfg.batch * width * arrays


def check_memory(cfg: PolaDiceConfig, device: str) -> None:
    """Raises ValueError, before anything is computed, if the device has not the memory that the
    settings need.
    """
    needed, there = memory_needed(cfg), available_memory(device)
    if there is not None and needed > there:
        tips = f"lower batch (now {cfg.batch}), runs (now {cfg.runs}), horizon (now {cfg.horizon}) or hidden (now {cfg.hidden})"
        more = "" if cfg.rematerialise or cfg.inner_steps < 2 else ", or set rematerialise=True"
        raise ValueError(
            f"this needs about {needed / 1e9:.1f} GB and {device} has {there / 1e9:.1f} GB free: {tips}{more}"
        )


def make(
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
    return PolaDice(
        cfg, fresh_games(env_id, game, PLAYERS * cfg.runs * cfg.batch, cfg.horizon, device), seed
    )


# What a learner changes in the README's POLA-DiCE commands, in matrix games and in the Coin Game.
COIN = {"inner_steps": 4, "lr_in": 0.01, "beta_in": 5.0, "beta_out": 150.0, "batch": 1000}
NO_PROXIMAL_TERM = {"outer_steps": 1, "beta_in": 0.0, "beta_out": 0.0, "batch": 2000}
PRESETS = {
    "pola_dice": ({}, COIN),
    "pola_om": (
        {"model_batches": 200},
        {**COIN, "inner_steps": 6, "beta_in": 15.0, "model_batches": 200},
    ),
    "lola_dice_gru": tuple(
        {**NO_PROXIMAL_TERM, "inner_steps": 1, "lr_in": lr_in} for lr_in in (0.05, 0.003)
    ),
    "naive_pg_gru": ({**NO_PROXIMAL_TERM, "inner_steps": 0},) * 2,
}
TITLES = {
    "pola_dice": "POLA-DiCE: proximal opponent shaping with recurrent policies (2022)",
    "pola_om": "POLA-DiCE against a model of the opponent, learned from play",
    "lola_dice_gru": "LOLA-DiCE with recurrent policies, as POLA's authors ran it",
    "naive_pg_gru": "naive policy gradient with recurrent policies",
}


def settings(name: str) -> Callable[[str], PolaDiceConfig]:
    """Default settings of a learner, by game."""
    matrix, coin = PRESETS[name]
    return lambda env_id: replace(
        PolaDiceConfig(), **(coin if env_id == "coin_game_v0" else matrix)
    )


def spec(name: str) -> LearnerSpec:
    """One of PRESETS as a learner."""
    trained = partial(agent, base=PolaDiceConfig(), networks=networks)
    return LearnerSpec(name, TITLES[name], settings(name), make, trained, graphs=True)


POLA_DICE, POLA_OM, LOLA_DICE_GRU, NAIVE_PG_GRU = map(spec, PRESETS)
