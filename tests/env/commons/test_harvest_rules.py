"""The numbered rules of the Commons Harvest, by hand."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games.commons.harvest import EATEN, RIPE
from tests.env.commons.boards import (
    BACKWARD,
    EAST,
    FORWARD,
    LEFT,
    NOOP,
    NORTH,
    RIGHT,
    ROOM,
    SOUTH,
    SURE,
    TURN_LEFT,
    TURN_RIGHT,
    WEST,
    YARD,
    ZAP,
    part,
    places,
    standing,
    step,
)

AWAY = (1, 6, NORTH)  # in the yard, where nothing happens
GARDEN = YARD + "WWWWWWWWW\nW  AAA  W\nW   A   W\nW       W\nWWWWWWWWW"


# ----------------------------------------------------------------------------------- rules 1 to 3


@pytest.mark.parametrize("facing", [NORTH, EAST, SOUTH, WEST])
@pytest.mark.parametrize(
    ("action", "quarter"), [(FORWARD, 0), (RIGHT, 1), (BACKWARD, 2), (LEFT, 3)]
)
def test_steps_are_relative_to_the_facing(facing, action, quarter):
    env = standing([(5, 4, facing), AWAY])
    step(env, action, NOOP)
    rows, columns = [(-1, 0), (0, 1), (1, 0), (0, -1)][(facing + quarter) % 4]
    assert places(env)[0] == (5 + rows, 4 + columns)
    assert part(env, "facing")[0] == facing


@pytest.mark.parametrize(("action", "facing"), [(TURN_LEFT, WEST), (TURN_RIGHT, EAST)])
def test_turns_stay_on_the_cell(action, facing):
    env = standing([(5, 4, NORTH), AWAY])
    step(env, action, NOOP)
    assert places(env)[0] == (5, 4)
    assert part(env, "facing")[0] == facing


def test_walls_stop_a_step():
    env = standing([(3, 1, NORTH), (3, 7, EAST)])
    step(env, FORWARD, FORWARD)
    assert places(env) == [(3, 1), (3, 7)]


def test_a_standing_player_stops_a_step():
    env = standing([(4, 4, SOUTH), (5, 4, NORTH)])
    step(env, FORWARD, NOOP)
    assert places(env) == [(4, 4), (5, 4)]


def test_players_do_not_change_places():
    env = standing([(4, 4, SOUTH), (5, 4, NORTH)])
    for _ in range(5):
        step(env, FORWARD, FORWARD)
    assert places(env) == [(4, 4), (5, 4)]


def ends_of(players, actions, seeds=60):
    """Where players can end up, over random orders."""
    found = set()
    for seed in range(seeds):
        env = standing(players, seed=seed)
        step(env, *actions)
        found.add(tuple(places(env)))
    return found


def test_one_of_two_enters_a_cell():
    """Each of them in some order: both are missing in 60 orders once in 2^59."""
    found = ends_of([(4, 4, SOUTH), (6, 4, NORTH)], [FORWARD, FORWARD])
    assert found == {((5, 4), (6, 4)), ((4, 4), (5, 4))}


def test_a_chain_follows_if_the_first_goes_first():
    found = ends_of([(4, 4, SOUTH), (5, 4, SOUTH)], [FORWARD, FORWARD])
    assert found == {((5, 4), (6, 4)), ((4, 4), (6, 4))}


# ----------------------------------------------------------------------------------- rules 4 to 6


def test_who_enters_the_cell_of_an_apple_eats_it():
    env = standing([(5, 4, NORTH), AWAY], GARDEN)
    assert step(env, FORWARD, NOOP) == [1, 0]
    assert part(env, "apple")[1:] == [RIPE, RIPE, RIPE, EATEN]


def test_an_apple_is_back_every_second_step():
    """It is eaten in the step in which it grows, under the player."""
    env = standing([(5, 4, NORTH), AWAY], GARDEN, SURE)
    rewards = [step(env, *([FORWARD if t == 0 else NOOP, NOOP]))[0] for t in range(8)]
    assert rewards == [1, 0, 1, 0, 1, 0, 1, 0]


def test_the_count_is_that_of_the_step_before():
    """Counted with three ripe neighbours, it grows although two of them are gone by then."""
    env = standing([(5, 4, NORTH), (4, 5, NORTH)], GARDEN, ((0, 0, 0, 1), 1))
    assert step(env, FORWARD, NOOP) == [1, 0]
    assert part(env, "apple")[4] == EATEN
    assert step(env, BACKWARD, FORWARD) == [0, 1]  # counted before the second bite
    assert part(env, "apple")[1:] == [RIPE, RIPE, EATEN, 3]
    step(env, NOOP, LEFT)
    assert part(env, "apple")[4] == RIPE


def test_counts_stop_at_three_and_reach_two_cells():
    text = YARD + "WWWWWWWWW\nW   A   W\nW  AAA  W\nW A A A W\nW  AAA  W\nW   A   W\nWWWWWWWWW"
    env = standing([(4, 2, EAST), AWAY], text)
    step(env, FORWARD, NOOP)
    step(env, BACKWARD, NOOP)
    assert part(env, "apple")[2] == 3
    env = standing([(3, 5, WEST), AWAY], text)  # the northern tip: two diagonal, two in line
    step(env, FORWARD, NOOP)
    step(env, BACKWARD, NOOP)
    assert part(env, "apple")[1] == 3


def test_a_lonely_apple_never_comes_back():
    text = YARD + "WWWWWWWWW\nW A     W\nWWWWWWWWW"
    env = standing([(3, 3, WEST), AWAY], text, sde.spec("commons_harvest_v0").game().growth)
    rewards = [step(env, FORWARD if t == 0 else NOOP, NOOP)[0] for t in range(300)]
    assert sum(rewards) == 1


# ----------------------------------------------------------------------------------- rules 7 and 8


@pytest.mark.parametrize("facing", [NORTH, EAST, SOUTH, WEST])
def test_shape_of_the_beam(facing):
    """Three lines of three cells: beside me on both sides and ahead, in every direction."""
    room = YARD + "WWWWWWWWW\n" + "W       W\n" * 7 + "WWWWWWWWW"
    hit = set()
    for row in range(3, 10):
        for column in range(1, 8):
            if (row, column) != (6, 4):
                env = standing([(6, 4, facing), (row, column, NORTH)], room)
                step(env, ZAP, NOOP)
                if places(env)[1] is None:
                    hit.add((row - 6, column - 4))
    ahead, right = (
        [(-1, 0), (0, 1), (1, 0), (0, -1)][facing],
        [(0, 1), (1, 0), (0, -1), (-1, 0)][facing],
    )
    cells = [(a, 0) for a in (1, 2, 3)] + [(a, r) for a in (0, 1, 2) for r in (-1, 1)]
    assert hit == {(a * ahead[0] + r * right[0], a * ahead[1] + r * right[1]) for a, r in cells}


def test_a_line_stops_at_a_player():
    env = standing([(6, 4, NORTH), (5, 4, NORTH), (4, 4, NORTH)])
    step(env, ZAP, NOOP, NOOP)
    assert [place is None for place in places(env)] == [False, True, False]


def test_a_line_stops_at_a_wall():
    text = ROOM.replace("W       W\nW       W\nWWW", "W  W    W\nW       W\nWWW")
    env = standing([(7, 3, NORTH), (5, 3, NORTH)], text)
    step(env, ZAP, NOOP)
    assert places(env)[1] is not None


def test_lines_beside_me_do_not_need_the_cell_ahead():
    env = standing([(3, 4, NORTH), (3, 5, NORTH), (3, 3, NORTH)])
    step(env, ZAP, NOOP, NOOP)
    assert [place is None for place in places(env)] == [False, True, True]


def test_beams_see_players_after_the_moves():
    env = standing([(6, 4, NORTH), (4, 6, WEST)])
    step(env, ZAP, FORWARD)
    assert places(env)[1] is None


def test_two_who_shoot_each_other_are_both_hit():
    env = standing([(6, 4, NORTH), (4, 4, SOUTH)])
    step(env, ZAP, ZAP)
    assert places(env) == [None, None]


def test_one_shot_in_three_steps():
    env = standing([(6, 4, NORTH), AWAY])
    cooldowns = []
    for _ in range(7):
        step(env, ZAP, NOOP)
        cooldowns.append(part(env, "cooldown")[0])
    assert cooldowns == [2, 1, 0, 2, 1, 0, 2]


def test_who_was_shot_is_away_for_five_steps():
    env = standing([(6, 4, NORTH), (4, 4, NORTH)])
    gone = []
    for t in range(7):
        step(env, ZAP if t == 0 else NOOP, FORWARD)
        gone.append(places(env)[1] is None)
    assert gone == [True] * 5 + [False] * 2
    assert places(env)[1][0] == 1  # in the yard


def test_who_is_shot_still_moves_eats_and_shoots():
    env = standing([(5, 2, NORTH), (3, 2, EAST)], GARDEN)
    assert step(env, ZAP, FORWARD) == [0, 1]
    env = standing([(5, 2, NORTH), (4, 2, SOUTH)], GARDEN)
    step(env, ZAP, ZAP)
    assert places(env) == [None, None]


def test_returns_are_uniform_on_free_points_and_facings():
    """chi-square with 15 degrees of freedom: false alarm 1e-4 (critical value 44.3)."""
    counts = np.zeros((4, 4))
    for seed in range(1600):
        env = standing([(6, 4, NORTH), None], seed=seed)
        step(env, NOOP, NOOP)
        counts[places(env)[1][1] - 1, part(env, "facing")[1]] += 1
    assert ((counts - 100) ** 2 / 100).sum() < 44.3


def test_those_who_return_together_take_points_of_their_own():
    for seed in range(20):
        env = standing([None, None, None, (1, 2, NORTH)], seed=seed)
        step(env, NOOP, NOOP, NOOP, NOOP)
        assert sorted(places(env)) == [(1, 1), (1, 2), (1, 3), (1, 4)]


def test_the_cooldown_waits_while_one_is_away():
    env = standing([(6, 4, NORTH), (4, 4, SOUTH)])
    step(env, ZAP, ZAP)
    for _ in range(5):
        assert part(env, "cooldown") == [2, 2]
        step(env, NOOP, NOOP)
    assert part(env, "cooldown") == [2, 2]
    step(env, NOOP, NOOP)
    assert part(env, "cooldown") == [1, 1]


def test_without_beams():
    env = standing([(6, 4, NORTH), (4, 4, NORTH)], zap=False)
    assert env.action_space("player_0").n == 7
    for _ in range(4):
        step(env, NOOP, NOOP)
    assert places(env) == [(6, 4), (4, 4)]


# --------------------------------------------------------------------------------------- rule 10


def test_starts():
    """The first two inside, the others on points of their own; all apples ripe."""
    venv = sde.make_vec_env("commons_harvest_v0", 200)
    venv.reset(seed=0)
    rows, game = np.array(venv.get_state().board), venv.game
    cells = rows[:, :7]
    assert {frozenset(row) for row in cells[:, :2].tolist()} == {frozenset(game.inside_cells)}
    assert all(len(set(row)) == 5 for row in cells[:, 2:].tolist())
    assert set(cells[:, 2:].reshape(-1).tolist()) == set(game.spawn_cells)
    assert (rows[:, -64:] == RIPE).all()
    assert set(rows[:, 7:14].reshape(-1).tolist()) == {0, 1, 2, 3}


def test_numbers_of_the_maps():
    games = {name: sde.spec("commons_harvest_v0").game(map=name) for name in ("open", "closed")}
    assert games["open"].growth == ((0, 1, 2, 10), 400)
    assert games["closed"].growth == ((0, 1, 5, 25), 1000)
    assert games["open"].beam == (3, 2, 5)
    assert games["closed"].beam == (4, 1, 101)
    assert [len(game.apple_cells) for game in games.values()] == [64, 64]


def test_growth_as_rule_6_says():
    """Binomial, 20,000 cells a count: five standard errors, false alarm below 4e-6."""
    venv = sde.make_vec_env("commons_harvest_v0", 4000, map=GARDEN, num_agents=2)
    venv.reset(seed=3)
    state = venv.get_state()
    for count, rate in ((0, 0.0), (1, 1 / 400), (2, 2 / 400), (3, 10 / 400)):
        board = [row[:8] + [count] * 5 for row in state.board]
        venv.set_state(state._replace(board=board))
        venv.step(np.zeros((4000, 2), np.int64))
        grown = (np.array(venv.get_state().board)[:, 8:] == RIPE).mean()
        assert abs(grown - rate) <= 5 * (rate * (1 - rate) / 20000) ** 0.5
