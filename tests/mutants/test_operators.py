"""What may be changed of a source, by hand."""

import ast

from tests.mutants.catalogue import read
from tests.mutants.operators import changes, main, sample

SOURCE = '''"""1 + 1 is said, not computed."""


@cache(5)
def f(a: Literal[3], b=7) -> Literal[4]:
    if a < b and not b:
        raise ValueError(f"{a + 1}")
    a = a * (b -
             a)
    c = True
    c = True
    return a // b
'''


def test_what_is_computed_is_changed_and_nothing_else():
    found = [(c.old, c.new) for c in changes(SOURCE)]
    line = "if a < b and not b:"
    assert found == [
        ("def f(a: Literal[3], b=7) -> Literal[4]:", "def f(a: Literal[3], b=8) -> Literal[4]:"),
        (line, "if a <= b and not b:"),
        (line, "if a < b or not b:"),
        ("a = a * (b -", "a = a + (b -"),
        ("return a // b", "return a * b"),
    ]


def test_every_change_is_a_program_and_has_a_name_of_its_own():
    found = changes(SOURCE)
    assert len({c.name for c in found}) == len(found)
    for change in found:
        ast.parse(SOURCE.replace(change.old, change.new))


def test_lines_that_occur_twice_are_left_alone():
    assert changes("x = 1\n") != []
    assert changes("x = 1\nx = 1\n") == []


def test_a_sample_is_fixed_by_its_seed():
    text = "\n".join(f"x{i} = {i} + y" for i in range(30))
    some = sample(text, 5, seed=1)
    assert some == sample(text, 5, seed=1) != sample(text, 5, seed=2)
    assert [c.number for c in some] == sorted(c.number for c in some)
    assert not any("x1" in c.old for c in sample(text, 60, seed=0, skipped=["x1"]))
    assert len(sample("x = 1\n", 5, seed=0)) == 1


def test_the_command_writes_a_file_of_the_catalogue(tmp_path, capsys):
    source = tmp_path / "a.py"
    source.write_text(SOURCE)
    main([str(source), "t.py", "u.py", "--count", "3", "--seed", "4"])
    mutants = read(capsys.readouterr().out)
    assert len(mutants) == 3
    assert mutants[0].tests == ("t.py", "u.py")
    assert all(m.applied(SOURCE) != SOURCE for m in mutants)
