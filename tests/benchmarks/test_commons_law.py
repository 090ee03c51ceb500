"""The engine's numbers in the benchmark are those that its recorded games give."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.commons_law import CASES, ENGINE_EPISODES, EVERY, HARVEST

LAW = Path(__file__).parents[1] / "oracle" / "law"
FILES = {
    (data["game"], tuple(data["players"])): data
    for data in (json.loads(path.read_text()) for path in LAW.glob("*.json"))
}


def mean_and_error(values):
    return values.mean(), values.std(ddof=1) / len(values) ** 0.5


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_those_of_the_recorded_games(name):
    case = CASES[name]
    recorded = FILES[case.env_id, case.players]
    assert recorded["steps"] == case.steps
    apples = np.array(recorded["rewards"]).sum(1)
    assert len(apples) == ENGINE_EPISODES

    harvest = case.env_id == HARVEST
    left = np.array(recorded["apples_left" if harvest else "dirt"], float)
    left = left[:, case.engine.at // EVERY - 1] / (1 if harvest else 147)  # cells of the river
    np.testing.assert_allclose(case.engine.apples, mean_and_error(apples), atol=5e-3)
    np.testing.assert_allclose(
        case.engine.left, mean_and_error(left), atol=5e-3 if harvest else 5e-5
    )


def test_every_recorded_kind_is_a_case():
    assert set(FILES) == {(case.env_id, case.players) for case in CASES.values()}
