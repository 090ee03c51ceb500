"""Sampled matrix games: play is distributed as in the environments; learners on small batches.

Everything is seeded. Frequencies are held within 5 standard errors, cell by cell: under another
seed a test of 100 cells fails once in 17,000.
"""

import math

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents.learners.lola.lola_dice import LolaDiceConfig, lola_dice
from agents.learners.lola.lola_exact import LolaConfig, lola
from agents.learners.lola.lola_pg import LolaPg, LolaPgConfig
from agents.learners.naive.naive_exact import naive
from agents.learners.naive.naive_pg import NaivePg, NaivePgConfig
from agents.matrix_games.closed_form import MatrixGame, other_view
from agents.matrix_games.gradient_runs import RunConfig, run
from agents.matrix_games.sampled import (
    SampleConfig,
    SampledGame,
    pairs,
    rollout,
)

torch.set_num_threads(1)
GAMMA = 0.96
IPD = MatrixGame(sde.payoffs("ipd_v0"), GAMMA)


def random_theta(runs=1, seed=0, dim=5):
    return torch.randn(
        runs, 2, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)
    )


def state_distribution(joint, steps):
    """P(s_t = s) for t = 0..T.  [S, A²] -> [T + 1, S]."""
    now = torch.zeros(len(joint), dtype=joint.dtype)
    now[0] = 1
    rows = [now]
    for _ in range(steps):
        rows.append(torch.cat((torch.zeros(1, dtype=joint.dtype), rows[-1] @ joint)))
    return torch.stack(rows)


def assert_frequencies(counts, probabilities, games):
    error = (probabilities * (1 - probabilities) / games).sqrt()
    assert ((counts / games - probabilities).abs() <= 5 * error + 1e-12).all()


def counts_by_time(states, num_states):
    return torch.stack([torch.bincount(row, minlength=num_states).double() for row in states])


@pytest.mark.parametrize("env_id", ["ipd_v0", "imp_v0", "rps_v0"])
def test_states_have_the_exact_distribution(env_id):
    game = MatrixGame(sde.payoffs(env_id), GAMMA)
    theta = random_theta(2, seed=1, dim=game.dim)
    joint = game.joint_policy(game.logits(theta))
    games, steps = 20_000, 6
    states = rollout(joint, games, steps, torch.Generator().manual_seed(2))
    for lane in range(2):
        expected = state_distribution(joint[lane], steps)
        assert_frequencies(counts_by_time(states[:, lane], game.num_states), expected, games)


def test_transitions_have_the_exact_distribution():
    joint = IPD.joint_policy(IPD.logits(random_theta(seed=3)))
    states = rollout(joint, 5000, 20, torch.Generator().manual_seed(4))
    seen = torch.bincount(pairs(states, 2).flatten(), minlength=20).double().view(5, 4)
    for s in range(5):
        assert_frequencies(seen[s], joint[0, s], seen[s].sum())


def test_play_is_that_of_the_environment():
    """The same policies in the vector environment, each reading its own observation."""
    games, steps = 20_000, 5
    theta = random_theta(seed=5)
    policy = IPD.policies(theta)[0, :, :, 0].numpy()
    venv = sde.make_vec_env("ipd_v0", num_envs=games, obs_mode="state", max_cycles=steps + 1)
    observation, _ = venv.reset(seed=0)
    generator = np.random.default_rng(6)
    expected = state_distribution(IPD.joint_policy(IPD.logits(theta))[0], steps)
    rewards = IPD.payoffs.flatten(0, 1)
    for t in range(steps):
        actions = (
            generator.random((games, 2))
            >= np.stack([policy[n][observation[:, n]] for n in range(2)], 1)
        ).astype(int)
        observation, reward, *_ = venv.step(actions)
        joint = torch.as_tensor(2 * actions[:, 0] + actions[:, 1])
        assert (observation[:, 0] == 1 + joint.numpy()).all()
        assert (observation[:, 1] == other_view(2).numpy()[1 + joint.numpy()]).all()
        assert (reward == rewards[joint].numpy()).all()
        assert_frequencies(torch.bincount(1 + joint, minlength=5).double(), expected[t + 1], games)


