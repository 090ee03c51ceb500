"""Tables and rules are one game: look-ups and the rules themselves give identical boards, rewards
and observations."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_dilemmas_env import rng
from social_dilemmas_env.engine import tables
from social_dilemmas_env.engine.python_engine import (
    ListDriver,
    RuleDriver,
    SingleGame,
    driver,
)
from social_dilemmas_env.games.game import decode, encode
from tests.env.properties.coin_boards import coin_games, fast
from tests.helpers.games import COMMONS, GAMES, Dice, rules

TABLED = [name for name in GAMES if isinstance(driver(rules(name)), ListDriver)]
RULED = [
    "coin_3p",
    "coin_3p_mfos",
    "coin_5x5",
    "coin_3p_memory",
    "coin_3p_reciprocator",
    "coin_7p",
    "coin_each",
    "coin_memory",
    "govsim",
    "harvest",
    "harvest_closed",
    "harvest_small",
    "public_goods_9p",
]


def same(first, second):
    assert first.board == second.board
    assert first.get_state() == second.get_state()
    assert first.rewards == second.rewards
    for (agent, seen), (other, seen_too) in zip(
        first.observe().items(), second.observe().items(), strict=True
    ):
        assert agent == other
        assert seen.dtype == seen_too.dtype == np.float32
        assert seen.shape == seen_too.shape
        assert seen.tobytes() == seen_too.tobytes()


def walk(game, seed, episodes, steps):
    """Both routes through whole episodes; returns what was paid."""
    by_table, by_rule, dice = SingleGame(game), SingleGame(game, by_rules=True), Dice(seed)
    assert isinstance(by_rule.driver, RuleDriver)
    earned = []
    for episode in range(episodes):
        for single in (by_table, by_rule):
            single.reset(seed if episode == 0 else None)
        same(by_table, by_rule)
        for _ in range(min(game.max_cycles, steps)):
            actions = [dice.below(n) for n in game.num_actions]
            rewards = by_table.step(actions)
            assert rewards == by_rule.step(actions)
            assert list(map(type, rewards)) == [float] * len(actions)
            same(by_table, by_rule)
            earned.append(rewards)
        assert by_table.over == by_rule.over == (by_table.t == game.max_cycles)
    return earned


def test_which_games_are_tabled():
    """The lists below cover both routes, so that the comparison is one."""
    assert set(TABLED) | set(RULED) | set(COMMONS) == set(GAMES)
    assert len(TABLED) >= 20


@pytest.mark.parametrize("name", TABLED)
def test_whole_episodes(name):
    for seed in (0, 1, 2**40):
        earned = walk(rules(name), seed, episodes=2, steps=150)
    assert len(set(map(tuple, earned))) > 1 or name == "matrix_1p"


@fast
@given(
    coin_games(max_players=2), st.sampled_from([(2, 2), (2, 2), (2, 3)]), st.integers(0, 2**63 - 1)
)
def test_any_switches_and_seed(game, grid, seed):
    """On small boards, whose tables are made in no time."""
    grid = grid if game.coins == 1 else (2, 2)
    game = replace(game, height=grid[0], width=grid[1])
    assert tables.fits(game)
    walk(game, seed, episodes=2, steps=8)


@pytest.mark.parametrize(
    "name", ["coin", "coin_random", "coin_each_2x3", "coin_3p_2x2", "coin_mfos"]
)
def test_what_chance_makes_of_words(name):
    """For every pending board, random and extreme words: the outcome table picks what
    multiply-shift by the rules picks."""
    game, generator = rules(name), np.random.default_rng(1)
    table = tables.tables(game)
    boards = decode(
        np.arange(table.num_states * table.num_joint), (table.num_states, table.num_joint)
    )
    entries = generator.permutation(len(boards[0]))[:5_000]
    state, joint = boards[0][entries], boards[1][entries]
    pending, _ = game.act(decode(state, game.sizes), decode(joint, game.num_actions))
    words = generator.integers(0, 1 << 32, (game.streams, len(entries)))
    words[:, :200] = generator.choice(
        [0, 1, (1 << 32) - 1, 1 << 31, (1 << 31) - 1], (game.streams, 200)
    )
    by_rule = encode(
        game.chance(pending, lambda stream, n: rng.bounded(words[stream], n)), game.sizes
    )
    after = table.next_code[state * table.num_joint + joint].astype(np.int64)
    outcome_index = np.zeros(len(entries), np.int64)
    for stream, base in enumerate(table.bases):
        outcome_index = outcome_index * base + (words[stream] * base >> 32)
    marked = after >= table.num_states
    pending = (after[marked] - table.num_states) * table.span
    after[marked] = table.outcomes[pending + outcome_index[marked]]
    np.testing.assert_array_equal(after, by_rule)
    assert 0.1 < marked.mean() < 1


def test_tables_are_read_only_and_shared():
    table = tables.tables(rules("ipd"))
    assert table is tables.tables(rules("ipd"))
    for array in (table.next_code, table.outcomes, table.rewards):
        assert array.dtype == np.int32
        with pytest.raises(ValueError):
            array[...] = 0


@pytest.mark.parametrize("name", ["coin_5x5", "coin_each", "coin_7p", "public_goods_9p"])
def test_large_games_are_not_tabled(name):
    """Neither many transitions nor many outcomes: `coin_each` would have a list of 3.9 million of
    them."""
    assert isinstance(driver(rules(name)), RuleDriver)
    if not tables.fits(rules(name)):
        with pytest.raises(ValueError, match="too many for tables"):
            tables.tables(rules(name))


def test_no_table_is_larger_than_promised():
    for name in TABLED:
        table, game = tables.tables(rules(name)), rules(name)
        assert max(table.next_code.size, table.outcomes.size) <= tables.MAX_ENTRIES
        assert table.next_code.size == table.num_states * math.prod(game.num_actions)
        assert table.outcomes.size % table.span == 0
