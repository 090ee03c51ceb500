"""What proximal LOQA's benchmarks count: computing time, thresholds, and whose cell is which."""

import pytest

from benchmarks import loqa_proximal, loqa_scalability
from benchmarks.harness.clock import Clock

CPU = {"device": "cpu"}


def evaluation(alone, against, core=2.0, seconds=5.0):
    scores = {"self": alone, "vs always_defect": against, "vs always_cooperate": 0.3}
    return {"core-s": core, "seconds": seconds, **scores}


def score_with(monkeypatch, module, evaluations, settings):
    """The result of a run whose training is these evaluations, every 20 iterations."""
    found = [(20 * (k + 1), each) for k, each in enumerate(evaluations)]
    asked = {}

    def train(folder, stages, evaluate, learner, env_id, **arguments):
        asked.update(arguments, learner=learner, env_id=env_id, stages=stages)
        return iter(found)

    monkeypatch.setattr(module, "train_in_stages", train)
    return module.score(settings, 1, 7), asked


def cell_of(module, name):
    return next(cell for cell in module.cells(CPU | module.SETTINGS) if cell.name == name)


def test_the_clock_counts_since_it_was_restarted(monkeypatch):
    times = iter([10.0, 13.0, 20.0, 20.5])
    monkeypatch.setattr("time.process_time", lambda: next(times))
    clock = Clock()
    assert clock.part() == 3.0
    clock.restart()
    assert clock.part() == 0.5


def test_thresholds_cost_what_was_computed_until_they_were_passed(monkeypatch):
    """On 7x7 rewards count six times: .05 alone is .3, above medium and strong."""
    cell = cell_of(loqa_scalability, "loqa_proximal 7x7")
    scores = [evaluation(0.0, -0.1), evaluation(0.05, -0.05), evaluation(0.05, -0.03)]
    result, asked = score_with(monkeypatch, loqa_scalability, scores, cell.settings)
    samples = result["samples"]
    assert samples["weak core-s"] == samples["medium core-s"] == [4.0]
    assert samples["strong core-s"] == [6.0]
    assert samples["strong games"] == [60 * 512]
    assert asked["remember"] == "pickups"
    assert asked["grid_size"] == 7


def test_a_run_that_never_passes_counts_as_all_its_time(monkeypatch):
    cell = cell_of(loqa_scalability, "loqa_proximal 3x3")
    scores = [evaluation(0.0, -0.5)] * 3
    result, _ = score_with(monkeypatch, loqa_scalability, scores, cell.settings)
    assert result["samples"]["strong core-s"] == [6.0]
    assert result["passed"] == []


def test_only_proximal_loqa_remembers_and_has_sizes_of_its_own():
    own = cell_of(loqa_scalability, "loqa_proximal 4x4").settings
    loqa = cell_of(loqa_scalability, "loqa 4x4").settings
    assert (own["batch"], own["iterations"], own["every"]) == (512, 900, 20)
    assert (loqa["batch"], loqa["iterations"], loqa["every"]) == (2048, 6000, 100)


@pytest.mark.parametrize(
    ("name", "env_id"),
    [
        ("seeds", "coin_game_v0"),
        ("three players", "coin_game_v0"),
        ("public goods of five", "public_goods_v0"),
        ("dilemma, naive", "ipd_v0"),
    ],
)
def test_a_cell_plays_its_own_game(monkeypatch, name, env_id):
    settings = cell_of(loqa_proximal, name).settings
    scores = [evaluation(0.3, -0.01)]
    _, asked = score_with(monkeypatch, loqa_proximal, scores, settings)
    assert asked["env_id"] == env_id
    assert ("remember" in asked) == (env_id == "coin_game_v0")


def test_one_run_is_in_reach_where_both_scores_are():
    near, far = evaluation(0.34, -0.03), evaluation(0.34, -0.05)
    assert loqa_proximal.summary([far, near], 3)["samples"]["in reach"] == [1.0]
    assert loqa_proximal.summary([near, far], 3)["samples"]["in reach"] == [0.0]
    assert loqa_proximal.summary([far, near], 3)["samples"]["core-s to strong"] == [2.0]


def test_every_target_is_of_a_cell_and_a_row():
    cells = {cell.name: cell for cell in loqa_proximal.cells(CPU | loqa_proximal.SETTINGS)}
    for name, targets in loqa_proximal.TARGETS.items():
        rows = {row.quantity: row.target for row in cells[name].rows}
        assert {quantity: rows[quantity] for quantity in targets} == targets
