"""Small random games with chance, and what they are worth by dense matrices and loops."""

import itertools
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch

from social_dilemmas_env.exact.tables import GameTables

STATES, PENDING = 6, 3


@dataclass(frozen=True, eq=False)
class Small(GameTables):
    gamma: float


def small_game(players=2, actions=2, seed=0, gamma=0.8):
    """States 0-3 and 4-5 are joined only by chance; seats see permuted states, renamed actions."""
    rng = np.random.default_rng(seed)
    joint = actions**players
    block = np.array([0, 0, 0, 0, 1, 1])
    successors = np.empty((STATES, joint), int)
    for s in range(STATES):
        inside = np.append(np.flatnonzero(block == block[s]), STATES + np.arange(PENDING))
        successors[s] = rng.choice(inside, joint)
    chance = rng.dirichlet(np.ones(STATES), PENDING)
    seen = np.stack([rng.permutation(STATES) for _ in range(players)])
    renamed = rng.permuted(np.tile(np.arange(actions), (players, STATES, 1)), axis=2)
    return Small(
        num_actions=(actions,) * players,
        start=rng.dirichlet(np.ones(STATES)),
        successors=successors,
        chance=sp.csr_matrix(chance),
        rewards=rng.normal(size=(STATES, joint, players)),
        seen=seen,
        seen_actions=renamed,
        columns={"block": block},
        still=("block",),
        stabiliser=None,
        gamma=gamma,
    )


def random_policies(runs, game, seed=0):
    """[R, N, S, A], each in its seat's own words."""
    shape = (runs, game.num_agents, game.num_states, game.num_actions[0])
    draws = torch.Generator().manual_seed(seed)
    return torch.softmax(torch.randn(shape, dtype=torch.float64, generator=draws), -1)


class Dense:
    """One joint policy of a game by loops.  policies: N arrays [S, A] in their seats' own words."""

    def __init__(self, game, policies):
        self.game, self.players = game, range(game.num_agents)
        self.played = [self.in_play(policies[n], n) for n in self.players]
        self.moves = list(itertools.product(*map(range, game.num_actions)))
        self.law = np.zeros((game.num_states, len(self.moves), game.num_states))
        chance = game.chance.toarray()
        for s, j in np.ndindex(self.law.shape[:2]):
            to = game.successors[s, j]
            if to < game.num_states:
                self.law[s, j, to] = 1
            else:
                self.law[s, j] = chance[to - game.num_states]
        self.set_joint()

    def in_play(self, policy, seat):
        game = self.game
        played = np.empty_like(policy)
        for s, a in np.ndindex(played.shape):
            renamed = a if game.seen_actions is None else game.seen_actions[seat, s, a]
            played[s, a] = policy[game.seen[seat, s], renamed]
        return played

    def out_of_play(self, x, seat):
        """Transpose of `in_play`."""
        game, result = self.game, np.zeros_like(x)
        for s, a in np.ndindex(x.shape):
            renamed = a if game.seen_actions is None else game.seen_actions[seat, s, a]
            result[game.seen[seat, s], renamed] += x[s, a]
        return result

    def set_joint(self):
        """Everything that follows from `played`."""
        game = self.game
        self.joint = np.ones((game.num_states, len(self.moves)))
        for (j, move), n in itertools.product(enumerate(self.moves), self.players):
            self.joint[:, j] *= self.played[n][:, move[n]]
        self.chain = np.einsum("sj,sjt->st", self.joint, self.law)
        inverse = np.linalg.inv(np.eye(game.num_states) - game.gamma * self.chain)
        self.inverse = inverse
        self.values = [inverse @ (self.joint * game.rewards[..., n]).sum(1) for n in self.players]
        self.visits = (1 - game.gamma) * game.start @ inverse
        self.q = [
            game.rewards[..., n] + game.gamma * self.law @ self.values[n] for n in self.players
        ]

    def q_of(self, player, seat):
        """Q of `player` by the action of `seat`, the others' averaged over.  [S, A]."""
        result = np.zeros_like(self.played[seat])
        for j, move in enumerate(self.moves):
            others = np.ones(len(result))
            for n in self.players:
                if n != seat:
                    others = others * self.played[n][:, move[n]]
            result[:, move[seat]] += others * self.q[player][:, j]
        return result
