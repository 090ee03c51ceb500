"""Large leagues: what was played is kept, and what changed is played again."""

import json
import re
from dataclasses import replace

import pytest

from agents.cli import league as command
from agents.cli.main import main
from agents.evaluation import league_tasks
from agents.evaluation.league import round_robin
from agents.evaluation.league_tasks import LeagueSpec, entry_facts, make_roster, run_league
from agents.tasks import executors
from agents.tasks.executors import choose_executor
from agents.tasks.options import ExecutorOptions
from agents.tasks.result_lines import ResultLines

HERE = choose_executor(ExecutorOptions(jobs=1))
SPEC = LeagueSpec(("tit_for_tat", "random", "grim"), "ipd_v0", episodes=3, seed=4)


@pytest.fixture
def played(monkeypatch):
    """The pairs that are played."""
    found = []
    real = league_tasks.play_pairs

    def play_pairs(roster, pairs):
        found.extend(pairs)
        return real(roster, pairs)

    monkeypatch.setattr(league_tasks, "play_pairs", play_pairs)
    return found


def test_it_is_the_round_robin():
    expected = round_robin(SPEC.words, "ipd_v0", episodes=3, seed=4).json()
    assert run_league(SPEC, HERE).json() == expected


def test_what_was_played_is_kept(tmp_path, played):
    path = tmp_path / "x.jsonl"
    whole = run_league(SPEC, HERE, ResultLines(path)).json()
    assert len(played) == 9
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:5]) + '{"task": "')
    assert run_league(SPEC, HERE, ResultLines(path)).json() == whole
    assert len(played) == 9 + 4


def test_a_league_grows_at_its_end(tmp_path, played):
    path, larger = tmp_path / "x.jsonl", replace(SPEC, words=(*SPEC.words, "pavlov"))
    run_league(SPEC, HERE, ResultLines(path))
    del played[:]
    league = run_league(larger, HERE, ResultLines(path))
    assert sorted(played) == [(0, 3), (1, 3), (2, 3), (3, 0), (3, 1), (3, 2), (3, 3)]
    assert league.json() == run_league(larger, HERE).json()


@pytest.mark.parametrize("change", [{"seed": 5}, {"episodes": 2}, {"game": '{"max_cycles": 9}'}])
def test_another_league_is_played_anew(tmp_path, played, change):
    path = tmp_path / "x.jsonl"
    run_league(SPEC, HERE, ResultLines(path))
    run_league(replace(SPEC, **change), HERE, ResultLines(path))
    assert len(played) == 18


def test_another_file_or_checkpoint_is_another_entry(tmp_path):
    file = tmp_path / "mine.py"
    word = f"{file}:act"
    facts = set()
    for action in "01":
        file.write_text(f"def act(observation):\n    return {action}\n")
        (entrant,) = make_roster(LeagueSpec((word,), "ipd_v0", seed=int(action))).entrants
        facts.add(entry_facts(word, entrant))
    agents = make_roster(LeagueSpec(("bundled:loqa_ipd", "bundled:meta_mapg_ipd"), "ipd_v0"))
    facts |= {entry_facts("the same word", entrant) for entrant in agents.entrants}
    assert len(facts) == 4


def test_time_and_memory_are_said_first(monkeypatch):
    said = []
    spec = LeagueSpec(("random",) * 10, "ipd_v0", episodes=2)
    run_league(spec, HERE, say=said.append)
    (sentence,) = said
    assert sentence.startswith("10 entries, 100 pairs, 100 of them to play, 2 episodes each: about")
    assert "of one core" in sentence
    assert re.search(r", at least \d+\.\d GB in each process$", sentence)


def test_the_trial_counts(played):
    spec = LeagueSpec(("random",) * 10, "ipd_v0", episodes=2)
    league = run_league(spec, HERE)
    assert sorted(played) == [(i, j) for i in range(10) for j in range(10)]
    assert league.json() == round_robin(spec.words, "ipd_v0", episodes=2).json()


def test_the_command_goes_on(tmp_path, played, monkeypatch, capsys):
    monkeypatch.setattr(executors, "count_cores", lambda: 1)
    save = tmp_path / "league.json"
    words = ["league", "ipd_v0", "tit_for_tat", "random", "--episodes", "2", "--save", str(save)]
    assert main(words) == 0
    before = json.loads(save.read_text())
    assert main(words) == 0
    assert len(played) == 4
    assert json.loads(save.read_text()) == before
    assert len((tmp_path / "league.jsonl").read_text().splitlines()) == 4
    capsys.readouterr()


def test_a_large_league_is_ranked(monkeypatch, capsys):
    monkeypatch.setattr(command, "LARGE", 2)
    assert main(["league", "ipd_v0", "always_cooperate", "grim", "always_defect"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["entry", "against", "all", "itself"]
    assert [line.split()[1] for line in lines[:3]] == ["always_defect", "grim", "always_cooperate"]
    assert "over 32 episodes a pair; seed 0" in lines[-1]


def test_a_file_for_the_pairs_is_none_for_the_league(tmp_path, capsys):
    words = ["league", "ipd_v0", "grim", "--save", str(tmp_path / "x.jsonl")]
    assert main(words) == 2
    assert "--save takes FILE.json" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
