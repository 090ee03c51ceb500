"""What became of the mutants, as it is stored: enough were killed, survivors are explained."""

from collections import Counter

import pytest

from tests.mutants.catalogue import Mutant, catalogue
from tests.mutants.verdicts import (
    AREAS,
    FLOOR,
    SCORES,
    area_of,
    count,
    is_open,
    load,
    page,
    save,
    share_killed,
    verdict_of,
)

RULE = Mutant("a", "social_dilemmas_env/games/coin.py", "x", "y", ("t.py",))
DRAW = Mutant("b", "social_dilemmas_env/rng.py", "x", "y", ("t.py",))
FATE = Mutant("c", "social_dilemmas_env/rng.py", "x", "z", ("t.py",), "z is x")


@pytest.mark.parametrize("area", AREAS)
def test_enough_are_killed_in_each_area(area):
    """Of those that were tried, and some were: `python -m tests.mutants --new` tries the others."""
    assert share_killed(count(catalogue(), load())[area]) >= FLOOR


def test_survivors_are_explained():
    verdicts = load()
    assert [str(m) for m in catalogue() if verdict_of(m, verdicts) == "survived"] == []


def test_the_page_says_what_is_stored():
    """`python -m tests.mutants --table` writes it anew."""
    assert SCORES.read_text() == page(catalogue(), load())


def test_verdicts_are_kept_of_mutants_that_there_are(tmp_path):
    path = tmp_path / "verdicts.json"
    assert load(path) == {}
    stored = {str(RULE): [RULE.digest, "killed"], "gone.py: g": ["0", "killed"]}
    save(stored, [RULE, DRAW], path)
    assert load(path) == {str(RULE): [RULE.digest, "killed"]}


def test_a_mutant_that_was_changed_is_open_again():
    verdicts = {str(RULE): [RULE.digest, "killed"], str(FATE): [FATE.digest, "survived"]}
    assert verdict_of(RULE, verdicts) == "killed"
    assert verdict_of(RULE._replace(new="w"), verdicts) == "not tried"
    assert [is_open(m, verdicts) for m in (RULE, DRAW, FATE)] == [False, True, False]
    assert is_open(FATE._replace(reason=""), verdicts)


def test_the_table_by_hand():
    verdicts = {str(RULE): [RULE.digest, "killed"], str(FATE): [FATE.digest, "survived"]}
    mutants = [RULE, DRAW, FATE]
    assert [area_of(m) for m in mutants] == ["rules", "random numbers", "random numbers"]
    counts = count(mutants, verdicts)
    assert counts["random numbers"] == Counter({"changes nothing": 1, "not tried": 1})
    assert share_killed(counts["rules"]) == 1
    assert share_killed(Counter({"killed": 3, "survived": 1, "not tried": 5})) == 0.75
    assert share_killed(counts["tables"]) == share_killed(counts["random numbers"]) == 0

    text = page(mutants, verdicts)
    assert "| rules | 1 | 1 | 0 | 0 | 0 | 100.0 % |" in text
    assert "| all | 3 | 1 | 0 | 1 | 1 | 100.0 % |" in text
    unexplained = [RULE, FATE._replace(reason="")]
    assert "| all | 2 | 1 | 1 | 0 | 0 | 50.0 % |" in page(unexplained, verdicts)
    assert "NOT EXPLAINED" in page(unexplained, verdicts)
    assert text.endswith("* social_dilemmas_env/rng.py: c: z is x\n")
    assert "tables" not in text
