"""The training loop: exact resuming, signals, NaN, settings; and that a trained agent plays."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import load_agent, train
from agents.checkpoint import CheckpointError, load, manifests
from agents.cli.main import main
from agents.learners.loqa.self_play import SelfPlay
from agents.training.loop import TrainingError

TINY = {
    "batch": 8,
    "horizon": 6,
    "actor_hidden": 8,
    "critic_hidden": 8,
    "push_every": 3,
    "snapshots": 4,
    "quiet": True,
}
CASES = {
    "loqa": ("loqa", "coin_game_v0", {}),
    "no past selves": ("loqa", "coin_game_v0", {"past_selves": False}),
    "capacity": ("loqa", "coin_game_v0", {"capacity": 2}),
    "two networks": ("loqa", "coin_game_v0", {"shared": False}),
    "leak": ("loqa", "coin_game_v0", {"detach_advantage": False}),
    "three players": (
        "loqa",
        "coin_game_v0",
        {"num_agents": 3, "grid_size": 2, "actor_layers": 1, "runs": 2},
    ),
    "ipd": ("loqa", "ipd_v0", {"runs": 3}),
    "ipd mlp": ("loqa", "ipd_v0", {"actor": "mlp", "past_selves": True, "max_q": True, "batch": 4}),
    "ipd gru": (
        "loqa",
        "ipd_v0",
        {"actor": "gru", "critic": "gru", "epsilon": 0.0, "fresh_draws": False},
    ),
    "modelled": ("loqa_modelled", "coin_game_v0", {"num_agents": 3, "grid_size": 2}),
    "modelled ipd": ("loqa_modelled", "ipd_v0", {"shared": False, "runs": 2}),
    "aligned": ("advantage_alignment", "coin_game_v0", {"form": "aligned"}),
    "mean": ("advantage_alignment", "coin_game_v0", {"form": "mean", "num_agents": 3}),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


def run(case, out, iterations, **more):
    learner, env_id, settings = CASES[case]
    how = {**TINY, "eval_every": 0, "iterations": iterations, **settings, **more}
    return train(learner, env_id, seed=1, device="cpu", out=out, **how)


def tensors(folder):
    return load(folder / "checkpoints").tensors


@pytest.mark.parametrize("case", CASES)
def test_stopping_and_going_on_changes_nothing(case, tmp_path):
    whole = run(case, tmp_path / "whole", 8)
    parts = run(case, tmp_path / "parts", 5)
    before = tensors(parts)
    run(case, parts, 8)
    one, two = tensors(whole), tensors(parts)
    assert all(torch.equal(one[n], two[n]) for n in one)
    assert not torch.equal(before["self0.theta"], two["self0.theta"])


def test_seeds_differ_and_evaluation_changes_nothing(tmp_path):
    base = tensors(run("loqa", tmp_path / "a", 3))["self0.theta"]
    evaluated = run(
        "loqa", tmp_path / "b", 3, eval_every=1, eval_episodes=2, save_minutes=0.0, keep=1
    )
    assert (
        torch.equal(base, tensors(evaluated)["self0.theta"])
        and len(manifests(evaluated / "checkpoints")) == 1
    )
    other = train(
        "loqa",
        "coin_game_v0",
        seed=2,
        device="cpu",
        out=tmp_path / "c",
        iterations=3,
        eval_every=0,
        **TINY,
    )
    assert not torch.equal(base, tensors(other)["self0.theta"])
    lines = [json.loads(line) for line in (evaluated / "metrics.jsonl").read_text().splitlines()]
    assert {"eval self", "eval vs always_defect", "eval adversarial"} <= lines[-1].keys()


def test_the_callers_random_state_and_threads_stay(tmp_path):
    torch.manual_seed(5), np.random.seed(5)
    expected = torch.rand(1).item(), np.random.rand()
    torch.manual_seed(5), np.random.seed(5)
    threads = torch.get_num_threads()
    run("loqa", tmp_path, 2)
    assert (
        torch.rand(1).item(),
        np.random.rand(),
    ) == expected and torch.get_num_threads() == threads


def test_a_trained_agent_plays(tmp_path):
    agent = load_agent(run("loqa", tmp_path, 2))
    env = sde.make_env("coin_game_v0")
    observations, _ = env.reset(seed=0)
    batch = np.stack([observations["player_0"]] * 5)
    actions, hidden = agent.act(batch)
    assert (
        actions.shape == (5,)
        and actions.dtype == np.int64
        and ((actions >= 0) & (actions < 4)).all()
    )
    again, _ = agent.act(torch.from_numpy(batch), hidden, greedy=True)
    assert isinstance(again, torch.Tensor) and again.shape == (5,)
    with pytest.raises(ValueError, match="36 numbers"):
        agent.act(np.zeros((5, 4, 5, 5), np.float32))


@pytest.mark.parametrize("case", ["loqa", "ipd", "ipd mlp", "ipd gru", "three players"])
def test_the_agent_is_the_policy_that_was_trained(case, tmp_path):
    """Step by step on observations equals the learner's pass over view ids."""
    folder = run(case, tmp_path, 3)
    agent = load_agent(folder)
    _, env_id, settings = CASES[case]
    game = {k: v for k, v in settings.items() if k in ("num_agents", "grid_size")}
    venv = sde.make_vec_env(env_id, num_envs=4, backend="torch", obs_mode="state", **game)
    views = [venv.reset(seed=3)[0]]
    draws = torch.Generator().manual_seed(0)
    for _ in range(5):
        shape = (4, len(venv.possible_agents))
        views.append(
            venv.step(torch.randint(int(venv.single_action_space.n), shape, generator=draws))[0]
        )
    views = torch.stack(views)[..., 0].long()
    expected = agent._net(agent._theta, views[:, None])[:, 0]
    hidden = None
    for t in range(6):
        logits, hidden = agent.logits(venv.observation_table[views[t]], hidden)
        assert (logits - expected[t]).abs().max() < 1e-5


