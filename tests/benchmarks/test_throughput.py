"""The rows of the throughput command and the figures that they are compared with."""

from types import SimpleNamespace

import pytest

from benchmarks.harness.catalogue import catalogue
from benchmarks.throughput import cpu_rows, cuda_rows
from benchmarks.throughput.__main__ import main
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


def test_what_is_refused_makes_no_folder(tmp_path, capsys):
    words = ["--core", "9999", "--out", str(tmp_path / "results")]
    assert main(words) == 2
    assert "--core must be one of" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def measured(backends, monkeypatch):
    """Rows of these backends, each with a name of its own."""
    monkeypatch.setattr(cpu_rows, "BACKENDS", {name: cpu_rows.BACKENDS[name] for name in backends})
    rows = cpu_rows.measure_batches((2,), 0.001)
    assert len({row["name"] for row in rows}) == len(rows)
    assert all(row["steps_per_second"] > 0 for row in rows)
    return rows


def test_a_batch_is_measured_by_name(monkeypatch):
    """7x7 on numpy by the rules and in halves."""
    rows = measured(("numpy", "torch"), monkeypatch)
    assert len(rows) == 2 * 5 * 3 + 3
    assert choose_points(rows, "coin 3x3", "numpy", "state")[0][0] == 2
    halves = [row["game"] for row in rows if row["route"] == "halves"]
    assert halves == ["coin 7x7"] * 3


@pytest.mark.wide  # JAX compiles each
def test_batches_on_jax_are_measured_by_name(monkeypatch):
    pytest.importorskip("jax", reason="JAX is not installed")
    assert len(measured(("jax", "pure jax"), monkeypatch)) == 2 * 5 * 3


def test_the_faster_of_two_routes_is_drawn():
    row = {"game": "coin 7x7", "backend": "numpy", "obs_mode": "uint8", "num_envs": 4}
    rates = [("rules", 2.0), ("halves", 5.0), ("rules", 3.0)]
    rows = [{**row, "route": route, "steps_per_second": rate} for route, rate in rates]
    assert choose_points(rows, "coin 7x7", "numpy", "uint8") == [(4, 5.0)]


def test_peers_are_measured_in_turn_with_ours(tmp_path, monkeypatch):
    """Ratios are to the fastest of theirs."""
    slow, quick = (
        "def slow(n): return lambda k: sum(range(k * 9000))\n",
        "def quick(n): return str\n",
    )
    (tmp_path / "some_peers.py").write_text(slow + quick)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cpu_rows, "BACKENDS", {"numpy": cpu_rows.BACKENDS["numpy"]})
    monkeypatch.setattr(cpu_rows, "COMPARED", 8)
    rows = cpu_rows.measure_peers(["some_peers:slow", "some_peers:quick"], 0.01)
    names = ["some_peers:slow", "some_peers:quick", "ours, numpy"]
    assert [row["name"] for row in rows] == [f"{name}, B=8" for name in names]
    assert rows[1]["times_fastest_peer"] == 1.0 > rows[2]["times_fastest_peer"] > 0
    assert cpu_rows.measure_peers([], 0.01) == []


def test_a_peer_that_fails_does_so_before_anything_is_measured(tmp_path, monkeypatch, capsys):
    (tmp_path / "bad_peers.py").write_text("def bad(num_envs):\n    import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(cpu_rows, "measure_batches", lambda *_: pytest.fail("measured"))
    monkeypatch.delattr("os.sched_setaffinity")  # this process stays on its cores
    assert main(["--peer", "bad_peers:bad", "--out", str(tmp_path)]) == 2
    assert "no_such_library" in capsys.readouterr().err
