"""What single benchmarks compute of policies, against numbers by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import load_agents
from benchmarks import coin_league, lola_table, loqa_ipd, mfos_table
from benchmarks.harness.assembly import ALL_CELLS
from benchmarks.harness.benchmark import Row
from benchmarks.harness.options import RESULTS
from benchmarks.harness.rejudging import rejudge

GRIM = torch.tensor([[1.0, 1, 0, 0, 0]], dtype=torch.float64)
FORGIVING = torch.tensor([[1.0, 1, 0, 1, 0.5]], dtype=torch.float64)


def test_after_mutual_defection():
    """Grim never leaves it; in the first step out of DD all four outcomes are as likely."""
    assert loqa_ipd.expected_self_play(GRIM, 100, "DD").tolist() == [-2]
    assert loqa_ipd.expected_self_play(FORGIVING, 1, "DD").tolist() == [-1.5]
    assert loqa_ipd.expected_self_play(GRIM, 100).tolist() == [-1]


def test_what_noise_costs():
    """Tit for tat, one error in 200 moves of each: pairs leave CC, and drift to DC, CD and DD."""
    table = torch.tensor([loqa_ipd.TIT_FOR_TAT], dtype=torch.float64)
    chain = np.full((4, 4), 0.0)
    p = np.array([0.995, 0.005, 0.995, 0.005])  # P(C) after CC, CD, DC, DD
    other = p[[0, 2, 1, 3]]
    for s in range(4):
        chain[s] = np.outer([p[s], 1 - p[s]], [other[s], 1 - other[s]]).flatten()
    at, paid = np.array([1.0, 0, 0, 0]) @ chain, 0.0
    for _ in range(100):
        paid, at = paid + at @ [-1, -3, 0, -2], at @ chain
    assert loqa_ipd.cost_of_noise(table).item() == pytest.approx(-1 - paid / 100, abs=1e-12)
    assert loqa_ipd.cost_of_noise(table).item() == pytest.approx(0.186, abs=5e-4)


def test_players_that_are_not_trained_are_scored_like_those_that_are():
    samples = {"tft": loqa_ipd.sample_player("tit_for_tat", 100)}
    samples = {"tft": {key: np.array(x) for key, x in samples["tft"].items()}}
    found = loqa_ipd.derive(samples)
    assert found.keys() == {"tft", "tft recovers", "tft, 1 % noise"}
    assert found["tft recovers"].tolist() == [-2]
    bundled = loqa_ipd.sample_player("bundled:loqa_proximal_ipd", 100)
    assert bundled["P(C|CD)"] == [pytest.approx(0.587, abs=1e-3)]
    assert bundled["self-play"] == [pytest.approx(-1, abs=1e-3)]


def test_recommended_runs_never_leave_mutual_defection_and_say_so():
    stored = json.loads((RESULTS / "loqa_ipd.json").read_text())
    rows = {row["name"]: row for row in stored["rows"]}
    assert rows["recommended recovers"]["ci_high"] < -1.99
    assert rows["standardised, zero critic recovers"]["ci_low"] > -1.6
    assert rows["bundled:loqa_ipd, 1 % noise"]["ours"] == pytest.approx(0.0395, abs=1e-4)


def test_one_who_robs_first_takes_every_coin_for_ten_steps():
    """Against always-cooperate, whose coins it alone takes then, and none of them afterwards."""

    class Cooperator(coin_league.AgentPlayer):
        def __init__(self, agent):
            game = agent.game_kwargs
            self.own = coin_league.sde.make_strategy("always_cooperate", "coin_game_v0", **game)
            self.reset, self.act = self.own.reset, self.own.act

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coin_league, "AgentPlayer", Cooperator)
        patch.setattr(coin_league, "play_episodes", kept := Kept(coin_league.play_episodes))
        agents = load_agents("bundled:exact_loqa_3x3")
        paid = coin_league.rob(agents, 64, 0)
    by_step = kept.games["rewards"]  # [T, B, 2]
    assert (by_step[10:, :, 0] >= 0).all()  # nobody loses a coin any more
    assert (by_step[:10, :, 0] < 0).any()
    assert (by_step[:, :, 1] >= 0).all()
    np.testing.assert_allclose(paid, by_step.mean(0))


class Kept:
    """A function that remembers what it returned last."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *words, **more):
        self.games = self.function(*words, **more)
        return self.games


