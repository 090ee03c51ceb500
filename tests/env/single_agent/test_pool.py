"""Opponents drawn anew for each episode, and players out of files."""

import copy
import os
import pickle

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.single_agent import OpponentPool, SingleEnv, SingleVectorEnv

MEMBERS = ["tit_for_tat", "always_defect", "random", "grim"]


def make_pool():
    return OpponentPool([*MEMBERS[:3], sde.make_strategy("grim", "ipd_v0", player=1)])


# ------------------------------------------------------------------------------------------- pool


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_game_i_of_many_is_the_single_game(mode):
    settings = {"env_id": "ipd_v0", "max_cycles": 4}
    envs = SingleVectorEnv(6, opponent=make_pool(), autoreset_mode=mode, **settings)
    alone = [SingleEnv(opponent=make_pool(), **settings) for _ in range(6)]
    envs.reset(seed=3)
    for i, env in enumerate(alone):
        env.reset(seed=sde.draw(3, i))

    players = []
    for t in range(40):
        actions = np.random.default_rng(t).integers(2, size=6)
        rewards = envs.step(actions)[1].tolist()
        steps = [env.step(action) for env, action in zip(alone, actions, strict=True)]
        assert rewards == [step[1] for step in steps]
        players.append(envs.opponents.policies[0].chosen.tolist())
        if steps[0][3]:
            for env in alone:
                env.reset()
            if mode == "NextStep":
                envs.step(actions)

    # The same one all through an episode; all of them in time.
    assert all(len({tuple(row) for row in players[t : t + 4]}) == 1 for t in range(0, 40, 4))
    assert {member for row in players for member in row} == {0, 1, 2, 3}


def test_members_are_met_as_often_as_they_weigh():
    """Of 4,000 episodes; five standard errors, false alarm below 1e-5."""
    pool = OpponentPool(["always_cooperate", "always_defect", "random"], weights=[3, 1, 0])
    envs = SingleVectorEnv(400, env_id="ipd_v0", opponent=pool, max_cycles=1)
    envs.reset(seed=0)
    counts = np.zeros(3)
    for _ in range(10):
        envs.step(np.zeros(400, int))
        counts += np.bincount(envs.opponents.policies[0].chosen, minlength=3)
        envs.step(np.zeros(400, int))  # which begins the next episode
    assert counts[2] == 0
    assert abs(counts[0] / 4000 - 0.75) < 5 * (0.75 * 0.25 / 4000) ** 0.5


@pytest.mark.parametrize("how", ["state", "deepcopy", "pickle"])
def test_continuation(how):
    """Promise 3, the member that plays included."""
    envs = SingleVectorEnv(5, env_id="ipd_v0", opponent=make_pool(), max_cycles=3)
    envs.reset(seed=1)
    play = np.random.default_rng(0).integers(2, size=(40, 5))
    for actions in play[:7]:
        envs.step(actions)
    if how == "state":
        twin = SingleVectorEnv(5, env_id="ipd_v0", opponent=make_pool(), max_cycles=3)
        twin.set_state(envs.get_state())
    else:
        twin = copy.deepcopy(envs) if how == "deepcopy" else pickle.loads(pickle.dumps(envs))
    assert [twin.step(a)[1].tolist() for a in play] == [envs.step(a)[1].tolist() for a in play]


def test_a_state_of_another_pool_is_refused():
    envs, other = (
        SingleVectorEnv(2, env_id="ipd_v0", opponent=OpponentPool(members))
        for members in (["grim"], ["random"])
    )
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="other opponents"):
        other.set_state(envs.get_state())


BAD = {
    "none": ([], None, "at least one opponent"),
    "a name": ("grim", None, "a list of at least one"),
    "too few weights": (["grim", "random"], [1], "2 numbers"),
    "negative": (["grim", "random"], [1, -1], "not negative"),
    "all zero": (["grim"], [0], "not all 0"),
    "not finite": (["grim"], [float("nan")], "not negative"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_pools(case):
    members, weights, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        OpponentPool(members, weights)


def test_a_bad_member_is_found_at_the_door():
    with pytest.raises(ValueError, match="there is no strategy 'grimm'"):
        gymnasium.make("social_dilemmas/ipd-v0", opponent=OpponentPool(["random", "grimm"]))


# ------------------------------------------------------------------------------------------ files

MINE = """
import numpy as np

class Agent:
    def act(self, observations):
        return np.ones(len(observations), int)

def cooperate(observation):
    return 0

name = "always_defect"
nothing = None
def broken(): pass
class Broken:
    def __init__(self):
        raise RuntimeError("no weights")
"""


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    return path


@pytest.mark.parametrize(("name", "reward"), [("Agent", -3), ("cooperate", -1), ("name", -3)])
def test_an_opponent_of_a_file(mine, name, reward):
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=f"{mine}:{name}")
    env.reset(seed=0)
    assert env.step(0)[1] == reward


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("{}", "which object of the file plays, FILE.py:NAME"),
        ("{}:Other", "there is no Other in"),
        ("{}:Broken", "RuntimeError: no weights"),
        ("{}x.py:Agent", "there is no file"),
    ],
)
def test_what_a_file_has_not(mine, word, message):
    with pytest.raises(ValueError, match=message):
        SingleEnv("ipd_v0", word.format(mine))


def test_a_changed_file_is_read_again(mine):
    assert SingleEnv("ipd_v0", f"{mine}:Agent")
    mine.write_text("def Agent(observation):\n    return 0\n")
    os.utime(mine, ns=(1, 1))
    env = SingleEnv("ipd_v0", f"{mine}:Agent")
    env.reset(seed=0)
    assert env.step(0)[1] == -1.0
