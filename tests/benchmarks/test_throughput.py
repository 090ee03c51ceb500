"""The rows of the throughput command and the figures that they are compared with."""

import importlib.util
from types import SimpleNamespace

import pytest

from benchmarks.harness.catalogue import catalogue
from benchmarks.throughput import cpu_rows, cuda_rows
from benchmarks.throughput.figures import FIGURES, best, compare_figures, judge_figure
from benchmarks.throughput.loops import steps_per_second
from benchmarks.throughput.picture import choose_points


@pytest.mark.parametrize(
    ("name", "ours", "verdict"),
    [
        ("x", 2.0, "holds"),
        ("x", 1.0, "holds"),
        ("x", 0.9, "not reproduced"),
        ("x, below", 0.9, "holds"),
        ("x, below", 1.1, "not reproduced"),
        ("x", None, "not run"),
    ],
)
def test_a_figure_is_reproduced_on_the_right_side_of_its_bound(name, ours, verdict):
    assert judge_figure(name, ours, 1.0, "ratio")["verdict"] == verdict


def test_the_best_row_with_these_columns():
    rows = [
        {"game": "a", "steps_per_second": 1.0},
        {"game": "a", "steps_per_second": 2.0},
        {"game": "b", "steps_per_second": 3.0},
    ]
    assert best(rows, game="a") == 2.0
    assert best(rows, game="c") is None


def test_figures_are_read_from_the_rows_that_they_name():
    def row(game, obs_mode, rate, **more):
        common = {"backend": "numpy", "route": "tables", "num_envs": cpu_rows.COMPARED}
        return {"game": game, "obs_mode": obs_mode, "steps_per_second": rate} | common | more

    report = {
        "measurements": [
            row("coin 3x3", "float32", 13e6, backend="torch"),
            row("coin 3x3", "float32", 99e6, backend="torch", route="rules"),
            row("coin 7x7", "state", 7e6, route="rules"),
            row("ipd", "uint8", 1e9, num_envs=1),
        ],
        "ratios": [{"name": f"x: {cpu_rows.FRESH}", "obs_mode": "uint8", "ratio": 0.8}],
        "single": [{"name": "coin_game_v0", "times_rps_v2": 13.0}],
        "memory_bytes": 65e6,
        "cuda": {"rows": []},
    }
    rows = {row["name"]: row for row in compare_figures(report)}
    assert list(rows) == list(FIGURES)
    assert rows["3x3 torch float32"]["ours"] == 13e6
    assert rows["7x7 numpy state ids"]["verdict"] == "not reproduced"
    assert rows["ipd numpy uint8"]["verdict"] == "not run"
    assert rows["3x3 numpy uint8, of the bare table loop"]["verdict"] == "holds"
    assert rows["one Coin Game, times rps_v2"]["verdict"] == "holds"
    assert rows["memory of 65536 games, uint8, below"]["verdict"] == "not reproduced"


@pytest.mark.parametrize(
    ("obs_mode", "expected"),
    [("float32", 4 * 72), ("uint8", 72), ("state", 4 * 2)],  # 3x3 boards of 4 layers, 2 players
)
def test_bytes_of_a_step_go_by_the_observation_shape(obs_mode, expected):
    game = SimpleNamespace(observation_shape=(4, 3, 3))
    venv = SimpleNamespace(num_agents=2, game=game, obs_mode=obs_mode)
    assert cuda_rows.bytes_per_step(venv) == expected + 2 * (4 + 2 + 8) + 16


def test_neither_name_of_the_command_is_a_benchmark():
    assert catalogue().keys().isdisjoint({"throughput", "env_throughput"})


def test_a_clock_that_stands_still_is_no_division_by_zero(monkeypatch):
    monkeypatch.setattr("time.process_time", lambda: 5.0)
    assert min(steps_per_second({"nothing": lambda steps: None}, 4, 0.0)["nothing"]) > 0


@pytest.mark.wide  # JAX compiles each
def test_a_batch_is_measured_by_name():
    rows = cpu_rows.measure_batches((2,), 0.001)
    jax = importlib.util.find_spec("jax") is not None
    assert len({row["name"] for row in rows}) == len(rows) == (60 if jax else 30)
    assert all(row["steps_per_second"] > 0 for row in rows)
    assert choose_points(rows, "coin 3x3", "numpy", "state")[0][0] == 2
