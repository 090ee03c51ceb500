"""Proximal LOQA as a learner: who plays whom, what is learned from what, resuming, bad input."""

from dataclasses import fields, replace
from functools import cache

import pytest
import torch

import social_dilemmas_env as sde
from agents import Plan, TrainingError, load_agent, train
from agents.execution import memory
from agents.learners.loqa_proximal import learner as module
from agents.learners.loqa_proximal.loqa_proximal import ProximalConfig, default_config

TINY = ProximalConfig(
    batch=8,
    horizon=4,
    snapshots=4,
    push_every=1,
    thieves=2,
    thief_iterations=2,
    epochs=2,
    max_norm=None,
    actor_hidden=6,
    critic_hidden=6,
)
SWITCHES = {
    "gamma": 0.9,
    "step_rule": "clip",
    "weight": "none",
    "past": "gae",
    "shaping": 0.5,
    "temperature": 2.0,
    "decay": 0.5,
    "gae_decay": 0.5,
    "bootstrap": False,
    "epochs": 3,
    "kl_weight": 0.5,
    "actor_lr": 1e-2,
    "critic_lr": 1e-2,
    "critic_epochs": 1,
    "ema": 0.5,
    "entropy": 0.2,
    "max_norm": 0.01,
    "payoff_shift": 0.5,
    "past_selves": False,
    "push_every": 2,
    "capacity": 1,
    "snapshots": 8,
    "thieves": 0,
    "thief_iterations": 3,
    "epsilon": 0.3,
    "random_steps": 1,
    "centred": False,
    "actor": "mlp",
    "critic": "mlp",
}
# What a switch needs to be seen.
BESIDE = {"push_every": {"thieves": 1}, "capacity": {"thieves": 1, "capacity": 3}}


def learned(cfg, updates=5, env_id="coin_game_v0", game=None, seed=3):
    learner = module.make_proximal(cfg, env_id, game or {}, seed, "cpu")
    for _ in range(updates):
        learner.update()
    return learner


# ---------------------------------------------------------------------------------------- settings


@cache
def theta_of(cfg):
    return learned(cfg).player.theta


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_changes_what_is_learned(name):
    first = replace(TINY, **BESIDE.get(name, {}))
    one, two = theta_of(first), theta_of(replace(first, **{name: SWITCHES[name]}))
    assert one.shape != two.shape or not torch.equal(one, two)


def test_the_range_of_the_clipped_rule_counts():
    cfg = replace(TINY, step_rule="clip", epochs=4, actor_lr=0.1)
    thetas = [learned(replace(cfg, clip_range=x)).player.theta for x in (0.2, 0.01)]
    assert not torch.equal(*thetas)


def test_all_settings_are_tested():
    sizes = {"horizon", "batch", "runs", "clip_range", "remember"}
    sizes |= {f"{part}_{what}" for part in ("actor", "critic") for what in ("hidden", "layers")}
    assert set(SWITCHES) | sizes == {field.name for field in fields(ProximalConfig)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step_rule": "trust"}, "step_rule"),
        ({"past": "gea"}, "past must be one of 'one_step', 'gae'.*'gae'"),
        ({"weight": "lola"}, "weight"),
        ({"actor": "lstm"}, "actor"),
        ({"epochs": 0}, "epochs"),
        ({"decay": 1.1}, "decay"),
        ({"temperature": 0.0}, "temperature"),
        ({"max_norm": 0.0}, "max_norm"),
        ({"actor_layers": 3}, "actor_layers must be 1 or 2"),
        ({"batch": 10, "snapshots": 4}, r"batch \(10\) must be a multiple of snapshots \(4\)"),
        ({"remember": "faces", "actor": "mlp"}, "remember"),
        ({"remember": "pickups"}, "a GRU remembers"),
        ({"remember": "pickups", "actor": "mlp", "centred": False}, "centred=True"),
        ({"thieves": 5}, "thieves .5. must be at most 2"),
    ],
)
def test_bad_settings(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(TINY, **changes)


def test_a_view_in_which_nobody_knows_who_it_is():
    with pytest.raises(ValueError, match="none knows who it is"):
        learned(TINY, 0, game={"view": "joint"})


def test_too_little_memory_is_said_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda device: 1000)
    with pytest.raises(ValueError, match=r"needs about .* GB .* lower batch \(now 8\)"):
        learned(TINY, 0)


