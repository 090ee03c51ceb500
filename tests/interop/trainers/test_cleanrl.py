"""Single files in CleanRL's manner (examples/trainers/with_cleanrl.py)."""

import pytest

from tests.interop.trainers.learned import (
    COOPERATES,
    DEFECTS,
    coin_rates,
    example,
    library,
    random_coin_rate,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script():
    return example("cleanrl", "torch")


def test_rows_of_the_dilemma_defect(script):
    assert script.both_seats()[-1] < DEFECTS


def test_rows_of_the_coin_game_take_coins_whoever_owns_them(script):
    rate, stolen = coin_rates(script.coin_taker())
    assert rate > 1.3 * random_coin_rate()
    assert 0.3 < stolen < 0.7


def test_one_seat_against_tit_for_tat_cooperates(script):
    assert script.against("tit_for_tat")[-1] > COOPERATES


def test_supersuits_vector_environments_defect_too(script):
    library("supersuit")
    assert script.through_supersuit()[-1] < DEFECTS
