"""The learners of tabular policies, as `train` and `load_agent` know them: the LOLA family on
2-player matrix games.

    train("lola_exact", "ipd_v0", seed=0, iterations=200, runs=100)
    train("lola_dice_tabular", "ipd_v0", iterations=200, lookaheads=2, games=64)

One update is θ ← θ + δ f(θ) for both players of all runs at once (runs.py). A run whose parameters
would become non-finite stops where it was, with a warning that names it, and the others go on. The
agent that `load_agent` returns plays the first run's policy of player 0.

Shapes  R independent runs, N = 2 players, S states, A actions, D = S (A - 1) parameters a player. θ
[R, N, D].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, make_dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.agent import Hidden, TrainedAgent
from agents.learners.exact_table import exact_learner
from agents.learners.lola.lola_exact import LolaConfig
from agents.learners.lola.lola_sampled import (
    LolaDiceConfig,
    LolaPg,
    LolaPgConfig,
    lola_dice,
)
from agents.learners.naive.naive_pg import Critic, NaivePg, NaivePgConfig
from agents.learners.pola.pola_exact import PolaConfig, pola
from agents.learners.sos.sos import ConsensusConfig, SosConfig
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.gradient_runs import (
    RunConfig,
    Stopped,
    ascend,
    initial_theta,
    log,
)
from agents.matrix_games.policy_metrics import tft_rate
from agents.matrix_games.sampled import SampleConfig, SampledGame
from agents.registry import LearnerSpec

DISCOUNTS = {
    "imp_v0": 0.9
}  # authors' run_lola.py; .96 in the prisoner's dilemma and, ours, everywhere else


@dataclass(frozen=True)
class Common:
    """Settings of every tabular learner.

    Raises:
        ValueError: fewer than 1 run, a rate or spread that is not finite, a discount outside [0,
            1).
    """

    runs: int = 1
    lr: float = 1.0  # δ, authors' run_lola.py
    init_std: float = 1.0  # train_exact.py: logits from N(0, 1)
    gamma: float = 0.96

    def __post_init__(self) -> None:
        RunConfig(runs=self.runs, lr=self.lr, init_std=self.init_std)
        if not 0 <= self.gamma < 1:
            raise ValueError(f"the discount must lie in [0, 1), not {self.gamma!r}")


def settings_class(name: str, *parts: type, **defaults: Any) -> type:
    """A frozen dataclass of the common settings and those of `parts` (without their seeds), checked
    as they check theirs.
    """
    named = {
        f.name: f
        for part in reversed((Common, *parts))
        for f in fields(part)
        if not f.name.endswith("seed")
    }
    made = [(key, f.type, field(default=defaults.get(key, f.default))) for key, f in named.items()]

    def check(self: Any) -> None:
        for key, _, default in made:
            value, kind = getattr(self, key), type(default.default)
            if not isinstance(value, (int, float) if kind is float else kind) or isinstance(
                value, bool
            ) != (kind is bool):
                raise ValueError(
                    f"{key} must be of type {kind.__name__}, like {default.default!r}, not {value!r}"
                )
        for part in (Common, *parts):
            part_of(self, part)

    return make_dataclass(
        name,
        made,
        frozen=True,
        namespace={"__doc__": f"Settings of {name}.", "__post_init__": check},
    )


def part_of(cfg: Any, part: type, **more: Any) -> Any:
    """The part of the settings that `part` has."""
    return part(
        **{f.name: getattr(cfg, f.name) for f in fields(part) if hasattr(cfg, f.name)} | more
    )


@dataclass
class TabularLearner:
    """A learner of `training.train`: R runs of two players.

    Attributes:
        game: what the direction is asked about; exact or sampled.
        direction: f(θ, game).
        cfg: settings.
        theta: [R, N, D].
        critic: the learner's critic, if it keeps one.
    """

    game: Any
    direction: Callable[[Tensor, Any], Tensor]
    cfg: Any
    theta: Tensor
    critic: Critic | None = None
    iteration: int = 0
    players: int = 2

    def __post_init__(self) -> None:
        self.active = torch.ones(len(self.theta), dtype=torch.bool, device=self.theta.device)
        self.table = getattr(self.game, "game", self.game)  # the exact game

    def update(self) -> dict[str, Tensor]:
        """One update of all active runs; metrics are means over runs."""
        step = self.direction(self.theta, self.game).detach()
        rates = torch.full((2,), self.cfg.lr, dtype=self.theta.dtype, device=self.theta.device)
        self.theta, active = ascend(self.theta, step, rates, self.active)
        self.iteration += 1
        for run in (self.active & ~active).nonzero()[:, 0].tolist():
            log.warning("%s; the other runs go on", Stopped(run, self.iteration))
        self.active = active
        rewards, policies = self.table.report(self.theta), self.table.policies(self.theta)
        return {
            "reward": rewards.mean(), "reward_0": rewards[:, 0].mean(), "reward_1": rewards[:, 1].mean(),
            "tit_for_tat": torch.tensor(tft_rate(policies).per_state), "stopped_runs": (~active).sum(),
        }  # fmt: skip

    def state(self) -> dict[str, Tensor]:
        """Everything that changes."""
        tensors = {
            "theta": self.theta,
            "policies": self.table.policies(self.theta),
            "active": self.active,
        }
        if isinstance(self.game, SampledGame):
            tensors["draws"] = self.game.draws.get_state()
        if self.critic is not None:
            tensors["critic"] = self.critic.values
        return tensors

    def kept(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """The inverse of `state`."""
        device = self.theta.device
        self.theta, self.active, self.iteration = (
            tensors["theta"].to(device),
            tensors["active"].to(device),
            iteration,
        )
        if isinstance(self.game, SampledGame):
            self.game.draws.set_state(tensors["draws"].cpu())
        if self.critic is not None:
            self.critic.values = tensors["critic"].to(device)


def table_of(env_id: str, game: dict[str, Any], gamma: float, device: str) -> MatrixGame:
    """The exact game, or ValueError where a tabular learner would learn another game than the one
    that is played.
    """
    if game.get("view", "ego") != "ego":
        raise ValueError(
            "tabular learners read states with their own action first: view must be 'ego'"
        )
    if game.get("payoff_noise", 0):
        raise ValueError("tabular learners know the payoff table: payoff_noise must be 0")
    table = MatrixGame(sde.payoffs(env_id, **game), gamma, device)
    if sde.spec(env_id).game(**game).observation_shape != (table.num_states,):
        raise ValueError(
            f"tabular learners need the last joint action as the observation; {env_id} shows something else"
        )
    return table


def make(
    cfg: Any,
    env_id: str,
    game: dict[str, Any],
    seed: int,
    device: str,
    *,
    direction: Callable[[Any, int], Any],
    sampled: bool,
) -> TabularLearner:
    """A learner at its start.  `direction`: (settings, seed) -> f."""
    table = table_of(env_id, game, cfg.gamma, device)
    f = direction(cfg, seed)
    played = (
        SampledGame(table, part_of(cfg, SampleConfig, seed=sde.draw(seed, 1))) if sampled else table
    )
    theta = initial_theta(table, RunConfig(runs=cfg.runs, init_std=cfg.init_std, seed=seed))
    critic = getattr(f, "critic", None)
    if critic is not None:  # there from the start, so that every checkpoint has one
        draws = torch.Generator().manual_seed(critic.cfg.critic_seed)
        shape = (cfg.runs, table.num_players, table.num_states)
        critic.values = torch.randn(shape, dtype=torch.float64, generator=draws).to(device)
    return TabularLearner(played, f, cfg, theta, critic)


class TabularAgent(TrainedAgent):
    """A memory-one policy that plays.

    Attributes:
        policy: [S, A].
    """

    uniform_dtype = torch.float64

    def __init__(self, policy: Tensor, facts: dict[str, Any], seed: int = 0) -> None:
        super().__init__(facts, seed)
        self.policy = policy

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        chances, hidden = self.probabilities(observations, hidden)
        return chances.log(), hidden

    @override
    def probabilities(self, observations: Any, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        seen = torch.as_tensor(observations)
        one_hot = seen.to(self.policy.device, torch.float32).flatten(1)
        self.check_features(one_hot, len(self.policy), tuple(seen.shape))
        return self.policy[one_hot.argmax(-1)], hidden


def agent(checkpoint: Checkpoint, device: str, seed: int, *, player: int = 0) -> TabularAgent:
    """The agent of a checkpoint: the first run's policy of `player`.

    Raises:
        CheckpointError: the checkpoint holds no such policies.
    """
    facts = checkpoint.facts
    policies = checkpoint.tensors.get("policies")
    if policies is None or policies.dim() != 4:
        raise CheckpointError(
            f"{checkpoint.path}: it has no policies [R, N, S, A]: saved by another learner or version"
        )
    try:
        actions = sde.spec(facts["env_id"]).game(**facts["game"]).num_actions[0]
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    check_tensors(
        {"policies": policies},
        {"policies": torch.empty(len(policies), 2, actions**2 + 1, actions, dtype=torch.float64)},
        checkpoint.path,
    )
    return TabularAgent(policies[0, player].to(device), facts, seed)


def spec(
    name: str,
    title: str,
    parts: tuple[type, ...],
    direction: Callable[[Any, int], Any],
    sampled: bool = False,
    **defaults: Any,
) -> LearnerSpec:
    """A tabular learner for LEARNERS."""
    parts = (*parts, SampleConfig) if sampled else parts
    kind = settings_class(name, *parts, **defaults)
    return LearnerSpec(
        name,
        title,
        lambda env_id: kind(gamma=DISCOUNTS.get(env_id, 0.96)),
        partial(make, direction=direction, sampled=sampled),
        agent,
    )


def exact(name: str, part: type | None = None) -> Callable[[Any, int], Any]:
    """(settings, seed) -> an exact learner's direction."""
    return lambda cfg, seed: exact_learner(name, **(vars(part_of(cfg, part)) if part else {}))


