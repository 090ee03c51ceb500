"""A player that asks a reader: answers, retries, defaults, transcripts."""

import copy
import json
import runpy
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.text_players import TextPlayer, parse_action

NAMES = ("cooperate", "defect")
START = np.eye(5, dtype=np.float32)[:1]
EXAMPLE = Path(__file__).parents[3] / "examples" / "07_text_player.py"


class Script:
    """Answers from a list, and remembers what it was told."""

    def __init__(self, *answers):
        self.answers, self.told = list(answers), []

    def __call__(self, messages):
        self.told.append(messages)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        ("ACTION: defect", 1),
        ("I think.\nAction = 'Cooperate'.", 0),
        ("not action: cooperate, no, ACTION: **defect**", 1),
        ("ACTION: 1", 1),
        ("defect", 1),
        ("I shall DEFECT!", 1),
        ("cooperate or defect?", None),
        ("ACTION: think\ndefect", None),
        ("ACTION: 2", None),
        ("ACTION: ²", None),
        ("uncooperatively", None),
        ("", None),
    ],
)
def test_answers(answer, action):
    assert parse_action(answer, NAMES) == action


def test_names_that_are_numbers_are_names():
    assert parse_action("ACTION: 1", ("1", "0")) == 0


def test_an_answer_without_an_action_is_asked_for_again():
    script = Script("hm", "both: cooperate, defect", "ACTION: defect")
    player = TextPlayer("ipd_v0", script)
    assert player.act(START).tolist() == [1]
    assert "That names no action." in script.told[-1][-1]["content"]
    (turn,) = player.transcripts()[0]["turns"]
    assert (len(turn["answers"]), turn["action"], turn["defaulted"]) == (3, "defect", False)


def test_in_the_end_the_default_is_played():
    player = TextPlayer("ipd_v0", Script("hm", "hm"), retries=1, default="defect")
    assert player.act(START).tolist() == [1]
    assert player.transcripts()[0]["turns"][0]["defaulted"]


def test_a_network_that_fails_is_asked_again_and_other_errors_are_bugs():
    player = TextPlayer("ipd_v0", Script(TimeoutError(), ConnectionError(), "ACTION: defect"))
    assert player.act(START).tolist() == [1]
    with pytest.raises(KeyError):
        TextPlayer("ipd_v0", Script(KeyError("a bug"))).act(START)


def test_the_conversation_has_rules_and_past_steps():
    script = Script(*["ACTION: cooperate"] * 3)
    player = TextPlayer("ipd_v0", script, memory=1)
    for _ in range(3):
        player.act(START)
    assert [message["role"] for message in script.told[-1]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert script.told[-1][-1]["content"].startswith("Step 3 of 50.")


def test_games_are_conversations_of_their_own():
    script = Script(*["ACTION: cooperate", "ACTION: defect"] * 2)
    player = TextPlayer("ipd_v0", script)
    player.reset(2)
    both = np.repeat(START, 2, 0)
    assert player.act(both).tolist() == [0, 1]
    player.act(both, first=np.array([True, False]))
    assert [len(found["turns"]) for found in player.transcripts()] == [1, 2, 1]


def test_transcripts_are_json():
    player = TextPlayer("ipd_v0", Script("ACTION: defect"), game_kwargs={"max_cycles": 3})
    player.act(START)
    (found,) = json.loads(player.transcripts_json())
    assert found["format"] == "social-dilemmas transcript 1"
    assert found["game"] == {"max_cycles": 3}


def test_it_is_an_opponent_like_any_other():
    player = TextPlayer("ipd_v0", lambda messages: "ACTION: defect", player=1)
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=player)
    env.reset(seed=0)
    assert env.step(0)[1] == -3
    assert player.transcripts()[0]["player"] == 1  # the copy that plays tells the same list


def test_a_copy_has_its_own_conversation():
    player = TextPlayer("ipd_v0", lambda messages: "ACTION: defect")
    player.act(START)
    twin = copy.deepcopy(player)
    twin.act(START)
    assert [len(found["turns"]) for found in player.transcripts()] == [1, 1]


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"player": 2}, ValueError, "has no player_2"),
        ({"default": "flee"}, ValueError, "default must be one of cooperate, defect"),
        ({"default": True}, ValueError, "default must be one of"),
        ({"retries": -1}, ValueError, "retries must be at least 0"),
        ({"reader": "a model"}, TypeError, "a reader is a function"),
    ],
)
def test_bad_arguments(changed, error, words):
    with pytest.raises(error, match=words):
        TextPlayer(**{"env_id": "ipd_v0", "reader": str, **changed})


def test_a_reader_returns_a_text():
    with pytest.raises(TypeError, match="a reader returns a text, got int"):
        TextPlayer("ipd_v0", lambda messages: 1).act(START)


def test_another_number_of_games_is_refused():
    player = TextPlayer("ipd_v0", str)
    player.reset(2)
    with pytest.raises(ValueError, match="is in 2 games, got 1"):
        player.act(START)


def test_the_example_runs(capsys):
    transcripts = runpy.run_path(str(EXAMPLE))["main"](4)
    assert capsys.readouterr().out == "the reader earned -9 in 4 steps\n"
    assert [turn["action"] for turn in transcripts[0]["turns"]] == ["cooperate"] + ["defect"] * 3


def test_every_game_can_be_read_to_its_end():
    for env_id in ("coin_game_v0", "public_goods_v0"):
        game_kwargs = {"max_cycles": 3}
        env = sde.make_env(env_id, **game_kwargs)
        player = TextPlayer(env_id, lambda messages: "no idea", game_kwargs=game_kwargs, retries=0)
        observations, _ = env.reset(seed=0)
        while env.agents:
            move = int(player.act(observations["player_0"][None])[0])
            observations, *_ = env.step(dict.fromkeys(env.agents, move))
        assert len(player.transcripts()[0]["turns"]) == 3
