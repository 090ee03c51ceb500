"""Meta-MAPG through `train`, and its parts: personas, noisy tables, the LSTM, chains that diverge,
opponent models."""

import pytest
import torch

import social_dilemmas_env as sde
from agents import LEARNERS, Plan, load_agent, train
from agents.checkpoint import Checkpoint, CheckpointError, load
from agents.cli.main import main
from agents.evaluation.agent import Agent
from agents.evaluation.loading import count_runs, restore_agent, select_network
from agents.learners.meta_mapg.baseline import features, linear_baseline
from agents.learners.meta_mapg.config import MetaConfig, MetaLearnerConfig
from agents.learners.meta_mapg.games import World
from agents.learners.meta_mapg.meta_mapg import meta_gradients, opponent_counts
from agents.learners.meta_mapg.personas import (
    KINDS,
    SPLITS,
    noisy_payoffs,
    personas,
)
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.sampled import SampleConfig, SampledGame
from agents.nn.lstm import Lstm, lstm_step
from agents.nn.networks import ActorCritic, Tabular

torch.set_num_threads(1)
QUIET = {"eval_every": 0, "quiet": True, "device": "cpu"}
TINY = {"batch": 2, "games": 3, "steps": 4, "chain": 2, "hidden": 3}
KIND = {
    "both, noisy tables": {"env": "ipd_v0", "payoff_noise": 0.5},
    "personas": {"env": "rps_v0", "peers": "all", "runs": 2},
    "lstm": {"env": "ipd_v0", "peers": "defective", "actor": "lstm", "opponent": "modelled"},
    "exact": {"env": "ipd_v0", "peers": "cooperative", "values": "exact"},
}


@pytest.mark.parametrize("learner", ["meta_mapg", "meta_pg"])
@pytest.mark.parametrize("name", KIND)
def test_twice_two_updates_are_four(tmp_path, name, learner):
    how = QUIET | TINY | KIND[name]
    env_id = how.pop("env")
    whole = train(learner, env_id, out=tmp_path / "a", iterations=4, seed=5, **how)
    for iterations in (2, 4):
        halves = train(learner, env_id, out=tmp_path / "b", iterations=iterations, seed=5, **how)
    first, second = load(whole / "checkpoints").tensors, load(halves / "checkpoints").tensors
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert {"phi0", "rates0"} <= set(first)
    agent = load_agent(whole)
    rewards = agent.adaptation(tasks=3, seed=1)
    assert len(rewards) == 3
    assert rewards == agent.adaptation(tasks=3, seed=1)


def test_every_run_side_by_side_is_an_agent_that_goes_on(tmp_path):
    cfg = MetaLearnerConfig(**{**TINY, "chain": 1, "runs": 3, "peers": "defective"})
    plan = Plan(iterations=1, eval_every=0, quiet=True)
    folder = train("meta_mapg", "ipd_v0", out=tmp_path / "x", config=cfg, plan=plan, device="cpu")
    saved = load(folder / "checkpoints")
    assert count_runs(saved) == 3
    assert load_agent(folder).learner.cfg.runs == 3  # the whole; it plays the first
    for run in (1, 2):
        learner = load_agent(folder, run=run).learner
        assert torch.equal(learner.phi[0], saved.tensors["phi0"][run : run + 1])
        assert torch.equal(learner.rates[0], saved.tensors["rates0"][run : run + 1])
        assert torch.equal(learner.adams[0].second, saved.tensors["second0"][run : run + 1])
        assert learner.cfg.runs == 1
        learner.update()
    for player, run in ((0, 3), (0, -1), (1, 1)):
        with pytest.raises(ValueError, match=f"no network of player {player} in run {run}"):
            load_agent(folder, player=player, run=run)


