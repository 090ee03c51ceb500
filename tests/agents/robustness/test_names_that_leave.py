"""Names lead nowhere but where they say: no `..`, no path, no link in a name or a manifest."""

import os

import pytest

import social_dilemmas_env as sde
from agents import checkpoint, load_agent, load_agents
from agents.checkpoint import CheckpointError
from agents.cli import main as cli
from agents.evaluation.cards import bundled_facts
from agents.evaluation.loading import load_policy_table
from agents.manifest import sign
from social_dilemmas_env.single_agent import SingleEnv
from tests.agents.robustness.stranger_files import put, write_checkpoint

LEAVING = ["../x", "../loqa_3x3", "../bundled/loqa_3x3", "./loqa_3x3", "/etc/passwd", "..", ".", ""]
LEAVING += ["loqa_3x3.json", "loqa_3x3/", "loqa_3x3\0", " loqa_3x3", "LOQA_3x3", "%2e%2e/x", "*"]
LEAVING += ["c:\\x", "..\\x", "loqa_3x3\n", "\ud800", "x" * 5000]

ROUTES = {
    "load_agent": lambda name: load_agent(f"bundled:{name}"),
    "load_agents": lambda name: load_agents(f"bundled:{name}"),
    "load_policy_table": lambda name: load_policy_table(f"bundled:{name}"),
    "a card": bundled_facts,
    "an opponent": lambda name: SingleEnv("coin_game_v0", opponent=f"bundled:{name}"),
    "exact": lambda name: sde.exact_game("ipd_v0").policy(f"bundled:{name}"),
}


@pytest.mark.parametrize("route", ROUTES)
def test_bundled_agents_go_by_names_of_the_list_only(route):
    for name in LEAVING:
        with pytest.raises(ValueError, match=r"\S+ \S+ \S+") as error:
            ROUTES[route](name)
        assert len(str(error.value).splitlines()) == 1, name
        assert len(str(error.value)) < 7000


COMMANDS = {
    "play": "play coin_game_v0 {} random",
    "evaluate": "evaluate {}",
    "export": "export {} x.json",
    "league": "league coin_game_v0 {} random",
    "exploit": "exploit coin_game_v0 {}",
    "schelling": "schelling coin_game_v0 --cooperator {} --defector random",
    "plot": "plot {} --save x.png",
    "envs": "envs --agents {}",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_refuse_them_in_a_sentence(command, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(COMMANDS[command].format("bundled:../loqa_3x3").split()) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert "there is no bundled agent '../loqa_3x3'" in printed.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["state", "kept"])
def test_manifests_name_files_of_their_own_folder_only(where, tmp_path):
    """Validly signed ones."""
    path = write_checkpoint("state-00000007.json")(tmp_path)
    good = checkpoint.read_manifest(path)
    outside = put(tmp_path.parent / "outside.safetensors", (tmp_path / "x").name)
    names = ["../outside.safetensors", str(outside), "./x.safetensors", "a/x.safetensors"]
    for name in [*names, "..", "x.safetensors/", "x.safetensors\0", "x.pkl", ["x.safetensors"], 5]:
        manifest = {key: value for key, value in good.items() if key != "sha256"}
        entry = {**(good["state"] if where == "state" else good["kept"][0]), "file": name}
        path.write_bytes(sign({**manifest, where: entry if where == "state" else [entry]}))
        with pytest.raises(CheckpointError, match=r"state-00000007") as error:
            checkpoint.load(path)
        assert len(str(error.value).splitlines()) == 1, name


def test_a_checkpoint_is_not_written_through_a_link(tmp_path):
    """It takes the place of a link that somebody has put there."""
    outside = put(tmp_path / "outside", "kept")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for ending in ("json", "safetensors"):
        (folder / f"state-00000007.{ending}").symlink_to(outside)
    write_checkpoint("state-00000007.json")(folder)
    assert outside.read_text() == "kept"
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert checkpoint.load(folder).step == 7


def test_the_package_s_own_files_are_checked_too(tmp_path, monkeypatch):
    """A card of a damaged manifest is an error that names it, without torch."""
    monkeypatch.setattr("agents.evaluation.cards.BUNDLED", tmp_path)
    put(tmp_path / "mine.json", '{"facts": {"learner": "loqa"}}')
    with pytest.raises(CheckpointError, match=r"mine\.json: not a readable checkpoint"):
        bundled_facts("mine")
    os.remove(tmp_path / "mine.json")
    with pytest.raises(ValueError, match="there is no bundled agent 'mine'"):
        bundled_facts("mine")
