"""Trained agents: by name, seat and run; their probabilities; as exported files."""

import json

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import load_agent, load_agents, load_policy_table
from agents.checkpoint import load
from agents.cli.main import main
from agents.evaluation.agent import AgentPlayer, TrainedAgent
from agents.evaluation.export import export_agent, training_command
from agents.evaluation.loading import find_checkpoint, list_bundled
from tests.agents.training.tiny import run, train_flat


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Run folders of a moment: a deep learner of 3 runs with 2 networks, and a tabular one."""
    base = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")
        tabular = {"runs": 2, "games": 8, "iterations": 2, "eval_every": 0, "quiet": True}
        return {
            "deep": run("ipd", base / "deep", 2, shared=False),
            "shared": run("ipd", base / "shared", 2),
            "tabular": train_flat("naive_pg_tabular", "ipd_v0", base / "tabular", tabular),
            "gru": run("loqa", base / "gru", 1),
        }


# ------------------------------------------------------------------------------------ probabilities


def test_the_table_is_every_runs_and_seats_policy(folders):
    """Against the parameters, with the softmax written out."""
    table = load_policy_table(folders["deep"])
    assert table.shape == (3, 2, 5, 2)
    tensors = load(folders["deep"] / "checkpoints").tensors
    for seat in range(2):
        weights = tensors[f"self{seat}.theta"][:, :10].view(3, 5, 2).exp()
        expected = weights / weights.sum(-1, keepdim=True)
        assert (table[:, seat] - expected).abs().max() < 1e-6


def test_seats_that_share_a_network_have_equal_tables(folders):
    table = load_policy_table(folders["shared"])
    assert torch.equal(table[:, 0], table[:, 1])
    assert not torch.equal(table[0], table[1])


def test_the_table_of_a_tabular_learner_is_what_was_saved(folders):
    policies = load(folders["tabular"] / "checkpoints").tensors["policies"]
    assert torch.equal(load_policy_table(folders["tabular"]), policies)


def test_the_table_of_a_bundled_agent():
    """What its metadata says of it."""
    table = load_policy_table("bundled:loqa_ipd")[0, 0, :, 0]
    said = load(find_checkpoint("bundled:loqa_ipd")).facts["policy"]
    expected = [said[f"P(C|{state})"] for state in ("start", "CC", "CD", "DC", "DD")]
    assert table.tolist() == pytest.approx(expected, abs=1e-4)


def test_an_agent_with_memory_has_no_table(folders):
    with pytest.raises(ValueError, match=r"remembers: ask load_agents\(...\)\[seat\]"):
        load_policy_table(folders["gru"])


@pytest.mark.parametrize("name", ["deep", "tabular", "gru"])
def test_probabilities_are_the_softmax_of_the_logits(folders, name):
    agent = load_agent(folders[name])
    env = sde.make_vec_env(agent.env_id, num_envs=4, **agent.game_kwargs)
    observations = env.reset(seed=0)[0][:, 0]
    chances, _ = agent.probabilities(observations)
    logits, _ = agent.logits(torch.as_tensor(observations))
    assert chances.shape == logits.shape
    assert (chances - torch.softmax(logits, -1)).abs().max() < 1e-6
    assert not chances.requires_grad


@pytest.mark.parametrize("name", ["deep", "tabular"])
def test_actions_come_as_often_as_the_probabilities_say(folders, name):
    agent = load_agent(folders[name], seed=3)
    assert isinstance(agent, TrainedAgent)
    observations = np.eye(5, dtype=np.float32).repeat(4000, 0)
    actions, _ = agent.act(observations)
    share = actions.reshape(5, 4000).mean(1)
    p = agent.probabilities(np.eye(5, dtype=np.float32))[0][:, 1].numpy()
    assert (abs(share - p) < 5 * np.sqrt(p * (1 - p) / 4000) + 1e-9).all()

    greedy, _ = agent.act(observations, greedy=True)
    assert (greedy.reshape(5, 4000) == (p > 0.5)[:, None]).all()


@pytest.mark.parametrize("name", ["deep", "tabular"])
def test_observations_of_another_game_are_refused(folders, name):
    with pytest.raises(ValueError, match=r"have 5 numbers, these \(2, 10\) have 10"):
        load_agent(folders[name]).act(np.zeros((2, 10), np.float32))


# ----------------------------------------------------------------------------------- seats and runs


def test_an_agent_of_each_seat_and_run(folders):
    table = load_policy_table(folders["deep"])
    observations = torch.eye(5)
    for seat in range(2):
        for k in range(3):
            one = load_agent(folders["deep"], player=seat, run=k)
            assert torch.equal(one.probabilities(observations)[0], table[k, seat])
            other = load_agents(folders["deep"], run=k)[seat]
            assert torch.equal(other.probabilities(observations)[0], table[k, seat])


def test_a_tabular_agent_of_each_seat_and_run(folders):
    table = load_policy_table(folders["tabular"])
    for seat in range(2):
        for k in range(2):
            one = load_agent(folders["tabular"], player=seat, run=k)
            assert torch.equal(one.probabilities(torch.eye(5))[0], table[k, seat])


NOWHERE = [("deep", 2, 0), ("deep", 0, 3), ("deep", 0, -1), ("tabular", 2, 0), ("tabular", 0, 2)]


@pytest.mark.parametrize(("name", "player", "k"), NOWHERE)
def test_no_such_seat_or_run(folders, name, player, k):
    with pytest.raises(ValueError, match=f"no network of player {player} in run {k}"):
        load_agent(folders[name], player=player, run=k)


def test_a_player_forgets_where_an_episode_begins(folders):
    """A game that begins anew plays on as one that was reset; its neighbour does not notice."""
    agent = load_agent(folders["gru"])
    env = sde.make_vec_env("coin_game_v0", num_envs=2)
    first = env.reset(seed=0)[0][:, 0]
    second = env.step(np.zeros((2, 2), int))[0][:, 0]
    player, fresh = AgentPlayer(agent), AgentPlayer(agent)
    player.reset(2)
    fresh.reset(2)

    player.act(first)
    memory = player.hidden.clone()
    player.act(second, first=np.array([True, False]))
    fresh.act(second)
    assert torch.equal(player.hidden[:, 0], fresh.hidden[:, 0])
    assert torch.equal(player.hidden[:, 1], agent.logits(torch.tensor(second), memory)[1][:, 1])


# ------------------------------------------------------------------------------------------- export


def test_an_exported_run_plays(folders, tmp_path, capsys):
    path = tmp_path / "mine.json"
    words = ["--run", "1", "--player", "1", "--note", "Not selected.", "--episodes", "3"]
    assert main(["export", str(folders["deep"]), str(path), *words]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert {each.name for each in tmp_path.iterdir()} == {"mine.json", "mine.safetensors"}

    exported = load_agent(path)
    original = load_agent(folders["deep"], player=1, run=1)
    observations = torch.eye(5)
    assert torch.equal(*(a.probabilities(observations)[0] for a in (exported, original)))
    assert main(["play", "ipd_v0", str(path), "tit_for_tat"]) == 0


def test_an_exported_agent_says_how_it_was_made_and_scores(folders, tmp_path):
    facts = load(export_agent(folders["deep"], tmp_path / "x.json", episodes=3, seed=5)).facts
    assert facts["evaluation"] == {"episodes": 3, "seed": 5, "greedy": False}
    assert {"self", "vs tit_for_tat", "tit_for_tat vs it"} <= facts["scores"].keys()
    assert "note" not in facts
    bundled = load(find_checkpoint("bundled:loqa_ipd")).facts
    assert set(bundled) - {"note", "policy", "exploitability"} <= set(facts)


@pytest.mark.parametrize("name", ["deep", "tabular", "gru"])
def test_the_command_trains_the_same_again(folders, name, tmp_path):
    saved = load(folders[name] / "checkpoints")
    command, words = training_command(saved).split(" --set ")
    *_, learner, env_id, seed = command.replace("--seed ", "").split()
    settings = json.loads(json.dumps(dict(word.split("=") for word in words.split())))
    assert main([*command.split()[1:], "--out", str(tmp_path / "again"), "--device", "cpu",
                 "--set", *words.split(), "eval_every=0", "quiet=true"]) == 0  # fmt: skip
    again = load(tmp_path / "again" / "checkpoints")
    assert settings["iterations"] == str(saved.step)
    assert (again.facts["learner"], again.facts["env_id"]) == (learner, env_id)
    assert again.facts["seed"] == int(seed)
    for tensor in saved.tensors:
        assert torch.equal(saved.tensors[tensor], again.tensors[tensor]), tensor


def test_a_learner_that_goes_on_learning_is_exported_whole(tmp_path):
    path = export_agent("bundled:meta_mapg_ipd", tmp_path / "x.json", episodes=2)
    original = load(find_checkpoint("bundled:meta_mapg_ipd"))
    assert load(path).tensors.keys() == original.tensors.keys()
    assert load(path).facts["command"] == original.facts["command"]


def test_export_wants_json(folders, tmp_path):
    with pytest.raises(ValueError, match=r"NAME\.json, not 'x\.safetensors'"):
        export_agent(folders["deep"], tmp_path / "x.safetensors")


def test_bundled_agents_are_found():
    assert "loqa_3x3" in list_bundled()
    with pytest.raises(ValueError, match="loqa_3x3"):
        find_checkpoint("bundled:loqa3x3")