@pytest.mark.parametrize("settings", [None, [1], "runs"])
def test_one_run_of_a_file_with_wrong_settings_is_refused_by_its_name(tmp_path, settings):
    tensors = {"phi0": torch.zeros(2, 10), "draws": torch.zeros(5, dtype=torch.uint8)}
    facts = {"learner": "meta_mapg", "env_id": "ipd_v0", "game": {}, "settings": settings}
    one = select_network(Checkpoint(tmp_path / "it", 0, facts, tensors), 0, 1)
    assert one.tensors["phi0"].shape == (1, 10)
    assert torch.equal(one.tensors["draws"], tensors["draws"])
    with pytest.raises(CheckpointError, match="it: its 'settings' is"):
        restore_agent(one)


@pytest.mark.slow
def test_learning_with_the_third_term_leads_to_cooperation_and_without_it_does_not(tmp_path):
    """Exact values, 120 meta-updates, four runs a learner: after two updates in new tasks."""
    for name, low, high in (("meta_mapg", -1.3, -0.8), ("meta_pg", -2.3, -1.7)):
        cfg = MetaLearnerConfig(runs=4, values="exact")
        learner = LEARNERS[name].make(cfg, "ipd_v0", {"payoff_noise": 0.5}, 0, "cpu")
        for _ in range(120):
            learner.update()
        tables = noisy_payoffs(sde.payoffs("ipd_v0"), 0.5, 10, "test", 3)
        after = learner.adapt(tables, None).mean((1, 3))[2]
        assert low < after.mean() < high


def test_command_shows_adaptation(tmp_path, capsys):
    words = [
        "train",
        "meta_mapg",
        "ipd_v0",
        "--out",
        str(tmp_path / "x"),
        "--device",
        "cpu",
        "--set",
        "iterations=1",
    ]
    assert (
        main(
            [
                *words,
                *(f"{key}={value}" for key, value in TINY.items()),
                "quiet=true",
                "eval_every=0",
            ]
        )
        == 0
    )
    assert (
        main(["evaluate", str(tmp_path / "x"), "--episodes", "4", "--against", "tit_for_tat"]) == 0
    )
    shown = capsys.readouterr().out
    assert "while it and the others learn" in shown
    assert "after 2 updates" in shown


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"peers": "saintly"},
            "no persona 'saintly' in ipd_v0; there are cooperative, defective, all",
        ),
        ({"env": "imp_v0", "peers": "all"}, "no personas for imp_v0"),
        ({"env": "coin_game_v0"}, "no payoff table"),
        ({"chain": 0}, "chain must be at least 1"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"batch": -1}, "batch must be at least 1"),
        ({"gamma": 1.0}, "gamma must lie in"),
        ({"pairing": "x"}, "pairing must be one of 'steps', 'theorem'"),
        ({"inner": "x"}, "inner must be"),
        ({"actor": "gru"}, "actor must be one of 'tabular', 'lstm'"),
        ({"actor": "lstm", "values": "exact"}, "without memory"),
        ({"opponent": "modelled"}, "a modelled opponent is a persona"),
        ({"view": "joint"}, "view must be 'ego'"),
        ({"lr_outer": float("nan")}, "lr_outer must be finite"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, settings, words):
    settings = dict(settings)
    with pytest.raises(ValueError, match=words):
        train(
            "meta_mapg",
            settings.pop("env", "ipd_v0"),
            out=tmp_path / "x",
            iterations=1,
            **QUIET,
            **settings,
        )
    assert not (tmp_path / "x" / "checkpoints").exists()


