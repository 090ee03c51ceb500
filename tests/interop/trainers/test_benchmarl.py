"""BenchMARL: our task, two algorithms (examples/trainers/with_benchmarl.py)."""

import pytest

from tests.interop.trainers.learned import DEFECTS, example

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script():
    return example("benchmarl", "benchmarl")


@pytest.mark.parametrize("name", ["Ippo", "Mappo"])
def test_ppo_defects_in_the_dilemma(script, name, tmp_path):
    means = script.mean_rewards(name, tmp_path)
    assert means[0] > -1.65
    assert means[-1] < DEFECTS


def test_flat_observations_of_the_coin_game_are_taken(script, tmp_path):
    task = {"env_id": "coin_game_v0", "flat": True}
    assert script.mean_rewards("Ippo", tmp_path, 3200, task)
