"""Meta-MAPG and Meta-PG as a learner: starts and learning rates for learning among learners.

An update draws tasks (a payoff table, a peer's persona), lets everybody learn for L steps in each,
and moves φ_0 and α by Adam on the mean meta-gradient. Chains that diverge count nothing;
"ended_chains" says how many did.

Shapes  R runs, B chains a run, M = R B, N = 2 players, L updates, A actions; φ_0 [R, P_n],
        α [R, L].
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from agents.learners.meta_mapg.config import MetaLearnerConfig
from agents.learners.meta_mapg.games import World
from agents.learners.meta_mapg.meta_mapg import MetaGradient, meta_gradients, unroll
from agents.learners.meta_mapg.meta_mapg_exact import LearningRules, meta_gradient
from agents.learners.meta_mapg.personas import noisy_payoffs, personas
from agents.learners.tabular import table_of
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.parametrisations import softmax
from agents.nn.adam import Adam, clip
from agents.nn.lstm import Lstm
from agents.nn.networks import Network, Tabular
from social_dilemmas_env.rng import Stream, draw


class MetaLearner:
    """A learner (protocol.py).

    Attributes:
        cfg: settings.
        num_learners: how many players meta-learn; the others are personas.
        phi: φ_0, [R, P_n] of each player that meta-learns.
        rates: α, [R, L] of each.
        peers: [C, P], starts of personas; None if both players meta-learn.
        iteration: meta-updates so far.
    """

    def __init__(
        self, cfg: MetaLearnerConfig, env_id: str, game: dict[str, Any], seed: int, device: str
    ) -> None:
        self.cfg, self.env_id, self.seed, self.device = cfg, env_id, seed, device
        self.iteration = 0

        # The game: its noise is ours to draw, a table for each chain.
        self.noise = float(game.get("payoff_noise", 0))
        noiseless = {name: value for name, value in game.items() if name != "payoff_noise"}
        self.table = table_of(env_id, noiseless, cfg.gamma, device)
        self.num_actions = self.table.num_actions
        self.peers: Tensor | None = None
        if cfg.peers != "meta":
            seed_of_personas = draw(seed, Stream.PERSONAS)
            self.peers = personas(env_id, cfg.peers, "train", seed_of_personas).to(device)

        # Who meta-learns.
        self.policies = policies(cfg, self.num_actions, device)
        self.num_learners = 2 if cfg.peers == "meta" else 1
        self.generator = torch.Generator().manual_seed(draw(seed, Stream.INIT))
        learners = self.policies[: self.num_learners]
        self.phi = [initial(net, cfg, self.generator).to(device) for net in learners]
        self.rates = [p.new_full((cfg.runs, cfg.chain), cfg.lr_inner) for p in self.phi]
        self.adams = [Adam.of(self._flat(n)) for n in range(self.num_learners)]

    def _flat(self, n: int) -> Tensor:
        """All that player n meta-learns.  [R, P_n + L]."""
        return torch.cat((self.phi[n], self.rates[n]), 1)

    # One meta-update.

    def update(self) -> dict[str, Tensor]:
        """One meta-update; rewards are means over chains that stayed finite."""
        cfg, (tables, peers) = self.cfg, self.tasks()
        phi, rates = self.starts(peers, cfg.batch)
        gradients = self.gradients(phi, rates, tables)

        # Adam on the mean over the chains of each run that stayed finite.
        for n, each in enumerate(gradients):
            by_chain = torch.cat((each.start, each.rates.T), 1)
            total = by_chain.unflatten(0, (cfg.runs, cfg.batch)).sum(1)
            count = each.finite.view(cfg.runs, cfg.batch).sum(1, keepdim=True).clamp(min=1)
            descent = clip(-total / count, cfg.max_grad_clip)
            moved = self.adams[n].step(self._flat(n), descent, cfg.lr_outer)
            self.phi[n], self.rates[n] = moved.split((self.phi[n].shape[1], cfg.chain), 1)

        self.iteration += 1
        return self._metrics(gradients[0])

    def _metrics(self, gradient: MetaGradient) -> dict[str, Tensor]:
        finite = gradient.finite
        rewards = torch.where(finite, gradient.rewards, 0.0).sum(-1) / finite.sum().clamp(min=1)
        named = {f"reward after {k} updates": row[0] for k, row in enumerate(rewards)}
        return {"reward": rewards[1:, 0].mean(), **named, "ended_chains": (~finite).sum()}

    def tasks(self) -> tuple[Tensor, Tensor | None]:
        """Tables [M, A, A, 2], and the peers' starts [M, P] or None."""
        count, seed = self.cfg.runs * self.cfg.batch, draw(self.seed, Stream.ENV, self.iteration)
        tables = noisy_payoffs(self.table.payoffs.cpu(), self.noise, count, "train", seed)
        tables = tables.to(self.device)
        if self.peers is None:
            return tables, None

        which = torch.randint(len(self.peers), (count,), generator=self.generator)
        return tables, self.peers[which.to(self.device)]

    def starts(self, peers: Tensor | None, copies: int) -> tuple[tuple[Tensor, ...], Tensor]:
        """φ_0 and α of all chains.

        Args:
            peers: [M, P_1], the peers' starts, or None.
            copies: chains a run.

        Returns:
            [M, P_n] a player, [L, N, M].
        """
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
            world = World(self.policies, tables.to(phi[0].dtype), self.cfg, self.generator)
            return meta_gradients(phi, rates, world, range(self.num_learners))

        # Exact values count chains before players.
        game = MatrixGame(tables, self.cfg.gamma, self.device, softmax(self.num_actions))
        start, gradients = torch.stack(phi, 1), []
        for me in range(self.num_learners):
            rules = LearningRules(me, self.cfg.shaping)
            exact = meta_gradient(start, rates.movedim(1, 2), game, rules)
            rewards = exact.rewards.movedim(1, 2)
            gradients.append(MetaGradient(exact.start, exact.rates, rewards, exact.finite))
        return gradients

    # Saving and resuming.

    def state(self) -> dict[str, Tensor]:
        """Everything that changes."""
        tensors = {"draws": self.generator.get_state()}
        for n in range(self.num_learners):
            tensors |= {f"phi{n}": self.phi[n], f"rates{n}": self.rates[n]}
            tensors |= {f"first{n}": self.adams[n].first, f"second{n}": self.adams[n].second}
        return tensors

    def frozen(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """The inverse of `state`."""
        self.iteration = iteration
        self.generator.set_state(tensors["draws"].cpu())
        for n in range(self.num_learners):
            self.phi[n] = tensors[f"phi{n}"].to(self.device)
            self.rates[n] = tensors[f"rates{n}"].to(self.device)
            # Copies: Adam works in place, and the checkpoint's tensors are not ours.
            first = tensors[f"first{n}"].to(self.device).clone()
            second = tensors[f"second{n}"].to(self.device).clone()
            self.adams[n] = Adam(first, second, iteration)

    # Meta-test.

    def adapt(self, tables: Tensor, peers: Tensor | None, seed: int = 0) -> Tensor:
        """Rewards a step while φ_0 learns in each task, with nothing differentiated.

        Args:
            tables: [C, A, A, 2], tasks; each run meets all of them.
            peers: [C, P] or None.
            seed: of the games.

        Returns:
            [L + 1, N, R, C].
        """
        count, runs = len(tables), self.cfg.runs
        phi, rates = self.starts(None if peers is None else peers.repeat(runs, 1), count)
        generator = torch.Generator().manual_seed(seed)
        cfg = replace(self.cfg, create_graph=False, opponent="known")
        payoffs = tables.repeat(runs, 1, 1, 1).to(phi[0].dtype)

        world = World(self.policies, payoffs, cfg, generator)
        chain = unroll(tuple(p.detach().requires_grad_() for p in phi), rates, world)
        rewards = torch.stack([games.rewards.mean((-1, -2)) for games in chain.games])
        return rewards.view(*rewards.shape[:-1], runs, count)


def policies(cfg: MetaLearnerConfig, num_actions: int, device: str) -> tuple[Network, Network]:
    """The networks of both players; a persona's is a table."""
    dtype = torch.float32 if cfg.actor == "lstm" else torch.float64
    table = torch.eye(num_actions**2 + 1, dtype=dtype, device=device)
    own: Network = Tabular(table, num_actions)
    if cfg.actor == "lstm":
        own = Lstm(table, num_actions, cfg.hidden)
    return own, own if cfg.peers == "meta" else Tabular(table, num_actions)


def initial(net: Network, cfg: MetaLearnerConfig, generator: torch.Generator) -> Tensor:
    """φ_0 at first.  [R, P].

    N(0, init_std²) in a table, Xavier normal (the authors') in a network.
    """
    parts = []
    for name, shape in net.shapes().items():
        noise = torch.randn(cfg.runs, *shape, generator=generator, dtype=net.table.dtype)
        std = 0.0 if "bias" in name else (2 / (shape[0] + shape[1])) ** 0.5
        parts.append((noise * (cfg.init_std if cfg.actor == "tabular" else std)).flatten(1))
    return torch.cat(parts, 1)
