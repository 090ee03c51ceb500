"""Checks of arguments say which argument is wrong, what it must be, and what it was."""

import math
import operator
import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import rng, social_metrics
from social_dilemmas_env.single_agent.pool import OpponentPool
from social_dilemmas_env.validation import (
    above,
    at_least,
    between,
    integer,
    nearest,
    one_of,
    real_array,
)


@dataclass
class Config:
    """Some numbers."""

    first: object = 1
    second: object = 1


GOOD = [1, 1.0, 2, math.inf, np.float32(1.5), np.int64(3), Fraction(3, 2), None]


@pytest.mark.parametrize("value", GOOD)
def test_at_least_lets_pass(value):
    at_least(Config(1, value), 1, "first", "second")


@pytest.mark.parametrize("value", [0, 0.999, -1, -math.inf, math.nan, np.int8(0)])
def test_at_least_names_the_field(value):
    with pytest.raises(ValueError, match="second must be at least 1, got") as caught:
        at_least(Config(1, value), 1, "first", "second")
    assert str(caught.value).endswith(repr(value))


@pytest.mark.parametrize("check", [lambda c: at_least(c, 0, "first", "second")])
def test_the_first_wrong_field_is_named(check):
    with pytest.raises(ValueError, match="first must be at least 0, got -1"):
        check(Config(-1, -2))


@pytest.mark.parametrize(
    "check",
    [
        lambda config: at_least(config, 0, "second"),
        lambda config: above(config, 0, "second"),
        lambda config: between(config, 0, 9, "second"),
    ],
)
@pytest.mark.parametrize("value", [True, "1", [1], 1j])
def test_what_is_no_number(check, value):
    with pytest.raises(TypeError, match="second must be a number, got"):
        check(Config(1, value))


REAL = [1, True, [1, 2.5], np.float16([1, 2]), [Fraction(1, 2), 2], (), np.zeros((2, 0))]


@pytest.mark.parametrize("values", REAL)
def test_real_numbers_become_float64(values):
    array = real_array("these", values)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(array, np.asarray(values).astype(np.float64))


@pytest.mark.parametrize(
    "values", [1j, [1, 1j], np.zeros(2, np.complex64), "1", ["1"], None, [[1], [2, 3]], [10**400]]
)
def test_what_is_no_real_number_is_refused(values):
    with pytest.raises(TypeError, match="these must be real numbers, got"):
        real_array("these", values)


def test_tables_are_shown_in_one_line():
    with pytest.raises(TypeError) as error:
        real_array("these", np.full((50, 4), 1j))
    assert "\n" not in str(error.value)


def test_no_imaginary_part_is_lost_on_the_way():
    """numpy drops it with a warning."""
    uniform = np.full((5, 2), 0.5 + 0.5j)
    with pytest.raises(TypeError, match="the probabilities of a policy must be real numbers"):
        sde.exact_game("ipd_v0", gamma=0.96).policy(uniform)
    with pytest.raises(TypeError, match="returns must be real numbers"):
        social_metrics.gini([1j, 1])
    with pytest.raises(TypeError, match="weights must be real numbers"):
        OpponentPool(["tit_for_tat"], weights=[1j])


def test_a_field_that_there_is_not():
    with pytest.raises(AttributeError, match="third"):
        at_least(Config(), 0, "third")


def test_bounds_are_written_without_needless_digits():
    with pytest.raises(ValueError, match=r"first must be at least 0\.5, got 0$"):
        at_least(Config(0), 0.5, "first")
    with pytest.raises(ValueError, match=r"first must be at least 0, got -1$"):
        at_least(Config(-1), 0.0, "first")


@pytest.mark.parametrize("value", [0, -0.0, math.nan])
def test_above(value):
    above(Config(1e-300, None), 0, "first", "second")
    with pytest.raises(ValueError, match="second must be greater than 0, got"):
        above(Config(1, value), 0, "first", "second")


@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_between(value):
    between(Config(0, 1), 0, 1, "first", "second")
    between(Config(None, 0.5), 0, 1, "first", "second")
    with pytest.raises(ValueError, match=r"second must lie in \[0, 1\], got"):
        between(Config(0.5, value), 0, 1, "first", "second")


