"""What `harvest_learning` says of games: quantities by hand, who sits where, what a curve is."""

from itertools import islice

import numpy as np
import pytest

import social_dilemmas_env as sde
from benchmarks import harvest_learning as bench
from benchmarks.harness.benchmark import pick_settings

TINY = {"iterations": 2, "every": 1, "stage_episodes": 2, "episodes": 2, "mixed_episodes": 7}
TINY |= {"steps": 10, "batch": 2, "device": "cpu", "learner": "ippo, shared"}


class Still:
    """Does the same thing always, and notes what it was shown."""

    def __init__(self, action=0):
        self.action, self.shown = action, []

    def reset(self, num_games, seed=None):
        self.seed = seed

    def act(self, ids):
        self.shown.append(np.array(ids))
        return np.full(len(ids), self.action)


def test_of_a_game_without_a_move_nothing_is_eaten_but_what_one_stands_on():
    found = bench.play([Still() for _ in range(7)], 5, 30, 0)
    assert (found["apples"] == 0).all()
    assert (found["left"] == 64).all()
    assert (found["equality"] == 1).all()
    assert (found["sustainability"] == 0).all()
    assert (found["shots"] == 0).all()
    assert found["left over time"].shape == (5, 1)


def test_shots_are_a_player_in_100_steps():
    players = [Still(7 * (i == 0)) for i in range(7)]
    assert bench.play(players, 2, 20, 0)["shots"] == pytest.approx(100 / 7)


def test_returns_are_those_of_the_game_and_what_is_left_is_on_the_map():
    players = bench.scripted("greedy")
    found = bench.play(players, 4, 60, 3)
    eaten = found["returns"].sum(1)
    assert found["apples"] == pytest.approx(eaten / 7)
    assert (found["left"] >= 64 - eaten).all()  # some grow back
    assert (found["left"] < 64).all()
    assert found["left over time"].shape == (4, 2)
    assert (found["left over time"][:, -1] == found["left"]).all()
    assert ((found["sustainability"] > 0) & (found["sustainability"] < 60)).all()


def test_the_same_seed_is_the_same_games():
    one, two, other = (bench.play(bench.scripted("random"), 3, 40, s)["returns"] for s in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_either_player_acts_where_the_mask_says_so():
    mask = np.array([True, False, True])
    either = bench.Either(Still(3), Still(5), mask)
    either.reset(3, 0)
    assert either.act(np.zeros((3, 11, 11), np.uint8)).tolist() == [3, 5, 3]


@pytest.mark.parametrize("count", bench.MIXTURES)
def test_so_many_are_trained_and_seats_take_turns(count, monkeypatch):
    """The trained stand still and earn nothing; each seat is a trained one's in as many games."""
    asked = []
    monkeypatch.setattr(bench, "Either", lambda *given: asked.append(given[2]) or Still())
    bench.play_mixture([None] * 7, "greedy", count, TINY, 0)
    masks = np.stack(asked)  # [seat, game]
    assert masks.shape == (7, 7)
    assert (masks.sum(0) == count).all()
    assert (masks.sum(1) == count).all()


def test_kinds_are_told_apart():
    settings = {"mixed_episodes": 7, "steps": 40}
    mine, theirs = bench.play_mixture([Still() for _ in range(7)], "greedy", 3, settings, 0)
    assert mine == 0
    assert theirs > 3


def test_a_part_goes_on_where_it_was(tmp_path, monkeypatch):
    """Stages that were trained are not trained again, and the curve is whole."""
    looked, evaluate = [], bench.evaluate
    monkeypatch.setattr(bench, "evaluate", lambda *a, **k: looked.append(a) or evaluate(*a, **k))
    first = list(bench.train_stages(tmp_path, {**TINY, "iterations": 1}, 5))
    both = list(bench.train_stages(tmp_path, TINY, 5))
    assert both[:1] == first
    assert len(both) == len(looked) == 2

    result = bench.summary(bench.residents(next(tmp_path.glob("*/run"))), both, TINY, 5)
    assert len(result["curves"]["apples"]) == 2
    assert len(result["curves"]["trained"]) == len(bench.MIXTURES)
    assert set(result["samples"]) == {*bench.QUANTITIES, "among restrained", "among greedy"}


def test_residents_play_as_in_training(tmp_path):
    """Class ids are read as the planes that agents are shown."""
    list(bench.train_stages(tmp_path, {**TINY, "iterations": 1}, 5))
    run = next(tmp_path.glob("*/run"))
    resident, agent = bench.residents(run)[2], bench.players_of(run)[2]
    shown = {
        mode: sde.make_vec_env(bench.HARVEST, 4, obs_mode=mode) for mode in ("uint8", "float32")
    }
    ids, floats = (venv.reset(seed=3)[0][:, 2] for venv in shown.values())
    resident.reset(4, 9)
    player = bench.AgentPlayer(agent)
    player.reset(4, 9)
    assert (resident.act(ids) == player.act(floats)).all()


def test_every_row_has_a_cell_and_a_target_of_its_own():
    settings = dict(bench.SETTINGS) | {"device": "cpu"}
    cells, learners = bench.cells(settings), [*bench.LEARNERS, *bench.TRAINERS]
    assert [cell.name for cell in cells] == [*learners, *(f"all {n}" for n in bench.SCRIPTED)]
    judged = [row for cell in cells for row in cell.rows if row.target]
    assert [row.name for row in judged] == [f"{name}: apples" for name in learners]
    assert all(row.target == bench.TARGET for row in judged)
    assert all(set(pick_settings(settings, *bench.OWN)) <= set(cell.settings) for cell in cells[:5])


@pytest.mark.slow  # importing the libraries takes seconds
@pytest.mark.parametrize("name", bench.TRAINERS)
def test_others_ppo_plays_after_each_update(name):
    """Its actions are drawn anew, by a seed; planes are read from class ids."""
    pytest.importorskip("stable_baselines3" if name.startswith("Stable") else "torchrl")
    settings = {**TINY, "trainer": name, "iterations": 1}
    result = bench.score_trainer(settings, 3)
    assert set(result["samples"]) == {*bench.QUANTITIES, "among restrained", "among greedy"}
    assert result["curves"]["updates"] == [1]

    (act,) = islice(bench.TRAINERS[name](bench.HARVEST, 2, 10, 3), 1)
    seat, ids = bench.Seat(act, 9), np.ones((64, 11, 11), np.uint8)
    drawn = []
    for seed in (1, 1, 2):
        seat.reset(64, seed)
        drawn.append(seat.act(ids).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    assert {*range(8)} >= set(drawn[0])
