"""Games of two players, each chain of learning with a payoff table of its own.

Shapes  M chains, N = 2 players, K games, T steps, A actions, V = A² + 1 observations, P_n
        parameters of player n. φ: one tensor [M, P_n] a player; trajectories [T, M, K] in networks,
        [M, K, T] in estimators.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agents.execution.rollout import sample
from agents.learners.meta_mapg.config import MetaConfig
from agents.matrix_games.closed_form import other_view
from agents.nn.networks import Network, Params, Tabular, log_softmax, of_actions

Phi = tuple[Tensor, ...]


class Games(NamedTuple):
    """K games of each chain.

    Attributes:
        obs_ids: [N, T, M, K], what each player saw, own action first.
        actions: [N, T, M, K].
        rewards: [N, M, K, T].
    """

    obs_ids: Tensor
    actions: Tensor
    rewards: Tensor


def unpack(net: Network, flat: Tensor) -> Params:
    """Parameters by name.  [M, P] -> name -> [M, *shape]."""
    shapes = net.shapes()
    sizes = [torch.Size(shape).numel() for shape in shapes.values()]
    parts = flat.split(sizes, 1)
    return {
        name: part.unflatten(1, shape)
        for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }


class World:
    """Two players of a matrix game, each chain with a payoff table of its own.

    Args:
        policies: a network a player, on observations 0 = start, 1 + own action * A + other's.
        payoffs: [M, A, A, 2].
        cfg: games, steps.
        generator: the randomness of play, on the CPU.
    """

    def __init__(
        self,
        policies: Sequence[Network],
        payoffs: Tensor,
        cfg: MetaConfig,
        generator: torch.Generator,
    ) -> None:
        self.policies, self.payoffs, self.cfg = tuple(policies), payoffs, cfg
        self.generator = generator
        self.num_actions = payoffs.shape[1]
        # What the second player sees where the first one sees this.
        self._swap = other_view(self.num_actions, payoffs.device)

    @torch.no_grad()
    def play_games(self, phi: Phi) -> Games:
        """New games with φ."""
        cfg, shape = self.cfg, (len(self.payoffs), self.cfg.games)
        steppers = [
            net.stepper(unpack(net, p), cfg.games, cfg.steps)
            for net, p in zip(self.policies, phi, strict=True)
        ]
        state = torch.zeros(shape, dtype=torch.long, device=self.payoffs.device)
        seen, moves = [], []

        for t in range(cfg.steps):
            # The state is what the first player sees: 0, or 1 + its action * A + the other's.
            obs_ids = torch.stack((state, self._swap[state]))
            u = torch.rand(obs_ids.shape, generator=self.generator, dtype=torch.float64)
            pairs = zip(steppers, obs_ids, u.to(state.device), strict=True)
            actions = torch.stack([sample(step(ids, t), x) for step, ids, x in pairs])
            state = 1 + actions[0] * self.num_actions + actions[1]
            seen.append(obs_ids)
            moves.append(actions)

        actions = torch.stack(moves, 1)
        return Games(torch.stack(seen, 1), actions, self.rewards(actions))

    def rewards(self, actions: Tensor) -> Tensor:
        """r_n,t by each chain's own table.  [N, T, M, K] -> [N, M, K, T]."""
        # The table's own index of a joint action; the first player's action counts A.
        joint = (actions[0] * self.num_actions + actions[1]).permute(1, 2, 0)
        table = self.payoffs.flatten(1, 2).permute(2, 0, 1)
        rewards: Tensor = table.gather(2, joint.flatten(1).expand(2, -1, -1))
        return rewards.view(2, *joint.shape)

    def log_policy(self, phi_n: Tensor, games: Games, n: int) -> Tensor:
        """Log π(. | φ^n) of player n.  [M, P_n] -> [T, M, K, A]."""
        net = self.policies[n]
        return log_softmax(net(unpack(net, phi_n), games.obs_ids[n]))

    def log_prob(self, phi_n: Tensor, games: Games, n: int) -> Tensor:
        """Log π(a_t^n | φ^n) of what was played.  [M, P_n] -> [M, K, T]."""
        net = self.policies[n]
        if not isinstance(net, Tabular):
            logp = of_actions(self.log_policy(phi_n, games, n), games.actions[n])
            return logp.permute(1, 2, 0)

        # Of a table: the softmax once a state instead of once a step.
        table = log_softmax(unpack(net, phi_n)["zero_table"]).flatten(1)
        index = (games.obs_ids[n] * self.num_actions + games.actions[n]).permute(1, 2, 0)
        return table.gather(1, index.flatten(1)).view(index.shape)
