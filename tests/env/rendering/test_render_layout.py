"""What is where in a frame: nothing clipped, no text over other text, and the colours say what
happened."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import render
from social_dilemmas_env.render import (
    coin,
    coin_board,
    coin_layout,
    coin_panel,
    commons,
    matrix,
    tiles,
)
from social_dilemmas_env.render.canvas import Box
from social_dilemmas_env.render.lettering import TextStyle
from social_dilemmas_env.render.palette import LIT, QUIET, action_shade, mix, player_color
from tests.env.rendering.scenes import (
    LONG,
    Watched,
    ipd_scene,
    played,
    renamed,
    theft_scene,
)
from tests.helpers.games import (
    COIN_GAMES,
    GAMES,
    Dice,
    any_game,
    play,
)

TABLES = [
    name for name in GAMES if name.startswith(("bach", "chicken", "imp", "ipd", "rps", "stag"))
]


@pytest.fixture
def watch(monkeypatch):
    """scene -> the page it was drawn on, which knows its texts and boxes."""
    for module in (coin, commons, matrix, tiles):
        monkeypatch.setattr(module, "Canvas", Watched)
    return render.picture


def overlaps(texts, spare=()):
    """Pairs of texts whose capitals overlap.

    Texts whose middle lies in the box `spare` do not count.
    """
    if spare:
        left, top, width, height = spare
        texts = [
            t
            for t in texts
            if not (left <= (t[1] + t[3]) / 2 <= left + width and top <= t[2] <= top + height)
        ]
    found = []
    for i, (a, left, top, right, low) in enumerate(texts):
        for b, left2, top2, right2, low2 in texts[i + 1 :]:
            if left < right2 - 0.5 and left2 < right - 0.5 and top < low2 and top2 < low:
                found.append((a, b))
    return found


def board_box(scene):
    """The board of a Coin Game with its fringe: there, numbers and rewards lie on things."""
    if "coin" not in scene.env_id:
        return ()
    layout = coin_layout.layout_of(scene.game)
    return Box(
        layout.x - 16,
        layout.y - 16,
        scene.game.width * layout.cell + 32,
        scene.game.height * layout.cell + 32,
    )


def test_the_watch_would_see_a_collision():
    page = Watched(200, 100)
    page.text(10, 50, "own coins taken", TextStyle(15))
    page.text(190, 50, "5 of 10 (50%)", TextStyle(15, align="right"))
    page.text(10, 70, "below", TextStyle(15))
    assert overlaps(page.texts) == [("own coins taken", "5 of 10 (50%)")]
    assert overlaps(page.texts, Box(0, 40, 200, 20)) == []


@any_game
@pytest.mark.parametrize("called", ["player", LONG])
def test_nothing_is_clipped_and_no_text_lies_on_another(name, called, watch):
    for steps in (0, 1, 30):
        scene = played(name, steps).scene()
        page = watch(renamed(scene, called))
        for text, left, top, right, low in page.texts:
            inside = left >= 0 and top >= 0 and right <= page.width and low <= page.height
            assert inside, text
        for box in page.boxes:
            assert box.x >= 0
            assert box.y >= 0
            assert box.x + box.width <= page.width
            assert box.y + box.height <= page.height
        assert overlaps(page.texts, board_box(scene)) == []


@pytest.mark.parametrize("num_agents", range(2, 33))
def test_tiles_of_any_number_of_players_do_not_collide(num_agents, watch):
    env = sde.make_env("public_goods_v0", num_agents=num_agents, render_mode="ansi")
    env.reset(seed=0)
    play(env, 40, Dice(2))
    page = watch(env.scene())
    assert overlaps(page.texts) == []
    layout = tiles.layout_of(num_agents)
    last = layout.tile(num_agents - 1)
    assert last.y + last.height < layout.strip_top
    assert last.x + last.width <= page.width - 24


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (3, 2), (6, 6), (1, 6), (6, 1)])
def test_payoffs_with_many_digits_fit_their_cells(shape, watch):
    payoffs = (np.random.default_rng(0).normal(size=(*shape, 2)) * 500).round(3)
    env = sde.make_env("matrix_game_v0", payoffs=payoffs, render_mode="ansi")
    env.reset(seed=0)
    play(env, 3, Dice(2))
    assert overlaps(watch(env.scene()).texts) == []


def color_count(frame, box, color):
    """Pixels of this colour in a box; tinting rounds a little."""
    part = frame[box.y : box.y + box.height, box.x : box.x + box.width].astype(int)
    return int((np.abs(part - color).max(-1) <= 4).sum())


@pytest.mark.parametrize("name", TABLES)
def test_the_cell_just_played_is_lit_and_no_other(name):
    for steps in (0, 1, 2, 5):
        scene = played(name, steps, dice_seed=steps).scene()
        frame, table = render.frame(scene), matrix.table_of(scene)
        lit = [
            (row, column)
            for row in range(table.rows)
            for column in range(table.columns)
            if color_count(frame, table.cell(row, column), LIT) > 500
        ]
        assert lit == ([scene.history[-1].actions] if steps else [])


def test_the_table_shows_the_noisy_payoffs_of_the_episode():
    scene = played("ipd_noise", 1).scene()
    assert scene.rewards != scene.game.reward_values
    assert (
        render.frame(scene) != render.frame(scene._replace(rewards=scene.game.reward_values))
    ).any()
    lines = render.text(scene).splitlines()
    assert any(f"{scene.rewards[2]:.2f}, {scene.rewards[3]:.2f}" in line for line in lines)


def test_the_strip_is_pale_for_cooperation_and_full_for_defection(watch):
    page = watch(ipd_scene((0, 1), (1, 1), (0, 0)))
    squares = [box for box in page.boxes if (box.width, box.height) == (14, 18)]
    assert len(squares) == 2 * 35
    frame = page.pixels()
    for player, rows in ((0, squares[:35]), (1, squares[35:])):
        for k, action in enumerate(((0, 1, 0), (1, 1, 0))[player]):
            corner = rows[k]._replace(width=4, height=18)
            assert color_count(frame, corner, action_shade(player, action, 2)) > 10
        assert color_count(frame, rows[3], QUIET) > 100


def cell_box(scene, cell):
    """A cell of the board in a frame."""
    layout = coin_layout.layout_of(scene.game)
    row, column = divmod(cell, scene.game.width)
    return Box(
        layout.x + column * layout.cell, layout.y + row * layout.cell, layout.cell, layout.cell
    )


def test_all_players_and_coins_on_one_cell_can_be_seen():
    scene = played("coin_3p", 0).scene()._replace(board=(4, 4, 4, 4, 1))
    frame = render.frame(scene)
    for player in range(3):
        assert color_count(frame, cell_box(scene, 4), player_color(player)) > 60
    assert color_count(frame, cell_box(scene, 0), player_color(0)) == 0


def test_a_coin_has_the_colour_of_its_owner():
    scene = played("coin", 0).scene()
    for owner in (0, 1):
        frame = render.frame(scene._replace(board=(0, 1, 8, owner)))
        assert color_count(frame, cell_box(scene, 8), player_color(owner)) > 800
        assert color_count(frame, cell_box(scene, 8), player_color(1 - owner)) == 0


def test_a_theft_is_drawn_with_its_path_through_the_edge_and_both_rewards(watch):
    scene = theft_scene()
    page = watch(scene)
    frame, words = page.pixels(), [text[0] for text in page.texts]
    assert words.count("+1") == 2  # on the board and on the card
    assert words.count("−2") >= 2
    assert {"took", "red", "'s coin"} <= set(words)
    for player, cells in ((0, (8, 2)), (1, (3, 5))):
        trail = mix(QUIET, player_color(player), 0.55)
        assert all(color_count(frame, cell_box(scene, cell), trail) > 20 for cell in cells)
    emblem = mix(QUIET, player_color(0), 0.35)  # a coin of player 0 lay here
    assert color_count(frame, cell_box(scene, 5), emblem) > 200


@pytest.mark.parametrize("count", range(1, 40))
def test_things_on_one_cell_stay_inside_it_and_apart(count):
    places = coin_board.arrangement(count)
    assert len(places) == count
    for i, (x, y, size) in enumerate(places):
        assert abs(x) + size / 2 <= 0.5
        assert abs(y) + size / 2 <= 0.5
        for x2, y2, _ in places[i + 1 :]:
            assert max(abs(x - x2), abs(y - y2)) >= size - 1e-9


@pytest.mark.parametrize("name", COIN_GAMES)
def test_every_player_and_coin_is_drawn_on_its_cell(name):
    scene = played(name, 7).scene()
    layout, game = coin_layout.layout_of(scene.game), scene.game
    pieces = coin_board.pieces_of(scene, layout)
    assert sorted(p.player for p in pieces if p.kind == "pawn") == list(range(game.num_agents))
    assert sum(p.kind == "coin" for p in pieces) == game.coins
    for piece in pieces:
        if piece.kind == "pawn":
            box = cell_box(scene, scene.board[piece.player])
            assert box.x <= piece.x <= box.x + box.width
            assert box.y <= piece.y <= box.y + box.height


def test_the_bars_are_cut_in_proportion(watch):
    page = Watched(300, 50)
    coin_panel.draw_shares(page, Box(10, 10, 200, 8), [(0, 3), (1, 1), (2, 0)])
    frame = page.pixels()
    widths = [int((frame[14] == player_color(player)).all(-1).sum()) for player in range(3)]
    assert 145 <= widths[0] <= 150
    assert 46 <= widths[1] <= 50
    assert widths[2] == 0