def test_unknown_names(tmp_path):
    with pytest.raises(ValueError, match="'loqa'"):
        train("lqoa", "coin_game_v0", out=tmp_path)
    with pytest.raises(ValueError, match="'batch'"):
        train("loqa", "coin_game_v0", out=tmp_path, bacth=3)
    with pytest.raises(ValueError, match="coin_game_v0"):
        train("loqa", "coin_game", out=tmp_path)
    with pytest.raises(ValueError, match="max_cycles"):
        train("loqa", "coin_game_v0", out=tmp_path, max_cycles=3)
    with pytest.raises(ValueError, match="actor must be"):
        train("loqa", "coin_game_v0", out=tmp_path / "x", device="cpu", actor="transformer")
    with pytest.raises(ValueError, match="bundled"):
        load_agent("bundled:nobody")


def test_a_folder_with_another_run(tmp_path):
    run("loqa", tmp_path, 1)
    with pytest.raises(ValueError, match=r"another run.*batch=8"):
        run("loqa", tmp_path, 1, batch=4)
    with pytest.raises(ValueError, match=r"another run.*ipd_v0|another run.*coin_game_v0"):
        run("ipd", tmp_path, 1)


def test_a_run_of_an_older_version_says_what_is_new(tmp_path):
    run("loqa", tmp_path, 1)
    path = tmp_path / "run.json"
    facts = json.loads(path.read_text())
    del facts["settings"]["zero_critic"]
    path.write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=r"another run \(zero_critic='not there yet'\)"):
        run("loqa", tmp_path, 1)


@pytest.mark.parametrize(
    ("learner", "settings", "words"),
    [
        ("loqa", {"batch": "many"}, "batch must be int, not 'many'"),
        ("loqa", {"batch": 2.5}, "batch must be int"),
        ("loqa", {"standardise": 1}, "standardise must be bool"),
        ("loqa", {"gamma": float("nan")}, "gamma must be finite"),
        ("loqa", {"clip": "x"}, "clip must be float or None"),
        ("loqa", {"minutes": "ten"}, "minutes must be"),
        ("loqa", {"batch": 10, "snapshots": 4}, "multiple of snapshots"),
        ("loqa", {"push_every": 0}, "push_every must be at least 1"),
        ("loqa", {"actor_layers": 3}, "actor_layers must be 1 or 2"),
        ("loqa", {"n_step": 1}, "n_step must be 0, or at least 2 and less than horizon"),
        ("loqa", {"n_step": 50}, r"less than horizon \(50\), not 50"),
        ("loqa", {"reset_every": -1}, "reset_every must be at least 0"),
        ("loqa", {"actor_lr": -1.0}, "actor_lr must be at least 0"),
        ("loqa", {"weight": -1.0}, "weight must be at least 0"),
        ("loqa", {"temperature": 0.0}, "temperature and clip must be positive"),
        ("loqa", {"clip": -1.0}, "temperature and clip must be positive"),
        ("loqa", {"iterations": 0}, "iterations must be at least 1"),
        ("loqa", {"eval_episodes": 0}, "eval_episodes must be at least 1"),
        ("loqa", {"threads": 0}, "threads must be at least 1"),
        ("loqa", {"keep": 0}, "keep must be at least 1"),
        ("loqa", {"eval_every": -1}, "eval_every must be at least 0"),
        ("loqa", {"minutes": -1.0}, "minutes must be at least 0"),
        ("loqa", {"epsilon": 1.5}, "epsilon must lie"),
        ("loqa", {"critic": "tabular"}, "critic must be one of"),
        ("loqa", {"device": "cuda"}, "no CUDA device"),
        ("advantage_alignment", {"form": "best"}, "form must be"),
        ("pola_dice", {"layers": 3}, "layers must be 1 or 2"),
        ("pola_dice", {"batch": 10**9}, "GB free: lower batch"),
    ],
)
def test_bad_settings_leave_no_folder(learner, settings, words, tmp_path):
    if settings.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ValueError, match=words):
        train(learner, "coin_game_v0", out=tmp_path / "x", **{"device": "cpu", **settings})
    assert not (tmp_path / "x").exists()


