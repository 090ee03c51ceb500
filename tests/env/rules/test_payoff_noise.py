"""`payoff_noise`: every entry of the table shifted by its own uniform draw, anew each episode, and
fixed within one.

The statistical tests use fixed seeds, so they never flicker; their false-alarm rate is the chance
that a correct generator would have failed with these seeds."""

import numpy as np
import pytest
from scipy import stats

import social_dilemmas_env as sde
from tests.helpers.games import THREE_PLAYERS

GAMES = {
    "ipd_v0": {},
    "imp_v0": {},
    "rps_v0": {},
    "stag_hunt_v0": {},
    "chicken_v0": {},
    "bach_stravinsky_v0": {},
    "matrix_game_v0": {"payoffs": THREE_PLAYERS},
}


def shifts(env_id, noise, episodes, seed=0):
    """The noise of each entry of the table in each episode: [episodes, entries]."""
    env = sde.make_env(env_id, payoff_noise=noise, **GAMES[env_id])
    env.reset(seed=seed)
    certain, found = sde.payoffs(env_id, **GAMES[env_id]).ravel(), []
    for _ in range(episodes):
        found.append(np.array(env.payoffs) - certain)
        env.reset()
    return np.array(found)


def play_all(env):
    """The rewards of an episode in which every joint action of two players with two actions
    occurs."""
    rounds = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0), (1, 1), (1, 0), (0, 1)]
    return [tuple(env.step({"player_0": a, "player_1": b})[1].values()) for a, b in rounds]


@pytest.mark.parametrize("env_id", GAMES)
def test_in_range_and_different_everywhere(env_id):
    found = shifts(env_id, 0.25, 100)
    assert np.abs(found).max() <= 0.25
    assert np.abs(found).max() > 0.24
    assert (
        len(np.unique(found)) == found.size
    )  # no entry shares its draw with another, or with another episode's


def test_fixed_within_an_episode_and_what_is_paid():
    env = sde.make_env("ipd_v0", payoff_noise=0.5)
    for seed in range(5):
        env.reset(seed=seed)
        table = np.array(env.payoffs).reshape(2, 2, 2)
        rewards = play_all(env)
        assert rewards[0] == rewards[4]
        assert rewards[1] == rewards[7]
        assert rewards[2] == rewards[6]
        assert [*rewards[0], *rewards[1], *rewards[2], *rewards[3]] == table.ravel().tolist()
        assert all(type(reward) is float for pair in rewards for reward in pair)


def test_anew_each_episode_and_reproducible():
    first, second = (sde.make_env("ipd_v0", payoff_noise=0.5) for _ in range(2))
    first.reset(seed=9)
    second.reset(seed=9)
    tables = []
    for _ in range(20):
        assert first.payoffs == second.payoffs
        tables.append(first.payoffs)
        play_all(first)  # what is played in one does not matter to the noise of the next
        first.reset()
        second.reset()
    assert len(set(tables)) == 20
    second.reset(seed=10)
    assert second.payoffs not in tables


def test_noise_does_not_change_the_game_otherwise():
    loud, quiet = sde.make_env("ipd_v0", payoff_noise=0.5), sde.make_env("ipd_v0")
    assert sde.payoffs("ipd_v0", payoff_noise=0.5).tolist() == sde.payoffs("ipd_v0").tolist()
    loud.reset(seed=1)
    quiet.reset(seed=1)
    for a, b in [(0, 1), (1, 1), (1, 0)]:
        actions = {"player_0": a, "player_1": b}
        seen, seen_too = loud.step(actions)[0], quiet.step(actions)[0]
        assert all((seen[agent] == seen_too[agent]).all() for agent in seen)


def test_state_carries_the_noise():
    env, other = (sde.make_env("ipd_v0", payoff_noise=0.5) for _ in range(2))
    env.reset(seed=4)
    env.reset()
    other.reset(seed=77)
    other.set_state(env.get_state())
    assert other.payoffs == env.payoffs


def test_no_noise_is_the_table_itself():
    env = sde.make_env("ipd_v0", payoff_noise=0.0)
    env.reset(seed=0)
    assert env.payoffs == (-1.0, -1.0, -3.0, 0.0, 0.0, -3.0, -2.0, -2.0)


@pytest.mark.parametrize("seed", [0, 1])
def test_uniform(seed):
    """Kolmogorov-Smirnov on 8 entries x 2,000 episodes, each entry alone and all together: false
    alarm < 1e-5 in all."""
    found = shifts("ipd_v0", 0.5, 2_000, seed)
    for sample in (*found.T, found.ravel()):
        assert stats.kstest(sample, stats.uniform(-0.5, 1.0).cdf).pvalue > 1e-6 / 2
    again = np.array(
        shifts("ipd_v0", 0.5, 2_000, seed + 10**12)
    )  # other seeds: no two episodes alike
    assert not set(found[:, 0]) & set(again[:, 0])


def test_entries_and_episodes_are_independent():
    """Chi-square on 8x8 cells of (one entry, another) and of (episode k, episode k + 1).

    False alarm < 1e-5 in all.
    """
    cells = ((shifts("ipd_v0", 0.5, 8_000) + 0.5) * 8).astype(int)
    pairs = [(cells[:, i], cells[:, j]) for i in range(8) for j in range(i)]
    pairs += [(cells[:-1, i], cells[1:, i]) for i in range(8)]
    for first, second in pairs:
        counts = np.bincount(first * 8 + second, minlength=64)
        assert stats.chisquare(counts).pvalue > 1e-5 / len(pairs)
