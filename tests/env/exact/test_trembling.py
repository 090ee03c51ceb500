"""Exact games with switches, against the plain ones and against play."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.env.exact.games import coin, ipd, some_policies


@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("make", [ipd, lambda **kw: coin(None, **kw)], ids=["ipd", "coin"])
def test_trembling_is_a_mixture_of_policies(make, noise):
    """Hands that tremble play (1 - p) pi + p / A of the game in which they do not."""
    plain, shaky = make(), make(action_noise=noise)
    for seed in range(2):
        policies = some_policies(plain, seed)
        mixed = [(1 - noise) * policy + noise / policy.shape[1] for policy in policies]
        np.testing.assert_allclose(shaky.score(policies), plain.score(mixed), atol=1e-9)
        np.testing.assert_allclose(
            shaky.finite(5).score(policies), plain.finite(5).score(mixed), atol=1e-12
        )


def test_best_responses_take_it_into_account():
    """Against an unforgiving player one slip ends cooperation: with noise it is worth less."""
    plain = sde.exact_game("ipd_v0", memory="grudge")
    shaky = sde.exact_game("ipd_v0", memory="grudge", action_noise=0.05)
    scores = [game.best_response([None, game.policy("grim")])[1][0] for game in (plain, shaky)]
    assert scores[0] == pytest.approx(-1, abs=1e-9)
    assert scores[1] < scores[0] - 0.1


def test_continuation_is_a_discount():
    plain, ending = ipd(gamma=0.9 * 0.8), ipd(gamma=0.9, continuation=0.8)
    policies = some_policies(plain)
    np.testing.assert_allclose(ending.score(policies), plain.score(policies), atol=1e-12)
    np.testing.assert_allclose(
        ending.finite(6).values(policies), plain.finite(6, gamma=0.8).values(policies), atol=1e-12
    )


def test_played_returns_are_the_exact_ones():
    """Sums of rewards of episodes that end at random, by 6 standard errors of 20,000 episodes.

    A false alarm in one of 10^8 runs.
    """
    switches = {"continuation": 0.7, "action_noise": 0.2}
    game = ipd(gamma=0.999_999, **switches)
    exact = game.start @ game.values(["tit_for_tat", "always_defect"])
    venv = sde.make_vec_env("ipd_v0", 2_000, autoreset="disabled", **switches)
    players = [
        sde.make_strategy(name, "ipd_v0", player=i, **switches)
        for i, name in enumerate(("tit_for_tat", "always_defect"))
    ]

    sums = []
    for episode in range(10):
        observations, total, alive = venv.reset(seed=episode)[0], 0.0, np.ones(2_000, bool)
        for player in players:
            player.reset(2_000, seed=episode)
        while alive.any():
            moves = [p.act(observations[:, i]) for i, p in enumerate(players)]
            observations, rewards, _, ended, _ = venv.step(np.stack(moves, -1))
            total = total + rewards * alive[:, None]
            alive &= ~ended[:, 0]
            if ended.any():
                # Those that are over wait as new episodes that nobody counts.
                venv.reset(options={"reset_mask": ended[:, 0]})
        sums.append(total)
    sums = np.concatenate(sums)
    error = sums.std(0) / np.sqrt(len(sums))
    assert (np.abs(sums.mean(0) - exact) < 6 * error).all()
