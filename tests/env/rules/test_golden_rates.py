"""The Coin Game's published rates: mean reward per step of scripted pairs, on the rules and by the
strategies of each paper.

    loqa    LOQA (arXiv:2405.01035): its league's results and an independent simulation of its
            rules, 20,000 episodes of 50 steps; "loqa" definitions
    pola    POLA (arXiv:2210.10125), jax_files/result_plots.py: its reference lines 1/3 and -0.26,
            50 steps; "pola" definitions
    lola    LOLA (arXiv:1709.04326), where red wins ties, 150 steps; "pola" definitions (two
            digits, from a simulation of 4,000 games)

Three comparisons: what the rules and strategies give exactly, against the printed numbers; samples
against what is exact, within 4.5 standard errors; and 20,000 episodes against the printed numbers,
within 0.004.  Seeds are fixed; should the draws ever change, the chance that one of the 120 bounds
of 4.5 standard errors fails is below 1e-3."""

from functools import cache

import numpy as np
import pytest

from social_dilemmas_env import spec
from social_dilemmas_env.strategies import make_strategy
from tests.env.rules.rollout import exact_rates, rates

AC, AD, RANDOM = "always_cooperate", "always_defect", "random"
# variant, grid, pair, printed rewards of the first and the second player, their last digit
ROWS = [
    ("loqa", 3, (AC, AC), (0.349, 0.349), 0.001),
    ("loqa", 3, (AD, AD), (0.000, 0.000), 0.001),
    ("loqa", 3, (AC, AD), (-0.265, 0.637), 0.001),
    ("loqa", 3, (AD, AC), (0.637, -0.265), 0.001),
    ("loqa", 3, (RANDOM, RANDOM), (0.000, 0.000), 0.001),
    ("loqa", 3, (RANDOM, AD), (-0.531, 0.531), 0.001),
    ("loqa", 3, (RANDOM, AC), (0.115, 0.060), 0.001),
    ("loqa", 4, (AC, AC), (0.243, 0.243), 0.001),
    ("loqa", 4, (AD, AD), (0.000, 0.000), 0.001),
    ("loqa", 4, (AC, AD), (-0.168, 0.442), 0.001),
    ("loqa", 5, (AC, AC), (0.203, 0.203), 0.001),
    ("loqa", 5, (AC, AD), (-0.140, 0.370), 0.001),
    ("loqa", 6, (AC, AC), (0.163, 0.163), 0.001),
    ("loqa", 6, (AC, AD), (-0.111, 0.298), 0.001),
    ("loqa", 7, (AC, AC), (0.142, 0.142), 0.001),
    ("loqa", 7, (AC, AD), (-0.096, 0.259), 0.001),
    ("pola", 3, (AC, AC), (0.333, 0.333), 0.001),
    ("pola", 3, (AD, AD), (0.000, 0.000), 0.001),
    ("pola", 3, (AC, AD), (-0.26, 0.62), 0.01),
    ("pola", 3, (AD, AC), (0.62, -0.26), 0.01),
    ("lola", 3, (AC, AC), (0.333, 0.333), 0.001),
    ("lola", 3, (AD, AD), (0.66, -0.66), 0.01),
    ("lola", 3, (AC, AD), (0.05, 0.47), 0.01),
    ("lola", 3, (AD, AC), (0.62, -0.42), 0.01),
    ("lola", 3, (RANDOM, RANDOM), (0.013, -0.013), 0.001),
]
SMALL = [row for row in ROWS if row[1] <= 4]  # few enough boards for the exact values


def rows(chosen):
    names = [
        f"{row[0]}-{row[1]}x{row[1]}-{'-vs-'.join(row[2])}".replace("always_", "") for row in chosen
    ]
    return pytest.mark.parametrize("row", chosen, ids=names)


def setting(variant, grid, pair):
    """The rules and the players of a row."""
    arguments = {"variant": variant, "grid_size": grid}
    game = spec("coin_game_v0").game(**arguments)
    definition = {} if variant == "loqa" else {"definition": "pola"}
    players = [
        make_strategy(
            name, "coin_game_v0", player=i, **arguments, **(definition if name != RANDOM else {})
        )
        for i, name in enumerate(pair)
    ]
    return game, players


@cache
def exact(variant, grid, pair):
    game, players = setting(variant, grid, pair)
    return exact_rates(game, players, game.max_cycles)


def sampled(row, episodes, seed):
    game, players = setting(*row[:3])
    return rates(game, players, episodes, game.max_cycles, seed)


@rows(SMALL)
def test_exact_rates_are_the_printed_ones(row):
    """Within half the last digit and 0.001, the standard error of what was printed."""
    assert np.abs(exact(*row[:3]) - row[3]).max() <= row[4] / 2 + 0.001


@rows(SMALL)
def test_two_thousand_episodes_agree_with_the_exact_rates(row):
    mean, error = sampled(row, 2_000, seed=17)
    assert (np.abs(mean - exact(*row[:3])) <= 4.5 * error).all(), (
        f"{mean} +- {error}, exactly {exact(*row[:3])}"
    )


@rows([row for row in ROWS if row not in SMALL])
def test_two_thousand_episodes_on_larger_boards(row):
    mean, error = sampled(row, 2_000, seed=17)
    assert (np.abs(mean - row[3]) <= 4.5 * error + 0.002).all(), (
        f"{mean} +- {error}, printed {row[3]}"
    )


@pytest.mark.slow
@rows(ROWS)
def test_twenty_thousand_episodes(row):
    mean, error = sampled(row, 20_000, seed=0)
    if row[4] < 0.004:
        assert np.abs(mean - row[3]).max() <= 0.004, f"{mean} +- {error}, printed {row[3]}"
    if row in SMALL:
        assert (np.abs(mean - exact(*row[:3])) <= 4.5 * error).all(), (
            f"{mean} +- {error}, exactly {exact(*row[:3])}"
        )


def test_cooperation_is_symmetric_and_greed_zero_sum():
    """Exactly: the rules favour neither colour unless red wins ties, and two greedy players only
    move coins about."""
    for variant in ("loqa", "pola"):
        for pair in ((AC, AC), (AD, AD), (RANDOM, RANDOM)):
            assert np.ptp(exact(variant, 3, pair)) < 1e-12
        assert exact(variant, 3, (AC, AD)) == pytest.approx(
            exact(variant, 3, (AD, AC))[::-1], abs=1e-12
        )
        assert exact(variant, 3, (AD, AD)) == pytest.approx([0, 0], abs=1e-12)
    assert exact("lola", 3, (AD, AD)).sum() == pytest.approx(0, abs=1e-12)


def test_the_rates_tell_the_rules_and_the_definitions_apart():
    """Who wins ties, and how a cooperator goes away: far more than the tolerances above."""
    assert exact("lola", 3, (AD, AD))[0] - exact("pola", 3, (AD, AD))[0] > 0.6
    assert exact("loqa", 3, (AC, AC))[0] - exact("pola", 3, (AC, AC))[0] > 0.016
