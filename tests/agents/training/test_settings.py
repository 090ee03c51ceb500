"""What `train` is asked for: config, plan, game; and that nothing is written if it is refused."""

import json
from dataclasses import replace

import pytest
import torch

from agents import LEARNERS, Plan, load_agent, registry, train
from agents.checkpoint import load
from agents.learners.loqa.loqa import LoqaConfig
from agents.learners.pola.pola_dice import PolaDiceConfig
from agents.training.settings import split_settings
from tests.agents.training.tiny import TINY, run, train_flat


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


def test_settings_are_sorted_into_three():
    flat = {"batch": 64, "iterations": 7, "grid_size": 4, "gamma": 0.9}
    config, plan, game = split_settings("loqa", "coin_game_v0", flat)
    assert config == replace(LEARNERS["loqa"].settings("coin_game_v0"), batch=64, gamma=0.9)
    assert plan == Plan(iterations=7)
    assert game == {"grid_size": 4}


def test_defaults_where_nothing_is_asked_for():
    config, plan, game = split_settings("loqa", "ipd_v0", {})
    assert config == LEARNERS["loqa"].settings("ipd_v0")
    assert plan == Plan()
    assert game == {}


def test_flat_settings_do_the_same_and_warn(tmp_path):
    flat = {**TINY, "iterations": 2, "eval_every": 0, "grid_size": 4}
    new = train_flat("loqa", "coin_game_v0", tmp_path / "new", flat)
    with pytest.warns(DeprecationWarning, match=r"config=\.\.\., plan=\.\.\., game=") as caught:
        old = train("loqa", "coin_game_v0", device="cpu", out=tmp_path / "old", **flat)
    assert caught[0].filename == __file__
    assert (old / "run.json").read_text() == (new / "run.json").read_text()
    assert torch.equal(*(load(x / "checkpoints").tensors["self0.theta"] for x in (old, new)))


def test_flat_and_in_three_at_once_is_refused(tmp_path):
    with (
        pytest.warns(DeprecationWarning),
        pytest.raises(TypeError, match=r"batch=\.\.\. in config="),
    ):
        train("loqa", "coin_game_v0", out=tmp_path / "x", plan=Plan(), batch=3)


def test_a_config_of_another_learner(tmp_path):
    with pytest.raises(
        ValueError, match="config must be a LoqaConfig for loqa, not PolaDiceConfig"
    ):
        train("loqa", "coin_game_v0", out=tmp_path / "x", config=PolaDiceConfig())


def test_a_config_with_a_value_of_the_wrong_type(tmp_path):
    config = LoqaConfig(standardise=1)
    with pytest.raises(ValueError, match="standardise must be bool, not 1"):
        train("loqa", "coin_game_v0", out=tmp_path / "x", device="cpu", config=config)
    assert not (tmp_path / "x").exists()


def test_an_unknown_argument_of_the_game(tmp_path):
    with pytest.raises(ValueError, match="'grid_size'"):
        train("loqa", "coin_game_v0", out=tmp_path / "x", game={"gridsize": 4})


def test_a_bad_argument_of_the_game_leaves_no_folder(tmp_path):
    with pytest.raises(ValueError, match="grid_size"):
        train("loqa", "coin_game_v0", out=tmp_path / "x", device="cpu", game={"grid_size": 0})
    assert not (tmp_path / "x").exists()


def test_a_learner_of_ones_own_is_recorded_by_its_key(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_WHERE", dict(registry._WHERE))
    registry.register("mine", "agents.learners.loqa.learner:LOQA")
    flat = {**TINY, "iterations": 1, "eval_every": 0}
    folder = train_flat("mine", "coin_game_v0", tmp_path / "x", flat)
    assert json.loads((folder / "run.json").read_text())["learner"] == "mine"
    assert load_agent(folder).facts["learner"] == "mine"


def test_train_leaves_building_the_rules_to_the_learner(tmp_path, monkeypatch):
    from social_dilemmas_env.registry import EnvSpec

    built, game = [], EnvSpec.game
    monkeypatch.setattr(EnvSpec, "game", lambda self, **kw: built.append(1) or game(self, **kw))
    config, plan, arguments = split_settings("loqa", "coin_game_v0", {**TINY, "iterations": 1})
    LEARNERS["loqa"].make(config, "coin_game_v0", arguments, 0, "cpu")
    of_the_learner = len(built)

    built.clear()
    how = {"config": config, "plan": replace(plan, eval_every=0), "game": arguments}
    train("loqa", "coin_game_v0", out=tmp_path / "x", device="cpu", **how)
    assert len(built) == of_the_learner


def test_unknown_names(tmp_path):
    with pytest.raises(ValueError, match="'loqa'"):
        train("lqoa", "coin_game_v0", out=tmp_path)
    with pytest.raises(ValueError, match="'batch'"):
        split_settings("loqa", "coin_game_v0", {"bacth": 3})
    with pytest.raises(ValueError, match="coin_game_v0"):
        train("loqa", "coin_game", out=tmp_path)
    with pytest.raises(ValueError, match="max_cycles"):
        split_settings("loqa", "coin_game_v0", {"max_cycles": 3})
    with pytest.raises(ValueError, match="max_cycles"):
        train("loqa", "coin_game_v0", out=tmp_path, game={"max_cycles": 3})
    with pytest.raises(ValueError, match="actor must be"):
        split_settings("loqa", "coin_game_v0", {"actor": "transformer"})
    with pytest.raises(ValueError, match="bundled"):
        load_agent("bundled:nobody")
    with pytest.raises(ValueError, match="did you mean 'bundled:loqa_3x3'"):
        load_agent("loqa_3x3")
    with pytest.raises(TypeError, match="an agent is bundled:NAME, a run folder or a file"):
        load_agent(None)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"plan": {}}, "plan must be a Plan, not {}"),
        ({"plan": LEARNERS["loqa"].settings("ipd_v0")}, "plan must be a Plan"),
        ({"game": [1]}, r"game must be a dict of the game's arguments, not \[1\]"),
    ],
)
def test_plans_and_games_of_another_kind(what, words, tmp_path):
    """An empty dict was once a plan of hours."""
    with pytest.raises(ValueError, match=words):
        train("loqa", "ipd_v0", out=tmp_path / "x", **what)
    assert not (tmp_path / "x").exists()


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
    device = {"device": settings.get("device", "cpu")}
    flat = {name: value for name, value in settings.items() if name != "device"}
    with pytest.raises(ValueError, match=words):
        config, plan, game = split_settings(learner, "coin_game_v0", flat)
        how = {"config": config, "plan": plan, "game": game, **device}
        train(learner, "coin_game_v0", out=tmp_path / "x", **how)
    assert not (tmp_path / "x").exists()
