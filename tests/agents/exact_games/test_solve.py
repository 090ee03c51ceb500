"""`agents.solve`: what learners come to, on which game, and what is refused."""

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import solve
from agents.exact.learners import LEARNERS, SolveConfig, with_settings
from agents.exact.markov_game import MarkovGame, Play
from agents.exact.parametrisations import mlp, preconditioned, tables
from agents.exact.pola import PolaConfig, outer_gradient
from agents.exact.rules import ShapingConfig, policy_gradient
from agents.exact.steps import StepConfig, Stepper, mirror_target
from social_dilemmas_env.exact.orbits import orbits
from tests.agents.exact_games.small import random_policies, small_game

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def coin():
    return sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)


def scores(game, policy):
    """With itself, against always-defect."""
    return game.score([policy, policy])[0], game.score([policy, "always_defect"])[0]


# ------------------------------------------------------------------------------ what is learned


def test_loqa_cooperates_and_answers_ten_of_ten_seeds(coin):
    policies, curves = solve("loqa", coin, runs=10)
    assert curves.shape == (61, 10, 2)
    assert policies.shape == (10, 2, coin.num_states, 4)
    for policy in policies[:, 0].numpy():
        own, against_thief = scores(coin, policy)
        assert own > 0.34
        assert against_thief > -0.03
        np.testing.assert_allclose(curves[-1].max(), own, atol=1e-3)


@pytest.mark.parametrize("name", ["pola", "loqa_proximal", "advantage_alignment_proximal"])
def test_proximal_learners_cooperate(coin, name):
    policies, curves = solve(f"{name}_exact", coin, runs=2)
    assert curves[-1].min() > 0.34
    assert scores(coin, policies[0, 0].numpy())[1] > -0.035


@pytest.mark.slow
def test_lola_cooperates_with_its_defaults(coin):
    """64 seeds of 64."""
    _, curves = solve("lola", coin, runs=64)
    assert curves[-1].min() > 0.3
    assert curves[-1].mean() > 0.34


@pytest.mark.parametrize("name", ["naive", "naive_proximal"])
def test_naive_learners_defect(coin, name):
    policies, curves = solve(name, coin)
    assert abs(curves[-1]).max() < 0.01
    assert coin.score([policies[0, 0].numpy(), "always_cooperate"])[0] > 0.6


@pytest.mark.slow
def test_proximal_loqa_learns_through_a_network(coin):
    _, curves = solve("loqa_proximal", coin, policy="mlp", updates=120)
    assert curves[-1].min() > 0.32


# --------------------------------------------------------------------------------- on which game


@pytest.mark.parametrize("name", ["loqa", "pola", "naive_proximal"])
def test_orbits_and_the_full_game_learn_the_same(coin, name):
    """From the same symmetric start, gradient by gradient."""
    small = orbits(coin)
    on_small, on_full = MarkovGame(small.game), MarkovGame(coin)
    theta = on_small.parametrisation.initial(1, 1)
    policy = torch.softmax(on_small.parametrisation.logits(theta), -1)
    lifted = torch.as_tensor(small.lift(policy.numpy()))

    cfg = LEARNERS[name].objective
    rule = outer_gradient if isinstance(cfg, PolaConfig) else policy_gradient
    plays = (
        Play(on_small, policy.expand(-1, 2, -1, -1)),
        Play(on_full, lifted.expand(-1, 2, -1, -1)),
    )
    (ours, visits), (full, _) = (rule(play, 0, cfg) for play in plays)

    # A step along both is the same: compare the derivatives per orbit.
    total = np.zeros(ours.shape[1:])
    rows = np.broadcast_to(small.orbit[:, None], small.relabel.shape)
    np.add.at(total, (rows, small.relabel), full[0].numpy())
    averaged = np.einsum("oab,ob->oa", small.game.stabiliser, total)
    expected = np.einsum("oab,ob->oa", small.game.stabiliser, ours[0].numpy())
    np.testing.assert_allclose(averaged, expected, atol=1e-10)
    torch.testing.assert_close(plays[0].score, plays[1].score)
    torch.testing.assert_close(visits.sum(), torch.ones((), dtype=torch.float64))


