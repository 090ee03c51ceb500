"""Meta-MAPG and Meta-PG as `train` and `load_agent` know them: starts and learning rates for
learning among learners.

    train("meta_mapg", "ipd_v0", iterations=300, payoff_noise=0.5)                     # both meta-learn; noisy tables
    train("meta_mapg", "ipd_v0", iterations=300, peers="all")                          # among cooperators and defectors
    train("meta_pg", "rps_v0", iterations=300, peers="rock", actor="lstm", games=16)

An update draws tasks (a payoff table, a peer's persona), lets everybody learn for L steps in each,
and moves φ_0 and α by Adam on the mean meta-gradient. Chains that diverge count nothing;
"ended_chains" says how many did.

Shapes  R runs, B chains a run, M = R B, N = 2 players, L updates; φ_0 [R, P_n], α [R, L].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.agent import Agent
from agents.learners.meta_mapg.meta_mapg import (
    MetaConfig,
    MetaGradient,
    World,
    meta_gradients,
    unroll,
)
from agents.learners.meta_mapg.meta_mapg_exact import Learning, meta_gradient
from agents.learners.meta_mapg.personas import noisy_payoffs, personas
from agents.learners.tabular import table_of
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.parametrisations import softmax
from agents.nn.adam import Adam, clip
from agents.nn.lstm import Lstm
from agents.nn.networks import ActorCritic, Network, Tabular
from agents.registry import LearnerSpec


@dataclass(frozen=True)
class MetaLearnerConfig(MetaConfig):
    """What is meta-learned, among whom, and how fast.

    Raises:
        ValueError: see MetaConfig; also an unknown actor, and exact values of a network with
            memory.
    """

    runs: int = 1
    batch: int = 8  # chains a run and update; ours: the authors' five workers draw one each
    chain: int = 3  # ours; 7 in ipd.yaml
    games: int = 32  # ours; 64
    steps: int = 50  # ours; 150
    entropy: float = 0.0  # ours; .5
    peers: str = "meta"  # "meta": both meta-learn (student abstract); else a persona's kind, or "all" (ICML paper)
    actor: Literal["tabular", "lstm"] = "tabular"  # ours; the authors' is an LSTM
    values: Literal["samples", "exact"] = "samples"  # "exact": closed form, tabular policies only
    hidden: int = 64  # of the LSTM; authors'
    lr_inner: float = 1.0  # α at first; .1 in ipd.yaml
    lr_peer: float = 1.0  # of personas; hard-coded in base.py
    lr_outer: float = 0.05  # Adam, of φ_0 and α; ours (1e-4 for the LSTM)
    max_grad_clip: float = 10.0  # ipd.yaml
    init_std: float = 0.5  # of tabular φ_0; ours

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.runs, self.batch, self.hidden) < 1:
            raise ValueError(
                f"runs, batch and hidden must be >= 1, not {self.runs}, {self.batch} and {self.hidden}"
            )
        rates = (self.lr_inner, self.lr_peer, self.lr_outer, self.max_grad_clip, self.init_std)
        if not all(math.isfinite(rate) for rate in rates):
            raise ValueError(f"rates, clip and spread must be finite, not {rates}")
        if self.actor not in ("tabular", "lstm") or self.values not in ("samples", "exact"):
            raise ValueError(f"unknown actor or values: {self.actor!r}, {self.values!r}")
        if self.values == "exact" and self.actor == "lstm":
            raise ValueError(
                "exact values are those of policies without memory: actor must be 'tabular'"
            )
        if self.opponent == "modelled" and (self.peers == "meta" or self.values == "exact"):
            raise ValueError(
                "a modelled opponent is a persona, seen through samples: set peers, and values='samples'"
            )


class MetaLearner:
    """A learner of `training.train`.

    Attributes:
        cfg: settings.
        phi: φ_0, [R, P_n] of each player that meta-learns.
        rates: α, [R, L] of each.
        iteration: meta-updates so far.
    """

    def __init__(
        self, cfg: MetaLearnerConfig, env_id: str, game: dict[str, Any], seed: int, device: str
    ) -> None:
        self.cfg, self.env_id, self.seed, self.device = cfg, env_id, seed, device
        self.noise = float(game.get("payoff_noise", 0))
        self.table = table_of(
            env_id, {k: v for k, v in game.items() if k != "payoff_noise"}, cfg.gamma, device
        )
        self.actions = self.table.num_actions
        self.policies = policies(cfg, self.actions, device)
        self.players = 2 if cfg.peers == "meta" else 1
        self.draws = torch.Generator().manual_seed(sde.draw(seed, 1))
        self.peers = (
            None
            if cfg.peers == "meta"
            else personas(env_id, cfg.peers, "train", sde.draw(seed, 2)).to(device)
        )
        self.phi = [
            initial(net, cfg, self.draws).to(device) for net in self.policies[: self.players]
        ]
        self.rates = [
            torch.full((cfg.runs, cfg.chain), cfg.lr_inner, dtype=p.dtype, device=device)
            for p in self.phi
        ]
        self.adams = [Adam.of(self._flat(n)) for n in range(self.players)]
        self.iteration = 0

    def _flat(self, n: int) -> Tensor:
        return torch.cat((self.phi[n], self.rates[n]), 1)

    def tasks(self) -> tuple[Tensor, Tensor | None]:
        """Tables [M, A, A, 2], and the peers' starts [M, P] or None."""
        count, seed = self.cfg.runs * self.cfg.batch, sde.draw(self.seed, 3, self.iteration)
        tables = noisy_payoffs(self.table.payoffs.cpu(), self.noise, count, "train", seed).to(
            self.device
        )
        if self.peers is None:
            return tables, None
        return tables, self.peers[
            torch.randint(len(self.peers), (count,), generator=self.draws).to(self.device)
        ]

    def starts(self, peers: Tensor | None, copies: int) -> tuple[tuple[Tensor, ...], Tensor]:
        """φ_0 and α of all chains.  -> [M, P_n] a player, [L, N, M]."""
        phi = [p.repeat_interleave(copies, 0) for p in self.phi]
        rates = [rate.T.repeat_interleave(copies, 1) for rate in self.rates]
        if peers is not None:
            phi.append(peers.to(phi[0].dtype))
            rates.append(torch.full_like(rates[0], self.cfg.lr_peer))
        return tuple(phi), torch.stack(rates, 1)

    def gradients(
        self, phi: tuple[Tensor, ...], rates: Tensor, tables: Tensor
    ) -> Sequence[MetaGradient]:
        """The meta-gradient of every chain for each player that meta-learns."""
        if self.cfg.values == "samples":
            world = World(self.policies, tables.to(phi[0].dtype), self.cfg, self.draws)
            return meta_gradients(phi, rates, world, range(self.players))
        game = MatrixGame(tables, self.cfg.gamma, self.device, softmax(self.actions))
        start, found = torch.stack(phi, 1), []
        for me in range(self.players):
            by, rate, rewards, ok = meta_gradient(
                start, rates.movedim(1, 2), game, Learning(me, self.cfg.shaping)
            )
            found.append(MetaGradient(by, rate, rewards.movedim(1, 2), ok))
        return found

    def update(self) -> dict[str, Tensor]:
        """One meta-update; rewards are means over chains that stayed finite."""
        cfg, (tables, peers) = self.cfg, self.tasks()
        phi, rates = self.starts(peers, cfg.batch)
        found = self.gradients(phi, rates, tables)
        for n, each in enumerate(found):
            grouped = (
                torch.cat((each.start, each.rates.T), 1).unflatten(0, (cfg.runs, cfg.batch)).sum(1)
            )
            alive = each.finite.view(cfg.runs, cfg.batch).sum(1, keepdim=True).clamp(min=1)
            slope = clip(-grouped / alive, cfg.max_grad_clip)
            moved = self.adams[n].step(self._flat(n), slope, cfg.lr_outer)
            self.phi[n], self.rates[n] = moved.split((self.phi[n].shape[1], cfg.chain), 1)
        self.iteration += 1
        ok = found[0].finite
        rewards = torch.where(ok, found[0].rewards, 0.0).sum(-1) / ok.sum().clamp(min=1)
        named = {f"reward after {k} updates": row[0] for k, row in enumerate(rewards)}
        return {"reward": rewards[1:, 0].mean(), **named, "ended_chains": (~ok).sum()}

    def state(self) -> dict[str, Tensor]:
        """Everything that changes."""
        tensors = {"draws": self.draws.get_state()}
        for n in range(self.players):
            tensors |= {f"phi{n}": self.phi[n], f"rates{n}": self.rates[n]}
            tensors |= {f"first{n}": self.adams[n].first, f"second{n}": self.adams[n].second}
        return tensors

    def kept(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """The inverse of `state`."""
        self.iteration = iteration
        self.draws.set_state(tensors["draws"].cpu())
        for n in range(self.players):
            self.phi[n], self.rates[n] = (
                tensors[f"{name}{n}"].to(self.device) for name in ("phi", "rates")
            )
            first, second = (
                tensors[f"{name}{n}"].to(self.device).clone() for name in ("first", "second")
            )
            self.adams[n] = Adam(first, second, iteration)

    def adapt(self, tables: Tensor, peers: Tensor | None, seed: int = 0) -> Tensor:
        """Meta-test: rewards a step while φ_0 learns in each task, with nothing differentiated.

        Args:
            tables: [C, A, A, 2], tasks; each run meets all of them.
            peers: [C, P] or None.
            seed: of the games.

        Returns:
            [L + 1, N, R, C].
        """
        count, runs = len(tables), self.cfg.runs
        phi, rates = self.starts(None if peers is None else peers.repeat(runs, 1), count)
        draws = torch.Generator().manual_seed(seed)
        cfg = replace(self.cfg, create_graph=False, opponent="known")
        world = World(self.policies, tables.repeat(runs, 1, 1, 1).to(phi[0].dtype), cfg, draws)
        chain = unroll(tuple(p.detach().requires_grad_() for p in phi), rates, world)
        rewards = torch.stack([play.rewards.mean((-1, -2)) for play in chain.plays])
        return rewards.unflatten(-1, (runs, count))


def policies(cfg: MetaLearnerConfig, actions: int, device: str) -> tuple[Network, Network]:
    """The networks of both players; a persona's is a table."""
    kind = torch.float32 if cfg.actor == "lstm" else torch.float64
    table = torch.eye(actions**2 + 1, dtype=kind, device=device)
    own = Lstm(table, actions, cfg.hidden) if cfg.actor == "lstm" else Tabular(table, actions)
    return own, own if cfg.peers == "meta" else Tabular(table, actions)


def initial(net: Network, cfg: MetaLearnerConfig, draws: torch.Generator) -> Tensor:
    """φ_0 at first: N(0, init_std²) in a table, Xavier normal (the authors') in a network.

    [R, P].
    """
    parts = []
    for name, shape in net.shapes().items():
        noise = torch.randn(cfg.runs, *shape, generator=draws, dtype=net.table.dtype)
        std = 0.0 if "bias" in name else (2 / (shape[0] + shape[1])) ** 0.5
        parts.append((noise * (cfg.init_std if cfg.actor == "tabular" else std)).flatten(1))
    return torch.cat(parts, 1)


def make(
    cfg: MetaLearnerConfig,
    env_id: str,
    game: dict[str, Any],
    seed: int,
    device: str,
    *,
    shaping: bool,
) -> MetaLearner:
    """A learner, with or without the third term."""
    return MetaLearner(replace(cfg, shaping=shaping), env_id, game, seed, device)


def settings(env_id: str) -> MetaLearnerConfig:
    """Defaults: both players meta-learn.

    In rock-paper-scissors among personas, with the authors' discount.
    """
    return MetaLearnerConfig(gamma=0.9, peers="all") if env_id == "rps_v0" else MetaLearnerConfig()


def restored(checkpoint: Checkpoint, device: str) -> MetaLearner:
    """The learner of a checkpoint, to go on adapting."""
    facts = checkpoint.facts
    unknown = sorted(set(facts["settings"]) - {f.name for f in fields(MetaLearnerConfig)})
    if unknown:
        raise CheckpointError(
            f"{checkpoint.path}: it has the setting {unknown[0]!r}, which this version does not know"
        )
    shaping = facts["learner"] == "meta_mapg"
    try:
        cfg = MetaLearnerConfig(**facts["settings"])
        learner = make(cfg, facts["env_id"], facts["game"], facts["seed"], device, shaping=shaping)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    check_tensors(checkpoint.tensors, learner.state(), checkpoint.path)
    learner.load(checkpoint.tensors, checkpoint.step)
    return learner


class MetaAgent(Agent):
    """Plays φ_0 of the first run; `adaptation` is what it is for.

    Attributes:
        learner: the whole of what was learned.
    """

    def __init__(self, checkpoint: Checkpoint, device: str, seed: int) -> None:
        self.learner = restored(checkpoint, device)
        net = self.learner.policies[0]
        both = ActorCritic(
            net, net
        )  # the second stands where learners keep a critic, and is never asked
        super().__init__(both, self.learner.phi[0][:1].repeat(1, 2), checkpoint.facts, seed)

    def adaptation(self, tasks: int = 20, seed: int = 0) -> list[float]:
        """Its mean reward a step after 0 ..

        L updates, in tasks of the test split that training never saw.
        """
        learner = self.learner
        tables = noisy_payoffs(learner.table.payoffs.cpu(), learner.noise, tasks, "test", seed)
        peers = None
        if learner.peers is not None:
            peers = personas(learner.env_id, learner.cfg.peers, "test", sde.draw(learner.seed, 2))
            tables = (
                tables[:1].expand(len(peers), *tables.shape[1:]) if not learner.noise else tables
            )
            peers = peers[torch.arange(len(tables)) % len(peers)].to(learner.device)
        return learner.adapt(tables.to(learner.device), peers, seed)[:, 0, 0].mean(-1).tolist()


def agent(checkpoint: Checkpoint, device: str, seed: int) -> MetaAgent:
    """The agent of a checkpoint."""
    return MetaAgent(checkpoint, device, seed)


META_MAPG = LearnerSpec(
    "meta_mapg", "Meta-MAPG (2021)", settings, partial(make, shaping=True), agent
)
META_PG = LearnerSpec("meta_pg", "Meta-PG (2018)", settings, partial(make, shaping=False), agent)
