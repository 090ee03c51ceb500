"""A person at a window, on SDL's dummy video driver: keys are posted before they are waited for."""

import pygame
import pytest

import social_dilemmas_env as sde
from agents.match.board import Board
from agents.match.human import GameStopped
from social_dilemmas_env.render.key_window import rows_of
from tests.agents.match.test_terminal import scene


@pytest.fixture
def board(monkeypatch):
    """A window that nobody sees, opened."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pygame.display.init()
    made = Board()
    yield made
    made.close()
    pygame.display.quit()


def press(*keys):
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def test_keys_are_moves_one_after_another(board):
    press(pygame.K_UP, pygame.K_F1, pygame.K_a)  # F1 is no move, and is passed over
    assert [board.ask(scene(), 0) for _ in range(2)] == [2, 0]


def test_the_window_shows_the_picture_and_the_keys_under_it(board):
    press(pygame.K_c)
    board.ask(scene("ipd_v0"), 0)
    screen = pygame.display.get_surface()
    env = sde.make_env("ipd_v0", render_mode="rgb_array")
    env.player_names = ("human", "tit_for_tat")
    env.reset(seed=0)
    picture = env.render()
    shown = pygame.surfarray.array3d(screen).transpose(1, 0, 2)
    assert (shown[: len(picture)] == picture).all()
    assert len(shown) > len(picture)


@pytest.mark.parametrize("key", [pygame.K_q, pygame.K_ESCAPE])
def test_the_person_stops(board, key):
    press(key)
    with pytest.raises(GameStopped, match="as you asked"):
        board.ask(scene(), 0)


def test_a_closed_window_stops_the_game(board):
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    with pytest.raises(GameStopped, match="the window was closed"):
        board.ask(scene(), 0)
    assert not pygame.display.get_init()


def test_at_the_end_any_key_or_closing_will_do(board):
    press(pygame.K_F1)
    board.finish(scene(), "the end")
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    board.finish(scene(), "the end")


def test_many_keys_take_several_rows():
    keys = [(str(i), "a move with a name") for i in range(9)]
    rows = rows_of(keys, 592)
    assert [hint for row in rows for hint in row] == keys
    assert len(rows) > 1
