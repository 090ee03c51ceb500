"""Promise 10 of everything that is called: only documented errors, and nothing changed by them.

500 examples here, 100,000 among the slow tests."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

import social_dilemmas_env as sde
from tests.env.promises.machines import FIRST, ExactCalls, ManyGames, OneGame, StrategyCalls

# Machine -> examples in `make test`.
MACHINES = {OneGame: 170, ManyGames: 120, StrategyCalls: 160, ExactCalls: 50}
MANY = 25_000


def run(machine, examples, record_property):
    record_property("tries", examples)
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=quiet,
        ),
    )


def test_every_game_is_called():
    """A new game: add it to tests/helpers/games.py."""
    assert sorted(FIRST) == sorted(sde.list_envs())


@pytest.mark.parametrize("machine", MACHINES)
def test_any_calls_in_any_order(machine, record_property):
    run(machine, MACHINES[machine], record_property)


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES)
def test_very_many_calls_in_any_order(machine, record_property):
    run(machine, MANY, record_property)