@pytest.mark.parametrize("env_id", KINDS)
def test_personas_have_their_character_and_splits_differ(env_id):
    actions = len(KINDS[env_id])
    for i, kind in enumerate(KINDS[env_id]):
        found = {split: personas(env_id, kind, split, seed=1) for split in SPLITS}
        for split, logits in found.items():
            policy = logits.exp().view(SPLITS[split], actions**2 + 1, actions)
            torch.testing.assert_close(
                policy.sum(-1), torch.ones(policy.shape[:2], dtype=torch.float64)
            )
            lead = policy[..., i]
            assert lead.min() >= 1 / actions - 1e-12
            bound = 5 * (1 - 1 / actions) / (12 * lead.numel()) ** 0.5
            assert abs(lead.mean().item() - (1 + 1 / actions) / 2) < bound
        assert not (found["train"][:, None] == found["test"][None]).any()
    assert torch.equal(personas(env_id, "all", "test", 4), personas(env_id, "all", "test", 4))
    assert not torch.equal(personas(env_id, "all", "test", 4), personas(env_id, "all", "test", 5))
    with pytest.raises(ValueError, match="no split 'exam'"):
        personas(env_id, "all", "exam")


def test_noise_stays_in_its_range():
    table = torch.tensor(sde.payoffs("ipd_v0"))
    noise = noisy_payoffs(table, 0.5, 500, "train", 1) - table
    assert noise.abs().max() <= 0.5
    assert abs(noise.mean()) < 5 * 0.5 / (3 * noise.numel()) ** 0.5
    assert torch.equal(noisy_payoffs(table, 0.0, 3, "test")[2], table.double())
    for wrong in (
        {"noise": -1.0, "count": 1},
        {"noise": float("nan"), "count": 1},
        {"noise": 0.1, "count": 0},
    ):
        with pytest.raises(ValueError, match="noise must be finite"):
            noisy_payoffs(table, split="train", **wrong)


def test_a_table_for_each_run_is_the_same_as_one_run_at_a_time():
    tables = noisy_payoffs(sde.payoffs("ipd_v0"), 0.5, 3, "test")
    theta = torch.randn(3, 2, 5, dtype=torch.float64)
    each = torch.cat(
        [MatrixGame(table, 0.96).values(t[None]) for table, t in zip(tables, theta, strict=True)]
    )
    many = MatrixGame(tables, 0.96)
    torch.testing.assert_close(many.values(theta), each)
    torch.testing.assert_close(many.values(theta.expand(2, 3, 2, 5)), each.expand(2, 3, 2))
    sampled = SampledGame(many, SampleConfig(games=2, steps=3))
    states = sampled.play(theta.repeat(2, 1, 1))
    rewards = sampled.rewards(states)
    for lane in range(6):
        assert torch.equal(
            rewards[:, :, lane].movedim(1, -1), tables[lane % 3].flatten(0, 1)[states[1:, lane] - 1]
        )


def test_the_lstm_is_torch_s():
    cell = torch.nn.LSTMCell(4, 3).double()
    x, h, c = (torch.randn(5, n, dtype=torch.float64) for n in (4, 3, 3))
    order = [0, 1, 3, 2]  # torch: i, f, g, o

    def rows(weight):
        return torch.cat([weight.chunk(4)[k] for k in order]).T

    gates = x @ rows(cell.weight_ih) + rows(cell.bias_ih[:, None]) + rows(cell.bias_hh[:, None])
    ours = lstm_step(gates[None], (h[None], c[None]), rows(cell.weight_hh)[None])
    for mine, theirs in zip(ours, cell(x, (h, c)), strict=True):
        torch.testing.assert_close(mine[0], theirs)


def test_the_lstm_step_by_step_is_the_lstm_at_once_and_the_agent():
    net = Lstm(torch.eye(5, dtype=torch.float64), 2, 4)
    both = ActorCritic(net, net)
    theta = torch.randn(1, both.size, dtype=torch.float64)
    params, obs_ids = both.unpack(theta, "actor"), torch.randint(5, (6, 1, 3))
    step, hidden = net.stepper(params, 3, 6), None
    agent = Agent(both, theta, {"env_id": "ipd_v0", "game": {}})
    for t, whole in enumerate(net(params, obs_ids)):
        torch.testing.assert_close(step(obs_ids[t], t), whole)
        logits, hidden = agent.logits(torch.eye(5)[obs_ids[t, 0]], hidden)
        torch.testing.assert_close(logits, whole[0])


