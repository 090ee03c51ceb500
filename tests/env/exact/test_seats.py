"""Policies are indexed by what their seat sees, so that one serves any seat."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import registry
from tests.env.exact.games import coin, ipd, some_policies


@pytest.mark.parametrize("memory", [None, "last_pickup", "last_action"])
def test_players_who_change_seats_change_scores(memory):
    game = coin(memory)
    one, other = some_policies(game)
    assert game.score([one, other])[::-1] == pytest.approx(game.score([other, one]), abs=1e-9)


def test_three_players_who_change_seats():
    game = coin(None, num_agents=3, grid_size=2)
    a, b, c = some_policies(game)
    score = game.score([a, b, c])
    assert game.score([b, c, a]) == pytest.approx(score[[1, 2, 0]], abs=1e-9)


def test_best_responses_do_not_depend_on_the_seat():
    game = coin()
    other = some_policies(game)[0]
    here, there = (game.best_response([other, other], player) for player in (0, 1))
    assert here[1][0] == pytest.approx(there[1][1], abs=1e-9)
    assert game.score([here[0], other])[0] == pytest.approx(here[1][0], abs=1e-9)
    assert game.score([other, here[0]])[1] == pytest.approx(here[1][0], abs=1e-8)


def test_seeing_twice_is_seeing_once():
    """Two players: what the other sees of what the other sees is the state."""
    game = coin()
    np.testing.assert_array_equal(game.seen[1][game.seen[1]], np.arange(game.num_states))
    np.testing.assert_array_equal(game.seen[0], np.arange(game.num_states))


def test_the_seen_state_has_the_own_columns_first():
    game = coin()
    for own, other in (("pickup_0", "pickup_1"), ("hurt_0", "hurt_1")):
        np.testing.assert_array_equal(game.columns[own][game.seen[1]], game.columns[other])
    np.testing.assert_array_equal(game.columns["owner"][game.seen[1]], 1 - game.columns["owner"])


@pytest.mark.parametrize("name", ["always_cooperate", "tit_for_tat"])
def test_views_do_not_change_the_game(name):
    """With view="joint" everybody sees player 0's view, and knows its own seat."""
    ego, joint = coin(), coin(view="joint")
    pair = [name, "always_defect"]
    assert joint.score(pair) == pytest.approx(ego.score(pair), abs=1e-12)
    np.testing.assert_array_equal(joint.policy(name), ego.policy(name))


def test_the_seat_counts_where_red_wins_ties():
    """Two defectors: red takes every coin that both reach."""
    score = coin(ties="red").finite(50).score(["always_defect"] * 2)
    assert score == pytest.approx([0.6475, -0.6475], abs=5.1e-5)


def test_a_matrix_game_with_different_numbers_of_actions():
    """Own tables for each seat; the value is that of the stage game."""
    payoffs = np.arange(12).reshape(2, 3, 2)
    game = sde.exact_game("matrix_game_v0", payoffs=payoffs, gamma=0.5)
    policies = [np.tile(p, (game.num_states, 1)) for p in ([0.25, 0.75], [0.5, 0.25, 0.25])]
    expected = np.einsum("a,b,abn->n", [0.25, 0.75], [0.5, 0.25, 0.25], payoffs)
    assert game.score(policies) == pytest.approx(expected)


def test_public_goods_show_how_many_but_not_who():
    """States that look the same share an index."""
    game = sde.exact_game("public_goods_v0", num_agents=4)
    assert game.num_states == 17
    assert [len(np.unique(row)) for row in game.seen] == [9] * 4
    assert game.score(["tit_for_tat"] * 4) == pytest.approx(game.score(["always_cooperate"] * 4))
    policy, score = game.best_response([None, *["tit_for_tat"] * 3])
    assert game.score([policy, *["tit_for_tat"] * 3]) == pytest.approx(score)


def test_a_best_response_that_would_have_to_see_more():
    """What the others do next depends on who of them gave, and the count does not tell."""
    game = sde.exact_game("public_goods_v0", num_agents=3, factor=2.9)
    rng = np.random.default_rng(0)
    others = [rng.dirichlet([0.1, 0.1], game.num_states) for _ in range(2)]
    with pytest.raises(ValueError, match="player_0 does not see the whole state"):
        game.best_response([None, *others])


def test_memory_one_is_the_board_of_a_matrix_game():
    plain, remembered = ipd(), ipd(memory="last_action")
    assert plain.num_states == remembered.num_states == 5
    pair = ["tit_for_tat", "extort2"]
    assert plain.score(pair) == pytest.approx(remembered.score(pair), abs=1e-12)


class Cards:
    """Both hold a card that only they see, and guess the other's; new cards every step."""

    num_actions = (2, 2)
    action_names = (("low", "high"),) * 2
    columns = ("card_0", "card_1")
    sizes = view_sizes = (2, 2)
    observation_shape = (2,)
    reward_values = (0.0, 1.0)
    reward_noise = 0.0
    streams = 2
    max_cycles = 10

    def start(self, draw):
        return (draw(0, 2), draw(1, 2))

    def act(self, board, actions):
        right = [(actions[i] == board[1 - i]) * 1 for i in (0, 1)]
        return tuple(card * 0 + 2 for card in board), right

    def chances(self, board):
        return tuple(1 + (card == 2) for card in board)

    def chance(self, board, draw):
        counts = self.chances(board)
        return tuple(
            card + (card == 2) * (draw(i, counts[i]) - card) for i, card in enumerate(board)
        )

    def view_of(self, board, player):
        return (board[player], board[player] * 0)

    def features(self, view):
        return [view[0]]


@pytest.fixture
def cards():
    sde.register("cards_v0", lambda: Cards())
    try:
        yield sde.exact_game("cards_v0", gamma=0.9)
    finally:
        registry._SPECS.pop("cards_v0")


def test_hidden_cards_stay_hidden(cards):
    """Views have the form of boards, and hide half of them: a player guesses half of the time."""
    assert cards.num_states == 4
    assert [len(np.unique(row)) for row in cards.seen] == [2, 2]
    assert cards.score(some_policies(cards)) == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match="player_0 does not see the whole state"):
        cards.best_response(some_policies(cards))
