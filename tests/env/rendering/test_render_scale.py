"""Larger pictures, whole names, and letters that mean one thing."""

from itertools import combinations

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.render import describe, lettering
from social_dilemmas_env.render.coin_panel import name_rooms
from social_dilemmas_env.render.frames import frame, picture
from tests.helpers.games import GAMES, Dice, make, wide_game

LONG = "bundled:advantage_alignment_3x3_seed43"


def playing(name, steps=5):
    made = make(name, render_mode="rgb_array") if name in GAMES else None
    env, dice = made or sde.make_env(name, render_mode="rgb_array"), Dice(3)
    env.reset(seed=0)
    for _ in range(min(steps, env.max_cycles)):
        env.step(dice.actions(env))
    return env


@wide_game
def test_a_larger_picture_is_the_same_picture(name):
    """Three times as large, and averaged back to the usual size it is nearly the usual one."""
    env = playing(name)
    usual = env.render()
    env.render_scale = 3
    large = env.render()
    height, width, _ = usual.shape
    assert large.shape == (3 * height, 3 * width, 3)
    back = large.reshape(height, 3, width, 3, 3).mean((1, 3))
    assert abs(back - usual).mean() < 3  # of 255: letters and edges are finer
    env.render_scale = 1
    assert (env.render() == usual).all()


def test_a_larger_picture_is_sharper():
    """It is drawn, not blown up: neighbouring rows of pixels differ within a block of four."""
    scene = playing("coin_game_v0").scene()
    large = frame(scene, 2).astype(int)
    assert np.abs(large[::2] - large[1::2]).max() > 50


@pytest.mark.parametrize("scale", [0, -1, 9, 1.5, True, "2"])
def test_scales_that_are_none(scale):
    env = playing("ipd_v0")
    with pytest.raises((ValueError, TypeError), match="render_scale"):
        env.render_scale = scale
    assert env.render_scale == 1


def test_bundled_is_not_drawn():
    env = playing("coin_game_v0")
    env.player_names = (LONG, "bundled:loqa_3x3")
    assert env.scene().names == ("advantage_alignment_3x3_seed43", "loqa_3x3")
    assert env.player_names[0] == LONG


@pytest.mark.parametrize("name", ["coin_game_v0", "ipd_v0"])
def test_the_names_of_bundled_agents_are_not_cut(name, monkeypatch):
    """On their cards, and where the Coin Game says who took what."""
    cut = []
    real = lettering.truncated

    def watched(text, size, width):
        result = real(text, size, width)
        cut.extend([text] * (result != text))
        return result

    monkeypatch.setattr("social_dilemmas_env.render.canvas.truncated", watched)
    env, dice = sde.make_env(name, render_mode="rgb_array"), Dice(3)
    env.player_names = ("advantage_alignment_3x3", "always_cooperate")
    env.reset(seed=0)
    for _ in range(30):
        env.step(dice.actions(env))
        picture(env.scene())
    assert cut == []


def test_what_short_names_leave_goes_to_long_ones():
    short, long = (lettering.text_width(text, 15) for text in ("a", "a long name indeed"))
    assert name_rooms(["a long name indeed", "a"], short + long) == [long, short]
    rooms = name_rooms(["a long name indeed", "another long name"], 100)
    assert rooms == [50, 50]


def test_letters_of_actions_mean_one_thing():
    """Within a game they differ, and C and D are cooperate and defect in every game."""
    seen = set()
    for env_id in sde.list_envs():
        arguments = {"payoffs": [[[1, 2]] * 2] * 2} if env_id == "matrix_game_v0" else {}
        names = sde.spec(env_id).game(**arguments).action_names
        for own in names:
            marks = describe.action_symbols(own)
            assert all(a != b for a, b in combinations(marks, 2)), env_id
            seen |= set(zip(marks, own, strict=True))
    meanings = [name for mark, name in seen if mark in ("C", "D")]
    assert set(meanings) == {"cooperate", "defect"}
