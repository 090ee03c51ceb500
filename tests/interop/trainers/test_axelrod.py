"""Axelrod's players in our environments and ours in its tournament, with the library itself
(examples/trainers/with_axelrod.py)."""

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from agents.evaluation.axelrod_bridge import axelrod_player, axelrod_tournament
from tests.interop.trainers.learned import COOPERATES, example, library

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


@pytest.mark.parametrize("name", NAMES)
def test_a_match_scores_the_same_in_both(axl, game, name):
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent=f"axelrod:{name}")
    moves = np.random.default_rng(0).integers(2, size=TURNS)
    env.reset(seed=0)
    ours = sum(env.step(int(move))[1] for move in moves)

    me = axl.Cycler("".join("CD"[move] for move in moves))
    match = axl.Match([me, getattr(axl, name)()], turns=TURNS, game=game)
    match.play()
    assert match.final_score()[0] == pytest.approx(ours)


def test_episodes_begin_anew(axl):
    """A grudge does not outlive its episode, nor a reset in its middle."""
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent="axelrod:Grudger")
    for _ in range(2):
        env.reset(seed=0)
        assert sum(env.step(0)[1] for _ in range(TURNS)) == -TURNS
        env.reset(seed=0)
        env.step(1)
        assert env.step(1)[1] == -2


def test_game_17_of_a_batch_is_the_single_game(axl):
    """Also against a strategy that draws."""
    envs = gymnasium.make_vec("social_dilemmas/ipd-v0", num_envs=20, opponent="axelrod:Random")
    one = gymnasium.make("social_dilemmas/ipd-v0", opponent="axelrod:Random")
    envs.reset(seed=3)
    one.reset(seed=sde.draw(3, 17))
    for _ in range(TURNS):
        assert envs.step(np.zeros(20, int))[1][17] == one.step(0)[1]


def test_the_other_seat_reads_the_game_from_its_side(axl):
    """In the second seat of a game that shows both the same."""
    kwargs = {"payoffs": [[[3, 3], [0, 5]], [[5, 0], [1, 1]]], "view": "joint"}
    env = gymnasium.make("social_dilemmas/matrix_game-v0", opponent="axelrod:TitForTat", **kwargs)
    env.reset(seed=0)
    assert [env.step(move)[1] for move in (1, 0, 0)] == [5, 0, 3]


@pytest.mark.parametrize(("ours", "theirs"), [("tit_for_tat", "TitForTat"), ("grim", "Grudger")])
def test_our_player_moves_as_theirs(axl, ours, theirs):
    other = axl.Cycler("CDDCC")
    player = axelrod_player(ours, "ipd_v0")
    expected = axl.Match((getattr(axl, theirs)(), other), turns=TURNS).play()
    assert axl.Match((player, other), turns=TURNS).play() == expected


def test_a_tournament_ranks_ours_among_theirs(axl):
    entries = ["tit_for_tat", "always_defect", "axelrod:TitForTat", axl.Cooperator()]
    ranking = axelrod_tournament(entries, "ipd_v0", repetitions=2)
    assert sorted(ranking.names) == sorted(
        ["tit_for_tat", "always_defect", "Tit For Tat", "Cooperator"]
    )
    scores = dict(zip(ranking.names, np.median(ranking.scores, axis=1), strict=True))
    assert scores["tit_for_tat"] == scores["Tit For Tat"]
    # Against two tit for tats (-1.96 each, having won once) and the cooperator (0).
    assert scores["always_defect"] == pytest.approx((2 * -1.96 + 0) / 3)


def test_the_example_ranks_its_entries(axl):
    script = example("axelrod", "axelrod", "torch")
    assert len(script.tournament(repetitions=2).names) == len(script.ENTRIES)


def test_learning_against_their_tit_for_tat_leads_to_cooperation(axl):
    assert example("axelrod", "axelrod", "torch").learned()[-1] > COOPERATES
