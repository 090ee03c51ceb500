"""Memories: automata that every player can follow, built in and the user's own."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact import per_player
from tests.env.exact.games import coin, ipd, some_policies

COIN = sde.spec("coin_game_v0").game()


def test_states_are_those_that_can_be_reached():
    """3x3: 64 boards an owner, and of 72 memories and owners the 18 that happen."""
    counts = {None: 128, "pickups": 768, "last_pickup": 1152}
    assert {memory: coin(memory).num_states for memory in counts} == counts


@pytest.mark.parametrize(("grid_size", "states"), [(5, 10_368), (7, 41_472)])
def test_states_of_larger_boards(grid_size, states):
    assert coin(grid_size=grid_size).num_states == states


def test_every_state_can_be_reached():
    game = coin()
    assert game.occupancy(["random"] * 2).min() > 0


def test_what_stands_still():
    """Owner and memory change only with a pick-up, and a pick-up is left to chance."""
    assert coin(None).still == ("owner",)
    assert coin("pickups").still == ("owner", "pickup_0", "pickup_1")
    assert ipd().still == ()
    assert "last_action_0" not in coin("last_action").still


def test_memory_does_not_change_the_game():
    """Players that do not read it earn the same."""
    pair = ["always_cooperate", "random"]
    scores = [coin(m).score(pair) for m in (None, "pickups", "last_pickup", "last_action")]
    for score in scores[1:]:
        assert score == pytest.approx(scores[0], abs=1e-9)


def taken_first(memory, step):
    """Who picked up the first coin of the episode: nobody yet, I, another, both (N columns)."""
    coin_cell = step.before[2]
    there = [(cell == coin_cell) * 1 for cell in step.after[:2]]
    now = [there[i] * 1 + there[1 - i] * 2 for i in range(2)]
    return tuple(np.where(m > 0, m, new) for m, new in zip(memory, now, strict=True))


def test_an_automaton_of_ones_own():
    game = coin(memory=per_player(COIN, {"first": 4}, taken_first))
    assert {"first_0", "first_1"} <= set(game.columns)
    np.testing.assert_array_equal(game.columns["first_0"][game.seen[1]], game.columns["first_1"])
    both = ["always_cooperate", "always_defect"]
    assert game.score(both) == pytest.approx(coin().score(both), abs=1e-9)

    # It stays what it was.
    settled = game.columns["first_0"] > 0
    leads = game.successors[settled]
    stays = leads[leads < game.num_states]
    assert (game.columns["first_0"][stays] > 0).all()


def pickups_again(memory, step):
    """The built-in memory, written another way: from rewards and owners."""
    owner = step.before[3]
    return tuple(
        np.where((step.after[i] == step.before[2]), np.where(owner == i, 1, 2), memory[i])
        for i in range(2)
    )


def test_the_built_in_pickups():
    one, other = coin("pickups"), coin(per_player(COIN, {"pickup": 3}, pickups_again))
    np.testing.assert_array_equal(one.successors, other.successors)
    policies = some_policies(one)
    assert one.score(policies) == pytest.approx(other.score(policies), abs=1e-12)


HIDDEN = {
    "a coin toss of nature": lambda memory, step: tuple(
        0 * m + (step.actions[0] + step.actions[1] > 2) for m in memory
    ),
    "the other's action": lambda memory, step: (
        (step.actions[1] == 0) * 1 + 0 * memory[0],
        (step.actions[0] == 0) * 1 + 0 * memory[1],
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_memory_that_a_player_cannot_have(name):
    """On a board two cells wide, left and right are the same move."""
    narrow = {"grid_size": 2}
    game = sde.spec("coin_game_v0").game(**narrow)
    with pytest.raises(ValueError, match=r"player_\d cannot see what it depends on"):
        coin(per_player(game, {"x": 2}, HIDDEN[name]), **narrow)


def test_actions_that_the_board_shows():
    """On 3x3 every move shows, on 2x2 not; how many gave does not say who."""
    assert coin("last_action").num_states == 2176  # 17 memories, the start among them
    with pytest.raises(ValueError, match="cannot see"):
        coin("last_action", grid_size=2)
    with pytest.raises(ValueError, match="cannot see"):
        sde.exact_game("public_goods_v0", memory="last_action", num_agents=3)


def test_absolute_cells_need_every_board():
    def corner(memory, step):
        return tuple(m * 0 + (cell == 0) for m, cell in zip(memory, step.after[:2], strict=True))

    memory = per_player(COIN, {"corner": 2}, corner)
    with pytest.raises(ValueError, match="symmetry=None"):
        coin(memory)
    assert coin(memory, symmetry=None).num_states > 0


def test_features_are_the_columns_one_hot():
    game = coin()
    assert game.features.dtype == np.float32
    changing = [c for c in game.columns.values() if len(np.unique(c)) > 1]
    assert (game.features.sum(1) == len(changing)).all()
    assert len(np.unique(game.features, axis=0)) == game.num_states
