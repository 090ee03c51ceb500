"""Tables and MLPs of POLA-DiCE: boards up to symmetry, followed memories, imagined gains."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import load_agent
from agents.checkpoint import Checkpoint
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.memory_agent import MemoryAgent
from agents.evaluation.scoring import play_episodes
from agents.learners.pola.agent import restore_agent
from agents.learners.pola.imagined_gain import LOOK, Watch, adapted
from agents.learners.pola.learner import imagined_gain, make_pola_dice
from agents.learners.pola.networks import as_tables
from agents.learners.pola.pola_dice import PolaDiceConfig, outer_gradient
from agents.learners.pola.proximal import score_games
from agents.nn.symmetry import classes_of
from agents.registry import LEARNERS
from social_dilemmas_env.games.game import decode, encode

torch.set_num_threads(1)
TINY = {"batch": 4, "horizon": 4, "hidden": 4, "outer_steps": 1, "inner_steps": 1}
VIEW = {"memory": "last_pickup"}


def learner(game=VIEW, seed=3, **changes):
    cfg = replace(LEARNERS["pola_dice"].settings("coin_game_v0"), **{**TINY, **changes})
    return make_pola_dice(cfg, "coin_game_v0", dict(game), seed, "cpu")


def random_policy(game=VIEW, **changes):
    """A learner of no training, whose policies are far from uniform."""
    one = learner(game, **changes)
    noise = torch.randn(one.theta.shape, generator=torch.Generator().manual_seed(1))
    one.theta = one.theta + 2 * noise
    return one


def agent_of(one, game=VIEW):
    facts = {"learner": "pola_dice", "env_id": "coin_game_v0", "game": dict(game)}
    facts["settings"] = vars(one.cfg)
    return restore_agent(Checkpoint("x.json", 0, facts, one.state()), "cpu", 0)


def logits(one, ids):
    """Of player 0.  [B] -> [B, A]."""
    return one.net.logits(one.theta[:1], torch.as_tensor(ids)[None, None])[0, 0].detach()


@pytest.mark.parametrize("actor", ["tabular", "mlp"])
@pytest.mark.parametrize("which", ["translations", "all"])
def test_policies_do_not_tell_apart_what_a_symmetry_makes_equal(actor, which):
    """π(g a | g s) = π(a | s) on boards that only the identity leaves as they are."""
    one = random_policy(actor=actor, symmetry=which)
    game = one.venv.game
    views = decode(np.arange(0, int(np.prod(game.sizes)), 37), game.sizes)
    here = logits(one, encode(views, game.sizes))
    unlike = 0
    for symmetry in game.symmetries():
        names = torch.as_tensor(symmetry.actions[0])
        if which == "translations" and (names != torch.arange(4)).any():
            continue
        maps = zip(symmetry.columns, views, strict=True)
        moved = tuple(np.asarray(values)[column] for values, column in maps)
        there = logits(one, encode(moved, game.sizes))[:, names]
        unlike = max(unlike, (there - here).abs().amax(1).gt(1e-5).float().mean())
    assert unlike < (0.35 if which == "all" else 1e-9)  # mirrored boards: a third of 3x3's
    assert here.std(0).min() > 0.1


def test_all_symmetries_leave_fewer_classes():
    game = sde.spec("coin_game_v0").game(memory="pickups")
    counts = [len(classes_of(game, which, torch.device("cpu")).first) for which in WHICH]
    assert counts == [162 * 9, 30 * 9]


WHICH = ("translations", "all")


@pytest.mark.parametrize("game", [VIEW, {"memory": "pickups", "variant": "pola"}])
@pytest.mark.parametrize("actor", ["tabular", "mlp"])
def test_an_agent_follows_the_memory_that_it_was_shown(game, actor):
    """The same chances from boards alone as from the memory view, in either seat."""
    one = random_policy(game, actor=actor, symmetry="all")
    agent = agent_of(one, game)
    assert isinstance(agent, MemoryAgent)
    assert "memory" not in agent.game_kwargs
    plain = {name: x for name, x in game.items() if name != "memory"}
    venv = sde.make_vec_env("coin_game_v0", num_envs=5, autoreset="disabled", **game)
    ids = sde.make_vec_env(
        "coin_game_v0", num_envs=5, autoreset="disabled", obs_mode="state", backend="torch", **game
    )
    shown, _ = venv.reset(seed=4)
    seen, _ = ids.reset(seed=4)
    moves = np.random.default_rng(0)
    seats = [agent.seated(seat, plain) for seat in (0, 1)]
    showing = agent.seated(0, game)
    hidden, more = [None, None], None
    for _ in range(12):
        for seat in (0, 1) if game is VIEW else (0,):
            chances, hidden[seat] = seats[seat].probabilities(shown[:, seat, :4], hidden[seat])
            wanted = torch.softmax(logits(one, seen[:, seat].long()), -1)
            assert (chances - wanted).abs().max() < 1e-5
        again, more = showing.probabilities(shown[:, 0], more)
        assert (again - torch.softmax(logits(one, seen[:, 0].long()), -1)).abs().max() < 1e-5
        actions = moves.integers(4, size=(5, 2))
        shown = np.array(venv.step(actions)[0])
        seen = ids.step(torch.as_tensor(actions))[0].clone()


def test_such_an_agent_plays_the_game_without_the_view():
    agent = agent_of(random_policy(actor="tabular", symmetry="none"))
    played = play_episodes("coin_game_v0", [AgentPlayer(agent), AgentPlayer(agent)], 3, 0)
    assert played["actions"].shape == (50, 3, 2)


def test_a_mirror_answer_is_played_by_the_other_alone():
    """Seats of the learners play π, those of the imagined opponents log π + Q / β."""
    one = learner(actor="tabular", look_ahead="mirror", beta_in=0.01, batch=200, horizon=6)
    q = one.net.parts()["critic.zero_table"][0]
    one.theta[:, q + 3 :: 5] = 1.0  # everybody values "up" by 1, which is 100 after 1 / β
    theta = one.theta.clone()
    games = one._play_outer(theta, one.swapped(theta), 1)
    before = one._play_outer(theta, one.swapped(theta), 0)
    assert (games.other.actions == 2).all()
    assert 0.1 < (games.own.actions == 2).float().mean() < 0.4
    assert 0.1 < (before.other.actions == 2).float().mean() < 0.4


def test_the_imagined_gain_is_what_the_others_step_earns_it():
    one = learner(actor="tabular", lr_in=50.0, batch=300, horizon=8, symmetry="all")
    outer = outer_gradient(one.theta, one._outer_problem())
    first = one._play_outer(one.theta, one.swapped(one.theta), 0)
    expected = outer.games.other.rewards.mean((1, 2)) - first.other.rewards.mean((1, 2))
    assert torch.equal(imagined_gain(outer), expected)


def test_eta_follows_the_imagined_gain():
    cfg = PolaDiceConfig(lr_in=2.0, target_gain=0.1)
    eta = torch.tensor([[2.0], [2.0], [2.0], [2e5]])
    after = adapted(eta, torch.tensor([0.01, 0.2, -0.1, 0.01]), cfg)
    assert torch.allclose(after[:3, 0], torch.tensor([2.2, 2 / 1.1, 1.0]))
    assert after[3, 0] == 2e5


def test_eta_is_what_the_look_ahead_uses():
    how = {"actor": "tabular", "target_gain": 0.5, "lr_in": 5.0, "batch": 50, "horizon": 8}
    one, two = learner(**how), learner(**how)
    two.eta = two.eta * 4
    assert torch.equal(one.update()["reward"], two.update()["reward"])
    assert not torch.equal(one.theta, two.theta)


def test_a_look_ahead_that_moves_nobody_is_said_once():
    cfg, watch = PolaDiceConfig(), Watch()
    for _ in range(LOOK - 1):
        watch.see(torch.zeros(2), cfg)
    with pytest.warns(UserWarning, match=r"gain the opponent 0\.0000 a step.*raise lr_in"):
        watch.see(torch.zeros(2), cfg)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2 * LOOK):
            watch.see(torch.zeros(2), cfg)
        moved = Watch()
        for _ in range(LOOK):
            moved.see(torch.full((2,), 0.05), cfg)


def test_a_look_ahead_in_logits_is_a_tables_whatever_the_network():
    """An MLP and the tables of what it says: the same games, the same worth of every move."""
    how = {"outer": "proximal", "symmetry": "all", "lr_in": 50.0, "batch": 100, "horizon": 6}
    one = random_policy(actor="mlp", look_ahead="logits", **how)
    tables = learner(actor="tabular", **how)
    problem = one._outer_problem()
    own, other = as_tables(one.net, one.theta), as_tables(one.net, problem.other)
    scored = problem._replace(net=one.acting, old=own, other=other)
    mine = score_games(own, scored)
    theirs = score_games(own, tables._outer_problem()._replace(old=own, other=other))
    assert mine.last.weights.abs().max() > 1e-4
    assert torch.allclose(mine.last.weights, theirs.last.weights, atol=1e-7)
    assert torch.allclose(mine.inner[0].weights, theirs.inner[0].weights, atol=1e-7)


@pytest.mark.parametrize("actor", ["tabular", "mlp"])
def test_both_players_begin_uniform(actor):
    one = learner(actor=actor, symmetry="all")
    assert logits(one, torch.arange(0, 50_000, 77)).abs().max() == 0


def test_a_warm_start_is_that_agents_policy():
    settings = {"hidden": 64, "layers": 2, "warm_start": "bundled:cloned_3x3"}
    one = learner({}, **settings)
    observations = torch.eye(36).reshape(36, 4, 3, 3)
    facts = {"learner": "pola_dice", "env_id": "coin_game_v0", "game": {}}
    facts["settings"] = vars(one.cfg)
    started = restore_agent(Checkpoint("x.json", 0, facts, one.state()), "cpu", 0)
    clone = load_agent("bundled:cloned_3x3")
    assert torch.equal(started.probabilities(observations)[0], clone.probabilities(observations)[0])