def world_of(count, **changes):
    net = Tabular(torch.eye(5, dtype=torch.float64), 2)
    cfg = MetaConfig(**{"chain": 2, "games": 40, "steps": 20, "entropy": 0.0} | changes)
    table = torch.as_tensor(sde.payoffs("ipd_v0"), dtype=torch.float64)
    return World((net, net), table.expand(count, 2, 2, 2), cfg, torch.Generator().manual_seed(1))


def test_chains_that_diverge_count_nothing_and_the_others_go_on():
    phi = tuple(torch.randn(3, 10, dtype=torch.float64) for _ in range(2))
    rates = torch.ones(2, 2, 3, dtype=torch.float64)
    rates[0, 1, 1] = float("inf")
    found = meta_gradients(phi, rates, world_of(3), (0,))[0]
    assert found.finite.tolist() == [True, False, True]
    assert found.start[1].abs().max() == 0
    assert torch.isfinite(found.start).all()
    assert torch.isfinite(found.rates).all()
    assert found.start[0].abs().max() > 0
    learner = LEARNERS["meta_mapg"].make(MetaLearnerConfig(**TINY), "ipd_v0", {}, 0, "cpu")
    learner.rates[1][:] = float("inf")
    before = learner.phi[0].clone()
    metrics = learner.update()
    assert metrics["ended_chains"] == TINY["batch"]
    assert torch.isfinite(metrics["reward"])
    assert torch.equal(learner.phi[0], before)


def test_a_model_of_the_opponent_is_what_it_did_and_leads_the_same_way():
    """Counts approach the policy.

    Player 0's meta-gradient with the model correlates with the one that knows.
    """
    torch.manual_seed(0)
    phi = tuple(
        (0.5 * torch.randn(1, 10, dtype=torch.float64)).expand(200, 10).contiguous()
        for _ in range(2)
    )
    games = world_of(200).play_games(phi)
    counts = opponent_counts(games, 1, (5, 2)).view(200, 5, 2).exp().sum(0)
    spread = 5 * 0.5 / counts.sum(-1).sqrt()
    assert (
        (counts / counts.sum(-1, keepdim=True) - torch.softmax(phi[1][0].view(5, 2), -1))[
            :, 0
        ].abs()
        < spread + 0.02
    ).all()
    rates = torch.ones(2, 2, 200, dtype=torch.float64)
    means = [
        meta_gradients(phi, rates, world_of(200, opponent=word), (0,))[0].start.mean(0)
        for word in ("known", "modelled")
    ]
    assert torch.nn.functional.cosine_similarity(*means, dim=0) > 0.8


def test_the_linear_baseline_fits_what_is_linear():
    generator = torch.Generator().manual_seed(0)
    obs_ids = torch.randint(5, (9, 2, 4), generator=generator)
    x = features(obs_ids, 5, torch.float64)
    weights = torch.randn(2, 1, 9, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(
        linear_baseline(x, (x * weights[:, None]).sum(-1)),
        (x * weights[:, None]).sum(-1),
        atol=1e-3,
        rtol=0,
    )


def test_the_baseline_of_a_float32_network_is_that_of_float64():
    """One-hots add up to 1: solved in float32, a fifth of the chains of an LSTM came out
    infinite."""
    obs_ids = torch.randint(
        2, (30, 50, 16), generator=torch.Generator().manual_seed(0)
    )  # three obs_ids are never met
    returns = torch.randn(50, 16, 30, generator=torch.Generator().manual_seed(1))
    low = linear_baseline(features(obs_ids, 5, torch.float32), returns)
    high = linear_baseline(features(obs_ids, 5, torch.float64), returns.double())
    assert low.dtype == torch.float32
    torch.testing.assert_close(low.double(), high, atol=1e-4, rtol=0)
