"""Which key is which move."""

import pytest

from agents.match.keys import ROW, STOP, action_by_key, keys_of


def test_moves_on_a_board_have_arrows_and_letters():
    names = ("left", "right", "up", "down")
    assert keys_of(names) == (("left", "a"), ("right", "d"), ("up", "w"), ("down", "s"))


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (("cooperate", "defect"), (("c", "1"), ("d", "2"))),
        (("0", "1", "2"), (("0",), ("1",), ("2",))),
        (("stag", "steal"), (("1",), ("2",))),
        (("quit", "go"), (("1",), ("2",))),  # q stops the game
    ],
)
def test_other_moves_have_letters_where_these_differ(names, keys):
    assert keys_of(names) == keys


@pytest.mark.parametrize("count", [1, 7, 11, 26, len(ROW)])
def test_keys_differ_and_none_stops_the_game(count):
    names = [chr(ord("a") + i) if i < 26 else f"move {i}" for i in range(count)]
    keys = [key for row in keys_of(names) for key in row]
    assert len(keys) == len(set(keys)) == len(action_by_key(names))
    assert not set(keys) & set(STOP)


def test_more_actions_than_keys():
    with pytest.raises(ValueError, match="at most 35 actions, this game has 36"):
        keys_of([f"move {i}" for i in range(36)])
