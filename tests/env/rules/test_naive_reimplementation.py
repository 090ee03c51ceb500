"""A second, naive Coin Game, written from the numbered rules on the page and not from the code;
both play the same moves.

Where the rules leave a choice to chance, the package's result must be one that the rules allow.
"""

import itertools

import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.engine.python_engine import SingleGame
from tests.helpers.games import Dice, wide

TRANSITIONS = 20_000

VARIANTS = {
    "loqa": {},
    "pola": {"variant": "pola"},
    "lola": {"variant": "lola"},
    "mfos": {"variant": "mfos"},
    "random": {"coin_color": "random"},
    "split": {"ties": "split"},
    "2x2": {"grid_size": 2, "ties": "red"},
    "2x4": {"grid_size": (2, 4), "coin_color": "random", "distinct_starts": True},
    "3 players": {"num_agents": 3},
    "3 players, split": {"num_agents": 3, "ties": "split", "grid_size": 2},
    "3 players, red, random": {
        "num_agents": 3,
        "ties": "red",
        "coin_color": "random",
        "grid_size": (2, 3),
    },
    "3 players, a coin each": {"num_agents": 3, "variant": "mfos", "grid_size": 2},
    "a coin each, avoiding": {"coins": 2, "grid_size": 2},
    "4 players": {
        "num_agents": 4,
        "grid_size": (3, 2),
        "ties": "both",
        "coin_avoids_players": False,
    },
    "walls": {"walls": True, "grid_size": (3, 2)},
    "walls, stay": {"walls": True, "stay": True, "ties": "split", "payoffs": (2, -0.75)},
    "reciprocators": {"variant": "reciprocator"},
    "3 reciprocators": {"variant": "reciprocator", "num_agents": 3, "grid_size": 2},
    "4 players, to each": {
        "num_agents": 4,
        "grid_size": (2, 3),
        "ties": "each",
        "payoffs": (0.5, -1 / 3),
    },
}
PAGE = {  # the table of variants on the page, once more
    "loqa": ("both", "alternate", 1, True, "LRUD", False),
    "pola": ("both", "alternate", 1, True, "RLDU", False),
    "lola": ("red", "alternate", 1, True, "RLDU", True),
    "mfos": ("both", "alternate", "each", False, "RLDU", False),
    "reciprocator": ("each", "alternate", "each", False, "RLDU", False),
}


class Naive:
    """The rules in plain words: dictionaries, coordinates and loops."""

    def __init__(self, variant="loqa", grid_size=3, num_agents=2, **switches):
        ties, color, coins, avoids, moves, distinct = PAGE[variant]
        self.ties = switches.get("ties", ties)
        self.color = switches.get("coin_color", color)
        self.each = switches.get("coins", coins) != 1
        self.avoids = switches.get("coin_avoids_players", avoids)
        self.distinct = switches.get("distinct_starts", distinct)
        self.moves = moves
        self.stay = switches.get("stay", variant == "reciprocator")
        self.walls = switches.get("walls", False)
        loss = num_agents / (num_agents - 1) if variant == "reciprocator" else 2
        self.gain, self.loss = switches.get("payoffs", (1, -loss))
        self.height, self.width = (
            grid_size if isinstance(grid_size, tuple) else (grid_size, grid_size)
        )
        self.num_agents = num_agents
        self.cells = list(itertools.product(range(self.height), range(self.width)))

    def read(self, board):
        """Columns of a board -> players, and coins as {owner: cell}."""
        cells = [divmod(number, self.width) for number in board]
        players = cells[: self.num_agents]
        if self.each:
            return players, dict(enumerate(cells[self.num_agents :]))
        return players, {board[-1]: cells[self.num_agents]}

    def walk(self, where, action):
        """Rule 1."""
        row, column = where
        letter = self.moves[action] if action < 4 else "stay"
        rows = {"U": row - 1, "D": row + 1}.get(letter, row)
        columns = {"L": column - 1, "R": column + 1}.get(letter, column)
        if letter == "stay":
            assert self.stay
        elif self.walls:
            if 0 <= rows < self.height and 0 <= columns < self.width:
                return rows, columns
        elif letter == "L":
            column = column - 1 if column > 0 else self.width - 1
        elif letter == "R":
            column = column + 1 if column < self.width - 1 else 0
        elif letter == "U":
            row = row - 1 if row > 0 else self.height - 1
        else:
            row = row + 1 if row < self.height - 1 else 0
        return row, column

    def shares(self, standing):
        """Rule 2: who of those standing on a coin gets how much of it."""
        if not standing:
            return {}
        if self.ties == "red":
            return {min(standing): 1.0}
        return {player: 1 / len(standing) if self.ties == "split" else 1.0 for player in standing}

    def judge(self, players, coins, actions):
        """Players' new cells, rewards, and for each coin the owners and cells it may have now."""
        players = [self.walk(where, action) for where, action in zip(players, actions, strict=True)]
        rewards, allowed = [0.0] * self.num_agents, []
        free = [cell for cell in self.cells if cell not in players] if self.avoids else self.cells
        for owner, cell in coins.items():
            shares = self.shares([i for i, where in enumerate(players) if where == cell])
            for player, share in shares.items():  # rule 3
                rewards[player] += self.gain * share
            stolen = [share for player, share in shares.items() if player != owner]
            if stolen:
                parts = sum(stolen) if self.ties in ("split", "each") else 1
                rewards[owner] += self.loss * parts
            if not shares:
                allowed.append(({owner}, {cell}))
            elif self.each:  # rule 4
                allowed.append(({owner}, set(free)))
            else:
                owners = (
                    range(self.num_agents)
                    if self.color == "random"
                    else [(owner + 1) % self.num_agents]
                )
                allowed.append((set(owners), set(free)))  # rule 5
        return players, rewards, allowed

    def check_start(self, players, coins):
        if self.distinct:
            assert len(set(players)) == self.num_agents
        if self.avoids:
            assert not set(players) & set(coins.values())


QUICK = ("loqa", "pola", "lola", "mfos", "random", "split", "3 players", "walls", "reciprocators")


@pytest.mark.parametrize(
    "name",
    wide(VARIANTS, QUICK),
)
def test_both_agree(name):
    arguments = VARIANTS[name]
    naive, played = (
        Naive(**arguments),
        SingleGame(sde.spec("coin_game_v0").game(max_cycles=50, **arguments)),
    )
    dice, picked_up, owners = Dice(2026), 0, set()
    played.reset(seed=1)
    for t in range(TRANSITIONS):
        if t % 50 == 0:
            played.reset()
            naive.check_start(*naive.read(played.board))
        before = naive.read(played.board)
        actions = [dice.below(4 + naive.stay) for _ in range(naive.num_agents)]
        rewards = played.step(actions)
        players, expected, allowed = naive.judge(*before, actions)
        now, coins = naive.read(played.board)
        assert now == players
        assert all(abs(earned - due) < 1e-12 for earned, due in zip(rewards, expected, strict=True))
        for (owner, cell), (may_own, may_lie) in zip(coins.items(), allowed, strict=True):
            assert owner in may_own
            assert cell in may_lie
        picked_up += sum(len(places) > 1 for _, places in allowed)
        owners.update(coins)
    assert (
        picked_up > TRANSITIONS / 20 or name == "3 players, split"
    )  # on 2x2 three players may leave one free cell
    assert owners == set(range(naive.num_agents))
