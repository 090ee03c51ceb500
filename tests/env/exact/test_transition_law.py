"""The Coin Game's law of motion, written a second time here, from the words of its page."""

import itertools

import numpy as np
import pytest

from tests.env.exact.games import coin, some_policies

STEPS = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0)}
CASES = {
    "loqa": {},
    "pola": {"variant": "pola"},
    "lola": {"variant": "lola"},
    "random colour": {"coin_color": "random"},
    "split": {"ties": "split"},
    "coins under players": {"coin_avoids_players": False},
    "2x3": {"grid_size": (2, 3)},
    "4x4": {"grid_size": 4},
}


class Law:
    """Two players, one coin; a board is (cells of both, cell of the coin, its owner)."""

    def __init__(self, game):
        self.rules = game
        self.cells = list(itertools.product(range(game.height), range(game.width)))

    def next(self, board, actions):
        """[(probability, board)], rewards."""
        *places, coin_cell, owner = board
        places = [self.move(cell, a) for cell, a in zip(places, actions, strict=True)]
        there = [i for i in (0, 1) if places[i] == coin_cell]
        if self.rules.ties == "red":
            there = there[:1]
        rewards = [0.0, 0.0]
        for i in there:
            share = 1 / len(there) if self.rules.ties == "split" else 1
            rewards[i] += share
            if i != owner:
                rewards[owner] -= 2 * share
        if not there:
            return [(1.0, (*places, coin_cell, owner))], rewards
        owners = [1 - owner] if self.rules.coin_color == "alternate" else [0, 1]
        return self.placed(places, owners), rewards

    def move(self, cell, action):
        rows, columns = STEPS[self.rules.moves[action]]
        return (cell[0] + rows) % self.rules.height, (cell[1] + columns) % self.rules.width

    def placed(self, places, owners):
        """A coin of a uniform colour on a uniform cell."""
        taken = places if self.rules.coin_avoids_players else []
        free = [cell for cell in self.cells if cell not in taken]
        return [
            (1 / len(free) / len(owners), (*places, cell, owner))
            for cell in free
            for owner in owners
        ]

    def start(self):
        pairs = [
            pair
            for pair in itertools.product(self.cells, repeat=2)
            if pair[0] != pair[1] or not self.rules.distinct_starts
        ]
        return [(p / len(pairs), b) for pair in pairs for p, b in self.placed(list(pair), [0, 1])]


def state_of(game, boards):
    """The state of a game without memory that a board belongs to."""
    lookup = {
        key: s
        for s, key in enumerate(
            zip(*(game.columns[c].tolist() for c in ("player_1", "coin", "owner")), strict=True)
        )
    }
    height, width = game.origin.game.height, game.origin.game.width

    def relative(cell, origin):
        return (cell[0] - origin[0]) % height * width + (cell[1] - origin[1]) % width

    return [lookup[relative(b[1], b[0]), relative(b[2], b[0]), b[3]] for b in boards]


@pytest.fixture(params=CASES)
def game(request):
    return coin(memory=None, **CASES[request.param])


def test_start(game):
    law = Law(game.origin.game)
    expected = np.zeros(game.num_states)
    probabilities, boards = zip(*law.start(), strict=True)
    np.add.at(expected, state_of(game, boards), probabilities)
    assert game.start == pytest.approx(expected, abs=1e-14)


def test_every_step(game):
    """Rewards, and where every state leads under every joint action."""
    law, width = Law(game.origin.game), game.origin.game.width
    columns = [game.columns[c] for c in ("player_0", "player_1", "coin", "owner")]
    leads = np.zeros((game.num_states + game.num_pending, game.num_states))
    leads[: game.num_states] = np.eye(game.num_states)
    leads[game.num_states :] = game.chance.toarray()
    for s in range(game.num_states):
        *cells, owner = (int(column[s]) for column in columns)
        board = (*(divmod(cell, width) for cell in cells), owner)
        for j, actions in enumerate(itertools.product(range(4), repeat=2)):
            outcomes, rewards = law.next(board, actions)
            expected = np.zeros(game.num_states)
            probabilities, boards = zip(*outcomes, strict=True)
            np.add.at(expected, state_of(game, boards), probabilities)
            assert game.rewards[s, j].tolist() == pytest.approx(rewards)
            np.testing.assert_allclose(leads[game.successors[s, j]], expected, atol=1e-14)


def test_values_solve_bellmans_equation(game):
    """With dense matrices: V = r + gamma P V, d = (1 - gamma) mu + gamma P^T d."""
    policies = some_policies(game)
    joint = np.einsum("sa,sb->sab", policies[0][game.seen[0]], policies[1][game.seen[1]]).reshape(
        game.num_states, -1
    )
    leads = np.concatenate([np.eye(game.num_states), game.chance.toarray()])
    chain = np.einsum("sj,sjt->st", joint, leads[game.successors])
    rewards = np.einsum("sj,sjn->sn", joint, game.rewards)
    values = np.linalg.solve(np.eye(game.num_states) - game.gamma * chain, rewards)
    np.testing.assert_allclose(game.values(policies), values, atol=1e-10)

    visits = np.linalg.solve(np.eye(game.num_states) - game.gamma * chain.T, game.start)
    np.testing.assert_allclose(game.occupancy(policies), (1 - game.gamma) * visits, atol=1e-12)
    assert game.score(policies) == pytest.approx(game.occupancy(policies) @ rewards, abs=1e-10)
