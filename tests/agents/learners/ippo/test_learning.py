"""Independent PPO as a learner: what it plays and learns from, resuming, bad input."""

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import Plan, TrainingError, load_agent, load_agents, train
from agents.evaluation.agent import AgentPlayer
from agents.execution import memory
from agents.learners.ippo.ippo import IppoConfig, advantages_of, default_config
from agents.learners.ippo.learner import make_ippo
from agents.learners.ippo.playing import by_player, class_count, planes
from agents.nn.networks import log_softmax
from social_dilemmas_env.rng import Stream, draw

TINY = IppoConfig(horizon=6, batch=4, epochs=2, minibatches=2, hidden=4, layers=1)
SWITCHES = {
    "shared": False,
    "gamma": 0.5,
    "gae_decay": 0.5,
    "clip_range": 1e-4,
    "epochs": 3,
    "minibatches": 3,
    "lr": 0.1,
    "entropy": 1.0,
    "value_weight": 5.0,
    "max_norm": 1e-9,
    "hidden": 5,
    "layers": 2,
    "alignment": 1.0,
}
ENDING = {"continuation": 0.5}
QUICK = Plan(iterations=4, eval_every=0, eval_episodes=2, quiet=True)


def learned(cfg=TINY, updates=2, env_id="coin_game_v0", **game):
    learner = make_ippo(cfg, env_id, game, 3, "cpu")
    for _ in range(updates):
        learner.update()
    return learner


# ---------------------------------------------------------------------------------------- settings


@cache
def theta_of(cfg):
    return learned(cfg).theta


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_changes_what_is_learned(name):
    one, two = theta_of(TINY), theta_of(replace(TINY, **{name: SWITCHES[name]}))
    assert one.shape != two.shape or not torch.equal(one, two)


def test_all_settings_are_tested():
    assert set(SWITCHES) | {"horizon", "batch"} == {field.name for field in fields(IppoConfig)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"horizon": 0}, "horizon"),
        ({"epochs": 0}, "epochs"),
        ({"gamma": 1.1}, "gamma"),
        ({"gae_decay": -0.1}, "gae_decay"),
        ({"clip_range": 0.0}, "clip_range"),
        ({"lr": 0.0}, "lr"),
        ({"max_norm": 0.0}, "max_norm"),
        ({"entropy": -1.0}, "entropy"),
        ({"minibatches": 25}, r"minibatches \(25\) must be at most horizon x batch, 24"),
    ],
)
def test_bad_settings(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(TINY, **changes)


def test_a_view_in_which_nobody_knows_who_it_is():
    with pytest.raises(ValueError, match="none knows who it is"):
        learned(TINY, 0, view="joint")
    assert len(learned(replace(TINY, shared=False), 0, view="joint").theta) == 2


def test_too_little_memory_is_said_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 1000)
    with pytest.raises(ValueError, match=r"needs about .* GB .* lower batch \(now 4\), horizon"):
        learned(TINY, 0)


def test_nan_stops(tmp_path):
    cfg = replace(TINY, lr=1e30)
    with pytest.raises(TrainingError, match="became"):
        train("ippo", "coin_game_v0", config=cfg, out=tmp_path, plan=QUICK)


def test_the_commons_are_learned_in_whole_episodes():
    cfg = default_config("commons_harvest_v0")
    assert cfg.horizon == sde.spec("commons_harvest_v0").game().max_cycles


# ---------------------------------------------------------------------------------------- playing


@pytest.mark.parametrize("env_id", ["commons_harvest_v0", "clean_up_v0", "coin_game_v0", "ipd_v0"])
def test_networks_read_what_agents_are_shown(env_id):
    seen = {}
    for mode in ("uint8", "float32"):
        venv = sde.make_vec_env(env_id, num_envs=3, backend="torch", obs_mode=mode)
        seen[mode] = by_player(venv.reset(seed=1)[0])
    found = planes(seen["uint8"], class_count(venv.game))
    assert torch.equal(found, seen["float32"])


@pytest.mark.parametrize("shared", [True, False])
def test_what_was_played_is_what_the_networks_say(shared):
    """Logits and values of each player's own network, at each step, of what was seen then."""
    learner = learned(replace(TINY, shared=shared), 1)
    play = learner._play()
    for i in range(2):
        theta = learner.theta[:1] if shared else learner.theta[i : i + 1]
        x = planes(play.seen[i], learner.classes).flatten(0, 1)[None]
        logits, values = learner._forward(theta, x)
        logp = log_softmax(logits)[0].gather(1, play.actions[i].reshape(-1, 1))[:, 0]
        torch.testing.assert_close(play.logp[i].flatten(), logp)
        torch.testing.assert_close(play.values[i, :, :-1].flatten(), values[0])