def test_policies_are_those_of_the_game_that_was_passed(coin):
    small = orbits(coin)
    lifted = solve("loqa", coin, updates=3)
    same = solve("loqa", small.game, updates=3)
    assert same.policies.shape[2] == small.game.num_states
    np.testing.assert_allclose(small.lift(same.policies.numpy()), lifted.policies)
    own = lifted.policies[0, 0].numpy()
    np.testing.assert_allclose(coin.score([own, own]), lifted.curves[-1, 0])
    assert solve("loqa", coin, updates=1, symmetric=False).policies.shape[2] == coin.num_states


def test_symmetric_where_the_game_is_not():
    game = sde.exact_game("coin_game_v0", memory="last_action", gamma=0.9)
    with pytest.raises(ValueError, match="it tells boards apart that differ by a reflection"):
        solve("naive", game, updates=1, symmetric=True)
    assert solve("naive", game, updates=1).policies.shape[2] == game.num_states


def test_networks_are_sent_to_the_full_game(coin):
    with pytest.raises(ValueError, match="learn it on the full game"):
        solve("loqa", orbits(coin).game, policy="mlp", updates=1)


@pytest.mark.parametrize("name", ["loqa", "pola"])
def test_a_run_is_the_same_however_many_there_are(coin, name):
    alone = solve(name, coin, runs=1, updates=5)
    three = solve(name, coin, runs=3, updates=5)
    torch.testing.assert_close(three.policies[:1], alone.policies, rtol=0, atol=1e-9)
    assert (three.policies[1] - three.policies[0]).abs().max() > 0.01


def test_float32_learns_the_same(coin):
    double, single = (
        solve("loqa", coin, updates=10, precision=precision).curves[-1]
        for precision in ("float64", "float32")
    )
    torch.testing.assert_close(single.double(), double, atol=1e-4, rtol=0)


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["loqa", "pola"])
def test_cuda_learns_the_same(coin, name):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_gpu, on_cpu = (solve(name, coin, updates=5, device=d).policies for d in ("cuda", "cpu"))
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, atol=1e-6, rtol=0)


# ----------------------------------------------------------------------------------------- seats


def test_exchanging_players_exchanges_gradients(coin):
    markov = MarkovGame(coin)
    policies = random_policies(1, coin)
    there, back = Play(markov, policies), Play(markov, policies.flip(1))
    for cfg in (ShapingConfig("loqa"), ShapingConfig("advantage_alignment")):
        torch.testing.assert_close(policy_gradient(there, 0, cfg), policy_gradient(back, 1, cfg))
    cfg = PolaConfig(inner_steps=2)
    torch.testing.assert_close(outer_gradient(there, 0, cfg), outer_gradient(back, 1, cfg))


def test_three_seats_go_round():
    rules = {"num_agents": 3, "grid_size": 2}
    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.9, symmetry="all", **rules)
    markov = MarkovGame(game)
    assert markov.seats_alike
    theta = markov.parametrisation.initial(1, 3)
    policies = torch.softmax(markov.parametrisation.logits(theta), -1)
    play, round_ = Play(markov, policies), Play(markov, policies.roll(-1, 1))
    cfg = ShapingConfig("loqa")
    torch.testing.assert_close(policy_gradient(play, 1, cfg), policy_gradient(round_, 0, cfg))


def test_alike_spares_solves_and_changes_nothing(coin):
    markov = MarkovGame(coin)
    policy = random_policies(2, coin)[:, :1].expand(-1, 2, -1, -1)
    spared, whole = Play(markov, policy, alike=True), Play(markov, policy)
    torch.testing.assert_close(spared.values, whole.values)
    for player, seat in ((0, 0), (0, 1), (1, 0), (1, 1)):
        torch.testing.assert_close(spared.q_of_own(player, seat), whole.q_of_own(player, seat))
    assert 1 not in spared._q


def test_seats_that_are_not_alike_learn_each_their_own():
    game = sde.exact_game("bach_stravinsky_v0")
    policies, _ = solve("naive", game, updates=20)
    assert not torch.allclose(policies[:, 0], policies[:, 1])
    with pytest.raises(ValueError, match="shared=True needs seats in the same situation"):
        solve("naive", game, shared=True)


def test_each_seat_may_have_its_own_policy(coin):
    policies, curves = solve("loqa", coin, shared=False)
    assert not torch.allclose(policies[:, 0], policies[:, 1])
    assert curves[-1].min() > 0.33


# --------------------------------------------------------------------------------- steps, settings


