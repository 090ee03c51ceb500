"""The mutants still fit the sources; killing them takes long (`python -m tests.mutants`)."""

from collections import Counter

from tests.mutants.__main__ import ROOT, main
from tests.mutants.catalogue import catalogue, read

TEXT = "source a.py\ntests  t.py\n\n# sign\n- x = 1\n-   y\n+ x = -1\n= y is\n= never read\n"


def test_every_mutant_changes_its_source_in_one_place():
    for mutant in catalogue():
        text = (ROOT / mutant.source).read_text()
        assert mutant.applied(text) != text
        assert mutant.tests
        assert all((ROOT / test.partition("::")[0]).is_file() for test in mutant.tests)


def test_there_are_enough_of_them_and_no_two_have_one_name():
    names = Counter((mutant.source, mutant.name) for mutant in catalogue())
    assert len(names) >= 300
    assert set(names.values()) == {1}


def test_the_format():
    (mutant,) = read(TEXT)
    assert mutant.applied("if x = 1\n  y:") == "if x = -1:"
    assert (mutant.name, mutant.source, mutant.tests) == ("sign", "a.py", ("t.py",))
    assert mutant.reason == "y is never read"
    assert str(mutant) == "a.py: sign"


def test_a_verdict_is_of_what_a_mutant_changes():
    (mutant,) = read(TEXT)
    same = mutant._replace(tests=("u.py",), reason="")
    assert same.digest == mutant.digest
    for field in ("source", "name", "old", "new"):
        assert mutant._replace(**{field: "z"}).digest != mutant.digest


def test_the_list(capsys):
    assert main(["--list", "--only", "rng.py"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 12
    assert all("social_dilemmas_env/rng.py: " in line for line in lines)