def test_a_checkpoint_of_another_grid(tmp_path):
    small = run("loqa", tmp_path / "small", 1)
    large = run("loqa", tmp_path / "large", 1, grid_size=4)
    for path in (large / "checkpoints").iterdir():
        path.unlink()
    for path in (small / "checkpoints").iterdir():
        path.rename(large / "checkpoints" / path.name)
    with pytest.raises(CheckpointError, match=r"theta.*another game, grid"):
        run("loqa", large, 2, grid_size=4)


def test_nan_stops_and_names_the_metric(tmp_path, monkeypatch):
    run("loqa", tmp_path, 2)
    update = SelfPlay.update

    def broken(self):
        metrics = update(self)
        return (
            {**metrics, "critic_loss": torch.tensor(float("nan"))}
            if self.iteration == 4
            else metrics
        )

    monkeypatch.setattr(SelfPlay, "update", broken)
    with pytest.raises(
        TrainingError, match=r"critic_loss became nan in update 4.*state-00000002\.json"
    ):
        run("loqa", tmp_path, 6)
    assert load(tmp_path / "checkpoints").step == 2


def test_nan_is_not_taken_for_a_lack_of_memory(tmp_path, monkeypatch, capsys):
    update = SelfPlay.update
    monkeypatch.setattr(
        SelfPlay, "update", lambda self: {**update(self), "critic_loss": torch.tensor(torch.nan)}
    )
    words = [f"{name}={value}" for name, value in TINY.items()]
    folder = tmp_path / "memory"
    assert (
        main(
            [
                "train",
                "loqa",
                "coin_game_v0",
                "--device",
                "cpu",
                "--out",
                str(folder),
                "--set",
                *words,
            ]
        )
        == 1
    )
    error = capsys.readouterr().err
    assert "critic_loss became nan" in error and "lower" not in error and "Traceback" not in error


def test_nan_parameters_are_never_saved(tmp_path, monkeypatch):
    run("loqa", tmp_path, 2)
    update = SelfPlay.update

    def broken(self):
        metrics = update(self)
        self.selves[0].theta = self.selves[0].theta * torch.nan
        return metrics

    monkeypatch.setattr(SelfPlay, "update", broken)
    with pytest.raises(TrainingError, match=r"theta became"):
        run("loqa", tmp_path, 3)
    assert load(tmp_path / "checkpoints").step == 2


def test_out_of_memory_says_what_to_lower(tmp_path, monkeypatch):
    def full(self):
        raise MemoryError

    monkeypatch.setattr(SelfPlay, "update", full)
    with pytest.raises(TrainingError, match=r"lower batch \(now 8\), snapshots \(now 4\)"):
        run("loqa", tmp_path, 3)


LONG = """
import sys
from agents import train
train("loqa", "coin_game_v0", seed=1, device="cpu", out=sys.argv[1], iterations=100000, eval_every=0, **{settings})
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_save_and_leave(number, status, tmp_path):
    code = LONG.replace("{settings}", repr(TINY))
    environment = {**os.environ, "SOCIAL_DILEMMAS_TENSORBOARD": "0", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    start = time.monotonic()
    assert process.wait(30) == status
    assert time.monotonic() - start < 5
    stopped = load(tmp_path / "checkpoints").step
    assert stopped >= 20
    run("loqa", tmp_path, stopped + 2)
    assert load(tmp_path / "checkpoints").step == stopped + 2
