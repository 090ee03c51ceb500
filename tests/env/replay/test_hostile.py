"""Files from strangers: one error, a sentence, whatever is in them."""

import copy
import json
import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_dilemmas_env.replay import ReplayError, episode_json, read_episode
from social_dilemmas_env.replay.checks import MAX_BYTES, episode_of
from tests.env.replay.recordings import recorded

# As made by hand, without a digest, so that each check has to find its own.
GOOD = json.loads(episode_json(recorded(telling=True, max_cycles=6)))
DIGEST = GOOD.pop("sha256")
NOT_A_REPLAY = "match.json: not a replay: "


def written(tmp_path, content):
    path = tmp_path / "match.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def changed(*place, to):
    """The good file with one thing changed."""
    data = copy.deepcopy(GOOD)
    inside = data
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = to
    return data


BAD = {
    "another format": (changed("format", to="social-dilemmas episode 2"), "its format is"),
    "an unknown field": ({**GOOD, "more": 1}, "missing or unknown: 'more'"),
    "a missing field": ({k: v for k, v in GOOD.items() if k != "boards"}, "'boards'"),
    "an unknown game": (changed("env_id", to="chess_v0"), "there is no environment"),
    "an unknown argument": (changed("game", "size", to=3), "unexpected keyword argument"),
    "a huge board": (changed("game", "grid_size", to=10**6), "too large to be shown"),
    "many players": (changed("game", "num_agents", to=10**9), "too large to be shown"),
    "a wrong name": (changed("players", 0, to="a\nb"), "a player's name must be a line"),
    "a long name": (changed("players", 0, to="a" * 101), "at most 100 letters"),
    "a player too many": (changed("players", to=["a", "b", "c"]), "players must have 2"),
    "a bool for a seed": (changed("seed", to=True), "its seed is True"),
    "a seed out of range": (changed("seed", to=-1), "seed"),
    "an action out of range": (changed("actions", 2, 1, to=4), "an action must lie in 0 .. 3"),
    "an action that is none": (changed("actions", 2, 1, to=1.0), "actions must be integers"),
    "a ragged row": (changed("actions", 2, to=[0]), "must have 2 numbers"),
    "a cell out of range": (changed("boards", 1, 0, to=9), "must hold integers in 0 .. 8"),
    "a huge cell": (changed("boards", 1, 0, to=10**30), "out of range"),
    "another reward": (changed("rewards", 0, 0, to=5), "a reward is 5"),
    "another payoff": (changed("payoffs", 0, to=1), "where the rules say"),
    "a huge value": (changed("insights", 0, "values", 0, to=1e300), "within 1e9"),
    "no chance": (changed("insights", 0, "probabilities", 0, to=[1, 1, 0, 0]), "sum to one"),
    "no insight": (changed("insights", 0, to={}), "an insight has"),
    "no exact": (changed("exact", to={"label": "x"}), "exact has"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_said(name, tmp_path):
    data, words = BAD[name]
    with pytest.raises(ReplayError, match=NOT_A_REPLAY) as caught:
        read_episode(written(tmp_path, json.dumps(data)))
    assert words in str(caught.value)


def test_a_value_that_nothing_else_checks_is_held_by_the_digest(tmp_path):
    whole = {**GOOD, "sha256": DIGEST}
    read_episode(written(tmp_path, json.dumps(whole, indent=1)))
    whole["players"] = ["another", "name"]
    with pytest.raises(ReplayError, match="does not match its own digest"):
        read_episode(written(tmp_path, json.dumps(whole)))
    with pytest.raises(ReplayError, match="does not match its own digest"):
        read_episode(written(tmp_path, json.dumps({**GOOD, "sha256": None})))


def test_a_step_that_the_rules_do_not_allow_is_refused(tmp_path):
    """The player jumps to another cell."""
    cell = GOOD["boards"][3][0]
    data = changed("boards", 3, 0, to=(cell + 4) % 9)
    with pytest.raises(ReplayError, match="the rules do not lead from board"):
        read_episode(written(tmp_path, json.dumps(data)))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1, "a": 2}', b"NaN", b"9" * 5000],
)
def test_no_replay_at_all(content, tmp_path):
    with pytest.raises(ReplayError, match=NOT_A_REPLAY):
        read_episode(written(tmp_path, content))


def test_infinities_are_no_numbers(tmp_path):
    text = json.dumps(changed("rewards", 0, 0, to=float("inf")))
    with pytest.raises(ReplayError, match="Infinity is no number of a replay"):
        read_episode(written(tmp_path, text))


def test_a_large_file_is_not_read(tmp_path):
    path = tmp_path / "match.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ReplayError, match="too large"):
        read_episode(path)


def test_no_file_and_no_ordinary_file(tmp_path):
    with pytest.raises(ReplayError, match="No such file"):
        read_episode(tmp_path / "match.json")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReplayError, match="not an ordinary file"):
        read_episode(tmp_path / "pipe")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(GOOD)), value=ANYTHING)
def test_any_value_in_any_field_is_an_ordinary_error(name, value):
    """What `read_episode` turns into a ReplayError, and nothing else."""
    with suppress(ValueError, TypeError, LookupError, ArithmeticError, AttributeError):
        episode_of({**GOOD, name: value})