def test_an_unknown_setting_names_the_nearest(tmp_path):
    with pytest.raises(ValueError, match="thieves"), pytest.deprecated_call():
        train("loqa_proximal", "coin_game_v0", out=tmp_path / "run", theives=3)


def test_nan_stops(tmp_path):
    cfg = replace(TINY, actor_lr=1e30)
    with pytest.raises(TrainingError, match="became"):
        train("loqa_proximal", "coin_game_v0", config=cfg, out=tmp_path, plan=Plan(5, quiet=True))


# ------------------------------------------------------------------------------------ who is met


def test_the_first_iterations_are_naive_and_the_learner_starts_anew():
    naive, same = (learned(replace(TINY, weight=w), 2) for w in ("loqa", "none"))
    assert torch.equal(naive.player.theta, same.player.theta)

    third = learned(TINY, 3)
    assert len(third.thieves) == 2
    for thief, copy in zip(third.thieves, naive.player.past, strict=True):
        assert torch.equal(thief, copy)
    assert len(third.player.past) == 1
    start = third.player.past[0]
    assert not torch.equal(start, learned(TINY, 0).player.theta)
    assert third.player.actor_adam.steps == 2  # of this learner


def test_metrics_tell_the_naive_iterations():
    learner = learned(TINY, 0)
    assert [learner.update()["naive"].item() for _ in range(4)] == [1, 1, 0, 0]


def test_thieves_stay_among_the_opponents():
    learner = learned(replace(TINY, snapshots=8, runs=2), 4)
    generator = torch.Generator().manual_seed(0)
    for j, groups in ((0, (0, 1)), (1, (1, 2))):
        met = learner._opponent(j, generator).unflatten(0, (2, 8))
        for group, thief in zip(groups, learner.thieves, strict=True):
            assert torch.equal(met[:, group], thief)
        others = met[:, [k for k in range(8) if k not in groups]].flatten(0, 1)
        known = torch.cat(learner.player.past)
        assert all((theta == known).all(1).any() for theta in others)


def test_each_seat_is_taken_in_turn():
    learner = learned(TINY, 0, game={"num_agents": 3})
    seats = []
    for _ in range(4):
        seats.append(learner._play()[1] if learner.player.past else [0, 1, 2])
        learner.update()
    assert seats == [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]


# ---------------------------------------------------------------------------------- what is learned


def hand_weights(learner, games, seats, thetas, run, game):
    """W of one game before it is standardised, from the formulas, term by term."""
    cfg, steps = learner.cfg, learner.cfg.horizon
    batch = cfg.batch
    column = run * batch + game
    q, policy = {}, {}
    for seat, theta in zip(seats, thetas, strict=True):
        row = column // (cfg.runs * batch // len(theta))
        obs_ids = games.obs_ids[:, column, seat][:, None, None]
        one = theta[row : row + 1]
        q[seat] = learner.net.q(one, obs_ids)[:, 0, 0]
        policy[seat] = torch.softmax(learner.net.logits(one, obs_ids)[:, 0, 0], -1)
    values = {seat: (policy[seat] * q[seat]).sum(-1) for seat in seats}

    me = seats[0]
    paid = games.rewards[:, column]
    delta = [paid[t, me] + cfg.gamma * values[me][t + 1] - values[me][t] for t in range(steps)]
    weights = []
    for t in range(steps):
        weight = sum((cfg.gamma * cfg.gae_decay) ** (k - t) * delta[k] for k in range(t, steps))
        for seat in seats[1:]:
            back = [values[seat][steps - 1]]  # what the last step pays is not looked at
            for k in reversed(range(steps - 1)):
                back.insert(0, paid[k, seat] + cfg.gamma * back[0])
            for k in range(t):
                q_k = q[seat][k].clone()
                action = games.actions[k, column, seat]
                q_k[action] = back[k]
                answer = 1 - torch.softmax(q_k / cfg.temperature, -1)[action]
                past = cfg.gamma * (cfg.gamma * cfg.decay) ** (t - k - 1) * delta[k] * answer
                weight = weight + past / cfg.temperature * (back[t] - values[seat][t])
        weights.append(weight)
    return torch.stack(weights)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["gru", "mlp"])
