"""The tabular learners through `train`, `load_agent` and `evaluate`: the loop's promises."""

import json
import logging
from dataclasses import asdict, fields, replace
from typing import get_type_hints

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import LEARNERS, checkpoint, load_agent, train
from agents.checkpoint import CheckpointError
from agents.cli.main import main
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.scoring import play_episodes, score_agent
from agents.learners.exact_table import RunConfig, exact_learner, run
from agents.learners.tabular import TabularAgent
from agents.matrix_games.closed_form import MatrixGame

SMALL = {
    "naive_pg_tabular": {"games": 10, "steps": 8},
    "lola_pg_tabular": {"games": 10, "steps": 8},
    "lola_dice_tabular": {"games": 6, "steps": 8},
    "pola_exact": {"outer_steps": 3},
}
TABULAR = [
    "naive_exact",
    "lola_exact",
    "look_ahead_exact",
    "sos_exact",
    "consensus_exact",
    "pola_exact",
    "naive_pg_tabular",
    "lola_pg_tabular",
    "lola_dice_tabular",
]
QUIET = {"eval_every": 0, "quiet": True, "device": "cpu"}


def tensors(folder):
    return checkpoint.load(folder / "checkpoints").tensors


@pytest.mark.parametrize("name", TABULAR)
def test_twice_two_updates_are_four(tmp_path, name):
    """Resumed or not, bit for bit; critics and the generator of the games included."""
    settings = QUIET | SMALL.get(name, {}) | {"runs": 3, "seed": 5}
    whole = train(name, "ipd_v0", out=tmp_path / "a", iterations=4, **settings)
    for iterations in (2, 4):
        halves = train(name, "ipd_v0", out=tmp_path / "b", iterations=iterations, **settings)
    first, second = tensors(whole), tensors(halves)
    assert first.keys() == second.keys() >= {"theta", "policies", "active"}
    assert all(torch.equal(first[key], second[key]) for key in first)
    other = tensors(
        train(name, "ipd_v0", out=tmp_path / "c", iterations=4, **settings | {"seed": 6})
    )
    assert not torch.equal(first["theta"], other["theta"])


def test_the_loop_is_that_of_runs(tmp_path):
    """The same numbers as `gradient_runs.run` gives, through the other door."""
    folder = train(
        "lola_exact",
        "imp_v0",
        out=tmp_path / "x",
        iterations=7,
        runs=4,
        seed=3,
        eta=0.5,
        lr=0.7,
        **QUIET,
    )
    game = MatrixGame(sde.payoffs("imp_v0"), 0.9)
    history = run(game, exact_learner("lola", eta=0.5), RunConfig(runs=4, steps=7, lr=0.7, seed=3))
    assert torch.equal(tensors(folder)["theta"], history.theta)
    settings = json.loads((folder / "run.json").read_text())["settings"]
    assert settings["gamma"] == 0.9
    assert settings["form"] == "shaping"
    assert "steps" not in settings


def test_a_run_that_diverges_stops_with_a_warning_and_the_others_go_on(caplog):
    spec = LEARNERS["naive_exact"]
    learner = spec.make(replace(spec.settings("ipd_v0"), runs=3), "ipd_v0", {}, 0, "cpu")

    def direction(theta, game):
        step = torch.ones_like(theta)
        step[1] /= learner.iteration < 1
        return step

    learner.direction, start = direction, learner.theta
    with caplog.at_level(logging.WARNING, logger="agents.matrix_games.gradient_runs"):
        stopped = [int(learner.update()["stopped_runs"]) for _ in range(3)]
    assert stopped == [0, 1, 1]
    assert caplog.messages == [
        "run 1 stopped at step 2: its parameters became non-finite; the other runs go on"
    ]
    assert torch.equal(
        (learner.theta - start).round().mean((1, 2)), torch.tensor([3.0, 1.0, 3.0]).double()
    )


def test_evaluate_and_play(tmp_path, capsys):
    folder = train("lola_exact", "ipd_v0", out=tmp_path / "x", iterations=200, seed=0, **QUIET)
    agent = load_agent(folder)
    assert isinstance(agent, TabularAgent)
    assert agent.env_id == "ipd_v0"
    assert agent.policy.shape == (5, 2)
    found = score_agent(agent, episodes=64)
    assert found["self"] > -1.2
    assert found["vs always_defect"] > -2.2
    assert main(["evaluate", str(folder), "--episodes", "8", "--against", "tit_for_tat"]) == 0
    assert "tit_for_tat" in capsys.readouterr().out


def test_command(tmp_path, capsys):
    words = [
        "train",
        "lola_exact",
        "ipd_v0",
        "--out",
        str(tmp_path / "x"),
        "--device",
        "cpu",
        "--set",
        "iterations=2",
        "order=2",
    ]
    assert main(words) == 0
    assert str(tmp_path / "x") in capsys.readouterr().out
    assert main([*words[:-1], "order=-1"]) == 2
    assert "order must be >= 0" in capsys.readouterr().err


def test_the_agent_plays_its_table(tmp_path):
    """Frequencies of actions after each observation, against the policy it was saved with."""
    folder = train(
        "naive_exact", "ipd_v0", out=tmp_path / "x", iterations=1, lr=0.0, seed=1, **QUIET
    )
    agent = load_agent(folder)
    games = play_episodes("ipd_v0", [AgentPlayer(agent), AgentPlayer(agent)], 400, seed=2)
    states = games["observations"][:-1, :, 0].argmax(-1)
    for s in range(5):
        chosen = games["actions"][..., 0][states == s]
        p = agent.policy[s, 1].item()
        assert abs(chosen.mean() - p) < 5 * (p * (1 - p) / len(chosen)) ** 0.5 + 1e-9
    greedy, _ = agent.act(np.eye(5, dtype=np.float32), greedy=True)
    assert greedy.tolist() == agent.policy.argmax(-1).tolist()
    with pytest.raises(ValueError, match="its observations have 5 numbers"):
        agent.act(np.zeros((1, 10), dtype=np.float32))