def test_rewards_are_those_of_the_actions():
    """The same games again, with the actions that were kept."""
    learner = learned(TINY, 1)
    play = learner._play()
    venv = sde.make_vec_env("coin_game_v0", num_envs=4, max_cycles=6, autoreset="disabled")
    venv.reset(seed=draw(3, Stream.ENV, 1))
    for t in range(6):
        _, rewards, *_ = venv.step(play.actions[..., t].T.numpy())
        assert torch.equal(play.rewards[..., t].T, torch.as_tensor(rewards))


def test_the_horizon_is_no_end():
    assert not learned(TINY, 0)._play().ends.any()


def test_games_that_end_begin_anew():
    play = learned(TINY, 0, **ENDING)._play()
    assert play.ends.any()
    assert torch.equal(play.ends[0], play.ends[1])
    assert play.rewards.shape == (2, 4, 6)


# --------------------------------------------------------------------------------------- learning


@pytest.mark.parametrize("shared", [True, False])
def test_samples_are_standardised_and_stay_together(shared):
    learner = learned(replace(TINY, shared=shared), 1, **ENDING)
    cfg, play = learner.cfg, learner._play()
    samples = learner._samples(play)
    assert samples.actions.shape == ((1, 48) if shared else (2, 24))
    torch.testing.assert_close(samples.advantages.mean(1), torch.zeros(len(learner.theta)))

    # Player 1's last game, step 2, wherever it lies.
    rewards = play.rewards + cfg.gamma * play.tails
    raw = advantages_of(rewards, play.values, play.ends, cfg.gamma, cfg.gae_decay)
    at = (0, 24 + 3 * 6 + 2) if shared else (1, 3 * 6 + 2)
    here = (1, 3, 2)
    assert samples.actions[at] == play.actions[here]
    assert torch.equal(samples.seen[at], play.seen[here])
    assert samples.targets[at] == raw[here] + play.values[..., :-1][here]
    group = raw if shared else raw[1]
    expected = (raw[here] - group.mean()) / group.std(correction=0)
    torch.testing.assert_close(samples.advantages[at], expected)


def test_it_learns_to_defect():
    """In the dilemma, whatever the others do: seed 3, of which nothing was chosen."""
    cfg = replace(TINY, horizon=20, batch=16, lr=0.03, hidden=8)
    assert learned(cfg, 25, "ipd_v0").update()["reward"] < -1.9


# ------------------------------------------------------------------------- saving and being played


@pytest.mark.parametrize("shared", [True, False])
def test_a_resumed_run_is_that_of_one_that_never_stopped(shared, tmp_path):
    cfg = replace(TINY, shared=shared, alignment=0.5)
    whole = learned(cfg, 3)
    half = learned(cfg, 1)
    again = learned(cfg, 0)
    again.load({name: x.clone() for name, x in half.state().items()}, 1)
    again.update()
    again.update()
    assert all(torch.equal(x, whole.state()[name]) for name, x in again.state().items())


@pytest.mark.parametrize("shared", [True, False])
def test_agents_of_the_commons_play_as_they_learned(shared, tmp_path):
    cfg = replace(TINY, shared=shared)
    game = {"num_agents": 2, "max_cycles": 5}
    plan = replace(QUICK, iterations=1)
    train("ippo", "commons_harvest_v0", config=cfg, game={"num_agents": 2}, out=tmp_path, plan=plan)
    agents = load_agents(tmp_path)
    learner = make_ippo(cfg, "commons_harvest_v0", {"num_agents": 2}, 0, "cpu")
    learner.update()

    venv = sde.make_vec_env("commons_harvest_v0", num_envs=4, backend="torch", **game)
    observed, _ = venv.reset(seed=1)
    ids = sde.make_vec_env(
        "commons_harvest_v0", num_envs=4, backend="torch", obs_mode="uint8", **game
    )
    logits, _ = learner._think(ids.reset(seed=1)[0])
    for i, agent in enumerate(agents):
        chances, _ = agent.probabilities(observed[:, i])
        torch.testing.assert_close(chances, torch.softmax(logits[i], -1).detach())
    assert AgentPlayer(load_agent(tmp_path)).act(observed[:, 0]).shape == (4,)


def test_an_episode_that_is_cut_off_goes_on_with_its_value():
    """Random ends are truncations: V of the last state stands for what would have followed."""
    learner = learned(replace(TINY, horizon=12, batch=64), continuation=0.5)
    play = learner._play()
    ends = play.ends > 0
    assert ends[..., :-1].any()
    assert (play.tails[~ends] == 0).all()
    assert (play.tails[ends] != 0).all()


def test_it_trains_where_episodes_end_at_random_and_is_not_scored(tmp_path):
    plan = replace(QUICK, iterations=1, eval_every=1)
    game = {"continuation": 0.5}
    train("ippo", "ipd_v0", config=TINY, game=game, out=tmp_path, plan=plan)
    assert not (tmp_path / "metrics.jsonl").exists()  # nothing was measured
    assert AgentPlayer(load_agent(tmp_path)).act(np.eye(5, dtype=np.float32)[:1]).shape == (1,)
