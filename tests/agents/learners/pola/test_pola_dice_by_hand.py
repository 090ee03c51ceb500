"""POLA-DiCE's bookkeeping step by step: what an update starts from, which games, how Adam moves.

The gradients themselves are compared with enumeration in tests/agents/exact/test_pola_dice.py; here
they are taken as given.
"""

from dataclasses import replace

import pytest
import torch

from agents.learners.pola.learner import make_pola_dice, model_gradient
from agents.learners.pola.pola_dice import OuterProblem, outer_gradient
from agents.registry import LEARNERS
from tests.agents.learners.loqa.by_hand import HandAdam

TINY = {
    "batch": 3,
    "horizon": 4,
    "hidden": 3,
    "outer_steps": 3,
    "inner_steps": 2,
    "lr_out": 0.02,
    "lr_v": 0.005,
    "lr_model": 0.03,
    "lr_model_v": 0.01,
    "gamma": 0.9,
    "runs": 2,
}
UPDATES = 7  # two whole updates of three outer steps, and the first of another


def learner(**changes):
    cfg = replace(LEARNERS["pola_dice"].settings("ipd_v0"), **{**TINY, **changes})
    return make_pola_dice(cfg, "ipd_v0", {"contribution_factor": 1.33}, 3, "cpu")


def swapped(x):
    """The other player's lanes: the first half are player 0's."""
    half = len(x) // 2
    return torch.cat((x[half:], x[:half]))


def watched(one):
    """The seeds and the uniforms of every roll-out from now on."""
    seen, rollout = [], one.compute.rollout

    def keep(venv, seed, players, uniforms):
        seen.append((seed, uniforms.clone(), [theta.clone() for theta in players.thetas]))
        return rollout(venv, seed, players, uniforms)

    one.compute.rollout = keep
    return seen


def rates(one, actor, critic):
    split, size = one.net.actor_size, one.theta.shape[1]
    return torch.cat((torch.full((split,), actor), torch.full((size - split,), critic)))


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("models", [0, 2])
def test_an_outer_step_is_adam_on_the_gradient_from_the_updates_start(reset, models):
    one = learner(reset_optimiser=reset, model_batches=models)
    cfg, start, model = one.cfg, None, None if one.model is None else one.model.clone()
    adam, model_adam = HandAdam(one.theta), HandAdam(one.theta)

    for k in range(UPDATES):
        theta = one.theta.clone()
        if k % cfg.outer_steps == 0:
            start = theta
            if reset:
                adam, model_adam = HandAdam(theta), HandAdam(theta)
            for batch in range(models):
                games = one.play(start, swapped(start), batch, purpose=1)
                descent, _ = model_gradient(model.clone(), games, one.net, cfg.gamma)
                rate = rates(one, cfg.lr_model, cfg.lr_model_v)
                model = model_adam.step(model, descent, rate).detach()
        other = swapped(start) if model is None else model
        play = lambda own, other, number: one.play(own, other, number, purpose=0)  # noqa: E731
        outer = outer_gradient(theta, OuterProblem(one.net, cfg, start, other.clone(), play))
        expected = adam.step(theta, -outer.gradient, rates(one, cfg.lr_out, cfg.lr_v))

        metrics = one.update()
        assert torch.allclose(one.theta, expected, atol=2e-6), k
        assert torch.equal(one.start, start)
        if models:
            assert torch.allclose(one.model, model, atol=2e-6)
        paid = (outer.first.own.rewards + outer.first.other.rewards).mean() / 2
        assert metrics["reward"].item() == pytest.approx(paid.item(), rel=1e-5)
        ahead = outer.games.own.rewards.mean().item()
        assert metrics["reward_ahead"].item() == pytest.approx(ahead, rel=1e-5)


def test_start_is_renewed_when_an_update_begins_and_only_then():
    one = learner()
    for k in range(UPDATES):
        before, theta = one.start.clone(), one.theta.clone()
        one.update()
        assert torch.equal(one.start, theta if k % 3 == 0 else before)
        assert not torch.equal(one.theta, one.start)


@pytest.mark.parametrize("models", [0, 2])
def test_every_roll_out_has_new_games_and_new_chances(models):
    """In each inner step, in each outer step, in each iteration, for the models too."""
    one = learner(model_batches=models)
    seen = watched(one)
    for _ in range(4):
        one.update()
    assert len(seen) == 4 * 3 + 2 * models
    assert len({seed for seed, *_ in seen}) == len(seen)
    assert len({tuple(uniforms.flatten().tolist()) for _, uniforms, _ in seen}) == len(seen)


def test_inner_steps_play_with_the_others_present_parameters():
    """φ_0, φ_1 and φ_2 sit in the other seat of each lane, one after the other."""
    one = learner(lr_in=0.5)
    seen = watched(one)
    one.update()
    by_step = [thetas for *_, thetas in seen]
    runs = one.cfg.runs
    for seat in (0, 1):
        own = slice(runs * seat, runs * (seat + 1))
        other = slice(runs * (1 - seat), runs * (2 - seat))
        mine = [thetas[seat][own] for thetas in by_step]
        theirs = [thetas[seat][other] for thetas in by_step]
        assert torch.equal(mine[0], mine[1])
        assert torch.equal(mine[0], mine[2])
        assert torch.equal(theirs[0], mine[0])
        assert not torch.equal(theirs[0], theirs[1])
        assert not torch.equal(theirs[1], theirs[2])


def test_each_lane_has_its_own_seats_moves_and_rewards():
    """The first half of the lanes are player 0's, the second player 1's."""
    one, played = learner(), []
    rollout = one.compute.rollout
    one.compute.rollout = lambda *words: played.append(rollout(*words)) or played[-1]
    games = one.play(one.theta, swapped(one.theta), 0, purpose=0)
    half = played[0].rewards.shape[1] // 2
    for side, (first, second) in ((games.own, (0, 1)), (games.other, (1, 0))):
        for name in ("actions", "rewards"):
            whole = getattr(played[0], name)
            lanes = torch.cat((whole[:, :half, first], whole[:, half:, second]), 1)  # [T, L n]
            expected = lanes.unflatten(1, (len(one.seat), -1)).permute(1, 2, 0)
            assert torch.equal(getattr(side, name), expected)
    assert not torch.equal(games.own.rewards, games.other.rewards)


def test_one_batch_is_played_once_if_it_is_used_again():
    one = learner(reuse_inner=True)
    seen = watched(one)
    one.update()
    assert len(seen) == 2


def test_memories_are_empty_when_an_episode_begins():
    """The same games twice, with others between: hidden states do not outlive them."""
    one = learner()
    first = one.play(one.theta, one.theta, 0, purpose=0)
    one.play(one.theta, one.theta, 1, purpose=0)
    again = one.play(one.theta, one.theta, 0, purpose=0)
    for mine, theirs in zip(first.own + first.other, again.own + again.other, strict=True):
        assert torch.equal(mine, theirs)
