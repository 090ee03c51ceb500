"""Names that were public go on working for a release: modules, functions, learners."""

import importlib
import json
import subprocess
import sys

import pytest
import torch

import agents
from agents import LEARNERS, load_agent
from agents.checkpoint import load
from agents.registry import RENAMED, current_name
from agents.training.settings import split_settings
from social_dilemmas_env.deprecation import deprecated
from tests.agents.training.tiny import train_flat

# Every module of `agents` that has moved, and a name that it had.
MODULES = {
    "advantage_alignment": "loss",
    "agent": "Agent",
    "commands.demo": "run",
    "commands.envs": "run",
    "commands.evaluate": "run",
    "commands.league": "run",
    "commands.play": "run",
    "commands.train": "run",
    "compute": "Direct",
    "deep_learners": "LOQA",
    "differentiable": "DifferentiableGame",
    "exact_run": "exact_table",
    "graphs": "Graphs",
    "gru": "gru_step",
    "league": "round_robin",
    "learners.protocol": "LearnerSpec",
    "lola": "lola_dice",
    "lola_exact": "lola",
    "loqa": "LoqaConfig",
    "loqa_modelled": "ModelledConfig",
    "lstm": "lstm_step",
    "m_maml": "MMamlConfig",
    "matrix_value": "MatrixGame",
    "memory": "keep_memory",
    "meta_exact": "meta_gradient",
    "meta_learner": "MetaLearner",
    "meta_mapg": "MetaConfig",
    "metrics": "tft_rate",
    "naive_exact": "naive",
    "naive_pg": "NaivePg",
    "networks": "ActorCritic",
    "opponent_models": "log_likelihood",
    "optimiser": "Adam",
    "parametrisations": "softmax",
    "personas": "personas",
    "players": "batch_player",
    "pola": "pola",
    "pola_dice": "PolaDiceConfig",
    "pola_dice_learner": "PolaDice",
    "regular_file": "read_regular",
    "reporting": "LOG_EVERY",
    "rollout": "rollout",
    "runs": "RunConfig",
    "sampled_game": "SampledGame",
    "sb3_ppo": "train_ppo",
    "self_play": "SelfPlay",
    "sos": "sos",
    "tabular_runs": "TabularLearner",
    "tournament": "TournamentConfig",
    "tournament_learners": "PhcConfig",
}


@pytest.mark.parametrize("old", MODULES)
def test_an_old_module_warns_and_has_its_names(old):
    sys.modules.pop(f"agents.{old}", None)
    with pytest.warns(DeprecationWarning, match=rf"the module agents\.{old} is now \w+\."):
        module = importlib.import_module(f"agents.{old}")
    assert getattr(module, MODULES[old]) is not None


def test_a_name_that_moved_twice():
    with pytest.warns(DeprecationWarning):
        from agents.agent import agents_of
    assert agents_of is importlib.import_module("agents.evaluation.loading").restore_agents


OLD_NAMES = [
    ("agents.training", "train", "agents.training.loop"),
    ("agents.training", "Plan", "agents.training.settings"),
    ("agents.training", "TrainingError", "agents.errors"),
    ("agents.training", "LOG_EVERY", "agents.training.reporting"),
    ("agents.training", "device_name", "agents.execution.device"),
    ("agents.training", "nearest", "social_dilemmas_env.validation"),
    ("agents.evaluation", "play", "agents.evaluation.scoring.play_episodes"),
    ("agents.evaluation", "scores", "agents.evaluation.scoring.score_agent"),
    ("agents.evaluation", "OPPONENTS", "agents.evaluation.scoring"),
    ("agents.evaluation.agent", "load_agent", "agents.evaluation.loading"),
    ("agents.evaluation.agent", "load_agents", "agents.evaluation.loading"),
    ("agents.evaluation.agent", "agents_of", "agents.evaluation.loading.restore_agents"),
    ("agents.evaluation.agent", "agent_of", "agents.evaluation.loading.restore_agent"),
    ("agents.evaluation.agent", "one_of", "agents.evaluation.loading.select_network"),
    ("agents.evaluation.agent", "bundled", "agents.evaluation.cards.list_bundled"),
    ("agents.evaluation.cards", "list_cards", "agents.evaluation.cards.list_bundled"),
    ("agents.evaluation.loading", "list_bundled", "agents.evaluation.cards.list_bundled"),
    ("agents.evaluation.loading", "BUNDLED", "agents.evaluation.cards.BUNDLED"),
    ("agents.cli", "settings", "agents.cli.words.parse_settings"),
    ("agents.cli", "progress", "agents.cli.words.progress"),
    ("agents.cli", "parser_of", "agents.cli.main.make_parser"),
    ("agents.cli", "COMMANDS", "agents.cli.main"),
    ("agents.learners", "LEARNERS", "agents.registry"),
    ("agents.learners", "LearnerSpec", "agents.registry"),
    ("agents.learners", "register", "agents.registry"),
]


