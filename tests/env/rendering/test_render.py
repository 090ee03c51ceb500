"""Frames: their shape, that drawing them changes nothing and needs no display, and what a missing
library says."""

import random
import subprocess
import sys
import time

import numpy as np
import pygame
import pytest
from gymnasium.error import DependencyNotInstalled, ResetNeeded

import social_dilemmas_env as sde
from social_dilemmas_env import render
from social_dilemmas_env.render import lettering, sprites
from tests.env.rendering.scenes import (
    LONG,
    ipd_scene,
    played,
    renamed,
    theft_scene,
)
from tests.helpers.games import (
    Dice,
    any_game,
    make,
    play,
    play_new,
)

STRANGE_NAMES = {
    "": "empty",
    " ": "blank",
    LONG: "long",
    "\0": "nul",
    "a\nb": "two_lines",
    "tit for tat 🙂": "emoji",
    "協力": "kanji",
    "\ud800": "surrogate",
    "é" * 300: "very_long",
}
PIP = 'pip install -e ".[render]"'


def without(monkeypatch, module):
    """From here on, importing `module` fails."""
    monkeypatch.setitem(sys.modules, module, None)


@any_game
def test_all_frames_of_an_episode_have_one_size_and_need_no_display(name):
    env, dice = make(name, render_mode="rgb_array"), Dice(3)
    env.reset(seed=0)
    frames = [env.render()]
    for _ in range(min(6, env.max_cycles)):
        env.step(dice.actions(env))
        frames.append(env.render())
    assert not pygame.display.get_init()
    height, width, channels = frames[0].shape
    assert (height % 16, width % 16, channels) == (0, 0, 3)  # what video encoders like
    for frame in frames:
        assert frame.dtype == np.uint8
        assert frame.shape == frames[0].shape
        assert frame.flags.c_contiguous
        assert frame.flags.writeable
    assert any((frame != frames[0]).any() for frame in frames[1:])


@any_game
@pytest.mark.parametrize("mode", ["rgb_array", "ansi"])
def test_drawing_changes_neither_the_game_nor_any_random_state(name, mode):
    plain, drawn = make(name), make(name, render_mode=mode)
    assert play_new(plain, 5, 3) == play_new(drawn, 5, 3)
    before, numpy_state, python_state = (
        drawn.get_state(),
        np.random.get_state()[1].copy(),
        random.getstate(),
    )
    scene = drawn.scene()
    drawn.render()
    assert drawn.get_state() == before
    assert drawn.scene() == scene
    assert (np.random.get_state()[1] == numpy_state).all()
    assert random.getstate() == python_state
    assert play(plain, 4, Dice(9)) == play(drawn, 4, Dice(9))


def test_a_scene_has_one_picture_and_the_caller_may_keep_or_change_it():
    scene = played("coin", 9).scene()
    first = render.frame(scene)
    kept = first.copy()
    first[:] = 0
    assert (render.frame(scene) == kept).all()


def test_the_aec_wrapper_draws_the_same_picture():
    parallel, aec = (
        make("ipd", render_mode="rgb_array"),
        make("ipd", render_mode="rgb_array", api="aec"),
    )
    parallel.reset(seed=0), aec.reset(seed=0)
    for action in (1, 0):
        aec.step(action)
    parallel.step({"player_0": 1, "player_1": 0})
    assert (parallel.render() == aec.render()).all()


