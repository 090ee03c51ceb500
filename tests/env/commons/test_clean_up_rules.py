"""The numbered rules of Clean Up, by hand; the engine's traces are in `test_traces`."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.games.clean_up import clean_up
from tests.env.commons.boards import EAST, FORWARD, NOOP, NORTH, SOUTH, WEST, part, places, step

ZAP, CLEAN = 7, 8
SURE, NEVER = (1, 0, 1), (0, 0, 1)
RIVER = "WWWWWWWWW\nWHHHFHHHW\nWHHFFFHHW\nW       W\nW       W\nWPP   PPW\nWAA   AAW\nWWWWWWWWW"
AWAY = (4, 7, NORTH)


def standing(players, growth=NEVER, dirt_percent=0, **board):
    """An environment in which players stand at (row, column, facing)."""
    game = clean_up(map=RIVER, num_agents=len(players))
    env = DilemmaEnv("clean_up_v0", replace(game, growth=growth, dirt_percent=dirt_percent))
    env.reset(seed=0)
    parts = {name: part(env, name) for name, *_ in game.parts}
    parts["cell"] = [row * 9 + column for row, column, _ in players]
    parts["facing"] = [facing for *_, facing in players]
    parts |= board
    env.set_state(env.get_state()._replace(board=list(chain(*parts.values()))))
    return env


def dirty(env):
    """(row, column) of the dirt."""
    pairs = zip(env.game.dirt_cells, part(env, "dirt"), strict=True)
    return {divmod(cell, 9) for cell, dirt in pairs if dirt}


ALL = {(1, 4), (2, 3), (2, 4), (2, 5)}


def test_start():
    """No apple is ripe, and the river is dirty where the map says."""
    env = standing([(3, 4, NORTH), AWAY])
    assert dirty(env) == ALL
    assert part(env, "apple") == [0] * 4


def test_each_line_cleans_the_first_dirt_that_it_meets():
    env = standing([(4, 4, NORTH), AWAY])
    step(env, CLEAN, NOOP)
    assert dirty(env) == {(1, 4)}


def test_lines_beside_begin_beside():
    """Three cells each: from row 4 the lines beside reach row 2, the middle one row 1."""
    env = standing([(5, 4, NORTH), AWAY])
    step(env, CLEAN, NOOP)
    assert dirty(env) == {(1, 4), (2, 3), (2, 5)}


@pytest.mark.parametrize("facing", [EAST, SOUTH, WEST])
def test_beams_go_where_one_faces(facing):
    env = standing([(4, 4, facing), AWAY])
    step(env, CLEAN, NOOP)
    assert dirty(env) == ALL


def test_players_do_not_stop_the_cleaning_beam():
    env = standing([(4, 4, NORTH), (3, 4, NORTH)])
    step(env, CLEAN, NOOP)
    assert dirty(env) == {(1, 4)}


def test_one_cleaning_beam_in_three_steps():
    env = standing([(4, 4, SOUTH), AWAY])
    pauses = []
    for _ in range(5):
        step(env, CLEAN, NOOP)
        pauses.append(part(env, "cleaning")[0])
    assert pauses == [2, 1, 0, 2, 1]


def test_one_shot_in_eleven_steps_and_51_away():
    env = standing([(5, 4, NORTH), (3, 4, NORTH)])
    step(env, ZAP, NOOP)
    assert part(env, "cooldown")[0] == 10
    for t in range(51):
        assert places(env)[1] is None, t
        step(env, NOOP, NOOP)
    assert places(env)[1] is not None


def test_what_grows_under_a_player_pays_at_once_and_again_for_a_step_that_fails():
    env = standing([(6, 1, WEST), AWAY], SURE)
    assert step(env, NOOP, NOOP) == [1, 0]
    assert step(env, FORWARD, NOOP) == [2, 0]  # into the wall
    assert part(env, "apple")[0] == 0


def test_two_apples_in_one_step():
    """One that grew where the player stood, and one where it goes."""
    env = standing([(6, 1, EAST), AWAY], SURE)
    assert step(env, FORWARD, NOOP) == [2, 0]
    assert part(env, "apple") == [0, 0, 1, 1]


def test_growth_as_rule_5_says():
    """Binomial, 12,000 cells a number of dirty cells: five standard errors, 6e-7 each."""
    venv = sde.make_vec_env("clean_up_v0", 3000, map=RIVER, num_agents=2, zap=False)
    venv.reset(seed=4)
    state, total = venv.get_state(), len(venv.game.dirt_cells)
    assert total == 14
    for count in (0, 2, 5, 6, 14):
        dirt = [1] * count + [0] * (total - count)
        venv.set_state(state._replace(board=[row[:-total] + dirt for row in state.board]))
        venv.step(np.zeros((3000, 2), np.int64))
        grown = np.array(venv.get_state().board)[:, -total - 4 : -total].mean()
        rate = max(0.05 * (1 - count / total / 0.4), 0)
        assert abs(grown - rate) <= 5 * (rate * (1 - rate) / 12_000) ** 0.5


def test_dirt_comes_from_the_51st_step_on():
    env = standing([(4, 4, NORTH), AWAY], dirt_percent=100)
    for t in range(1, 62):
        step(env, NOOP, NOOP)
        assert len(dirty(env)) == min(4 + max(t - 50, 0), 14)


def test_dirt_comes_to_uniform_clean_cells():
    """chi-square with 9 degrees of freedom: false alarm 1e-4 (critical value 33.7)."""
    venv = sde.make_vec_env("clean_up_v0", 4000, map=RIVER, num_agents=2)
    venv.reset(seed=1)
    state, columns = venv.get_state(), list(venv.game.columns)
    clock, first = columns.index("clock_0"), columns.index("dirt_0")
    board = [[*row[:clock], 50, *row[clock + 1 :]] for row in state.board]
    venv.set_state(state._replace(board=board))
    before = np.array(board)[:, first:]
    venv.step(np.zeros((4000, 2), np.int64))
    new = np.array(venv.get_state().board)[:, first:] - before
    assert set(new.sum(1).tolist()) == {0, 1}
    counts = new.sum(0)[before[0] == 0]
    assert abs(counts.sum() - 2000) < 5 * 1000**0.5
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 33.7


def test_the_map():
    """147 cells of the river can get dirty, 79 are dirty at the start; 122 cells bear apples."""
    game = sde.spec("clean_up_v0").game()
    assert (len(game.dirt_cells), sum(game.dirty_at_start)) == (147, 79)
    assert (len(game.apple_cells), len(game.spawn_cells)) == (122, 19)
