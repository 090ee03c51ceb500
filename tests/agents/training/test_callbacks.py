"""Callbacks: when they are called, with what, and the loggers."""

import json
import sys
import types

import pytest

from agents.checkpoint import load
from agents.training.callbacks import TensorBoard, WeightsAndBiases
from agents.training.reporting import LOG_EVERY
from tests.agents.training.tiny import run


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


class Diary:
    """Notes what it is told."""

    def __init__(self):
        self.notes = []

    def on_update(self, run, metrics):
        self.notes.append(("update", run.iteration))
        assert all(isinstance(value, float) for value in metrics.values())

    def on_evaluate(self, run, scores):
        self.notes.append(("evaluate", run.iteration))
        assert run.scores == scores
        assert "vs always_defect" in scores

    def on_save(self, run, checkpoint):
        self.notes.append(("save", checkpoint.step))
        assert load(checkpoint.path).step == run.iteration

    def close(self):
        self.notes.append("close")


def test_the_order_of_events(tmp_path):
    diary = Diary()
    run("loqa", tmp_path, 3, eval_every=2, eval_episodes=2, callbacks=[diary])
    assert diary.notes == [
        ("update", 1),
        ("update", 2),
        ("evaluate", 2),
        ("update", 3),
        ("save", 3),
        "close",
    ]


def test_every_save_is_told(tmp_path):
    diary = Diary()
    run("loqa", tmp_path, 2, save_minutes=0.0, callbacks=[diary])
    assert [note for note in diary.notes if note[0] == "save"] == [("save", 1), ("save", 2)]


def test_a_callback_may_have_one_method_only(tmp_path):
    class Last:
        def on_save(self, run, checkpoint):
            self.folder = run.folder

    last = Last()
    run("loqa", tmp_path, 1, callbacks=(last,))
    assert last.folder == tmp_path


def test_a_callback_may_save_and_evaluate(tmp_path):
    class Eager:
        def on_update(self, run, metrics):
            run.save()
            self.scores = run.evaluate()

    eager = Eager()
    run("loqa", tmp_path, 2, eval_episodes=2, callbacks=[eager])
    assert load(tmp_path / "checkpoints").step == 2
    assert "self" in eager.scores


@pytest.mark.parametrize("callback", [print, Diary, object()], ids=["function", "class", "object"])
def test_what_is_no_callback_is_refused(tmp_path, callback):
    with pytest.raises(ValueError, match="any of on_update, on_evaluate, on_save"):
        run("loqa", tmp_path / "x", 1, callbacks=[callback])
    assert not (tmp_path / "x").exists()


def test_callbacks_are_closed_when_training_fails(tmp_path):
    class Broken(Diary):
        def on_update(self, run, metrics):
            raise RuntimeError("no idea")

    broken = Broken()
    with pytest.raises(RuntimeError, match="no idea"):
        run("loqa", tmp_path, 1, callbacks=[broken])
    assert broken.notes == ["close"]


def test_lines_of_metrics_are_means(tmp_path):
    class Sum:
        total = 0.0

        def on_update(self, run, metrics):
            self.total += metrics["reward"]

    rewards = Sum()
    run("loqa", tmp_path, LOG_EVERY, callbacks=[rewards])
    (line,) = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert line["iteration"] == LOG_EVERY
    assert line["reward"] == pytest.approx(rewards.total / LOG_EVERY, abs=1e-12)


def test_lines_after_the_last_checkpoint_are_dropped(tmp_path):
    run("loqa", tmp_path, 2)
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1}\n{"iteration": 2}\n{"iteration": 3}\n{"iterat')
    run("loqa", tmp_path, 3)
    assert path.read_text() == '{"iteration": 1}\n{"iteration": 2}\n'


class FakeBoard:
    """Stands for TensorBoard's writer and for wandb."""

    def __init__(self, *arguments, **settings):
        self.settings, self.logged, self.ended = (arguments, settings), [], False

    def add_scalar(self, name, value, step):
        self.logged.append((name, step))

    def log(self, values, step):
        self.logged += [(name, step) for name in values]

    def close(self):
        self.ended = True

    finish = close


def test_tensorboard(tmp_path, monkeypatch):
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = FakeBoard
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    board = TensorBoard(tmp_path)
    writer = board._writer
    run("loqa", tmp_path, LOG_EVERY, eval_every=LOG_EVERY, eval_episodes=2, callbacks=[board])

    assert writer.settings == ((str(tmp_path / "events"),), {})
    assert ("reward", LOG_EVERY) in writer.logged
    assert ("eval self", LOG_EVERY) in writer.logged
    assert writer.ended


def test_weights_and_biases(tmp_path, monkeypatch):
    runs = []

    def init(**settings):
        runs.append(FakeBoard(**settings))
        return runs[0]

    module = types.ModuleType("wandb")
    module.init = init
    monkeypatch.setitem(sys.modules, "wandb", module)
    run("loqa", tmp_path, LOG_EVERY, callbacks=[WeightsAndBiases("mine", mode="offline")])

    ((_, settings),) = [each.settings for each in runs]
    assert settings["project"] == "mine"
    assert settings["mode"] == "offline"
    assert settings["config"] == json.loads((tmp_path / "run.json").read_text())
    assert ("reward", LOG_EVERY) in runs[0].logged
    assert runs[0].ended


@pytest.mark.parametrize(
    ("module", "make"),
    [("torch.utils.tensorboard", lambda: TensorBoard("x")), ("wandb", WeightsAndBiases)],
)
def test_a_missing_logger_says_what_to_install(module, make, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="pip install"):
        make()