@pytest.mark.parametrize(
    "arguments",
    [
        {"grid_size": 12, "num_agents": 7},
        {"grid_size": 12, "num_agents": 4, "coins": 4},
        {"grid_size": (2, 12)},
        {"grid_size": (12, 2), "coins": 2},
        {"grid_size": 2, "num_agents": 20, "coin_avoids_players": False},
        {"grid_size": (2, 60)},
    ],
    ids=str,
)
def test_coin_boards_of_all_sizes(arguments):
    env = sde.make_env("coin_game_v0", render_mode="rgb_array", **arguments)
    env.reset(seed=0)
    shape = env.render().shape
    play(env, 5, Dice(1))
    assert env.render().shape == shape
    assert render.text(env.scene()).count("\n") >= env.game.height


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (6, 6), (7, 2), (2, 7), (1, 9), (200, 3), (2,), (40,), (2, 2, 2, 2, 2), (2,) * 12],
)
def test_matrix_games_of_all_shapes(shape):
    payoffs = np.arange(np.prod(shape) * len(shape), dtype=float).reshape(*shape, len(shape)) / 7
    env = sde.make_env("matrix_game_v0", payoffs=payoffs, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render().shape
    play(env, 3, Dice(1))
    assert env.render().shape == first
    assert render.text(env.scene())


@pytest.mark.parametrize("num_agents", [2, 3, 4, 5, 8, 10, 13, 32])
def test_public_goods_of_all_sizes(num_agents):
    env = sde.make_env("public_goods_v0", num_agents=num_agents, render_mode="rgb_array")
    env.reset(seed=0)
    play(env, 3, Dice(1))
    assert env.render().shape[1] == 640


@pytest.mark.parametrize("name", STRANGE_NAMES, ids=STRANGE_NAMES.get)
@pytest.mark.parametrize("game", ["ipd", "coin", "public_goods_9p", "coin_7p"])
def test_any_name_can_be_drawn(game, name):
    scene = renamed(played(game, 4).scene(), name)
    assert render.frame(scene).shape == render.frame(played(game, 0).scene()).shape
    assert isinstance(render.text(scene), str)


def test_strange_payoffs_can_be_drawn():
    extremes = [[[1e300, -1e300], [1e-300, -0.0]], [[12345.678, -99999.5], [1 / 3, -2 / 3]]]
    env = sde.make_env("matrix_game_v0", payoffs=extremes, render_mode="rgb_array")
    env.reset(seed=0)
    play(env, 6, Dice(4))
    env.render()
    assert "1e+300" in render.text(env.scene())


def test_a_state_set_in_the_middle_is_drawn_without_a_past():
    for name in ("ipd", "coin", "public_goods_9p", "matrix_3p"):
        env, fresh = played(name, 4), make(name, render_mode="rgb_array")
        fresh.reset(seed=0)
        fresh.set_state(env.get_state())
        assert fresh.render().shape == render.frame(env.scene()).shape
        assert "no moves" in render.text(fresh.scene())
        play(fresh, 1, Dice(0))
        fresh.render()


def test_the_pictures_of_an_unregistered_game_bear_its_id():
    scene = ipd_scene((0, 1))._replace(env_id="somebody's_game")
    assert render.frame(scene).shape == render.frame(ipd_scene((0, 1))).shape
    assert render.text(scene).startswith("somebody's_game")


def test_pictures_survive_somebody_elses_pygame_quit():
    scene, other = played("coin", 3).scene(), played("ipd", 3).scene()
    before = render.frame(scene)
    pygame.quit()  # as the close() of other environments does
    assert (render.frame(scene) == before).all()
    pygame.font.init()
    assert (render.frame(scene) == before).all()
    render.frame(other)


def test_render_before_reset_and_without_a_mode_say_what_to_do():
    with pytest.raises(ResetNeeded, match="reset"):
        make("coin", render_mode="rgb_array").render()
    env = make("coin")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="render_mode"):
        env.render()


def test_without_pygame_there_is_a_clear_error_and_text_still_works(monkeypatch):
    scene = theft_scene()
    without(monkeypatch, "pygame")
    with pytest.raises(DependencyNotInstalled) as caught:
        render.frame(scene)
    assert PIP in str(caught.value)
    with pytest.raises(DependencyNotInstalled) as caught:
        render.Window(4).show(scene)
    assert PIP in str(caught.value)
    with pytest.raises(DependencyNotInstalled) as caught:
        make("coin", render_mode="human")
    assert PIP in str(caught.value)

    # Pictures are asked for when they are drawn.
    env = make("coin", render_mode="rgb_array")
    env.reset(seed=0)
    with pytest.raises(DependencyNotInstalled) as caught:
        env.render()
    assert PIP in str(caught.value)
    assert "coin" in render.text(scene)


def test_importing_the_package_and_drawing_text_load_no_picture_library():
    code = (
        "import sys, social_dilemmas_env as sde\n"
        "env = sde.make_env('coin_game_v0', render_mode='ansi'); env.reset(seed=0); env.render()\n"
        "import social_dilemmas_env.render.video\n"
        "heavy = ('pygame', 'PIL', 'imageio', 'imageio_ffmpeg', 'torch')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"


def test_a_frame_takes_milliseconds():
    for name in ("coin", "ipd"):
        scene, times = played(name, 20).scene(), []
        for _ in range(12):
            start = time.process_time()
            render.frame(scene)
            times.append(time.process_time() - start)
        assert min(times) < 0.03  # measured: 2 to 3 ms


def test_what_is_kept_between_frames_is_bounded():
    kept = (lettering.text_picture, lettering.text_width, lettering.truncated, sprites.sprite)
    for cache in (*kept, sprites.box_picture, sprites.arrowhead, sprites.master):
        assert cache.cache_info().maxsize is not None
