"""Promise 10 of `set_state`: one game and many, in every view, refuse the same states, with a
sentence, and go on afterwards as if nothing had been asked."""

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from social_dilemmas_env.games.game import State
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv

COIN = {"max_cycles": 6}
WRONG = {
    "a list for a cell": {"board": [[1], 4, 0, 1]},
    "lists for all": {"board": [[1], [4], [0], [1]]},
    "a cell outside": {"board": [0, 4, 9, 0]},
    "a negative cell": {"board": [-1, 4, 0, 0]},
    "an owner out of range": {"board": [0, 4, 2, 2]},
    "a huge cell": {"board": [2**70, 4, 0, 0]},
    "half a cell": {"board": [0.5, 4, 1, 0]},
    "True for a cell": {"board": [True, 4, 2, 0]},
    "numpy's True": {"board": [np.True_, 4, 2, 0]},
    "text": {"board": ["1", 4, 2, 0]},
    "a short board": {"board": [1, 4, 2]},
    "a long board": {"board": [1, 4, 2, 0, 0]},
    "a coin under a player": {"board": [3, 4, 3, 0]},
    "no board": {"board": None},
    "a late step": {"t": 7},
    "a billion steps": {"t": 10**9},
    "very many steps": {"t": 2**80},
    "a negative step": {"t": -1},
    "half a step": {"t": 0.5},
    "over before the end": {"over": 1},
    "not over at the end": {"t": 6},
    "over twice": {"t": 6, "over": 2},
    "over True": {"t": 6, "over": True},
    "a negative seed": {"seed": -1},
    "a huge seed": {"seed": 2**63},
    "a negative episode": {"episode": -1},
    "a huge episode": {"episode": 2**63},
    "an episode True": {"episode": True},
}


class View:
    """A game in the middle of its first episode, seen through one view."""

    def __init__(self, env, actions):
        self.env, self.actions = env, actions
        env.reset(seed=3)
        self.step()

    def step(self):
        """What a step gives, as text."""
        return repr(self.env.step(self.actions))

    def state(self):
        return self.env.get_state()

    def broken(self, wrong):
        """The state of now with these fields."""
        return self.state()._replace(**wrong)


class Turns(View):
    def step(self):
        for action in self.actions:
            self.env.step(action)
        return repr((self.env.last(), self.env.rewards))

    def broken(self, wrong):
        return self.state()._replace(state=self.state().state._replace(**wrong))


class Single(View):
    def broken(self, wrong):
        state = self.env.get_state()
        return state._replace(game=state.game._replace(**wrong))

    def state(self):
        return self.env.get_state()._replace(opponents=[])


class Batch(View):
    def broken(self, wrong):
        return last_of(self.state(), wrong)


class SingleBatch(Single):
    def broken(self, wrong):
        state = self.env.get_state()
        return state._replace(game=last_of(state.game, wrong))


def last_of(state: State, wrong):
    """The state of a batch whose last game has these fields."""
    return state._replace(**{f: [*getattr(state, f)[:-1], value] for f, value in wrong.items()})


def vec(**options):
    return sde.make_vec_env("coin_game_v0", 3, **options, **COIN)


VIEWS = {
    "parallel": lambda: View(sde.make_env("coin_game_v0", **COIN), {"player_0": 1, "player_1": 2}),
    "aec": lambda: Turns(sde.make_env("coin_game_v0", api="aec", **COIN), [1, 2]),
    "single": lambda: Single(SingleEnv("coin_game_v0", "always_defect", **COIN), 1),
    "single vector": lambda: SingleBatch(
        SingleVectorEnv(3, env_id="coin_game_v0", opponent="always_defect", **COIN), np.ones(3, int)
    ),
    "numpy": lambda: Batch(vec(), np.ones((3, 2), int)),
    "numpy, rules": lambda: Batch(vec(tables=False), np.ones((3, 2), int)),
    "torch": lambda: Batch(vec(backend="torch"), torch.ones((3, 2), dtype=torch.int64)),
}
views = pytest.mark.parametrize("view", VIEWS)


@views
@pytest.mark.parametrize("case", WRONG)
def test_refused_and_nothing_changed(view, case):
    here, twin = VIEWS[view](), VIEWS[view]()
    before, broken = here.state(), here.broken(WRONG[case])
    with pytest.raises((ValueError, TypeError)) as caught:
        here.env.set_state(broken)
    assert len(str(caught.value)) > 20
    assert "opponents" not in str(caught.value)
    assert here.state() == before
    assert [here.step() for _ in range(3)] == [twin.step() for _ in range(3)]


@views
def test_a_state_of_the_end_is_taken(view):
    here = VIEWS[view]()
    wrong = {"t": 6, "over": 1}
    here.env.set_state(here.broken(wrong) if view != "aec" else ended(here))
    assert "6" in repr(here.state())


def ended(here):
    state = here.broken({"t": 6, "over": 1})
    return state._replace(selection="player_0")


@pytest.mark.parametrize("num_envs", [None, 2])
def test_boards_that_cannot_occur(num_envs):
    """In the public goods game all have moved, or nobody."""
    if num_envs is None:
        env, board = sde.make_env("public_goods_v0", num_agents=3), [0, 1, 2]
    else:
        env, board = sde.make_vec_env("public_goods_v0", 2, num_agents=3), [[1, 1, 1], [0, 1, 2]]
    env.reset(seed=0)
    before = env.get_state()
    with pytest.raises(ValueError, match=r"no board of this game is \[0, 1, 2\]"):
        env.set_state(before._replace(board=board))
    assert env.get_state() == before


class Stuck:
    """An opponent that cannot be copied."""

    def act(self, observations, first=None):
        return np.zeros(len(observations), int)

    def __deepcopy__(self, memo):
        raise RuntimeError("no copies")


@pytest.mark.parametrize("view", ["single", "single vector"])
def test_opponents_that_cannot_be_copied_leave_the_game_as_it_was(view):
    here = VIEWS[view]()
    earlier = here.env.get_state()._replace(opponents=[Stuck()])
    here.env.opponents.policies = [Stuck()]
    here.step()

    inner = here.env.env if view == "single" else here.env.venv
    before = inner.get_state()
    with pytest.raises(RuntimeError, match="no copies"):
        here.env.set_state(earlier)
    assert inner.get_state() == before