def test_a_mirror_step_adds_the_advantage():
    game = small_game(2, 3)
    markov, policies = MarkovGame(game), random_policies(1, game)
    gradient, visits = policy_gradient(Play(markov, policies), 0, ShapingConfig("none"))
    cfg = StepConfig("mirror", size=0.1, cut=100.0)
    target = mirror_target(policies[:, :1].log(), gradient[:, None], visits[:, None], cfg)
    q = gradient / visits[..., None]
    stepped = torch.softmax(policies[:, 0].log() + 0.1 * q, -1)
    torch.testing.assert_close(torch.softmax(target[:, 0], -1), stepped)


def test_a_mirror_step_is_cut_after_it_is_scaled():
    """Advantages of ±4 and ±1, a quarter of them: ±1 is cut to ±.5, ±.25 is not."""
    gradient = torch.tensor([[[[4.0, 0.0], [1.0, 0.0]]]], dtype=torch.float64)
    visits = torch.full((1, 1, 2), 0.5, dtype=torch.float64)
    cfg = StepConfig("mirror", size=0.25, cut=0.5)
    target = mirror_target(torch.zeros(1, 1, 2, 2), gradient, visits, cfg)
    assert target.tolist() == [[[[0.5, -0.5], [0.25, -0.25]]]]


@pytest.mark.parametrize("make", [tables, mlp, preconditioned])
def test_gradients_go_through_the_parametrisation(make):
    game = small_game()
    parametrisation = make(game)
    theta = parametrisation.initial(2, 1)
    gradient = torch.randn(2, 1, game.num_states, 2, dtype=torch.float64)
    stepper = Stepper(parametrisation, StepConfig(lr=0.01))
    moved = stepper.step(theta, gradient, torch.ones(2, 1, game.num_states))
    theta.requires_grad_()
    policy = torch.softmax(parametrisation.logits(theta), -1)
    (expected,) = torch.autograd.grad((policy * gradient.to(policy.dtype)).sum(), theta)
    # Adam's first step is the sign of the gradient.
    torch.testing.assert_close(moved - theta.detach(), 0.01 * expected.sign(), atol=3e-4, rtol=0)


def test_preconditioning_pulls_the_other_states():
    game = small_game()
    theta = torch.zeros(game.num_states, 2, dtype=torch.float64)
    theta[0, 1] = 1.0
    logits = preconditioned(game).logits(theta.flatten())
    assert logits[0, 1] == 1
    assert (logits[1:, 1] == -2).all()


def test_settings_find_their_place():
    cfg = with_settings("loqa_exact", updates=7, decay=0.5, lr=0.2)
    assert (cfg.updates, cfg.objective.decay, cfg.step.lr) == (7, 0.5, 0.2)
    assert with_settings(cfg, lr=0.1).updates == 7
    assert LEARNERS["loqa"].objective.decay == 1
    with pytest.raises(ValueError, match="no setting 'deccay'; did you mean 'decay'"):
        with_settings("loqa", deccay=1)
    with pytest.raises(ValueError, match="no setting 'beta_in'"):
        with_settings("loqa", beta_in=1)


def test_progress_is_told(coin):
    told = []
    _, curves = solve("naive", coin, updates=2, on_update=lambda n, score: told.append((n, score)))
    assert [n for n, _ in told] == [0, 1, 2]
    torch.testing.assert_close(torch.stack([score for _, score in told]), curves)


# ------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"learner": "loqua"}, "no exact learner 'loqua'; did you mean 'loqa'"),
        ({"runs": 0}, "runs must be at least 1, got 0"),
        ({"updates": -1}, "updates must be at least 0"),
        ({"policy": "gru"}, "policy must be one of"),
        ({"lr": float("nan")}, "cut and fit_lr must be positive"),
        ({"lr": 0.0}, "cut and fit_lr must be positive"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(coin, call, words):
    with pytest.raises(ValueError, match=words):
        solve(**{"learner": "loqa", "game": coin, **call})


def test_different_numbers_of_actions_are_refused():
    game = small_game()
    object.__setattr__(game, "num_actions", (2, 3))
    with pytest.raises(ValueError, match="one shape of policy, and the players have 2, 3 actions"):
        MarkovGame(game)


def test_policies_that_are_no_numbers_stop_the_run():
    game = small_game()
    game.rewards[0, 0, 0] = np.nan
    with pytest.raises(FloatingPointError, match="run 0 are not numbers after 0 updates"):
        solve("loqa", game, shared=False, symmetric=False)


def test_an_unknown_word_of_settings_is_refused():
    with pytest.raises(ValueError, match="precision must be one of"):
        SolveConfig(precision="float16")
