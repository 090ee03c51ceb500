"""How long a benchmark takes, said before it starts."""

import json

import pytest

from benchmarks.harness import duration
from benchmarks.harness.catalogue import catalogue
from benchmarks.harness.duration import describe_seconds, seconds_a_run
from benchmarks.harness.runner import Options, run_benchmark


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (12.4, "12 s"),
        (119.0, "119 s"),
        (120.0, "2 min"),
        (7_100.0, "118 min"),
        (7_200.0, "2.0 h"),
        (200_000.0, "2 days"),
    ],
)
def test_seconds_in_words(seconds, text):
    assert describe_seconds(seconds) == text


def test_seconds_come_from_the_stored_result_of_the_same_settings(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(duration, "RESULTS", tmp_path)
    plain, costly = toy.cells(toy.settings_for())
    assert seconds_a_run(toy, [plain, costly]) == {"plain": 1.0, "costly": 1.0}

    # 40 runs took 80 s; the other cell was not run.
    run_benchmark("toy", Options(out=tmp_path, only=("plain",)))
    path = tmp_path / "toy.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"seconds_by_cell": {"plain": 80.0}}))
    assert seconds_a_run(toy, [plain, costly]) == {"plain": 2.0, "costly": 1.0}

    # Other settings take another time.
    other, _ = toy.cells(toy.settings_for(faces=8))
    assert seconds_a_run(toy, [other]) == {"plain": 1.0}


def test_every_benchmark_has_a_time():
    for benchmark in catalogue().values():
        cells = benchmark.cells(benchmark.settings_for())
        assert all(seconds > 0 for seconds in seconds_a_run(benchmark, cells).values())
