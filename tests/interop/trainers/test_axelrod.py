"""Axelrod's players in our environments: the same scores as in its own matches, and learnable."""

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.interop.trainers.learned import COOPERATES, library

pytestmark = pytest.mark.slow
TURNS = 50
NAMES = ("TitForTat", "Grudger", "WinStayLoseShift", "Alternator", "EvolvedLookerUp2_2_2")


@pytest.fixture(scope="module")
def axl():
    return library("axelrod")


@pytest.fixture(scope="module")
def game(axl):
    table = sde.payoffs("ipd_v0")[..., 0]
    return axl.Game(r=table[0, 0], s=table[0, 1], t=table[1, 0], p=table[1, 1])


class Theirs:
    """One of Axelrod's players as `opponent=` of our environments."""

    def __init__(self, axl, name):
        self.axl, self.kind = axl, getattr(axl, name)

    def reset(self, num_games, seed=None):
        action = self.axl.Action
        self.actions = (action.C, action.D)
        self.games = [(self.kind(), self.axl.MockPlayer([action.C])) for _ in range(num_games)]

    def act(self, observations, first=None):
        chosen = []
        for (me, you), seen in zip(
            self.games, observations.reshape(len(self.games), -1), strict=True
        ):
            if seen[0]:  # nothing has been played yet
                me.reset()
                you.reset()
            else:
                mine, yours = divmod(int(seen[1:].argmax()), 2)
                me.update_history(self.actions[mine], self.actions[yours])
                you.update_history(self.actions[yours], self.actions[mine])
            chosen.append(self.actions.index(me.strategy(you)))
        return np.array(chosen)


@pytest.mark.parametrize("name", NAMES)
def test_a_match_scores_the_same_in_both(axl, game, name):
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=Theirs(axl, name))
    moves = np.random.default_rng(0).integers(2, size=TURNS)
    env.reset(seed=0)
    ours = sum(env.step(int(move))[1] for move in moves)

    me = axl.Cycler("".join("CD"[move] for move in moves))
    match = axl.Match([me, getattr(axl, name)()], turns=TURNS, game=game)
    match.play()
    assert match.final_score()[0] == pytest.approx(ours)


def test_episodes_begin_anew(axl):
    """A grudge does not outlive its episode."""
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=Theirs(axl, "Grudger"))
    for _ in range(2):
        env.reset(seed=0)
        assert sum(env.step(0)[1] for _ in range(TURNS)) == -TURNS
        env.reset(seed=0)
        env.step(1)
        assert env.step(1)[1] == -2


def test_learning_against_their_tit_for_tat_leads_to_cooperation(axl):
    pytest.importorskip("torch")
    from tests.interop.trainers.actor_critic import Ppo, Settings

    env = gymnasium.make_vec(
        "social_dilemmas/ipd-v0", num_envs=32, opponent=Theirs(axl, "TitForTat")
    )
    learner = Ppo((5,), 2, Settings(iterations=40))
    means = learner.learn(lambda: env.reset(seed=0)[0], lambda actions: env.step(actions)[:4])
    assert means[-1] > COOPERATES
