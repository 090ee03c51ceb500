"""Scripted players of the commons: what they do by hand, and the same on every form and library."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.strategies.commons import CELLS, OWN_PLACE, VIEW

torch = pytest.importorskip("torch")
NAMES = {
    "commons_harvest_v0": ["greedy", "restrained"],
    "clean_up_v0": ["cleaner", "free_rider", "alternating"],
}
CASES = [(env_id, name) for env_id, names in NAMES.items() for name in names]


def view(**cells):
    """Class ids [1, 121]: floor, and classes at (rows ahead, columns to the right)."""
    ids = np.ones((1, CELLS), np.uint8)
    for class_id, places in cells.items():
        for ahead, right in places:
            ids[0, OWN_PLACE - ahead * VIEW[1] + right] = int(class_id[1:])
    return ids


def usual_move(name, env_id, ids, tries=40):
    """What it does most often: every eighth move is random."""
    player = sde.make_strategy(name, env_id)
    player.reset(tries, seed=1)
    moves = player.act(ids.repeat(tries, 0)).tolist()
    return max(set(moves), key=moves.count)


@pytest.mark.parametrize(
    ("place", "action"), [((3, 1), 1), ((-1, 0), 2), ((1, -4), 3), ((2, 5), 4), ((0, 1), 4)]
)
def test_greedy_goes_to_the_nearest_apple(place, action):
    ids = view(c2=[place, (9, 5)])
    assert usual_move("greedy", "commons_harvest_v0", ids) == action


def test_greedy_goes_round_a_wall():
    ids = view(c2=[(3, 1)], c0=[(1, 0)])
    assert usual_move("greedy", "commons_harvest_v0", ids) == 4


def test_restrained_leaves_an_apple_with_few_neighbours():
    lonely = view(c2=[(1, 0), (2, 0), (1, 1)])  # each has two
    assert usual_move("greedy", "commons_harvest_v0", lonely) == 1
    assert usual_move("restrained", "commons_harvest_v0", lonely) != 1
    enough = view(c2=[(1, 0), (2, 0), (1, 1), (2, 1)])
    assert usual_move("restrained", "commons_harvest_v0", enough) == 1


def test_a_cleaner_cleans_what_its_beam_reaches():
    assert usual_move("cleaner", "clean_up_v0", view(c4=[(3, 0)])) == 8
    assert usual_move("cleaner", "clean_up_v0", view(c4=[(2, 1)])) == 8
    assert usual_move("cleaner", "clean_up_v0", view(c4=[(4, 0)])) == 1
    assert usual_move("cleaner", "clean_up_v0", view(c4=[(3, 1)])) == 1
    assert usual_move("free_rider", "clean_up_v0", view(c4=[(3, 0)], c2=[(0, -2)])) == 3


def test_alternating_players_take_turns():
    player = sde.make_strategy("alternating", "clean_up_v0", player=1, period=3)
    ids = view(c4=[(1, 0)], c2=[(0, 1)]).repeat(60, 0)
    player.reset(60, seed=0)
    cleans = [(player.act(ids) == 8).mean() > 0.5 for _ in range(12)]
    assert cleans == [False] * 3 + [True] * 3 + [False] * 3 + [True] * 3


@pytest.mark.parametrize(("env_id", "name"), CASES)
def test_the_same_on_every_form_and_library(env_id, name):
    """Planes, flat planes and class ids, numpy and torch, while others walk at random."""
    forms = {mode: sde.make_vec_env(env_id, 6, obs_mode=mode) for mode in ("float32", "uint8")}
    seen = {mode: venv.reset(seed=2)[0] for mode, venv in forms.items()}
    players = [sde.make_strategy(name, env_id, player=1) for _ in range(4)]
    for player in players:
        player.reset(6, seed=5)
    rng = np.random.default_rng(0)
    for _ in range(25):
        planes, ids = seen["float32"][:, 1], seen["uint8"][:, 1]
        given = planes, planes.reshape(6, -1), ids, torch.as_tensor(ids)
        moves = [np.asarray(p.act(o)) for p, o in zip(players, given, strict=True)]
        for other in moves[1:]:
            np.testing.assert_array_equal(other, moves[0])
        actions = rng.integers(0, 7, (6, 7))
        actions[:, 1] = moves[0]
        seen = {mode: venv.step(actions)[0] for mode, venv in forms.items()}


def total(env_id, names, games, steps):
    """Apples of all players, [games]."""
    venv = sde.make_vec_env(env_id, games, obs_mode="uint8", max_cycles=steps + 1)
    seen, _ = venv.reset(seed=0)
    players = [sde.make_strategy(name, env_id, player=i) for i, name in enumerate(names)]
    for player in players:
        player.reset(games, seed=7)
    earned = np.zeros(games)
    for _ in range(steps):
        actions = np.stack([p.act(seen[:, i]) for i, p in enumerate(players)], 1)
        seen, rewards, *_ = venv.step(actions)
        earned += rewards.sum(1)
    return earned


def test_the_dilemma_of_clean_up():
    """Nothing grows for free riders alone; three cleaners feed four (no close call)."""
    assert total("clean_up_v0", ["free_rider"] * 7, 4, 150).sum() == 0
    fed = total("clean_up_v0", [*["cleaner"] * 3, *["free_rider"] * 4], 4, 250)
    assert fed.min() > 40


@pytest.mark.slow
def test_the_dilemma_of_harvest():
    """1,024 episodes of greedy players, 64 of restrained ones: five standard errors around what
    these rules and players gave when they were first run (68.3 and 572.6), false alarm 6e-7."""
    greedy = total("commons_harvest_v0", ["greedy"] * 7, 1024, 200)
    restrained = total("commons_harvest_v0", ["restrained"] * 7, 64, 1000)
    assert abs(greedy.mean() - 68.3) < 5 * greedy.std() / 32
    assert abs(restrained.mean() - 572.6) < 5 * (restrained.std() / 8 + 2.4)