def test_weights_are_those_of_the_games_played(kind):
    """With three players, two runs, opponents in groups."""
    cfg = replace(TINY, runs=2, actor=kind, critic=kind, temperature=0.5, step_rule="adam")
    with torch.enable_grad():
        learner = learned(cfg, 4, "coin_game_v0", {"num_agents": 3, "grid_size": 2})
    games, seats, thetas = learner._play()
    batch = learner._batch(games, seats, thetas, naive=False)
    for run in range(2):
        for game in (0, 3, 7):
            expected = hand_weights(learner, games, seats, thetas, run, game)
            assert torch.allclose(batch.weights[run, game], expected, atol=1e-4)
    assert batch.weights.std() > 0.1


@torch.no_grad()
def test_the_critics_targets_are_sarsas():
    with torch.enable_grad():
        learner = learned(TINY, 4)
    games, seats, thetas = learner._play()
    batch = learner._batch(games, seats, thetas, naive=False)
    q = learner.net.q(learner.player.target, batch.own.obs_ids)[:, 0]
    last = torch.softmax(learner.net.logits(thetas[0], batch.own.obs_ids)[-1, 0], -1)
    for n in (0, 5):
        taken = [q[t + 1, n, batch.own.actions[0, n, t + 1]] for t in range(3)]
        following = torch.stack([*taken, (last[n] * q[4, n]).sum()])
        expected = batch.own.rewards[0, n] + 0.96 * following
        assert torch.allclose(batch.targets[0, n], expected, atol=1e-5)


def test_runs_side_by_side_do_not_mix():
    one, two = (learned(replace(TINY, runs=2), 3) for _ in range(2))
    two.player.theta = two.player.theta.clone()
    two.player.theta[1] += 0.3
    for learner in (one, two):
        learner.update()
    difference = (one.player.theta - two.player.theta).abs().amax(1)
    assert difference[0] < 1e-6
    assert difference[1] > 0.1


@torch.no_grad()
def test_random_steps_are_uniform_and_known_to_be():
    learner = learned(replace(TINY, batch=400, past_selves=False, random_steps=1), 0)
    learner.player.theta *= 100  # a policy of next to no chance
    games, seats, thetas = learner._play()
    batch = learner._batch(games, seats, thetas, naive=True)

    assert (games.actions[0, :, 0].bincount(minlength=4) > 60).all()  # 100 ± 9 each: 4.6 errors
    assert torch.allclose(batch.played[..., 0], torch.tensor(0.25).log())
    logp = batch.log_policy.gather(-1, batch.own.actions[..., None])[..., 0]
    assert torch.equal(batch.played[..., 1:], logp[..., 1:])


# ---------------------------------------------------------------------------------------- resuming


@pytest.mark.parametrize(("at", "capacity"), [(1, 9), (2, 9), (3, 9), (5, 2)])
def test_going_on_is_the_same_bit_for_bit(at, capacity):
    """Among the thieves' iterations, between them and the others, and after."""
    cfg = replace(TINY, capacity=capacity)
    whole, first, second = learned(cfg, 6), learned(cfg, at), learned(cfg, 0)
    saved = first.state() | first.frozen()
    second.load({name: x.clone() for name, x in saved.items()}, at)
    for _ in range(6 - at):
        second.update()

    expected, found = (each.state() | each.frozen() for each in (whole, second))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_what_is_frozen_never_changes():
    learner, seen = learned(TINY, 0), {}
    for _ in range(6):
        learner.update()
        for name, theta in learner.frozen().items():
            assert torch.equal(seen.setdefault(name, theta.clone()), theta)


def test_a_past_self_of_another_size_is_refused():
    learner = learned(TINY, 4)
    tensors = learner.state() | learner.frozen()
    name = next(iter(learner.frozen()))
    with pytest.raises(ValueError, match="another size"):
        learner.load({**tensors, name: torch.zeros(1, 3)}, 4)


# ----------------------------------------------------------------------------------------- playing