def test_pure_policies_are_played_to_the_letter():
    tft, alld = [60.0, 60.0, -60.0, 60.0, -60.0], [-60.0] * 5
    game = SampledGame(IPD, SampleConfig(games=3, steps=4))
    states = game.play(torch.tensor([[tft, alld], [alld, tft]], dtype=torch.float64))
    assert (states[:, 0] == torch.tensor([0, 2, 4, 4, 4])[:, None]).all()
    assert (states[:, 1] == torch.tensor([0, 3, 4, 4, 4])[:, None]).all()
    assert game.rewards(states)[:, :, 0, 0].tolist() == [
        [-3.0, 0.0],
        [-2.0, -2.0],
        [-2.0, -2.0],
        [-2.0, -2.0],
    ]
    assert torch.isfinite(game.values(torch.tensor([[tft, alld]], dtype=torch.float64))).all()


def test_seeds_and_fresh_games():
    theta = random_theta(3)
    first, same = (SampledGame(IPD, SampleConfig(games=8, steps=10, seed=1)) for _ in range(2))
    assert torch.equal(first.play(theta), same.play(theta))
    assert not torch.equal(
        first.play(theta), SampledGame(IPD, SampleConfig(games=8, steps=10, seed=1)).play(theta)
    )
    state = torch.get_rng_state()
    first.values(theta)
    assert torch.equal(state, torch.get_rng_state())


def test_estimates_are_unbiased_within_their_error():
    theta = random_theta(1, seed=7)
    game = SampledGame(IPD, SampleConfig(games=4000, steps=150, baseline="none"))
    found = torch.stack([game.values(theta)[0] for _ in range(10)])
    error = found.std(0) / math.sqrt(10)
    lost = GAMMA**150 / (1 - GAMMA) * 3  # beyond the horizon
    assert ((found.mean(0) - IPD.values(theta)[0]).abs() < 6 * error + lost).all()


def test_report_is_exact():
    theta = random_theta(4)
    assert torch.equal(SampledGame(IPD).report(theta), IPD.report(theta))


def cosine(a, b):
    return torch.nn.functional.cosine_similarity(a.flatten(1), b.flatten(1)).min().item()


@pytest.mark.parametrize(
    ("learner", "exact"),
    [
        (NaivePg(), naive),
        (lambda t, g: lola_dice(t, g, LolaDiceConfig(lookaheads=0)), naive),
        (
            lambda t, g: lola_dice(t, g, LolaDiceConfig(lookaheads=1, lr_in=0.3)),
            lambda t, g: lola(t, g, LolaConfig(form="lookahead", eta=0.3)),
        ),
    ],
    ids=["naive_pg", "dice_0", "dice_1"],
)
def test_sampled_directions_point_where_the_exact_ones_do(learner, exact):
    theta = 0.5 * random_theta(3, seed=8)
    game = SampledGame(IPD, SampleConfig(games=4000))
    assert cosine(learner(theta, game), exact(theta, IPD)) > 0.9  # a first critic is noise


def test_lola_pg_points_where_exact_lola_does():
    theta = 0.5 * random_theta(3, seed=8)
    found = torch.stack(
        [
            LolaPg(LolaPgConfig(eta=1.0))(theta, SampledGame(IPD, SampleConfig(4000, seed=s)))
            for s in range(4)
        ]
    )
    assert cosine(found.mean(0), lola(theta, IPD)) > 0.9


def test_the_critic_learns_the_values_of_fixed_policies():
    """With frozen policies the critic tends to the state values; 5 states, all visited."""
    theta = torch.zeros(1, 2, 5, dtype=torch.float64)
    game = SampledGame(IPD, SampleConfig(games=500))
    learner = NaivePg(NaivePgConfig(critic_lr=1.0))
    for _ in range(60):
        learner(theta, game)
    # uniform play: every state is worth the mean payoff -1.5, whatever came before; the start is
    # seldom visited
    torch.testing.assert_close(
        learner.critic.values[0, :, 1:],
        torch.full((2, 4), -1.5 / (1 - GAMMA), dtype=torch.float64),
        rtol=0.1,
        atol=0,
    )


def test_naive_policy_gradient_learns_to_defect():
    game = SampledGame(IPD, SampleConfig(games=200, steps=100))
    history = run(game, NaivePg(), RunConfig(runs=4, steps=60))
    assert history.values[-1].mean().item() < -1.9
    assert not history.stopped


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SampleConfig(games=0), "games"),
        (lambda: SampleConfig(steps=0), "steps"),
        (lambda: SampleConfig(estimator="reinforce"), "estimator"),
        (lambda: SampleConfig(baseline="mean"), "baseline"),
        (lambda: LolaDiceConfig(lookaheads=-1), "lookaheads"),
        (lambda: SampledGame(IPD).values(torch.zeros(3, 2, 4)), "players, parameters"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