def test_robbing_is_scored_for_every_learner_of_the_league():
    cells = {cell.name: cell for cell in coin_league.cells(coin_league.SETTINGS)}
    assert {"loqa robbed", "advantage_alignment robbed"} <= cells.keys()
    result = coin_league.score({"learner": "loqa", "robberies": 2}, 1, 0)
    (robber,), (robbed,), (gain,) = result["samples"].values()
    assert [row.quantity for row in cells["loqa robbed"].rows] == list(result["samples"])
    assert gain == pytest.approx(robber - coin_self(2), abs=1e-9)
    assert -1 < robbed < 1


def coin_self(episodes):
    agents = load_agents(coin_league.find_agents("loqa")[0])
    return coin_league.score_agent(agents, episodes=episodes, seed=0, opponents=())["self"]


def test_players_trained_at_the_rate_that_they_play_with_are_the_ones_that_are_judged(monkeypatch):
    cells = {cell.name: cell for cell in mfos_table.cells(mfos_table.SETTINGS | {"device": "cpu"})}
    learned, fixed = cells["IPD trained"], cells["IPD trained at rate 1"]
    assert fixed.settings == learned.settings | {"alpha": 1.0}
    assert all(row.judged and not row.note for row in fixed.rows)
    assert not any(row.judged for row in learned.rows)
    assert [row.paper for row in fixed.rows] == [row.paper for row in learned.rows]

    tiny = {"steps": 2, "batch": 1, "iterations": 1, "opponents": 2}
    found = mfos_table.score(fixed.settings | tiny, 2, 0)["samples"]
    assert found["alpha"].tolist() == [1, 1]
    assert mfos_table.score(learned.settings | tiny, 2, 0)["samples"]["alpha"].max() < 1


def test_ten_times_the_games():
    cells = {cell.name: cell for cell in lola_table.cells(lola_table.SETTINGS | {"device": "cpu"})}
    few, many = cells["IPD LOLA-PG"], cells["IPD LOLA-PG, ten times"]
    assert many.settings == few.settings | {"games": 40_000}
    assert (many.runs, many.chunk) == (few.runs, few.chunk)
    assert many.cost == 10 * few.cost
    assert "eta" not in many.settings


@pytest.mark.wide
def test_rows_that_compare_cells_are_made_of_stored_samples():
    """Those that are new in the file, and those that were not run; others stay as they are."""
    stored = json.loads((RESULTS / "loqa_ipd.json").read_text())
    assert rejudge(loqa_ipd.BENCHMARK, stored) == stored
    names = ("recommended recovers", "tit_for_tat, 1 % noise")
    fewer = stored | {"rows": [row for row in stored["rows"] if row["name"] not in names]}
    again = {row["name"]: row for row in rejudge(loqa_ipd.BENCHMARK, fewer)["rows"]}
    for name in names:
        (before,) = (row for row in stored["rows"] if row["name"] == name)
        assert again[name] == before
        assert before["cell"] == ALL_CELLS


def test_rows_that_nobody_can_compute_yet_say_so():
    """A new row whose cells are not there."""
    stored = json.loads((RESULTS / "loqa_ipd.json").read_text())
    new = replace(loqa_ipd.BENCHMARK, derived=(Row("a row of tomorrow", None),))
    *_, row = rejudge(new, stored)["rows"]
    assert (row["name"], row["verdict"]) == ("a row of tomorrow", "not run")

    def needs_more(samples):
        return {"x": samples["a cell of tomorrow"]}

    unable = replace(new, derive=needs_more)
    assert rejudge(unable, stored)["rows"][-1]["name"] == stored["rows"][-1]["name"]
