"""The mutants still fit the sources; killing them takes long (`python -m tests.mutants`)."""

from collections import Counter

from tests.mutants.__main__ import ROOT
from tests.mutants.catalogue import catalogue, read


def test_every_mutant_changes_its_source_in_one_place():
    for mutant in catalogue():
        text = (ROOT / mutant.source).read_text()
        assert mutant.applied(text) != text
        assert mutant.tests
        assert all((ROOT / test.partition("::")[0]).is_file() for test in mutant.tests)


def test_there_are_enough_of_them_and_no_two_have_one_name():
    names = Counter((mutant.source, mutant.name) for mutant in catalogue())
    assert len(names) >= 85
    assert set(names.values()) == {1}


def test_the_format():
    text = "source a.py\ntests  t.py\n\n# sign\n- x = 1\n-   y\n+ x = -1\n"
    (mutant,) = read(text)
    assert mutant.applied("if x = 1\n  y:") == "if x = -1:"
    assert (mutant.name, mutant.source, mutant.tests) == ("sign", "a.py", ("t.py",))
