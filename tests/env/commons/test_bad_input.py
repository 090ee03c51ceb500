"""Bad arguments of the commons: one sentence each."""

import pytest

import social_dilemmas_env as sde
from tests.helpers.games import SMALL_COMMONS

WRONG = {
    "unknown name": ({"map": "opne"}, ValueError, "there is no map 'opne'.*'open'"),
    "no text": ({"map": 3}, TypeError, "map must be a name or a text, got 3"),
    "unknown letter": (
        {"map": SMALL_COMMONS.replace("Q", "X")},
        ValueError,
        "'P' spawn point.*it does not know 'X'",
    ),
    "ragged": ({"map": "WW\nW"}, ValueError, r"must have the same length, got \[2, 1\]"),
    "no spawn points": (
        {"map": SMALL_COMMONS.replace("P", " ")},
        ValueError,
        r"the map has no spawn points \('P'\)",
    ),
    "no apples": (
        {"map": SMALL_COMMONS.replace("A", " ")},
        ValueError,
        r"the map has no apples \('A'\)",
    ),
    "too large": ({"map": "A" * 99 + "\n" + "\n".join(["P" * 99] * 50)}, ValueError, "4096 cells"),
    "too many players": (
        {"map": SMALL_COMMONS, "num_agents": 4},
        ValueError,
        "4 players are too many for the map's 3 spawn points",
    ),
    "too few players": ({"num_agents": 1}, ValueError, "num_agents must be at least 2, got 1"),
    "players no number": ({"num_agents": 2.5}, TypeError, "num_agents must be an integer"),
    "zap": ({"zap": 1}, TypeError, "zap must be True or False, got 1"),
    "ending": ({"ending": "never"}, ValueError, "ending"),
    "horizon": ({"max_cycles": 0}, ValueError, "max_cycles"),
}


@pytest.mark.parametrize("case", WRONG)
def test_arguments(case):
    arguments, error, message = WRONG[case]
    with pytest.raises(error, match=message):
        sde.make_env("commons_harvest_v0", **arguments)


def test_observation_ids_are_refused():
    with pytest.raises(ValueError, match="too many views for observation ids"):
        sde.make_vec_env("commons_harvest_v0", 2, obs_mode="state")
    with pytest.raises(ValueError, match=r"about 10\^115 views x 1089 numbers are too many"):
        sde.make_vec_env("commons_harvest_v0", 2).observation_table  # noqa: B018


def test_tables_are_refused():
    with pytest.raises(ValueError, match="tables=True: this game has about 10"):
        sde.make_vec_env("commons_harvest_v0", 2, tables=True)


def test_exact_games_are_refused_with_their_number_of_states():
    with pytest.raises(ValueError, match=r"too large to enumerate: up to about 10\^\d+ boards"):
        sde.exact_game("commons_harvest_v0")


IMPOSSIBLE = {
    "in a wall": (0, 0),
    "on another": (0, "second"),
    "nowhere without being away": (0, "nowhere"),
    "away but there": (21, 3),
    "apple out of range": (28, 6),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_impossible_boards(case):
    env = sde.make_env("commons_harvest_v0")
    env.reset(seed=0)
    before = env.get_state()
    where, value = IMPOSSIBLE[case]
    board = list(before.board)
    named = {"second": board[1], "nowhere": env.game.lattice.nowhere}
    board[where] = named.get(value, value)
    with pytest.raises(ValueError, match=r"no board of this game is|must hold integers"):
        env.set_state(before._replace(board=board))
    assert env.get_state() == before
