"""Manifests with valid digests and wrong facts, and files that are none: one CheckpointError naming
the file; no other exception, no waiting, nothing changed."""

import json
import os
import shutil

import pytest

from agents import checkpoint, load_agent
from agents.checkpoint import Checkpoint, CheckpointError, load
from agents.manifest import sign
from social_dilemmas_env.regular_file import read_regular
from tests.agents.training.tiny import run, train_flat

JUNK = [None, 5, "x", [], {}, -1, 10**30, 1e308, True, [[]], {"a": 1}]
LEARNERS = {
    "loqa": ("coin_game_v0", {"batch": 4, "horizon": 4, "actor_hidden": 4, "critic_hidden": 4}),
    "lola_exact": ("ipd_v0", {"runs": 2}),
    "pola_dice": ("ipd_v0", {"batch": 4, "horizon": 4, "hidden": 4}),
    "meta_mapg": ("ipd_v0", {"batch": 2}),
}
FACTS = ("learner", "env_id", "game", "settings")
GAME = {
    "grid_size": [None, "x", -1, 0, 10**4, 10**30, []],
    "num_agents": [None, "x", -1, 0, 10**4, 10**30, []],
    "max_cycles": [None, "x", -1, 0, 10**30, []],
    "no_argument": [1],
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


def trained(folder, learner):
    env_id, flat = LEARNERS[learner]
    flat = {**flat, "iterations": 1, "eval_every": 0, "quiet": True}
    return train_flat(learner, env_id, folder, flat)


def wrong_facts(facts):
    """(what, facts) with one of them wrong or missing."""
    for name in FACTS:
        yield f"no {name}", {key: x for key, x in facts.items() if key != name}
        yield from ((f"{name} {x!r}", facts | {name: x}) for x in JUNK if x != {})
    for name in facts["settings"]:
        for x in (None, "x", [], -1, 10**30):
            yield f"{name} {x!r}", facts | {"settings": facts["settings"] | {name: x}}
    for name, values in GAME.items():
        yield from ((f"{name} {x!r}", facts | {"game": {name: x}}) for x in values)
    yield "another learner", facts | {"learner": "advantage_alignment"}
    yield "another game", facts | {"env_id": "public_goods_v0"}


@pytest.mark.parametrize("learner", LEARNERS)
def test_an_agent_of_wrong_facts(learner, tmp_path):
    """Settings that only training needs may be anything; all else names the file."""
    good = load(trained(tmp_path / "run", learner) / "checkpoints")
    path, refused = tmp_path / "agent.json", 0
    for what, facts in wrong_facts(good.facts):
        checkpoint.export(path, Checkpoint(path, 1, facts, good.tensors))
        try:
            load_agent(path)
        except CheckpointError as error:
            assert "agent.json" in str(error), what
            refused += 1
        except Exception as error:
            pytest.fail(f"{what}: {type(error).__name__}: {error}")
    assert refused > 40


def rewrite(folder, change):
    """The last manifest with another content, validly signed."""
    path = checkpoint.manifests(folder / "checkpoints")[-1]
    manifest = json.loads(path.read_text())
    manifest.pop("sha256")
    path.write_bytes(sign(change(manifest)))
    return path


WRONG_RUNS = {
    "seconds": ["x", None, [], True, 10**400],
    "scores": [None, 5, "x", [1], {"a": "x"}, {"a": None}],
    "means": [None, 5, [], {}, {"totals": {}, "count": "x"}, {"totals": {"a": 1.0}, "count": 0}],
    "seed": [2, "1", None, [], 2**32 + 1],
    "learner": ["pola_dice", None, [], {}],
    "env_id": ["ipd_v0", None, 3],
    "game": [{"grid_size": 4}, None, []],
    "settings": [None, [], {}, {"gamma": 0.5}],
}


@pytest.mark.parametrize("name", WRONG_RUNS)
def test_training_refuses_the_checkpoint_of_another_run(name, tmp_path):
    """Before, another seed's went on under this one's name."""
    folder = run("loqa", tmp_path, 2)
    original = checkpoint.manifests(folder / "checkpoints")[-1].read_bytes()
    for wrong in WRONG_RUNS[name]:
        path = rewrite(folder, lambda m, x=wrong: {**m, "facts": {**m["facts"], name: x}})
        changed = path.read_bytes()
        with pytest.raises(CheckpointError, match=r"state-00000002\.json"):
            run("loqa", folder, 3)
        assert path.read_bytes() == changed
        path.write_bytes(original)
    run("loqa", folder, 3)


def test_another_seeds_checkpoint_is_not_relabelled(tmp_path):
    one, two = run("loqa", tmp_path / "1", 2, seed=1), run("loqa", tmp_path / "2", 2, seed=2)
    shutil.rmtree(one / "checkpoints")
    shutil.copytree(two / "checkpoints", one / "checkpoints")
    with pytest.raises(CheckpointError, match=r"of another run \(seed=2\)"):
        run("loqa", one, 3, seed=1)


@pytest.mark.parametrize("step", [10**15, 2**53 - 1, -1, 2**63, 10**30, True, 2.0])
def test_a_wrong_number_of_updates(step, tmp_path):
    """10^15 updates of LOQA would have kept 3·10^14 past selves."""
    folder = run("loqa", tmp_path, 2, past_selves=True)
    path = rewrite(folder, lambda manifest: {**manifest, "step": step})
    if type(step) is int and step > 0:
        path = path.rename(path.with_name(f"state-{step:08d}.json"))
    with pytest.raises(CheckpointError, match=path.name):
        run("loqa", folder, 4)


@pytest.mark.parametrize(
    "entry",
    [
        {"bytes": "4"},
        {"bytes": True},
        {"sha256": 5},
        {"names": 5},
        {"names": [["a"]]},
        {"names": None},
        {"file": ["x.safetensors"]},
    ],
    ids=str,
)
def test_wrong_entries_of_files(entry, tmp_path):
    folder = run("loqa", tmp_path, 2)
    path = rewrite(folder, lambda m: {**m, "kept": [{**m["kept"][0], **entry}]})
    with pytest.raises(CheckpointError, match=path.name):
        load(path)


# ------------------------------------------------------------------------- what is no ordinary file


def test_pipes_and_devices_are_not_read(tmp_path):
    """A pipe that nobody writes into would block for ever, /dev/zero would never end."""
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    for name in ("pipe.json", "zero.json"):
        with pytest.raises(CheckpointError, match=f"{name}: .*not an ordinary file"):
            load(tmp_path / name)
        with pytest.raises(CheckpointError, match=name):
            load_agent(tmp_path / name)
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(ValueError, match="5 bytes, of at most 4"):
        read_regular(tmp_path / "large", 4)


@pytest.mark.parametrize("name", ["run.json", "metrics.jsonl", "checkpoints/state-*.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_a_run_folder_with_something_else_in_it(name, kind, tmp_path):
    folder = run("loqa", tmp_path, 20)
    (path,) = folder.glob(name)
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(CheckpointError, match=path.name):
        run("loqa", folder, 21)