@pytest.mark.parametrize(
    ("env_id", "settings", "words"),
    [
        ("coin_game_v0", {}, "no payoff table"),
        ("public_goods_v0", {}, "2-player"),
        ("ipd_v0", {"form": "x"}, "form must be"),
        ("ipd_v0", {"eta": "x"}, "eta must be float"),
        ("ipd_v0", {"order": 1.5}, "order must be int"),
        ("ipd_v0", {"runs": 0}, "runs must be >= 1"),
        ("ipd_v0", {"gamma": 1.0}, "discount"),
        ("ipd_v0", {"lr": float("nan")}, "finite"),
        ("ipd_v0", {"view": "joint"}, "view must be 'ego'"),
        ("ipd_v0", {"payoff_noise": 0.5}, "payoff_noise must be 0"),
        ("ipd_v0", {"action_noise": 0.1}, "without continuation and action_noise"),
        ("ipd_v0", {"continuation": 0.9}, "without continuation and action_noise"),
        ("ipd_v0", {"observe_time": True}, "shows something else"),
        ("ipd_v0", {"etaa": 1}, "did you mean 'eta'"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, env_id, settings, words):
    with pytest.raises(ValueError, match=words):
        train("lola_exact", env_id, out=tmp_path / "x", iterations=1, **QUIET, **settings)
    assert not (tmp_path / "x" / "checkpoints").exists()


def test_a_checkpoint_of_another_kind_is_refused(tmp_path):
    folder = train("naive_exact", "ipd_v0", out=tmp_path / "x", iterations=1, **QUIET)
    saved = checkpoint.load(folder / "checkpoints")
    checkpoint.save(
        tmp_path / "y" / "checkpoints", 1, {"theta": saved.tensors["theta"]}, saved.facts
    )
    with pytest.raises(CheckpointError, match="no policies"):
        load_agent(tmp_path / "y")


def test_all_are_listed():
    assert set(TABULAR) <= set(LEARNERS)
    assert all(LEARNERS[name].name == name and LEARNERS[name].title for name in TABULAR)


LOOP = {"runs": 1, "lr": 1.0, "init_std": 1.0, "gamma": 0.96}
SAMPLING = {
    "games": 64,
    "steps": 150,
    "estimator": "dice",
    "baseline": "time",
    "gae_lambda": 1.0,
}
SOS = {"alpha": 1.0, "a": 0.5, "b": 0.1}
POLA = {
    "lr_in": 5.0,
    "lr_out": 0.3,
    "beta_out": 0.1,
    "outer_steps": 5000,
    "tolerance": 1e-8,
    "inner_steps": 1,
    "beta_in": 0.0,
}
LOLA = {"form": "shaping", "order": 1, "eta": 1.0, "lookaheads": 1, "hold": "own"}
DEFAULTS = {
    "naive_exact": LOOP,
    "lola_exact": LOOP | LOLA,
    "look_ahead_exact": LOOP | SOS,
    "sos_exact": LOOP | SOS,
    "consensus_exact": LOOP | {"weight": 1.0},
    "pola_exact": LOOP | POLA | {"init_std": 0.1},
    "naive_pg_tabular": LOOP | SAMPLING | {"games": 4000, "critic_lr": 1.0},
    "lola_pg_tabular": LOOP | SAMPLING | {"games": 4000, "critic_lr": 1.0, "eta": 0.5},
    "lola_dice_tabular": LOOP
    | SAMPLING
    | {"lr": 0.2, "init_std": 0.4472, "lookaheads": 1, "lr_in": 0.3},
}


@pytest.mark.parametrize("name", TABULAR)
def test_settings_have_the_names_and_defaults_that_checkpoints_record(name):
    assert asdict(LEARNERS[name].settings("ipd_v0")) == DEFAULTS[name]
    assert asdict(LEARNERS[name].settings("imp_v0")) == DEFAULTS[name] | {"gamma": 0.9}


@pytest.mark.parametrize("name", TABULAR)
def test_settings_know_the_types_of_their_fields(name):
    """What `train` checks, and `train LEARNER --help` shows."""
    config = LEARNERS[name].settings("ipd_v0")
    assert set(get_type_hints(type(config))) == {field.name for field in fields(config)}


@pytest.mark.parametrize(
    ("name", "setting", "words"),
    [
        ("pola_exact", {"outer_steps": 0}, "outer_steps"),
        ("pola_exact", {"runs": 0}, "runs"),
        ("naive_pg_tabular", {"games": 0}, "games"),
        ("naive_pg_tabular", {"gamma": 1.0}, "discount"),
        ("lola_dice_tabular", {"lookaheads": -1}, "lookaheads"),
        ("lola_dice_tabular", {"estimator": "x"}, "estimator"),
        ("lola_dice_tabular", {"init_std": float("inf")}, "finite"),
    ],
)
def test_settings_check_what_each_of_their_parts_checks(name, setting, words):
    with pytest.raises(ValueError, match=words):
        replace(LEARNERS[name].settings("ipd_v0"), **setting)
