"""What a scene tells: numbers in few letters, pickups that explain the rewards, past moves."""

import math

import pytest

from social_dilemmas_env.render import describe
from tests.env.rendering.scenes import ipd_scene, played, theft_scene
from tests.helpers.games import COIN_GAMES, Dice, any_game


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (-1e-12, "0"),
        (3.0, "3"),
        (-1.0, "-1"),
        (1 / 3, "0.33"),
        (0.1 + 0.2, "0.30"),
        (-2.675, "-2.67"),
        (123.456, "123.5"),
        (-1234.5, "-1234"),
        (99999.0, "99999"),
        (123456.0, "1.2e+05"),
        (0.004, "0.004"),
        (1e300, "1e+300"),
    ],
)
def test_numbers_are_short(value, shown):
    assert describe.format_number(value) == shown


def test_signs_are_shown_on_demand_and_typeset_as_minus_signs():
    assert [describe.format_number(x, signed=True) for x in (2.0, 0.0, -2.0)] == ["+2", "0", "-2"]
    assert describe.with_minus_signs("-2 tit-for-tat -0.5") == "−2 tit-for-tat −0.5"


@pytest.mark.parametrize("exponent", range(-12, 13))
def test_no_number_is_longer_than_eight_letters(exponent):
    for factor in (1.0, 1.2345, 9.99999):
        for sign in (1, -1):
            assert len(describe.format_number(sign * factor * 10.0**exponent, signed=True)) <= 8


def test_actions_get_the_initials_of_their_names_where_these_differ():
    assert describe.action_symbols(("cooperate", "defect")) == ("C", "D")
    assert describe.action_symbols(("swerve", "straight")) == ("Sw", "St")
    assert describe.action_symbols(("stand", "stay")) == ("0", "1")
    assert describe.action_symbols(("dove", "hawk")) == ("Do", "Ha")  # D alone is defect
    assert describe.action_symbols(("0", "1", "2")) == ("0", "1", "2")
    assert describe.action_symbols(("", "x")) == ("0", "1")
    assert describe.action_symbols(tuple(str(a) for a in range(12)))[11] == "11"


def test_a_theft_is_told():
    scene = theft_scene()
    assert describe.last_pickups(scene) == [describe.Pickup(owner=0, cell=5, takers=(1,))]
    assert describe.pickup_text(scene, describe.last_pickups(scene)[0]) == "blue took red's coin"
    assert describe.coin_counts(scene) == [[0, 0], [1, 0]]
    assert describe.own_coins([[3, 1], [2, 4]]) == (7, 10)


def test_words_for_own_coins_and_for_ties():
    scene = theft_scene()
    assert describe.pickup_text(scene, describe.Pickup(1, 0, (1,))) == "blue took their own coin"
    assert (
        describe.pickup_text(scene, describe.Pickup(1, 0, (0, 1)))
        == "red and blue took blue's coin"
    )


@pytest.mark.parametrize("name", COIN_GAMES)
def test_the_pickups_explain_every_reward(name):
    """Rule 3 from the takers alone: +1 a coin (or a share), -2 to an owner whose coin went to
    others."""
    env, taken = played(name, 0), 0
    dice, split = Dice(8), env.game.ties == "split"
    gain, loss = env.game.payoffs
    for _ in range(120):
        if not env.agents:
            env.reset()
        env.step(dice.actions(env))
        move = env.scene().history[-1]
        due = [0.0] * env.game.num_agents
        for pickup in describe.last_pickups(env.scene()):
            taken += 1
            part = 1 / len(pickup.takers) if split else 1.0
            others = [i for i in pickup.takers if i != pickup.owner]
            for taker in pickup.takers:
                due[taker] += gain * part
            each = env.game.ties in ("split", "each")
            due[pickup.owner] += loss * (part * len(others) if each else bool(others))
        assert all(
            math.isclose(a, b, abs_tol=1e-12) for a, b in zip(due, move.rewards, strict=True)
        )
    assert taken


@any_game
def test_means_and_last_moves_come_from_the_history(name):
    env = played(name, 3)
    scene = env.scene()
    assert describe.last_actions(scene) == scene.history[-1].actions
    assert describe.last_rewards(scene) == scene.history[-1].rewards
    for i, mean in enumerate(describe.mean_rewards(scene)):
        assert math.isclose(mean * scene.t, scene.scores[i], abs_tol=1e-9)
    start = played(name, 0).scene()
    assert describe.last_actions(start) is None
    assert set(describe.mean_rewards(start)) == {None}


def test_boards_of_matrix_games_remember_the_last_move_without_a_history():
    for name in ("ipd", "rps", "matrix_3p", "public_goods_9p"):
        scene = played(name, 4).scene()
        assert describe.last_actions(scene._replace(history=())) == scene.history[-1].actions
    assert describe.last_actions(played("coin", 4).scene()._replace(history=())) is None


def test_what_is_remembered_is_named():
    assert describe.history_span(ipd_scene()) == "no moves yet"
    assert describe.history_span(ipd_scene((0, 0))) == "step 1"
    assert describe.history_span(ipd_scene((0, 0), (0, 1))) == "steps 1–2"
    assert describe.history_span(ipd_scene((0, 0), (0, 1), t=30)) == "steps 29–30"
    assert describe.history_span(ipd_scene(t=30)) == "no moves remembered"
    assert describe.history_note(ipd_scene((0, 0), t=30)) == ", last step"


def test_the_last_step_of_many_is_summed_up():
    scene = played("public_goods_9p", 1).scene()
    move = scene.history[-1]._replace(actions=(0, 0, 0, 1, 1, 0, 0, 0, 0))
    assert (
        describe.last_move_text(scene._replace(history=(move,)))
        == "Last step: 7 cooperate, 2 defect"
    )
    assert describe.last_move_text(played("public_goods_9p", 0).scene()) == "No moves yet"
    assert describe.last_move_text(played("matrix_3p", 2).scene()).startswith("Last step: ")
