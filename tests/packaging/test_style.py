"""The figures of style, and a docstring and types on every public name: no exceptions.

`python -m tests.packaging.structure` prints the figures.
"""

import ast

import pytest

from tests.packaging.measures import (
    FIGURES,
    argument_counts,
    blank_share,
    comments_per_thousand,
    file_sizes,
    function_sizes,
    functions_and_methods,
    largest,
    long_lines,
    percentile_99,
    without_paragraphs,
)
from tests.packaging.sources import FUNCTIONS, LAYERS, PACKAGES, Source, sources
from tests.packaging.structure import FLAT, LINES_OF_TESTS, flat_files, lines_of_tests

ARGUMENTS = 5
CONTRACT = {"make_vec_env"}  # its signature is part of the public contract
SHOWN = 15  # of the worst places, when a goal is missed


def report(title, places):
    """A failure's message: the figure, and where to look."""
    return "\n".join([title, *(f"{size:g}  {place}" for size, place in places[:SHOWN])])


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name.replace(" ", "_"))
def test_figure(figure):
    files = sources(*PACKAGES)
    value = figure.of(files)
    title = f"{figure.name}: {value:.3g}, and should be {figure.goal}"
    assert figure.holds(value), report(title, figure.worst(files))


def test_files_of_tests_are_short_too():
    sizes = file_sizes(sources("tests"))
    assert largest(sizes) <= 400, report("files of tests, most lines", sizes)


def test_functions_of_tests_are_short_too():
    sizes = function_sizes(sources("tests"))
    assert largest(sizes) <= 60, report("functions of tests, most lines", sizes)


def test_few_arguments():
    counts = [
        (count, place)
        for count, place in argument_counts(sources(*LAYERS))
        if count > ARGUMENTS and place.rpartition(" ")[2] not in CONTRACT
    ]
    assert counts == [], report(f"more than {ARGUMENTS} arguments by position", counts)


def test_few_files_lie_flat_in_agents():
    assert len(flat_files()) <= FLAT, flat_files()


def test_there_are_tests_enough():
    """Lines of tests for each line of source; the aim is 1."""
    value = lines_of_tests()
    assert value >= LINES_OF_TESTS, f"{value:.2f}, and should be >= {LINES_OF_TESTS}"


# ------------------------------------------------------------------------- documented and annotated


def undocumented(source):
    """Modules, and public classes, functions and methods at any depth of classes (not functions
    inside functions)."""
    if not ast.get_docstring(source.tree) and source.text.strip():
        yield f"{source.path}: the module has no docstring"
    waiting = [source.tree]
    while waiting:
        for node in waiting.pop().body:
            if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) or node.name.startswith("_"):
                continue
            if not (ast.get_docstring(node) or documented_elsewhere(node)):
                yield f"{source.path}:{node.lineno}: {node.name} has no docstring"
            if isinstance(node, ast.ClassDef):
                waiting.append(node)


def documented_elsewhere(node):
    """Setters, overloads and overrides are documented where the name is."""
    marks = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    return bool(marks & {"setter", "deleter", "overload", "override"})


def untyped(source):
    """Functions whose arguments or result are not annotated."""
    for node, method in functions_and_methods(source):
        named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs][method:]
        missing = [argument.arg for argument in named if argument.annotation is None]
        if missing or (node.returns is None and node.name != "__init__"):
            what = ", ".join(missing) or "result"
            yield f"{source.path}:{node.lineno}: {node.name} is not annotated ({what})"


@pytest.mark.parametrize(
    ("rule", "folders"),
    [(undocumented, LAYERS), (untyped, PACKAGES)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_exceptions(rule, folders):
    found = [violation for source in sources(*folders) for violation in rule(source)]
    assert not found, f"{len(found)} violations:\n" + "\n".join(found)


# ------------------------------------------------------------------------- the rules would notice

BAD = '''
def long(a, b, c, d, e, f):
    """Adds.

    Nothing.
    """
    {}

class Public:
    def method(self, a: int) -> int:
        return a  # as it is
'''
TEXT = BAD.format("\n    ".join(["pass"] * 70))
SAMPLE = Source("x.py", TEXT)


def test_sizes():
    assert file_sizes([SAMPLE]) == [(80, "x.py")]
    assert function_sizes([SAMPLE]) == [(75, "x.py:2: long"), (2, "x.py:79: method")]


def test_arguments_are_counted_without_self():
    assert argument_counts([SAMPLE]) == [(6, "x.py:2: long"), (1, "x.py:79: method")]


def test_comments_are_counted_in_code_only():
    assert comments_per_thousand([SAMPLE]) == pytest.approx(1000 / 80)
    assert comments_per_thousand([Source("x.py", '"""\n# a heading\n"""\n')]) == 0


def test_blank_lines_of_docstrings_do_not_count():
    assert blank_share([SAMPLE]) == 0
    assert without_paragraphs([SAMPLE]) == [(70, "x.py:2: long")]
    assert blank_share([Source("x.py", TEXT.replace("pass\n", "pass\n\n", 7))]) > 9


def test_long_lines():
    assert long_lines([Source("x.py", "x" * 101 + "\n" + "y" * 100)]) == [(101, "x.py:1")]


def test_percentile():
    assert percentile_99([(n, "") for n in range(1, 101)]) == 99


def test_missing_docstrings():
    assert len(list(undocumented(SAMPLE))) == 3  # the module, Public, method


def test_missing_types():
    assert len(list(untyped(SAMPLE))) == 1