def test_one_of_returns_the_word():
    assert one_of("mode", "fast", ("fast", "slow")) == "fast"


def test_one_of_lists_the_words_and_names_the_nearest():
    with pytest.raises(ValueError, match=r"^mode must be one of 'fast', 'slow'; got 'fats'; did"):
        one_of("mode", "fats", ("fast", "slow"))


@pytest.mark.parametrize("value", ["", "zzz", 3, None, ["fast"], np.array(["fast"])])
def test_one_of_without_a_near_word(value):
    with pytest.raises(ValueError, match=r"^mode must be one of 'fast', 'slow'; got") as caught:
        one_of("mode", value, ("fast", "slow"))
    assert "did you mean" not in str(caught.value)


def test_nearest():
    known = ["tit_for_tat", "always_defect", "grim"]
    assert nearest("tit_for_tot", known) == "did you mean 'tit_for_tat'?"
    assert nearest("zzz", known) == "there are tit_for_tat, always_defect, grim"


# -------------------------------------------------------------------------------- integers, costs


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_a_bool_is_no_integer(value, monkeypatch):
    """Neither Python's nor numpy's, which is an index in numpy 1.26 (imitated here)."""
    monkeypatch.setattr(operator, "index", int)
    with pytest.raises(TypeError, match="max_cycles must be an integer"):
        integer("max_cycles", value, 0)
    with pytest.raises(TypeError, match="seed must be an integer"):
        rng.check_seed(value)
    with pytest.raises(TypeError, match="max_cycles must be an integer"):
        sde.make_env("ipd_v0", max_cycles=value)
    with pytest.raises(TypeError, match="num_envs must be an integer"):
        sde.make_vec_env("ipd_v0", value)
    env = sde.make_env("ipd_v0")
    with pytest.raises(TypeError, match="must be an integer"):
        env.reset(seed=value)
    state = sde.make_env("ipd_v0")
    state.reset(seed=1)
    for field in ("seed", "episode", "t", "over"):
        with pytest.raises(TypeError, match="must be an integer"):
            env.set_state(state.get_state()._replace(**{field: value}))


COSTLY = {
    "12 million parts of a coin": {"num_agents": 17, "ties": "split", "grid_size": (3, 6)},
    "18 players": {"num_agents": 18, "ties": "split", "coin_avoids_players": False, "grid_size": 2},
    "a billion players": {"num_agents": 10**9, "variant": "mfos"},
    "a billion on no board": {"num_agents": 10**9},
    "a billion coins": {"coins": 10**9},
    "a large board": {"grid_size": 10**9},
    "a very large board": {"grid_size": (10**300, 10**300), "num_agents": 31},
}


@pytest.mark.parametrize("case", COSTLY)
def test_what_would_cost_much_is_refused_before_it_is_paid(case):
    """18 players who split coins took 25 s and 1.6 GB."""
    before = time.process_time()
    with pytest.raises(ValueError, match=r"too many states|too small|coins must be|at most 12"):
        sde.make_env("coin_game_v0", **COSTLY[case])
    assert time.process_time() - before < 0.5


def test_the_most_players_who_can_split():
    """Their coins have 27,720 parts."""
    env = sde.make_env("coin_game_v0", num_agents=12, ties="split", grid_size=4)
    assert len(env.payoffs) == 3 * 27720 + 1
    with pytest.raises(ValueError, match="at most 12 players"):
        sde.make_env("coin_game_v0", num_agents=13, ties="split", grid_size=4)


def test_other_arguments_that_would_cost_much():
    before = time.process_time()
    with pytest.raises(ValueError, match="num_agents must be at most 32"):
        sde.make_env("public_goods_v0", num_agents=10**12)
    with pytest.raises(ValueError, match=r"at most 2\^24"):
        sde.make_env("ipd_v0", max_cycles=10**12)
    with pytest.raises(ValueError, match=r"at most 2\^31"):
        sde.make_vec_env("ipd_v0", 10**12)
    assert time.process_time() - before < 0.5
