"""Checks of arguments say which argument is wrong, what it must be, and what it was."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from social_dilemmas_env.validation import above, at_least, between, nearest, one_of


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
