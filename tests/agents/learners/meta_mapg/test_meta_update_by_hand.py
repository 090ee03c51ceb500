"""A meta-update step by step: which tasks, which chains are averaged, how Adam moves.

The meta-gradients themselves are compared with enumeration in tests/agents/exact.
"""

import pytest
import torch

from agents import LEARNERS
from agents.learners.meta_mapg.config import MetaLearnerConfig
from agents.learners.meta_mapg.games import World
from agents.learners.meta_mapg.learner import MetaAgent
from agents.learners.meta_mapg.personas import noisy_payoffs, personas
from agents.nn.lstm import Lstm
from agents.nn.networks import Tabular
from social_dilemmas_env.rng import draw
from tests.agents.learners.loqa.by_hand import HandAdam

SEED, NOISE = 4, {"payoff_noise": 0.5}
TINY = {"batch": 3, "games": 3, "steps": 4, "chain": 2, "hidden": 3, "runs": 2}


def learner(name="meta_mapg", game=NOISE, env_id="ipd_v0", **changes):
    cfg = MetaLearnerConfig(**{**TINY, **changes})
    return LEARNERS[name].make(cfg, env_id, dict(game), SEED, "cpu")


@pytest.mark.parametrize("clip", [None, 0.01])
def test_an_update_is_adam_on_the_mean_over_the_chains_of_a_run(clip):
    changes = {} if clip is None else {"max_grad_clip": clip}
    one = learner(values="exact", lr_outer=0.03, **changes)
    cfg = one.cfg
    adams = [HandAdam(torch.cat((one.phi[n], one.rates[n]), 1)) for n in (0, 1)]

    for k in range(3):
        seed = draw(SEED, 3, k)  # 3 is the stream of games
        tables = noisy_payoffs(one.table.payoffs, 0.5, 6, "train", seed)
        start = [torch.cat((one.phi[n], one.rates[n]), 1) for n in (0, 1)]

        # A run's chains lie side by side, all from its φ_0 and with its α.
        phi = tuple(torch.stack([one.phi[n][m // 3] for m in range(6)]) for n in (0, 1))
        rates = torch.stack([torch.stack([r[m // 3] for m in range(6)], 1) for r in one.rates], 1)
        gradients = one.gradients(phi, rates, tables)
        one.update()
        for n, each in enumerate(gradients):
            rows = torch.cat((each.start, each.rates.T), 1)
            mean = torch.stack([rows[:3].mean(0), rows[3:].mean(0)])
            norm = mean.norm(dim=1, keepdim=True)
            bound = cfg.max_grad_clip
            mean = torch.where(norm > bound, mean * bound / norm, mean)
            expected = adams[n].step(start[n], -mean, 0.03)
            found = torch.cat((one.phi[n], one.rates[n]), 1)
            assert torch.allclose(found, expected, atol=1e-9), (k, n)


def test_chains_that_end_leave_the_mean():
    one = learner(values="exact")
    found = one.gradients

    def ended(*arguments):
        rows = found(*arguments)
        finite = torch.tensor([True, False, True, False, False, False])
        kept = [torch.where(finite[:, None], row.start, 0.0) for row in rows]
        return [
            row._replace(start=start, rates=torch.where(finite, row.rates, 0.0), finite=finite)
            for row, start in zip(rows, kept, strict=True)
        ]

    one.gradients = ended
    tables, _ = one.tasks()
    phi, rates = one.starts(None, 3)
    row = ended(phi, rates, tables)[0]
    mean = row.start[[0, 2]].mean(0)
    before = one.phi[0].clone()
    metrics = one.update()
    assert metrics["ended_chains"] == 4
    assert torch.equal(one.phi[0][1], before[1])
    direction = torch.cat((mean, row.rates.T[[0, 2]].mean(0)))
    norm = direction.norm()
    scaled = mean * min(1.0, float(one.cfg.max_grad_clip / norm))
    assert torch.allclose(one.adams[0].first[0, : len(mean)], -0.1 * scaled, atol=1e-12)


def test_every_update_has_tables_of_its_own():
    one = learner(values="exact")
    seen = []
    for _ in range(3):
        seen += one.tasks()[0].flatten(1).tolist()
        one.update()
    assert len({tuple(table) for table in seen}) == 18


@pytest.mark.parametrize("peers", ["meta", "cooperative"])
def test_meta_tests_use_tables_and_peers_that_training_never_saw(peers):
    one = learner(values="exact", peers=peers)
    trained, trained_peers = [], []
    for _ in range(4):
        tables, met = one.tasks()
        trained.append(tables)
        trained_peers += [] if met is None else [met]
        one.update()

    asked = {}

    def adapt(tables, met, seed):
        asked.update(tables=tables, peers=met)
        return torch.zeros(3, 2, 2, len(tables))

    one.adapt = adapt
    agent = MetaAgent.__new__(MetaAgent)
    agent.learner = one
    for seed in range(4):
        agent.adaptation(tasks=6, seed=seed)
        same = (torch.cat(trained)[:, None] == asked["tables"][None]).flatten(2)
        assert not same.all(-1).any()
        assert (asked["tables"] - one.table.payoffs).abs().max() <= 0.5
        assert asked["tables"].flatten(1).unique(dim=0).shape[0] == 6
        if peers != "meta":
            test = personas("ipd_v0", peers, "test", draw(SEED, 2))
            assert torch.equal(asked["peers"], test[:6])
            assert not (torch.cat(trained_peers)[:, None] == test[None]).all(-1).any()


def test_training_draws_its_peers_from_the_training_split():
    one = learner(peers="defective", batch=40)
    train = personas("ipd_v0", "defective", "train", draw(SEED, 2))
    _, met = one.tasks()
    assert (met[:, None] == train[None]).all(-1).any(1).all()
    assert len(met.unique(dim=0)) > 40


def test_each_chain_is_paid_by_its_own_table():
    tables = noisy_payoffs(torch.zeros(2, 2, 2), 1.0, 3, "train", 0)
    net = Tabular(torch.eye(5, dtype=torch.float64), 2)
    cfg = MetaLearnerConfig(**TINY)
    world = World((net, net), tables, cfg, torch.Generator().manual_seed(0))
    games = world.play_games(tuple(torch.zeros(3, 10, dtype=torch.float64) for _ in range(2)))
    for m in range(3):
        for k in range(cfg.games):
            for t in range(cfg.steps):
                a, b = games.actions[:, t, m, k].tolist()
                assert games.rewards[:, m, k, t].tolist() == tables[m, a, b].tolist()
                if t:
                    before = games.actions[:, t - 1, m, k].tolist()
                    assert games.obs_ids[0, t, m, k] == 1 + 2 * before[0] + before[1]
                    assert games.obs_ids[1, t, m, k] == 1 + 2 * before[1] + before[0]
                else:
                    assert games.obs_ids[:, t, m, k].tolist() == [0, 0]


def test_memories_are_empty_when_an_episode_begins():
    """The same chances give the same games, whatever was played before."""
    net = Lstm(torch.eye(5), 2, 3)
    size = sum(torch.Size(shape).numel() for shape in net.shapes().values())
    phi = tuple(torch.randn(3, size, generator=torch.Generator().manual_seed(n)) for n in (1, 2))
    tables = noisy_payoffs(torch.zeros(2, 2, 2), 1.0, 3, "train", 0)
    world = World((net, net), tables, MetaLearnerConfig(**TINY), torch.Generator())
    played = []
    for seed in (5, 6, 5):
        world.generator.manual_seed(seed)
        played.append(world.play_games(phi))
    assert torch.equal(played[0].actions, played[2].actions)
    assert not torch.equal(played[0].actions, played[1].actions)


def test_adapting_differentiates_nothing_and_plays_with_every_runs_start():
    one = learner(values="samples")
    one.phi[0][1] = one.phi[0][1] + torch.tensor([20.0, -20.0] * 5, dtype=torch.float64)
    one.phi[1][1] = one.phi[1][1] + torch.tensor([20.0, -20.0] * 5, dtype=torch.float64)
    tables = noisy_payoffs(one.table.payoffs, 0.0, 4, "test", 0)
    rewards = one.adapt(tables, None)
    assert rewards.shape == (3, 2, 2, 4)
    assert not rewards.requires_grad
    assert torch.allclose(rewards[0, :, 1], torch.tensor(-1.0, dtype=torch.float64), atol=1e-6)
    assert (rewards[0, :, 0] + 1).abs().max() > 0.1