@pytest.mark.parametrize(("module", "name", "new"), OLD_NAMES)
def test_an_old_name_warns_and_says_the_new_one(module, name, new):
    found = importlib.import_module(module)
    with pytest.warns(DeprecationWarning, match=rf"^{module}\.{name} is now {new}") as caught:
        assert getattr(found, name) is not None
    assert caught[0].filename == __file__


@pytest.mark.parametrize("module", ["agents", *sorted({module for module, *_ in OLD_NAMES})])
def test_a_name_that_never_was(module):
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = importlib.import_module(module).no_such_name


def test_the_function_main_is_where_the_command_finds_it():
    """`agents.cli.main` was a function; it is the module of that function now."""
    assert callable(importlib.import_module("agents.cli.main").main)


def test_an_old_module_runs_as_a_program():
    """What `bundled/sb3_ppo_3x3.json` says of how it was made."""
    command = [sys.executable, "-m", "agents.sb3_ppo", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "usage: sb3_ppo.py" in done.stdout
    assert "now python -m agents.learners.sb3_ppo" in done.stderr


def test_public_names_are_there():
    for name in agents.__all__:
        assert getattr(agents, name).__doc__


# ----------------------------------------------------------------------------------------- learners


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_an_old_learner_is_the_new_one_with_a_warning(old, new):
    with pytest.warns(DeprecationWarning, match=f"the learner '{old}' is now '{new}'") as caught:
        spec = LEARNERS[old]
    assert spec is LEARNERS[new]
    assert caught[0].filename == __file__
    assert old in LEARNERS
    assert old not in set(LEARNERS)


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_says_its_name_in_one_scheme(name):
    spec = LEARNERS[name]
    assert spec.name == name
    assert current_name(name) == name
    tabular = type(spec.settings("ipd_v0")).__module__ != "agents.learners.loqa.loqa"
    if name.endswith(("_exact", "_tabular")):
        assert tabular


def test_suggestions_name_the_new_names():
    with pytest.raises(ValueError, match="'lola_dice_tabular'"):
        split_settings("lola_dic_tabular", "ipd_v0", {})


def test_a_run_recorded_under_an_old_name_goes_on_and_loads(tmp_path, recwarn, monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
    flat = {"games": 8, "quiet": True, "eval_every": 0}
    whole = train_flat("naive_pg_tabular", "ipd_v0", tmp_path / "whole", {**flat, "iterations": 4})
    parts = train_flat("naive_pg_tabular", "ipd_v0", tmp_path / "parts", {**flat, "iterations": 2})

    # As an earlier version wrote it.
    path = parts / "run.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps({**facts, "learner": "naive_pg"}))
    _sign_again(parts, "naive_pg")

    assert load_agent(parts).facts["learner"] == "naive_pg"
    train_flat("naive_pg_tabular", "ipd_v0", parts, {**flat, "iterations": 4})
    one, two = (load(folder / "checkpoints").tensors["theta"] for folder in (whole, parts))
    assert torch.equal(one, two)
    assert not [warning for warning in recwarn if warning.category is DeprecationWarning]


def _sign_again(folder, learner):
    """Writes the last checkpoint under another learner's name."""
    from agents import checkpoint

    saved = load(folder / "checkpoints")
    facts = {**saved.facts, "learner": learner}
    checkpoint.save(saved.path.parent, saved.step, saved.tensors, facts)


def test_the_command_takes_an_old_name(tmp_path, capsys, monkeypatch):
    from agents.cli.main import main

    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
    words = ["--out", str(tmp_path / "x"), "--device", "cpu", "--iterations", "1", "--quiet"]
    assert main(["train", "sos", "ipd_v0", *words]) == 0
    assert "the learner 'sos' is now 'sos_exact'" in capsys.readouterr().err
    assert load(tmp_path / "x" / "checkpoints").facts["learner"] == "sos_exact"


def test_warnings_point_at_the_caller():
    with pytest.warns(DeprecationWarning, match="old is now new") as caught:
        _call_deprecated()
    assert caught[0].filename == __file__


def _call_deprecated():
    deprecated("old", "new")
