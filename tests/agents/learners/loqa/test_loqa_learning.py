"""LOQA as a learner: every switch does something, the leak is where it should be, models need no
access; and it learns."""

from dataclasses import replace

import pytest
import torch

from agents.learners.loqa import loqa, loqa_modelled
from agents.learners.loqa.data import ActorData, OpponentData
from agents.learners.loqa.learner import make_self_play
from agents.learners.loqa.self_play import SelfPlay

TINY = loqa.LoqaConfig(
    batch=12, horizon=6, actor_hidden=8, critic_hidden=8, push_every=2, snapshots=4
)
SWITCHES = {
    "gamma": 0.9,
    "actor_lr": 1e-2,
    "critic_lr": 1e-3,
    "ema": 0.5,
    "entropy": 0.0,
    "clip": None,
    "decay": 1.0,
    "weight": 0.5,
    "temperature": 2.0,
    "n_step": 2,
    "current_reward": True,
    "stop_normaliser": True,
    "detach_advantage": False,
    "standardise": True,
    "payoff_shift": 0.5,
    "shaping_until": 0,
    "past_selves": False,
    "push_every": 1,
    "capacity": 1,
    "snapshots": 12,
    "shared": False,
    "max_q": True,
    "epsilon": 0.3,
    "fresh_draws": False,
    "actor": "mlp",
    "actor_layers": 1,
    "zero_critic": True,
    "reset_every": 3,
}


def learned(cfg, updates=5, env_id="coin_game_v0", game=None, seed=3):
    learner = make_self_play(cfg, env_id, game or {}, seed, "cpu", loss=loqa.loss)
    for _ in range(updates):
        learner.update()
    return learner


@pytest.fixture(scope="module")
def default():
    return learned(replace(TINY, clip=0.01)).player_states[0].theta


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_changes_what_is_learned(name, default):
    theta = learned(replace(TINY, **{"clip": 0.01, name: SWITCHES[name]})).player_states[0].theta
    assert theta.shape != default.shape or not torch.equal(theta, default)


def test_all_settings_are_tested():
    sizes = {"horizon", "batch", "actor_hidden", "critic", "critic_hidden", "critic_layers", "runs"}
    assert set(SWITCHES) | sizes == set(loqa.LoqaConfig.__dataclass_fields__)


def test_a_reset_brings_the_first_networks_back_and_keeps_the_optimisers():
    cfg = replace(TINY, reset_every=3)
    trained = [learned(cfg, k).player_states[0] for k in range(6)]
    distance = [(each.theta - trained[0].theta).abs().max().item() for each in trained]
    once = [
        max(TINY.actor_lr, TINY.critic_lr) * 1.01 * k for k in (1, 2, 3)
    ]  # what so many steps of Adam can do
    assert once[0] < distance[4]
    assert distance[1] < once[0]
    assert distance[2] < once[0]
    assert distance[5] < once[0]
    assert trained[2].actor_adam.first.any()
    assert not torch.equal(trained[2].target, trained[0].target)


@pytest.mark.parametrize("critic", ["gru", "mlp"])
def test_a_zero_critic_starts_at_zero_and_leaves_the_actor_as_it_is(critic):
    drawn, zero = (learned(replace(TINY, critic=critic, zero_critic=z), 0) for z in (False, True))
    obs_ids = torch.zeros(4, 1, 3, dtype=torch.long)
    assert not zero.net.q(zero.player_states[0].theta, obs_ids).any()
    assert drawn.net.q(drawn.player_states[0].theta, obs_ids).all()
    assert torch.equal(
        *(each.net.logits(each.player_states[0].theta, obs_ids) for each in (drawn, zero))
    )


@pytest.mark.parametrize("detached", [True, False])
def test_the_actors_optimiser_moves_the_critic_only_through_the_leak(detached):
    cfg = replace(TINY, detach_advantage=detached, critic_lr=0.0)
    start = SelfPlay(cfg, learned(cfg, 0).venv, loqa.loss, 3)
    before = start.player_states[0].theta.clone()
    moved = learned(cfg).player_states[0].theta != before
    split = start.net.actor_size
    assert moved[:, :split].any()
    assert moved[:, split:].any() != detached


def test_runs_side_by_side_do_not_mix():
    """A run whose rewards are the same learns the same, whatever the others do: the second of two,
    alone disturbed."""
    cfg = replace(TINY, runs=2)
    one, two = learned(cfg, 0), learned(cfg, 0)
    two.player_states[0].theta = two.player_states[0].theta.clone()
    two.player_states[0].theta[1] += 0.3
    for learner in (one, two):
        for _ in range(3):
            learner.update()
    first, second = one.player_states[0].theta, two.player_states[0].theta
    assert (first[0] - second[0]).abs().max() < 1e-6
    assert (first[1] - second[1]).abs().max() > 0.1