@pytest.mark.parametrize(
    ("env_id", "game", "kind", "centred"),
    [
        ("coin_game_v0", {"grid_size": (2, 3)}, "gru", True),
        ("coin_game_v0", {}, "mlp", False),
        ("public_goods_v0", {"num_agents": 3}, "mlp", True),
    ],
)
def test_the_agent_plays_what_was_learned(tmp_path, env_id, game, kind, centred):
    cfg = replace(TINY, actor=kind, critic=kind, centred=centred)
    plan = Plan(3, eval_every=0, quiet=True)
    folder = train("loqa_proximal", env_id, config=cfg, plan=plan, game=game, out=tmp_path / "run")
    agent = load_agent(folder)

    learner = learned(cfg, 3, env_id, game, seed=0)
    table = learner.venv.observation_table
    obs_ids, _ = learner.venv.reset(seed=5)
    ids = obs_ids[:, 0].long()[None, None].expand(2, 1, -1)
    expected = torch.softmax(learner.net.logits(learner.player.theta, ids), -1)[:, 0]

    hidden = None
    for step in range(2):
        seen = table[ids[step, 0]].view(-1, *learner.venv.game.observation_shape)
        chances, hidden = agent.probabilities(seen, hidden)
        assert torch.allclose(chances, expected[step], atol=1e-5)


@pytest.mark.parametrize("game", [{}, {"num_agents": 3, "ties": "split", "grid_size": 2}])
def test_an_agent_that_remembers_plays_as_where_it_is_shown(tmp_path, game):
    """From plain observations it makes of the games what the game with a memory shows."""
    cfg = replace(TINY, actor="mlp", critic="mlp", remember="pickups")
    plan = Plan(2, eval_every=0, quiet=True)
    out = tmp_path / "run"
    agent = load_agent(
        train("loqa_proximal", "coin_game_v0", config=cfg, plan=plan, game=game, out=out)
    )
    learner = learned(cfg, 2, "coin_game_v0", game, seed=0)
    assert agent.game_kwargs.get("num_agents") == game.get("num_agents")

    shown = learner.venv
    plain = sde.make_vec_env("coin_game_v0", num_envs=8, backend="torch", **game)
    ids, _ = shown.reset(seed=5)
    seen, _ = plain.reset(seed=5)
    hidden, generator = [None] * shown.game.num_agents, torch.Generator().manual_seed(1)
    for _ in range(4):
        for seat in range(shown.game.num_agents):
            chances, hidden[seat] = agent.probabilities(seen[:, seat], hidden[seat])
            logits = learner.net.logits(learner.player.theta, ids[:, seat].long()[None, None])
            assert torch.allclose(chances, torch.softmax(logits, -1)[0, 0], atol=1e-5)
        actions = torch.randint(4, ids.shape, generator=generator)
        (ids, *_), (seen, *_) = shown.step(actions), plain.step(actions)


@pytest.mark.parametrize("game", [{"ties": "red"}, {"memory": "pickups"}])
def test_what_cannot_be_remembered(game):
    cfg = replace(TINY, actor="mlp", remember="pickups")
    with pytest.raises(ValueError, match="remember='pickups' is for the Coin Game without memory"):
        learned(cfg, 0, "coin_game_v0", game)


def test_the_agent_refuses_observations_of_another_game(tmp_path):
    folder = train(
        "loqa_proximal",
        "coin_game_v0",
        config=TINY,
        plan=Plan(1, eval_every=0, quiet=True),
        out=tmp_path / "run",
    )
    with pytest.raises(ValueError, match="have 36 numbers, these"):
        load_agent(folder).probabilities(torch.zeros(2, 4, 5, 5))


DILEMMA = {"shaping": 1.0, "entropy": 0.02, "epsilon": 0.0, "random_steps": 0, "thieves": 4}


@pytest.mark.slow
@pytest.mark.parametrize("weight", ["loqa", "none"])
def test_it_reciprocates_in_the_dilemma_and_naive_learning_defects(weight):
    """Seed 0, no false alarms: the same bits on the same machine, and far from both bounds."""
    cfg = replace(default_config("ipd_v0"), weight=weight, **DILEMMA)
    learner = learned(cfg, 140, "ipd_v0", seed=0)
    ids = torch.arange(5).expand(1, 1, -1)
    chances = torch.softmax(learner.net.logits(learner.player.theta, ids)[0, 0], -1)[:, 0]
    assert (chances[1] > 0.8) == (weight == "loqa")
    assert chances[4] < 0.2
