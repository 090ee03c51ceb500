"""Starts and respawns have exactly the distribution of the rules: every board is counted against
its probability.

Seeds are fixed, so nothing flickers; each p-value is compared with 1e-6, and there are under 30 of
them: the chance that a correct generator would have failed with these seeds is below 3e-5."""

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from social_dilemmas_env.engine.python_engine import SingleGame
from tests.helpers.games import rules


def chi_square(found, expected):
    """p-value of a Counter against exact probabilities; nothing impossible may occur."""
    assert set(found) <= set(expected)
    assert sum(expected.values()) == 1
    total, outcomes = found.total(), list(expected)
    assert min(expected.values()) * total > 5
    counts, means = [found[o] for o in outcomes], [float(expected[o]) * total for o in outcomes]
    return stats.chisquare(counts, means).pvalue


def all_starts(game):
    """Every first board with its probability, from the words of the page."""
    cells, n = range(game.height * game.width), game.num_agents
    boards = Counter()
    placings = [
        p
        for p in itertools.product(cells, repeat=n)
        if len(set(p)) == n or not game.distinct_starts
    ]
    for players in placings:
        free = [cell for cell in cells if cell not in players or not game.coin_avoids_players]
        ends = itertools.product(*[free] * game.coins, *([range(n)] if game.coins == 1 else []))
        ends = list(ends)
        for end in ends:
            boards[players + end] += Fraction(1, len(placings) * len(ends))
    return boards


@pytest.mark.parametrize(
    "name", ["coin", "coin_lola", "coin_2x2", "coin_each_2x3", "coin_3x2", "coin_3p_2x2"]
)
def test_starts(name):
    """Of seeds 0, 1, 2, ... and of the episodes of one seed."""
    game = rules(name)
    single, expected = SingleGame(game), all_starts(game)
    total = int(6 / min(expected.values()))
    for seeds in (range(total), [5] + [None] * (total - 1)):
        found = Counter()
        for seed in seeds:
            single.reset(seed)
            found[single.board] += 1
        assert chi_square(found, expected) > 1e-6


def place(single, board):
    single.set_state(single.get_state()._replace(board=list(board), t=0, over=0))


RESPAWNS = [  # board, actions (LRUD), players afterwards
    ("coin", (0, 8, 1, 0), (1, 2), (1, 5)),  # two players on two cells: seven are free
    ("coin", (0, 2, 1, 1), (1, 0), (1, 1)),  # on one cell: eight are free
    ("coin_random", (0, 8, 1, 0), (1, 2), (1, 5)),
    ("coin_3x2", (0, 5, 1, 0), (1, 3), (1, 1)),  # anywhere, under players too
    ("coin_3p_2x2", (0, 3, 2, 1, 2), (1, 0, 1), (1, 2, 3)),
    ("coin_5x5", (0, 24, 1, 0), (1, 2), (1, 19)),
]


@pytest.mark.parametrize(("name", "board", "actions", "players"), RESPAWNS)
def test_respawns(name, board, actions, players):
    """After one and the same pick-up, over seeds.

    The coin's cell (and its colour where that is random) uniform.
    """
    game = rules(name)
    single, found, n = SingleGame(game), Counter(), game.num_agents
    free = [
        c
        for c in range(game.height * game.width)
        if c not in players or not game.coin_avoids_players
    ]
    colors = range(n) if game.coin_color == "random" else [(board[-1] + 1) % n]
    outcomes = list(itertools.product(free, colors))
    for seed in range(200 * len(outcomes)):
        single.reset(seed)
        place(single, board)
        single.step(actions)
        assert single.board[:n] == players
        found[single.board[n:]] += 1
    assert chi_square(found, dict.fromkeys(outcomes, Fraction(1, len(outcomes)))) > 1e-6


@pytest.mark.parametrize("name", ["coin", "coin_mfos"])
def test_consecutive_respawns_are_independent(name):
    """A pick-up at every step of an episode: pairs of cells one and two steps apart are uniform
    together."""
    game = rules(name)
    single = SingleGame(game)
    board = (0, 8, 1, 0) if game.coins == 1 else (0, 8, 1, 6)
    actions = [game.moves.index(letter) for letter in "RU"]
    free = 7 if game.coin_avoids_players else 9
    for lag in (1, 2):
        pairs = Counter()
        for seed in range(150 if game.coins == 1 else 800):
            single.reset(seed)
            cells = []
            for t in range(game.max_cycles - 1):
                single.set_state(single.get_state()._replace(board=list(board), t=t))
                single.step(actions)
                cells.append(single.board[2])
            pairs.update(zip(cells, cells[lag:], strict=False))
        outcomes = list(itertools.product(sorted({first for first, _ in pairs}), repeat=2))
        assert len(outcomes) == free**2
        assert chi_square(pairs, dict.fromkeys(outcomes, Fraction(1, len(outcomes)))) > 1e-6


def test_two_coins_fall_independently():
    """Both coins of a game with one each are taken at once: 81 pairs of cells."""
    single, found = SingleGame(rules("coin_mfos")), Counter()
    for seed in range(8_000):
        single.reset(seed)
        place(single, (0, 8, 1, 7))
        assert single.step((0, 1)) == [1.0, 1.0]  # RLDU: right, left
        found[single.board[2:]] += 1
    assert (
        chi_square(found, dict.fromkeys(itertools.product(range(9), repeat=2), Fraction(1, 81)))
        > 1e-6
    )


@pytest.mark.slow
def test_boards_in_the_long_run():
    """Uniform players on LOQA's board keep every cell equally likely: 2 million steps, each column
    and pair of players.

    Batches of 50 steps are dependent within an episode, so means over 40,000 episodes are compared
    by their own spread (z-test, 9 + 9 + 9 + 2 numbers, |z| < 5.5: false alarm < 1e-6)."""
    single, rng = SingleGame(rules("coin")), np.random.default_rng(0)
    visits = np.zeros((40_000, 29))
    for episode in range(len(visits)):
        single.reset(episode)
        for actions in rng.integers(0, 4, (50, 2)).tolist():
            single.step(actions)
            a, b, coin, owner = single.board
            visits[episode, [a, 9 + b, 18 + coin, 27 + owner]] += 1
    expected = np.repeat([50 / 9, 50 / 9, 50 / 9, 25], [9, 9, 9, 2])
    z = (visits.mean(0) - expected) / (visits.std(0, ddof=1) / len(visits) ** 0.5)
    assert np.abs(z).max() < 5.5
