"""The "human" mode, on SDL's dummy video driver."""

import copy
import pickle

import numpy as np
import pygame
import pytest

from social_dilemmas_env import render
from tests.env.rendering.scenes import ipd_scene, theft_scene
from tests.helpers.games import (
    Dice,
    make,
    play,
    play_new,
)

FAST = 1000.0


@pytest.fixture(autouse=True)
def dummy_display(monkeypatch):
    """A display that shows nothing; gone after the test."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    yield
    pygame.display.quit()


@pytest.fixture
def env():
    made = make("coin", render_mode="human")
    made.metadata["render_fps"] = FAST
    yield made
    made.close()


def shown():
    """What the window shows, as a frame."""
    return pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)


def test_the_window_shows_the_frame():
    window = render.Window(FAST)
    for scene in (theft_scene(), ipd_scene((0, 1)), theft_scene()):  # another game, another size
        window.show(scene)
        assert (shown() == render.frame(scene)).all()
    assert pygame.display.get_caption()[0] == "Coin Game"
    window.close()
    assert not pygame.display.get_init()


def test_human_mode_draws_at_every_reset_and_step_and_plays_the_same_game(env):
    records = play_new(env, 5, 6)
    assert env.render() is None
    assert (shown() == render.frame(env.scene())).all()
    assert records == play_new(make("coin"), 5, 6)


def test_closing_twice_and_closing_unopened():
    window = render.Window(FAST)
    window.close()
    window.close()
    assert not pygame.display.get_init()
    window = render.Window(FAST)
    window.show(theft_scene())
    window.close()
    window.close()
    window.show(theft_scene())  # a closed window shows nothing
    assert not pygame.display.get_init()


def test_an_environment_opens_a_new_window_after_close(env):
    env.reset(seed=0)
    env.close()
    env.close()
    assert not pygame.display.get_init()
    env.render()
    assert pygame.display.get_init()


def test_a_user_who_closes_the_window_does_not_stop_the_run(env):
    env.reset(seed=0)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    play(env, 60, Dice(1))  # over the end of an episode
    assert not pygame.display.get_init()
    assert env._window.closed


def test_keys_stay_in_the_queue_for_whoever_plays():
    window = render.Window(FAST)
    window.show(theft_scene())
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_LEFT))
    pygame.event.post(
        pygame.event.Event(pygame.MOUSEMOTION, pos=(1, 1), rel=(0, 0), buttons=(0, 0, 0))
    )
    window.show(theft_scene())
    assert [event.key for event in pygame.event.get()] == [pygame.K_LEFT]
    assert not window.closed
    window.close()


def test_two_windows_share_the_screen_of_the_process():
    first, second = render.Window(FAST), render.Window(FAST)
    first.show(theft_scene())
    second.show(ipd_scene())
    first.show(theft_scene())
    second.close()
    first.show(theft_scene())  # opened again
    assert (shown() == render.frame(theft_scene())).all()
    first.close()


def test_the_window_survives_pygame_quit():
    window = render.Window(FAST)
    window.show(theft_scene())
    pygame.quit()
    window.show(theft_scene())
    window.close()


def test_show_keeps_the_pace():
    window = render.Window(50)
    window.show(theft_scene())
    start = pygame.time.get_ticks()
    for _ in range(5):
        window.show(theft_scene())
    assert pygame.time.get_ticks() - start >= 70
    window.close()


def test_copies_and_pickles_of_a_shown_game_have_no_window_and_go_on_alike(env):
    play_new(env, 3, 4)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin._window is None
        twin.close()
        assert pygame.display.get_init()  # the window is not theirs
        assert play(twin, 3, Dice(4)) == play(copy.deepcopy(env), 3, Dice(4))


def test_frames_are_the_same_with_and_without_a_window(env):
    env.reset(seed=2)
    frame = render.frame(env.scene())
    env.close()
    assert (render.frame(env.scene()) == frame).all()
    assert frame.dtype == np.uint8
