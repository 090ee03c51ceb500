"""Mutants that nobody thought of: a comparison, an operator, a number of a source, changed.

    python -m tests.mutants.operators SOURCE TESTS... [--count 12] [--seed 0] [--skip WORD]

prints a file of the catalogue: a sample, fixed by the seed, of the changes that lines of the source
allow.  Lines that occur more than once, docstrings, annotations, messages of errors and decorators
are left alone.
"""

import argparse
import ast
import random
from pathlib import Path
from typing import NamedTuple

SWAPPED = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "//"),
    ast.BitXor: ("^", "|"),
    ast.BitAnd: ("&", "|"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
ALONE = (ast.Raise, ast.JoinedStr, ast.Assert)  # what is said, not what is computed


class Change(NamedTuple):
    """A line with one thing changed."""

    number: int  # of the line, from 1
    name: str
    old: str
    new: str


def changes(text):
    """All of a source, in its order."""
    lines = text.splitlines()
    found = {}
    for node in computed(ast.parse(text)):
        for line, start, end, word in edits(node, lines):
            before = lines[line - 1]
            old = before.strip()
            new = (before[:start] + word + before[end:]).strip()
            if text.count(old) == 1:
                name = f"line {line}: {before[start:end]} is {word}, {start}"
                found[line, start] = Change(line, name, old, new)
    return [found[key] for key in sorted(found)]


def computed(node):
    """The nodes of a tree that are computed with."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ALONE):
                yield child
                yield from computed(child)


def edits(node, lines):
    """What can be changed of one node: (line, first column, column after it, its new text)."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield node.lineno, node.col_offset, node.end_col_offset, str(node.value + 1)
    if isinstance(node, ast.BinOp):
        yield from between(node.left, node.op, node.right, lines)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from between(node.left, node.ops[0], node.comparators[0], lines)
    if isinstance(node, ast.BoolOp):
        yield from between(node.values[0], node.op, node.values[1], lines)


def between(left, operator, right, lines):
    """The operator's place between its operands, where both are on one line."""
    if type(operator) not in SWAPPED or left.end_lineno != right.lineno:
        return
    old, new = SWAPPED[type(operator)]
    line, start = right.lineno, left.end_col_offset
    place = lines[line - 1].find(old, start, right.col_offset)
    if place >= 0:
        yield line, place, place + len(old), new


def sample(text, count, seed, skipped=()):
    """Some of the changes, in the source's order."""
    allowed = [c for c in changes(text) if not any(word in c.old for word in skipped)]
    return sorted(random.Random(seed).sample(allowed, min(count, len(allowed))))


def written(source, tests, found):
    """As a file of the catalogue."""
    head = [f"source {source}", *(f"tests  {test}" for test in tests)]
    blocks = [f"# {c.name}\n- {c.old}\n+ {c.new}" for c in found]
    return "\n".join(head) + "\n\n" + "\n\n".join(blocks) + "\n"


def main(words=None):
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.operators", description=__doc__)
    parser.add_argument("source")
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--skip", action="append", default=[], help="lines with this are left alone"
    )
    given = parser.parse_args(words)
    found = sample(Path(given.source).read_text(), given.count, given.seed, given.skip)
    print(written(given.source, given.tests, found), end="")


if __name__ == "__main__":
    main()
