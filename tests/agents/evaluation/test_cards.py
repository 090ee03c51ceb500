"""Cards of the bundled agents: every one has one, and it says what the manifest says."""

import subprocess
import sys

import pytest

from agents.cli.envs import narrow
from agents.evaluation import cards
from agents.evaluation.cards import bundled_facts, known_exploitability, list_bundled, model_card

NAMES = list_bundled()
COMMONS = [name for name in NAMES if name.endswith("harvest")]  # games of seven


@pytest.mark.parametrize("name", NAMES)
def test_every_agent_has_a_whole_card(name):
    card = model_card(name)
    assert card.startswith(f"# `bundled:{name}`\n")
    for title in ("Facts", "Scores", "Exploitability", "Try it"):
        assert f"\n## {title}\n" in card


@pytest.mark.parametrize("name", NAMES)
def test_what_was_known_of_the_opponent_is_said(name):
    row = next(line for line in model_card(name).splitlines() if "access to the opponent" in line)
    assert "not recorded" not in row


@pytest.mark.parametrize("name", NAMES)
def test_a_card_has_the_scores_and_the_command_of_the_manifest(name):
    facts, card = bundled_facts(name), model_card(name)
    assert facts["command"] in card
    for who, mean in facts["scores"].items():
        assert f"| {who} | {mean:+.3f}" in card


@pytest.mark.parametrize("name", NAMES)
def test_tables_have_cells_as_many_as_heads(name):
    tables = [line for line in model_card(name).splitlines() if line.startswith("|")]
    counts = [line.replace("\\|", "").count("|") for line in tables]
    heads = [i for i, line in enumerate(tables) if set(line) <= set("|- ")]
    starts = [i - 1 for i in heads]
    for k, count in enumerate(counts):
        assert count == counts[max(start for start in starts if start <= k)]


@pytest.mark.parametrize("name", NAMES)
def test_a_terminal_shows_it_in_80_columns(name):
    assert max(map(len, narrow(model_card(name)))) <= 80


def test_exact_and_bounded_exploitability_are_told_apart():
    assert "epsilon-Nash against every strategy" in model_card("exact_loqa_3x3")
    assert "lower bound" in model_card("loqa_3x3")
    assert "Its memory is not finite" in model_card("loqa_3x3")
    assert "lower bound" not in model_card("exact_pola_3x3")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in COMMONS])
def test_every_agent_has_its_exploitability_with_method_and_settings(name):
    facts, card = bundled_facts(name), model_card(name)
    found = facts["exploitability"]
    assert "Not computed" not in card
    assert f"`{found['command']}`" in card
    assert found["device"] in card
    assert found["exact"] or f"{found['settings']['budget']:,} steps of the game" in card
    known = known_exploitability(facts)
    assert float(known.removeprefix("≥ ")) >= 0
    assert known.startswith("≥") == (found["exact"] is None)


def test_an_exact_number_lies_above_the_bounds():
    """Of PPO on absolute cells both are known."""
    found = bundled_facts("sb3_ppo_3x3")["exploitability"]
    rows = [row for row in found["bounds"].values() if isinstance(row, dict) and "gain" in row]
    assert len(rows) == 3
    assert max(row["gain"]["low"] for row in rows) < found["exact"]["gain"]


def test_of_a_start_for_learning_the_start_is_judged():
    """Meta-MAPG's policy goes on learning: the number is of the policy that was read."""
    assert "Exact, of the policy that it starts with, before it learns:" in model_card(
        "meta_mapg_ipd"
    )
    assert "before it learns" not in model_card("loqa_ipd").partition("## Exploitability")[2]


def test_without_a_report_the_command_is_said(monkeypatch):
    facts = {k: v for k, v in bundled_facts("loqa_5x5").items() if k != "exploitability"}
    monkeypatch.setattr(cards, "bundled_facts", lambda name: facts)
    command = "social-dilemmas exploit coin_game_v0 bundled:loqa_5x5 --keep"
    assert f"Not computed: `{command}` writes it here." in model_card("loqa_5x5")
    assert known_exploitability(facts) == "not computed"


def test_a_picture_is_shown_where_there_is_one():
    assert "![loqa_3x3 at play](films/loqa.gif)" in model_card("bundled:loqa_3x3", "films/loqa.gif")


def test_an_unknown_agent_is_told_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'loqa_3x3'"):
        model_card("loqa_3y3")


def test_a_card_needs_no_torch():
    code = "import sys; from agents.evaluation.cards import model_card; model_card('loqa_3x3'); "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", NAMES)
def test_every_reward_has_its_interval(name):
    facts, card = bundled_facts(name), model_card(name)
    halves = facts["half_intervals"]
    assert set(halves) == set(facts["scores"]) - {"adversarial"}
    assert f"| self | {facts['scores']['self']:+.3f} ± {halves['self']:.3f} |" in card


@pytest.mark.parametrize(("name", "seats"), [("exact_loqa_3x3", 2), ("ippo_harvest", 7)])
def test_commands_have_a_player_for_every_seat(name, seats):
    """`play` takes one name a seat; Schelling's diagram is of games of more than two."""
    lines = model_card(name).split("```bash\n")[1].splitlines()
    assert [len(line.split()) for line in lines if " --save" in line] == [3 + seats + 2]
    assert lines[0].split()[3:] == ["human", *[f"bundled:{name}"] * (seats - 1)]
    assert any(" schelling " in line for line in lines) == (seats > 2)


@pytest.mark.parametrize("name", COMMONS)
def test_of_a_game_of_many_it_is_said_why_there_is_no_exploitability(name):
    assert "Not computed: responses are learned in games of two." in model_card(name)
    assert known_exploitability(bundled_facts(name)) == "not computed"


def test_what_alignment_reads_is_said():
    assert "with `alignment` the others' advantages" in model_card("ippo_aligned_harvest")
