"""Every estimator of agents/estimators.py against the closed form, to 1e-12; and its mutants.

The expectation is taken over all 4^3 joint trajectories (9^2 with three actions): no noise and no
tolerance to tune.
"""

import pytest
import torch

from agents import estimators as est
from tests.agents.exact import enumeration as en

GAMMA = 0.96
EXACT = 1e-12
CAUGHT = 1e-4
torch.set_num_threads(1)


def baseline(play, player):
    """An arbitrary function of the state and of t: what a baseline may be."""
    table = torch.randn(
        20, play.logp.shape[1], dtype=torch.float64, generator=torch.Generator().manual_seed(9)
    )
    steps = torch.arange(play.logp.shape[1])
    return table[play.states[..., player], steps]


def true_baseline(play, player, theta, payoffs):
    """v_t(s_t) of the policies themselves."""
    steps = play.logp.shape[1]
    tables = en.state_values(theta.detach(), payoffs, GAMMA, steps)
    return torch.stack([tables[t][play.states[:, t, 0], player] for t in range(steps)], 1)


# An estimator here is (play, player, theta, payoffs) -> J of each trajectory.
def joint(play):
    return play.logp.sum(-1)


def with_gae(play, player, theta, payoffs, lam, values):
    return est.loaded_dice(
        joint(play), est.gae(play.rewards[..., player], values, GAMMA, lam), GAMMA
    )


ESTIMATORS = {
    "dice": lambda p, n, th, po: est.dice(joint(p), p.rewards[..., n], GAMMA),
    "dice_with_baseline": lambda p, n, th, po: est.dice_with_baseline(
        joint(p), p.rewards[..., n], baseline(p, n), GAMMA
    ),
    "loaded_dice, any baseline, λ=1": lambda p, n, th, po: with_gae(
        p, n, th, po, 1.0, baseline(p, n)
    ),
    "loaded_dice, true values, λ=.7": lambda p, n, th, po: with_gae(
        p, n, th, po, 0.7, true_baseline(p, n, th, po)
    ),
    "loaded_dice, true values, λ=0": lambda p, n, th, po: with_gae(
        p, n, th, po, 0.0, true_baseline(p, n, th, po)
    ),
}
VALUE_ZERO = {name for name in ESTIMATORS if name.startswith("loaded")}


def check(estimator, payoffs, steps, player, seed=0):
    """Errors of the enumerated expectation of `estimator`, and of its derivatives."""
    theta = en.random_theta(payoffs, seed)
    play = en.all_play(theta, payoffs, steps)
    expected = (play.weight * estimator(play, player, theta, payoffs)).sum()
    true = en.derivatives(en.value(theta, payoffs, GAMMA, steps)[player], theta)
    return en.errors(en.derivatives(expected, theta), true), expected.item()


