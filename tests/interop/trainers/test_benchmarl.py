"""BenchMARL: our task, two algorithms (examples/trainers/with_benchmarl.py)."""

import pytest

from tests.interop.trainers.learned import DEFECTS, example

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["Ippo", "Mappo"])
def test_ppo_defects_in_the_dilemma(name, tmp_path):
    means = example("benchmarl", "benchmarl").mean_rewards(name, tmp_path)
    assert means[0] > -1.65
    assert means[-1] < DEFECTS
