"""Boards up to translation are as good as all boards."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact.quotient import Quotient, group
from social_dilemmas_env.games.game import decode
from tests.env.exact.games import coin, some_policies
from tests.helpers.games import COIN_GAMES, rules

SMALL = [name for name in COIN_GAMES if np.prod(rules(name).sizes) < 5000]


def lifted(full, small, policy):
    """A policy of the game up to translation as one of the game with every board."""
    h, w = full.origin.game.height, full.origin.game.width
    cells = [full.columns[c] for c in ("player_0", "player_1", "coin")]

    def key(game, columns):
        others = [c for c in game.columns if c not in ("player_0", "player_1", "coin")]
        return list(zip(*columns, *(game.columns[c].tolist() for c in others), strict=True))

    moved = [
        ((c // w - cells[0] // w) % h * w + (c % w - cells[0] % w) % w).tolist() for c in cells[1:]
    ]
    here = key(small, [small.columns[c].tolist() for c in ("player_1", "coin")])
    index = {k: s for s, k in enumerate(here)}
    return policy[[index[k] for k in key(full, moved)]]


@pytest.mark.parametrize("memory", [None, "last_pickup"])
@pytest.mark.parametrize("rules", [{}, {"variant": "lola"}, {"grid_size": (2, 3)}], ids=str)
def test_scores_of_the_full_board(rules, memory):
    small, full = (coin(memory, symmetry=s, **rules) for s in ("translations", None))
    cells = np.prod(rules.get("grid_size", (3, 3)))
    assert full.num_states == cells * small.num_states
    policies = some_policies(small)
    same = [lifted(full, small, policy) for policy in policies]
    assert full.score(same) == pytest.approx(small.score(policies), abs=1e-9)

    _, response = small.best_response(policies)
    assert full.best_response(same)[1] == pytest.approx(response, abs=1e-8)


@pytest.mark.parametrize("name", SMALL)
def test_the_named_symmetries_are_symmetries(name):
    """act(g s, g a) = g act(s, a), rewards are the same, for every board, action and generator."""
    game = rules(name)
    joint = int(np.prod(game.num_actions))
    states, action = np.divmod(np.arange(int(np.prod(game.sizes)) * joint), joint)
    board, actions = decode(states, game.sizes), decode(action, game.num_actions)
    after, rewards = game.act(board, actions)
    for symmetry in game.symmetries():
        maps = [np.array([*column, len(column)]) for column in symmetry.columns]
        moved = tuple(m[c] for m, c in zip(maps, board, strict=True))
        turned = [np.array(m)[a] for m, a in zip(symmetry.actions, actions, strict=True)]
        again, same = game.act(moved, turned)
        for m, one, other in zip(maps, after, again, strict=True):
            np.testing.assert_array_equal(m[one], other)
        np.testing.assert_array_equal(rewards, same)


@pytest.mark.parametrize(("grid_size", "order"), [(3, 9), ((2, 3), 6), (5, 25)])
def test_translations_of_a_torus(grid_size, order):
    game = sde.spec("coin_game_v0").game(grid_size=grid_size)
    assert group(game, "translations").order == order


def test_games_without_symmetries_keep_all_boards():
    assert group(sde.spec("ipd_v0").game(), "translations").order == 1


def test_canonical_boards_are_the_least_of_their_orbit():
    """Marks for chance included."""
    game = sde.spec("coin_game_v0").game(grid_size=(2, 3))
    quotient = Quotient(group(game, "translations"))
    rng = np.random.default_rng(0)
    board = tuple(rng.integers(0, size, 200) for size in quotient.sizes)
    orbit = [quotient.images(board, element) for element in range(quotient.group.order)]
    least = [min(tuple(int(c[k]) for c in image) for image in orbit) for k in range(200)]
    assert list(zip(*(c.tolist() for c in quotient.canonical(board)), strict=True)) == least


# ------------------------------------------------------------------------------------- reflections


REFLECTED = [
    ({}, 180),
    ({"grid_size": 5}, 1440),
    ({"grid_size": (2, 3)}, 234),
    ({"variant": "lola"}, None),
    ({"coins": 2}, None),
]


@pytest.mark.parametrize(("rules", "states"), REFLECTED, ids=str)
def test_scores_up_to_reflections(rules, states):
    """Mirrored boards are one state; nothing else changes."""
    small, large = (coin(symmetry=s, **rules) for s in ("all", "translations"))
    assert states in (None, small.num_states)
    for pair in (["tit_for_tat", "always_defect"], ["always_cooperate", "random"]):
        assert small.score(pair) == pytest.approx(large.score(pair), abs=1e-9)
        for player in (0, 1):
            one, other = (game.best_response(pair, player)[1] for game in (small, large))
            assert one[player] == pytest.approx(other[player], abs=1e-9)


def test_three_players_up_to_reflections():
    small, large = (coin("pickups", num_agents=3, grid_size=2, symmetry=s) for s in ("all", None))
    players = ["always_cooperate", "always_defect", "random"]
    assert small.score(players) == pytest.approx(large.score(players), abs=1e-9)


def test_random_policies_up_to_reflections():
    """A random equivariant policy, spread over mirrored boards: play in the larger game agrees."""
    small, large = (coin(None, symmetry=s) for s in ("all", "translations"))
    policies = [small.symmetrised(p) for p in some_policies(small)]
    spread = [unfolded(small, large, p) for p in policies]
    assert large.score(spread) == pytest.approx(small.score(policies), abs=1e-10)
    assert large.exploitability(spread) == pytest.approx(small.exploitability(policies), abs=1e-9)


def unfolded(small, large, policy):
    """pi(a | s) = pi(g a | g s), for the g that takes s to its representative."""
    quotient, group_ = small.origin.quotient, small.origin.quotient.group
    names = ("player_0", "player_1", "coin", "owner")
    boards = [tuple(game.columns[name] for name in names) for game in (small, large)]
    reduced, element = quotient.reduce(boards[1])
    index = {row: s for s, row in enumerate(zip(*(c.tolist() for c in boards[0]), strict=True))}
    state = [index[row] for row in zip(*(c.tolist() for c in reduced), strict=True)]
    return np.take_along_axis(policy[state], group_.actions[0][element], 1)


def test_policies_that_are_not_equivariant():
    """POLA's players prefer rows to columns; a table may prefer left to right on the axis."""
    game = coin(symmetry="all")
    with pytest.raises(ValueError, match="differ by a reflection"):
        game.policy("always_cooperate", definition="pola")
    policies = some_policies(game)
    with pytest.raises(ValueError, match=r"use game\.symmetrised"):
        game.score(policies)
    assert np.isfinite(game.score([game.symmetrised(p) for p in policies])).all()
    assert np.isfinite(coin().policy("always_cooperate", definition="pola")).all()


def test_symmetrising_twice_is_symmetrising_once():
    game = coin(symmetry="all")
    once = game.symmetrised(some_policies(game)[0])
    np.testing.assert_allclose(game.symmetrised(once), once, atol=1e-15)
    np.testing.assert_allclose(once.sum(1), 1)
    plain = coin()
    table = some_policies(plain)[0]
    assert plain.symmetrised(table) is table


def test_a_memory_of_renamed_actions():
    with pytest.raises(ValueError, match="differ by a reflection: build the game with symmetry="):
        coin("last_action", symmetry="all")