@pytest.mark.parametrize("player", [0, 1])
@pytest.mark.parametrize("game", ["ipd", "lopsided"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_value_and_all_derivatives_are_exact(name, game, player):
    found, value = check(ESTIMATORS[name], en.GAMES[game], 3, player)
    if name in VALUE_ZERO:
        assert value == 0.0
        del found["value"]
    assert max(found.values()) < EXACT, found


@pytest.mark.parametrize("name", ESTIMATORS)
def test_three_actions(name):
    found, _ = check(ESTIMATORS[name], en.THREE_ACTIONS, 2, player=1)
    found.pop("value")
    assert max(found.values()) < EXACT, found


def test_dice_keeps_its_derivatives_when_a_number_is_taken_from_each_reward():
    """The batch mean of the authors' lola_dice without a critic.

    Its value shifts, its derivatives do not.
    """
    shift = torch.tensor([0.3, -2.0, 0.8], dtype=torch.float64)
    found, _ = check(
        lambda p, n, th, po: est.dice(joint(p), p.rewards[..., n] - shift, GAMMA),
        en.IPD,
        3,
        player=0,
    )
    assert found.pop("value") > 0.1
    assert max(found.values()) < EXACT, found


@pytest.mark.parametrize("own_only", [True, False])
def test_policy_gradient_is_exact_in_first_order_only(own_only):
    def estimator(p, n, th, po):
        logp = p.logp[..., n] if own_only else joint(p)
        return est.policy_gradient(
            logp, est.discounted_returns(p.rewards[..., n], GAMMA) - baseline(p, n), GAMMA
        )

    theta = en.random_theta(en.IPD)
    play = en.all_play(theta, en.IPD, 3)
    found = en.derivatives((play.weight * estimator(play, 1, theta, en.IPD)).sum(), theta)
    true = en.derivatives(en.value(theta, en.IPD, GAMMA, 3)[1], theta)
    assert (found.first - true.first)[1].abs().max() < EXACT
    assert en.errors(found, true)["cross second"] > CAUGHT


def off_by_one(x):
    return torch.cat((torch.zeros_like(x[..., :1]), x[..., :-1]), -1)


def boxed(play, rewards, exponent):
    return (est.magic_box(exponent) * est.discounts(rewards, GAMMA) * rewards).sum(-1)


MUTANTS = {
    "opponent's log-probabilities dropped": lambda p, n, th, po: est.dice(
        p.logp[..., n], p.rewards[..., n], GAMMA
    ),
    "own log-probabilities dropped": lambda p, n, th, po: est.dice(
        p.logp[..., 1 - n], p.rewards[..., n], GAMMA
    ),
    "opponent's log-probabilities detached": lambda p, n, th, po: est.dice(
        p.logp[..., n] + p.logp[..., 1 - n].detach(), p.rewards[..., n], GAMMA
    ),
    "players swapped in the rewards": lambda p, n, th, po: est.dice(
        joint(p), p.rewards[..., 1 - n], GAMMA
    ),
    "discount off by one": lambda p, n, th, po: (
        GAMMA * est.dice(joint(p), p.rewards[..., n], GAMMA)
    ),
    "no discount": lambda p, n, th, po: est.dice(joint(p), p.rewards[..., n], 1.0),
    "mean over time": lambda p, n, th, po: est.dice(joint(p), p.rewards[..., n], GAMMA) / 3,
    "dependence off by one (l < t)": lambda p, n, th, po: boxed(
        p, p.rewards[..., n], off_by_one(joint(p).cumsum(-1))
    ),
    "only the current step in the box": lambda p, n, th, po: boxed(p, p.rewards[..., n], joint(p)),
    "the whole future in the box, times 2": lambda p, n, th, po: boxed(
        p, p.rewards[..., n], 2 * joint(p).cumsum(-1)
    ),
    "box replaced by its exponent": lambda p, n, th, po: (
        joint(p).cumsum(-1) * est.discounts(joint(p), GAMMA) * p.rewards[..., n]
    ).sum(-1),
    "box without its denominator": lambda p, n, th, po: (
        joint(p).cumsum(-1).exp() * est.discounts(joint(p), GAMMA) * p.rewards[..., n]
    ).sum(-1),
    "baseline without the (1 - box) factor": lambda p, n, th, po: est.dice(
        joint(p), p.rewards[..., n] - baseline(p, n), GAMMA
    ),
    "baseline with box of the whole past": lambda p, n, th, po: (
        est.dice(joint(p), p.rewards[..., n], GAMMA)
        + (
            (1 - est.magic_box(joint(p).cumsum(-1)))
            * est.discounts(joint(p), GAMMA)
            * baseline(p, n)
        ).sum(-1)
    ),
    "baseline that knows the action": lambda p, n, th, po: est.dice_with_baseline(
        joint(p), p.rewards[..., n], p.rewards[..., n], GAMMA
    ),
    "loaded dice without the second box": lambda p, n, th, po: est.dice(
        joint(p), est.gae(p.rewards[..., n], baseline(p, n), GAMMA, 1.0), GAMMA
    ),
    "loaded dice with the second box one step late": lambda p, n, th, po: est.loaded_dice(
        off_by_one(joint(p)), est.gae(p.rewards[..., n], baseline(p, n), GAMMA, 1.0), GAMMA
    ),
    "loaded dice, rewards instead of advantages": lambda p, n, th, po: est.loaded_dice(
        joint(p), p.rewards[..., n], GAMMA
    ),
    "loaded dice, wrong values and λ < 1": lambda p, n, th, po: with_gae(
        p, n, th, po, 0.7, baseline(p, n)
    ),
    "loaded dice without γᵗ": lambda p, n, th, po: est.loaded_dice(
        joint(p), est.gae(p.rewards[..., n], baseline(p, n), GAMMA, 1.0), 1.0
    ),
    "gae without discount": lambda p, n, th, po: est.loaded_dice(
        joint(p), est.gae(p.rewards[..., n], baseline(p, n), 1.0, 1.0), GAMMA
    ),
    "time reversed": lambda p, n, th, po: est.dice(joint(p).flip(-1), p.rewards[..., n], GAMMA),
    "surrogate of first order": lambda p, n, th, po: est.policy_gradient(
        joint(p), est.discounted_returns(p.rewards[..., n], GAMMA), GAMMA
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_caught(name):
    found, _ = check(MUTANTS[name], en.LOPSIDED, 3, player=0)
    if "loaded" in name or "surrogate" in name:
        found.pop("value")  # wrong or 0 by construction: not what catches it
    assert max(found.values()) > CAUGHT, found


def test_dropping_the_opponent_is_invisible_to_everything_but_the_cross_derivative():
    """Why the LOLA term is asserted by itself: value, own gradient and own Hessian are right."""
    theta = en.random_theta(en.IPD)
    play = en.all_play(theta, en.IPD, 3)
    found = en.derivatives(
        (play.weight * est.dice(play.logp[..., 0], play.rewards[..., 0], GAMMA)).sum(), theta
    )
    true = en.derivatives(en.value(theta, en.IPD, GAMMA, 3)[0], theta)
    assert (found.first - true.first)[0].abs().max() < EXACT
    assert (found.second - true.second)[0, :, 0].abs().max() < EXACT
    assert (found.second - true.second)[0, :, 1].abs().max() > 1e-2


def test_returns_and_gae_by_hand():
    r = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    assert est.discounted_returns(r, 0.5).tolist() == [3.0, 4.0, 4.0]
    assert est.discounted_returns(r, 0.5, torch.tensor(8.0)).tolist() == [4.0, 6.0, 8.0]
    v = torch.tensor([1.0, 0.0, 2.0], dtype=torch.float64)
    # δ = (1 + 0 - 1, 2 + .5*2 - 0, 4 + .5*8 - 2) = (0, 3, 6);  A = δ + .25 A'
    assert est.gae(r, v, 0.5, 0.5, torch.tensor(8.0)).tolist() == [1.125, 4.5, 6.0]
    assert est.discounts(r, 0.5).tolist() == [1.0, 0.5, 0.25]


def test_gae_contains_its_special_cases():
    r, v, last = torch.randn(4, 7), torch.randn(4, 7), torch.randn(4)
    torch.testing.assert_close(
        est.gae(r, v, 0.9, 1.0, last), est.discounted_returns(r, 0.9, last) - v
    )
    following = torch.cat((v[:, 1:], last[:, None]), 1)
    torch.testing.assert_close(est.gae(r, v, 0.9, 0.0, last), r + 0.9 * following - v)


def test_estimators_accept_any_leading_axes():
    play = en.all_play(en.random_theta(en.IPD), en.IPD, 2)
    logp, r = joint(play), play.rewards[..., 0]
    for shape in ((16,), (4, 4), (2, 2, 4)):
        out = est.dice_with_baseline(
            logp.view(*shape, 2), r.view(*shape, 2), r.view(*shape, 2) * 0, GAMMA
        )
        assert out.shape == shape
        torch.testing.assert_close(out.flatten(), est.dice(logp, r, GAMMA))


def test_magic_box():
    x = torch.tensor([0.0, -700.0, 40.0], dtype=torch.float64, requires_grad=True)
    box = est.magic_box(x)
    assert box.tolist() == [1.0, 1.0, 1.0]
    assert torch.autograd.grad(box.sum(), x)[0].tolist() == [1.0, 1.0, 1.0]


def decayed(play, player, decay):
    values = baseline(play, player)
    return est.loaded_dice(
        joint(play), est.gae(play.rewards[..., player], values, GAMMA, 1.0), GAMMA, decay
    )


@pytest.mark.parametrize("decay", [0.0, 0.6, 1.0])
def test_a_decay_keeps_first_derivatives_and_weighs_pairs_of_moves_by_their_distance(decay):
    """The cross second derivative.

    Σₜ γᵗ Aₜ Σ κ^{t-k} κ^{t-l} ∇logpₖ ∇logpₗᵀ      over the pairs k, l ≤ t of which one is t
    """
    theta = en.random_theta(en.IPD)
    play = en.all_play(theta, en.IPD, 3)
    weight = play.weight.detach()
    found = en.derivatives((weight * decayed(play, 0, decay)).sum(), theta)
    true = en.derivatives(en.value(theta, en.IPD, GAMMA, 3)[0], theta)
    assert (found.first - true.first).abs().max() < EXACT

    advantages = est.gae(play.rewards[..., 0], baseline(play, 0), GAMMA, 1.0) * est.discounts(
        play.rewards[..., 0], GAMMA
    )
    gradients = torch.autograd.functional.jacobian(
        lambda th: joint(en.all_play(th, en.IPD, 3)), theta
    ).flatten(2)
    expected = 0.0
    for t in range(3):
        for k, m in {*((k, t) for k in range(t + 1)), *((t, m) for m in range(t + 1))}:
            here = weight * advantages[:, t] * decay ** (2 * t - k - m)
            expected = expected + torch.einsum(
                "b,bi,bj->ij", here, gradients[:, k], gradients[:, m]
            )
    count = theta[0].numel()
    assert (
        found.second.reshape(2 * count, 2 * count)[:count, count:] - expected[:count, count:]
    ).abs().max() < EXACT


def test_decayed_sums():
    x = torch.tensor([[1.0, 2.0, 3.0]])
    assert est.decayed_sums(x, 0.5).tolist() == [[1.0, 2.5, 4.25]]
    assert est.decayed_sums(x, 0.0).tolist() == x.tolist()
    assert est.decayed_sums(x, 1.0).tolist() == [[1.0, 3.0, 6.0]]


WRONG_SHAPES = {
    "discounted_returns": lambda r, x: est.discounted_returns(r, GAMMA, x),
    "gae": lambda r, x: est.gae(r, x, GAMMA, 0.9),
    "dice": lambda r, x: est.dice(r, x, GAMMA),
    "dice_baseline": lambda r, x: est.dice_baseline(r, x, GAMMA),
    "dice_with_baseline": lambda r, x: est.dice_with_baseline(r, r, x, GAMMA),
    "loaded_dice": lambda r, x: est.loaded_dice(r, x, GAMMA),
    "policy_gradient": lambda r, x: est.policy_gradient(r, x, GAMMA),
}


@pytest.mark.parametrize("name", WRONG_SHAPES)
def test_shapes_are_held_at_the_entrance(name):
    """Time against time, batch against batch: nothing broadcasts that was not meant to."""
    with pytest.raises(ValueError, match=r"must have the shape \[\.\.\.( T)?\]"):
        WRONG_SHAPES[name](torch.zeros(4, 7), torch.zeros(5, 7))
    if name != "discounted_returns":
        with pytest.raises(ValueError, match=r"must have the shape \[\.\.\. T\] with T = 7, not"):
            WRONG_SHAPES[name](torch.zeros(4, 7), torch.zeros(4, 1))