def pola_direction(cfg: Any, seed: int) -> Callable[[Tensor, MatrixGame], Tensor]:
    """(settings, seed) -> outer POLA's move."""
    return lambda theta, game: pola(theta, game, part_of(cfg, PolaConfig))


def dice_direction(cfg: Any, seed: int) -> Callable[[Tensor, SampledGame], Tensor]:
    """(settings, seed) -> LOLA-DiCE's direction."""
    return lambda theta, game: lola_dice(theta, game, part_of(cfg, LolaDiceConfig))


def with_critic(kind: type, config: type) -> Callable[[Any, int], Any]:
    """(settings, seed) -> a policy-gradient learner with a critic of its own."""
    return lambda cfg, seed: kind(part_of(cfg, config, critic_seed=sde.draw(seed, 2)))


LOLA_2018 = "Foerster et al. 2018"
NAIVE_EXACT = spec(
    "naive_exact", f"naive learning, exact values ({LOLA_2018}, NL-Ex)", (), exact("naive")
)
LOLA_EXACT = spec(
    "lola_exact", f"LOLA, exact values ({LOLA_2018})", (LolaConfig,), exact("lola", LolaConfig)
)
LOOK_AHEAD = spec(
    "look_ahead_exact",
    "LookAhead, exact values (Letcher et al. 2019)",
    (SosConfig,),
    exact("look_ahead", SosConfig),
)
SOS = spec(
    "sos_exact",
    "Stable Opponent Shaping, exact values (Letcher et al. 2019)",
    (SosConfig,),
    exact("sos", SosConfig),
)
CONSENSUS = spec(
    "consensus_exact",
    "consensus optimisation (Mescheder et al. 2017)",
    (ConsensusConfig,),
    exact("consensus", ConsensusConfig),
)
POLA_EXACT = spec(
    "pola_exact",
    "outer POLA, exact values (Zhao et al. 2022)",
    (PolaConfig,),
    pola_direction,
    init_std=0.1,
)
NL_PG, LOLA_PG_TITLE = (
    f"naive learning from samples ({LOLA_2018}, NL-PG)",
    f"LOLA from samples ({LOLA_2018}, LOLA-PG)",
)
NAIVE_PG = spec(
    "naive_pg_tabular", NL_PG, (NaivePgConfig,), with_critic(NaivePg, NaivePgConfig), True, games=4000
)
LOLA_PG = spec(
    "lola_pg_tabular", LOLA_PG_TITLE, (LolaPgConfig,), with_critic(LolaPg, LolaPgConfig), True, games=4000
)
LOLA_DICE = spec(
    "lola_dice_tabular",
    f"LOLA-DiCE ({LOLA_2018})",
    (LolaDiceConfig,),
    dice_direction,
    True,
    lr=0.2,
    init_std=0.4472,
)
