"""Games in words: what is said is what is so."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.text_players import observation_text, rules_text
from tests.helpers.games import GAMES, any_game

PUBLIC = {"num_agents": 3, "factor": 1.5}


def seen(env_id, actions=None, player=0, **game_kwargs):
    """What a player reads at the start, or after one joint move; and the environment."""
    env = sde.make_env(env_id, **game_kwargs)
    observations, _ = env.reset(seed=1)
    if actions is not None:
        observations, *_ = env.step(dict(zip(env.agents, actions, strict=True)))
    return observation_text(env.game, observations[f"player_{player}"], player), env


@any_game
def test_every_game_has_words_for_its_rules_and_for_what_is_seen(name):
    env_id, game_kwargs = GAMES[name]
    env = sde.make_env(env_id, **game_kwargs)
    observations, _ = env.reset(seed=0)
    for player, agent in enumerate(env.agents):
        rules = rules_text(env_id, player, **game_kwargs)
        assert f"You are player_{player}." in rules
        assert all(action in rules for action in env.game.action_names[player])
        assert observation_text(env.game, observations[agent], player)


@pytest.mark.parametrize("view", ["ego", "joint"])
def test_each_player_of_a_matrix_game_reads_its_own_side(view):
    first, _ = seen("ipd_v0", (0, 1), 0, view=view)
    second, _ = seen("ipd_v0", (0, 1), 1, view=view)
    assert first == "In the last step: you cooperate, player_1 defect. It paid you -3."
    assert second == "In the last step: you defect, player_0 cooperate. It paid you 0."


def test_at_the_start_nothing_has_been_played():
    assert seen("rps_v0")[0] == "Nothing has been played yet."


@pytest.mark.parametrize(
    ("actions", "words"),
    [
        ((0, 0, 1), "you cooperate, and 1 of 2 others cooperated. It paid you 0."),
        ((1, 0, 0), "you defect, and 2 of 2 others cooperated. It paid you 1."),
        ((1, 1, 1), "you defect, and 0 of 2 others cooperated. It paid you 0."),
    ],
)
def test_public_goods_count_the_others(actions, words):
    assert words in seen("public_goods_v0", actions, **PUBLIC)[0]


@pytest.mark.parametrize("view", ["ego", "joint"])
@pytest.mark.parametrize("player", [0, 1])
def test_the_places_on_the_board_are_those_of_the_game(player, view):
    text, env = seen("coin_game_v0", (1, 2), player, view=view)
    *cells, coin, owner = env.get_state().board
    row, column = divmod(cells[player], 3)
    assert f"You are at row {row}, column {column}." in text
    row, column = divmod(coin, 3)
    whose = "your coin" if owner == player else f"player_{owner}'s coin"
    assert f"A coin lies at row {row}, column {column}: {whose}." in text


def test_the_map_has_a_line_a_row():
    text, _ = seen("coin_game_v0", grid_size=(2, 4))
    assert [line.count("|") for line in text.splitlines()[-2:]] == [3, 3]


def test_payoffs_stand_in_the_rules_from_the_players_side():
    rules = rules_text("ipd_v0", 1)
    assert "- you cooperate, player_0 defect: you 0, player_0 -3" not in rules
    assert "- you defect, player_0 cooperate: you 0, player_0 -3" in rules


def test_a_game_of_ones_own_may_find_its_own_words():
    class Told:
        observation_shape = (2,)

        def observation_text(self, observation, player):
            return f"player_{player} sees {observation.tolist()}"

    assert observation_text(Told(), np.array([0, 1]), 3) == "player_3 sees [0, 1]"


def test_an_observation_of_another_game_is_refused():
    game = sde.spec("ipd_v0").game()
    with pytest.raises(ValueError, match="have 5 numbers, this one has 6"):
        observation_text(game, np.zeros(6))


@pytest.mark.parametrize(
    ("env_id", "kwargs", "words"),
    [
        ("ipd_v0", {}, "The game has 50 steps."),
        (
            "ipd_v0",
            {"continuation": 0.9},
            "the game goes on with probability 0.9, to step 50 at most",
        ),
        ("ipd_v0", {"action_noise": 0.25}, "With probability 0.25 an action is exchanged"),
        ("commons_harvest_v0", {"ending": "melting_pot"}, "and may end before."),
    ],
)
def test_how_long_it_is_and_whose_hands_tremble(env_id, kwargs, words):
    assert words in rules_text(env_id, **kwargs)


@pytest.mark.parametrize(("walls", "words"), [(True, "walls all round"), (False, "comes back on")])
def test_the_edge_of_the_board(walls, words):
    assert words in seen("coin_game_v0", walls=walls)[0]
