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

from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.execution.direct import Direct
from agents.execution.games import make_games
from agents.execution.rollout import JointPolicy, time_last
from agents.interruption import between_parts
from agents.learners.pola.agent import restore_agent, warm_policy
from agents.learners.pola.config import PRESETS, PolaDiceConfig, default_config
from agents.learners.pola.imagined_gain import Watch, adapted
from agents.learners.pola.memory import PLAYERS, check_pola_memory
from agents.learners.pola.mirror import mirror_gradient
from agents.learners.pola.networks import actor_critic, as_tables, table_network
from agents.learners.pola.pola_dice import (
    Games,
    Outer,
    OuterProblem,
    Side,
    critic_loss,
    gradient,
    log_probability,
    mean_over_games,
    outer_gradient,
    state_values,
)
from agents.learners.pola.proximal import fit_gradient, old_policies, score_games
from agents.nn.adam import Adam
from agents.nn.networks import ActorCritic
from agents.protocol import LearnerSpec
from social_dilemmas_env.rng import Stream, draw


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
        eta: η of each lane, [L, 1], where it follows the imagined gain, else None.
    """

    leaves_between_parts = True  # an iteration takes seconds

    def __init__(self, cfg: PolaDiceConfig, venv: Any, seed: int) -> None:
        self.cfg, self.venv, self.seed, self.iteration = cfg, venv, seed, 0
        self.compute = Direct()
        table, actions = venv.observation_table, int(venv.single_action_space.n)
        self.net = actor_critic(cfg, table, actions, venv.game)
        # What an outer step is played and differentiated with.
        self.acting = table_network(self.net) if cfg.look_ahead == "logits" else self.net
        self.device = venv.observation_table.device
        # Whose lane it is.
        self.seat = torch.arange(PLAYERS, device=self.device).repeat_interleave(cfg.runs)

        # Bit for bit the same start for a player and run, whatever the other settings.
        self.theta = self._initial(Stream.INIT)
        if cfg.actor == "mlp":
            # Uniform, as tables are: random first policies make roles of their own.
            first, end, _ = self.net.parts()[f"actor.dense{cfg.layers}"]
            self.theta[:, first:end] = 0
        if cfg.warm_start:
            policy = warm_policy(cfg.warm_start, self.net)
            self.theta[:, : self.net.actor_size] = policy.to(self.device)
        self.start, self.adam = self.theta.clone(), Adam.of(self.theta)
        self.model = self._initial(Stream.MODELS) if cfg.model_batches else None
        self.model_adam = Adam.of(self.theta)
        self.eta = torch.full_like(self.theta[:, :1], cfg.lr_in) if cfg.target_gain else None
        self.watch = Watch()

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

        # A step up the gradient, or in policy space.
        problem = self._outer_problem()
        one_step = self._proximal if cfg.outer == "proximal" else self._climb
        outer = one_step(problem, step if cfg.reset_optimiser else self.iteration)
        self.iteration += 1

        # Whether the imagined answers move the other at all.
        gain = imagined_gain(outer)
        if self.eta is not None:
            self.eta = adapted(self.eta, gain, cfg)
        self.watch.see(gain, cfg)
        return {
            "reward": (outer.first.own.rewards + outer.first.other.rewards).mean() / 2,
            "reward_ahead": outer.games.own.rewards.mean(),
            "imagined_gain": gain.mean(),
            "kl": outer.divergence.mean(),
            "critic_loss": outer.critic.mean(),
            "gradient": outer.gradient.norm(dim=1).mean(),
            **({} if self.eta is None else {"eta": self.eta.mean()}),
            **model_metrics,
        }

    def _climb(self, problem: OuterProblem, age: int) -> Outer:
        """One Adam step up the outer gradient."""
        climb = mirror_gradient if self.cfg.look_ahead == "mirror" else outer_gradient
        outer = climb(self.theta, problem)
        self._adam_step(outer.gradient, age)
        return outer

    def _proximal(self, problem: OuterProblem, age: int) -> Outer:
        """A step in policy space, fitted by several steps of Adam to one batch (proximal.py)."""
        scored, own = problem, self.theta
        if self.cfg.look_ahead == "logits":
            own, start, other = (as_tables(self.net, x) for x in (own, problem.old, problem.other))
            scored = problem._replace(net=self.acting, old=start, other=other)
        batches = score_games(own, scored)
        old = self.compute(old_policies, own, batches, scored)
        norms = []
        for epoch in range(self.cfg.epochs):
            between_parts()
            fit = self.compute(fit_gradient, self.theta.detach(), old, batches, problem)
            self._adam_step(fit.gradient, age * self.cfg.epochs + epoch)
            norms.append(fit.gradient)

        zero = torch.zeros_like(fit.divergence)
        games = batches.last.games
        return Outer(norms[0], games, batches.first, zero, fit.divergence, batches.critic)

    def _adam_step(self, ascent: Tensor, age: int) -> None:
        self.adam.steps = age
        rates = self.rates(self.cfg.lr_out, self.cfg.lr_v)
        self.theta = self.adam.step(self.theta, -ascent, rates)

    def _outer_problem(self) -> OuterProblem:
        other = self.swapped(self.start) if self.model is None else self.model
        # A bound method, equal in every iteration: part of what names a recorded graph.
        play = self._play_outer
        return OuterProblem(self.net, self.cfg, self.start, other, play, self.compute, self.eta)

    def _play_outer(self, own: Tensor, other: Tensor, number: int) -> Games:
        answers = number > 0 and self.cfg.look_ahead == "mirror"
        return self.play(own, other, number, purpose=0, answers=answers, net=self.acting)

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

    def play(
        self,
        own: Tensor,
        other: Tensor,
        number: int,
        *,
        purpose: int,
        answers: bool = False,
        net: ActorCritic | None = None,
    ) -> Games:
        """New games of the learner of each lane, in its own seat, and its opponent.

        Args:
            own: [L, P].
            other: [L, P].
            number: of the roll-out within the iteration.
            purpose: 0 for an outer step, 1 to fit models; other numbers give other games.
            answers: the opponent plays its mirror step log π + Q / β_in.
            net: whose parameters these are; None for the learner's network.
        """
        # Who sits where, and who answers.
        cfg, batch, key = self.cfg, self.venv.num_envs, (self.iteration, purpose, number)
        thetas = tuple(torch.where((self.seat == i)[:, None], own, other) for i in range(PLAYERS))
        tilts = None
        if answers:
            tilts = tuple((self.seat != i) / cfg.beta_in for i in range(PLAYERS))
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.ROLLOUT, *key))
        uniforms = torch.rand((1, cfg.horizon, batch, PLAYERS), generator=generator)

        games = self.compute.rollout(
            self.venv,
            draw(self.seed, Stream.ENV, *key),
            JointPolicy(net or self.net, thetas, tilts=tilts),
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
        if self.eta is not None:
            tensors["eta"] = self.eta.detach()
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
        self.eta = both.get("eta")
        if self.model is not None:
            self.model = both["model"]
            self.model_adam.load(both, "model_adam.", steps=0)


def imagined_gain(outer: Outer) -> Tensor:
    """What the opponents' imagined steps gain them, a step of the game.  -> [L].

    Of two batches of games: its noise is that of two means of rewards.
    """
    before, after = (games.other.rewards.mean((1, 2)) for games in (outer.first, outer.games))
    return after - before


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
    check_pola_memory(cfg, device)
    venv = make_games(env_id, game, PLAYERS * cfg.runs * cfg.batch, cfg.horizon, device)
    return PolaDice(cfg, venv, seed)


TITLES = {
    "pola_dice": "POLA-DiCE: proximal opponent shaping with recurrent policies (2022)",
    "pola_om": "POLA-DiCE against a model of the opponent, learned from play",
    "lola_dice_gru": "LOLA-DiCE with recurrent policies, as POLA's authors ran it",
    "naive_pg_gru": "naive policy gradient with recurrent policies",
}


def learner_spec(name: str) -> LearnerSpec[PolaDiceConfig]:
    """One of PRESETS as a learner."""
    settings = default_config(name)
    return LearnerSpec(name, TITLES[name], settings, make_pola_dice, restore_agent, graphs=True)


POLA_DICE, POLA_OM, LOLA_DICE_GRU, NAIVE_PG_GRU = map(learner_spec, PRESETS)
