"""The learners of tabular policies, as `train` and `load_agent` know them.

They are the LOLA family on 2-player matrix games:

    train("lola_exact", "ipd_v0", seed=0, iterations=200, runs=100)
    train("lola_dice_tabular", "ipd_v0", iterations=200, lookaheads=2, games=64)

One update is θ ← θ + δ f(θ) for both players of all runs at once (gradient_runs.py).  A run whose
parameters would become non-finite stops where it was, with a warning that names it, and the others
go on.  The agent that `load_agent` returns plays the first run's policy of player 0.

Shapes  R independent runs, N = 2 players, S states, A actions, D = S (A - 1) parameters a player.
        θ [R, N, D].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.learners.lola.lola_dice import lola_dice
from agents.learners.lola.lola_exact import lola
from agents.learners.lola.lola_pg import LolaPg, LolaPgConfig
from agents.learners.naive.naive_exact import naive
from agents.learners.naive.naive_pg import Critic, NaivePg, NaivePgConfig
from agents.learners.pola.pola_exact import pola
from agents.learners.sos.sos import consensus, look_ahead, sos
from agents.learners.tabular_agent import TabularAgent, restore_agent
from agents.learners.tabular_configs import (
    TabularConfig,
    TabularConsensusConfig,
    TabularLolaConfig,
    TabularLolaDiceConfig,
    TabularLolaPgConfig,
    TabularNaiveConfig,
    TabularNaivePgConfig,
    TabularPolaConfig,
    TabularSosConfig,
)
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.gradient_runs import (
    RunConfig,
    Stopped,
    ascend,
    initial_theta,
    warn_stopped,
)
from agents.matrix_games.policy_metrics import tft_rate
from agents.matrix_games.sampled import SampleConfig, SampledGame, Sampling
from agents.protocol import LearnerSpec
from social_dilemmas_env.games.game import random_end
from social_dilemmas_env.games.switches import action_noise

__all__ = ["TabularAgent", "TabularLearner", "make_tabular", "restore_agent", "table_of"]

# γ; authors' run_lola.py.  .96 in the prisoner's dilemma and, ours, everywhere else.
DISCOUNTS = {"imp_v0": 0.9}
# What `draw(seed, ...)` is for in these learners.  Part of every seeded result: they never change.
GAMES, CRITIC = 1, 2

Config = TypeVar("Config", bound=TabularConfig)
Direction = Callable[[Any, int], Callable[[Tensor, Any], Tensor]]  # (settings, seed) -> f


@dataclass
class TabularLearner:
    """A learner of `train`: R runs of two players."""

    game: MatrixGame | SampledGame  # what the direction is asked about
    direction: Callable[[Tensor, Any], Tensor]  # f(θ, game), [R, N, D]
    cfg: TabularConfig
    theta: Tensor  # [R, N, D]
    critic: Critic | None = None  # the learner's, if it keeps one
    iteration: int = 0  # updates done
    players: int = 2
    leaves_between_parts: bool = False  # whether an update takes seconds: pola's

    def __post_init__(self) -> None:
        self.active = torch.ones(len(self.theta), dtype=torch.bool, device=self.theta.device)  # [R]
        self.table = self.game.game if isinstance(self.game, SampledGame) else self.game

    def update(self) -> dict[str, Tensor]:
        """One update of all active runs; metrics are means over runs."""
        # θ ← θ + δ f(θ)
        step = self.direction(self.theta, self.game).detach()
        rates = torch.full((2,), self.cfg.lr, dtype=self.theta.dtype, device=self.theta.device)
        self.theta, active = ascend(self.theta, step, rates, self.active)
        self.iteration += 1

        # Who stopped.
        for run in (self.active & ~active).nonzero()[:, 0].tolist():
            warn_stopped(Stopped(run, self.iteration))
        self.active = active

        rewards, policies = self.table.report(self.theta), self.table.policies(self.theta)
        return {
            "reward": rewards.mean(),
            "reward_0": rewards[:, 0].mean(),
            "reward_1": rewards[:, 1].mean(),
            "tit_for_tat": torch.tensor(tft_rate(policies).per_state),
            "stopped_runs": (~active).sum(),
        }

    def state(self) -> dict[str, Tensor]:
        """Everything that changes."""
        tensors = {
            "theta": self.theta,
            "policies": self.table.policies(self.theta),  # what an agent needs
            "active": self.active,
        }

        # The names in checkpoints never change.
        if isinstance(self.game, SampledGame):
            tensors["draws"] = self.game.generator.get_state()
        if self.critic is not None and self.critic.values is not None:
            tensors["critic"] = self.critic.values
        return tensors

    def frozen(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """The inverse of `state`."""
        device = self.theta.device
        self.theta, self.active = tensors["theta"].to(device), tensors["active"].to(device)
        self.iteration = iteration
        if isinstance(self.game, SampledGame):
            self.game.generator.set_state(tensors["draws"].cpu())
        if self.critic is not None:
            self.critic.values = tensors["critic"].to(device)


def table_of(env_id: str, game: dict[str, Any], gamma: float, device: str) -> MatrixGame:
    """The exact game of an environment.

    Raises:
        ValueError: a tabular learner would learn another game than the one that is played.
    """
    if game.get("view", "ego") != "ego":
        raise ValueError(
            "tabular learners read states with their own action first: view must be 'ego'"
        )
    if game.get("payoff_noise", 0):
        raise ValueError("tabular learners know the payoff table: payoff_noise must be 0")

    rules = sde.spec(env_id).game(**game)
    if random_end(rules) is not None or action_noise(rules):
        raise ValueError(
            "tabular learners know the payoff table, without continuation and action_noise: leave "
            "them out, or learn from the exact game (social-dilemmas solve)"
        )

    table = MatrixGame(sde.payoffs(env_id, **game), gamma, device)
    if rules.observation_shape != (table.num_states,):
        raise ValueError(
            "tabular learners need the last joint action as the observation; "
            f"{env_id} shows something else"
        )
    return table


def make_tabular(
    cfg: Config,
    env_id: str,
    game: dict[str, Any],
    seed: int,
    device: str,
    *,
    direction: Direction,
) -> TabularLearner:
    """A learner at its start.

    Args:
        cfg: settings.
        env_id: the environment.
        game: its arguments.
        seed: of everything that is drawn.
        device: where to compute.
        direction: (settings, seed) -> f.

    Raises:
        ValueError: a game that a table does not describe.
    """
    table = table_of(env_id, game, cfg.gamma, device)
    theta = initial_theta(table, RunConfig(runs=cfg.runs, init_std=cfg.init_std, seed=seed))
    f = direction(cfg, seed)

    critic = f.critic if isinstance(f, (NaivePg, LolaPg)) else None
    if critic is not None:  # there from the start, so that every checkpoint has one
        critic.start(cfg.runs, table)

    if not isinstance(cfg, Sampling):
        long = isinstance(cfg, TabularPolaConfig)
        return TabularLearner(table, f, cfg, theta, leaves_between_parts=long)
    sampling = SampleConfig(
        games=cfg.games,
        steps=cfg.steps,
        estimator=cfg.estimator,
        baseline=cfg.baseline,
        gae_lambda=cfg.gae_lambda,
        seed=sde.draw(seed, GAMES),
    )
    return TabularLearner(SampledGame(table, sampling), f, cfg, theta, critic)


def naive_pg(cfg: TabularNaivePgConfig, seed: int) -> NaivePg:
    """NL-PG with a critic of its own."""
    return NaivePg(NaivePgConfig(cfg.critic_lr, sde.draw(seed, CRITIC)))


def lola_pg(cfg: TabularLolaPgConfig, seed: int) -> LolaPg:
    """LOLA-PG with a critic of its own."""
    return LolaPg(LolaPgConfig(cfg.eta, cfg.critic_lr, sde.draw(seed, CRITIC)))


def by_rule(rule: Callable[..., Tensor]) -> Direction:
    """A direction without memory or randomness: f(θ, game, cfg)."""
    return lambda cfg, seed: partial(rule, cfg=cfg)


# One line each.
TITLES = {
    "naive_exact": "naive learning, exact values (Foerster et al. 2018, NL-Ex)",
    "lola_exact": "LOLA, exact values (Foerster et al. 2018)",
    "look_ahead_exact": "LookAhead, exact values (Letcher et al. 2019)",
    "sos_exact": "Stable Opponent Shaping, exact values (Letcher et al. 2019)",
    "consensus_exact": "consensus optimisation (Mescheder et al. 2017)",
    "pola_exact": "outer POLA, exact values (Zhao et al. 2022)",
    "naive_pg_tabular": "naive learning from samples (Foerster et al. 2018, NL-PG)",
    "lola_pg_tabular": "LOLA from samples (Foerster et al. 2018, LOLA-PG)",
    "lola_dice_tabular": "LOLA-DiCE (Foerster et al. 2018)",
}


def tabular_spec(name: str, config: type[Config], direction: Direction) -> LearnerSpec[Any]:
    """A tabular learner for LEARNERS.

    Args:
        name: its key, and in TITLES.
        config: its settings.
        direction: (settings, seed) -> f.
    """

    def default_config(env_id: str) -> Config:
        return config(gamma=DISCOUNTS.get(env_id, 0.96))

    make = partial(make_tabular, direction=direction)
    return LearnerSpec(name, TITLES[name], default_config, make, restore_agent)


NAIVE_EXACT = tabular_spec("naive_exact", TabularNaiveConfig, by_rule(naive))
LOLA_EXACT = tabular_spec("lola_exact", TabularLolaConfig, by_rule(lola))
LOOK_AHEAD = tabular_spec("look_ahead_exact", TabularSosConfig, by_rule(look_ahead))
SOS = tabular_spec("sos_exact", TabularSosConfig, by_rule(sos))
CONSENSUS = tabular_spec("consensus_exact", TabularConsensusConfig, by_rule(consensus))
POLA_EXACT = tabular_spec("pola_exact", TabularPolaConfig, by_rule(pola))
NAIVE_PG = tabular_spec("naive_pg_tabular", TabularNaivePgConfig, naive_pg)
LOLA_PG = tabular_spec("lola_pg_tabular", TabularLolaPgConfig, lola_pg)
LOLA_DICE = tabular_spec("lola_dice_tabular", TabularLolaDiceConfig, by_rule(lola_dice))