def test_models_do_not_look_into_the_opponents():
    """Replacing the opponents' networks by noise, where it is asked what they want, changes
    nothing."""

    class Blind(loqa_modelled.ModelledSelfPlay):
        def _opponent_data(self, games, seats, thetas):
            lies = games._replace(
                rewards=games.rewards.clone(), logits=torch.zeros_like(games.logits)
            )
            for seat in seats:
                lies.rewards[..., seat] = 99.0
            return super()._opponent_data(
                lies, seats, [torch.zeros_like(theta) for theta in thetas]
            )

    cfg = loqa_modelled.ModelledConfig(**vars(TINY))
    found = []
    for kind in (loqa_modelled.ModelledSelfPlay, Blind):
        learner = make_self_play(cfg, "coin_game_v0", {}, 3, "cpu", loss=loqa.loss, kind=kind)
        for _ in range(4):
            learner.update()
        found.append(learner.player_states[0].theta)
    assert torch.equal(*found)


@pytest.mark.slow
def test_the_reward_model_learns_the_rewards():
    """On the prisoner's dilemma, after 400 updates: each outcome's payoff, for the opponent's seat
    too."""
    cfg = replace(loqa_modelled.default_config("ipd_v0"), batch=64, horizon=10, reward_hidden=16)
    learner = make_self_play(
        cfg, "ipd_v0", {}, 0, "cpu", loss=loqa.loss, kind=loqa_modelled.ModelledSelfPlay
    )
    for _ in range(400):
        metrics = learner.update()
    assert metrics["reward_model_loss"] < 0.02
    obs_ids = torch.tensor([0, 1, 2, 3, 4])[:, None, None].expand(5, 1, 1)  # start, CC, CD, DC, DD
    predicted = learner.modelled_rewards(learner.models[0].reward_model, obs_ids)[0, 0]
    assert (predicted - cfg.payoff_shift - torch.tensor([-1.0, -3.0, 0.0, -2.0])).abs().max() < 0.35


@pytest.mark.parametrize("wrong", [{"reward_hidden": 0}, {"model_lr": -1.0}])
def test_bad_settings_of_models_are_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must be at least"):
        loqa_modelled.ModelledConfig(**wrong)


@pytest.mark.slow
def test_recommended_settings_reciprocate():
    """8 runs of 1500 updates: cooperation is answered, defection is not.

    False alarms: asking 5 of 8 runs for P(C|CC) - P(C|CD) > .4 fails with p < .006 if a run
    succeeds with probability .9, and with p < .06 with .8. (All 10 runs of benchmarks/loqa_ipd.py
    succeed.)"""
    cfg = replace(loqa.IPD, batch=512, runs=8)
    learner = learned(cfg, 1500, "ipd_v0", seed=7)
    policy = torch.softmax(
        learner.net.unpack(learner.player_states[0].theta, "actor")["zero_table"], -1
    )[..., 0]
    assert int((policy[:, 1] - policy[:, 2] > 0.4).sum()) >= 5


def test_n_step_counts_the_first_steps_and_detaches_what_they_are_worth():
    """The loss, written out: two runs, two opponents, A_t that are attached."""
    generator = torch.Generator().manual_seed(1)

    def some(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    runs, games, steps, actions, n = 2, 3, 6, 4, 2
    logp, advantages = (
        some(runs, games, steps).requires_grad_(),
        some(runs, games, steps).requires_grad_(),
    )
    moves = torch.randint(actions, (2, runs, games, steps), generator=generator)
    others = OpponentData(
        some(2, runs, games, steps),
        moves,
        some(2, runs, games, steps, actions),
        some(2, runs, games, steps),
    )
    cfg = loqa.LoqaConfig(n_step=n, horizon=steps, weight=0.7, gamma=0.9)
    found = loqa.loss(ActorData(None, logp, advantages, None, None, others, True), cfg)
    for r in range(runs):
        expected = -(advantages[r] * logp[r]).mean()
        for j in range(2):
            mean = others.rewards[j, r].mean()
            for b in range(games):
                for t in range(steps - n):
                    paid, box = (
                        others.rewards[j, r, b],
                        (logp[r, b, t + 1] - logp[r, b, t + 1].detach()).exp(),
                    )
                    q = others.q[j, r, b, t].clone()
                    a = others.actions[j, r, b, t]
                    q[a] = (
                        paid[t]
                        + 0.9 * (mean + (paid[t + 1] - mean) * box)
                        + 0.81 * others.values[j, r, b, t + 2]
                    )
                    answer = torch.log_softmax(q, -1)[a]
                    expected = expected - 0.7 * advantages[r, b, t].detach() * answer / (
                        games * (steps - n)
                    )
        assert found[r].item() == pytest.approx(expected.item(), abs=1e-12)
        for x in (logp, advantages):
            ours, theirs = (
                torch.autograd.grad(y, x, retain_graph=True)[0] for y in (found[r], expected)
            )
            assert (ours - theirs).abs().max() < 1e-12


def test_a_shared_network_must_be_told_who_it_is():
    with pytest.raises(ValueError, match="view='joint' shows all players the same"):
        learned(TINY, 0, game={"view": "joint"})
    assert learned(replace(TINY, shared=False), 1, game={"view": "joint"}).iteration == 1
