"""The settings of a config: name, default, and the comment beside the field."""

import ast
import inspect
import re
from dataclasses import fields
from textwrap import dedent
from typing import Any

COMMENT = re.compile(r"#\s*(.*)$")


def settings(config: Any) -> list[tuple[str, str, str]]:
    """(name, default, meaning and source) of every field.

    Args:
        config: a frozen dataclass; its classes may inherit fields, and defaults come from the
            object.
    """
    comments: dict[str, str] = {}
    for cls in reversed(type(config).__mro__[:-1]):
        comments |= {name: text for name, text in _comments(cls).items() if text}
    return [
        (f"`{field.name}`", f"`{getattr(config, field.name)!r}`", comments.get(field.name, ""))
        for field in fields(config)
    ]


def _comments(cls: type) -> dict[str, str]:
    """Field -> its comment: at the end of the line, and in the lines of comment above it."""
    try:
        source = dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # made by a function
        return {}
    lines = source.splitlines()

    found = {}
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.ClassDef)
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = _beside(lines, node.lineno, node.end_lineno or node.lineno)
    return found


def _beside(lines: list[str], first: int, last: int) -> str:
    """The comment of lines `first` to `last`, which count from 1."""
    above, row = [], first - 2
    while row >= 0 and lines[row].strip().startswith("#"):
        above.insert(0, lines[row].strip().lstrip("# "))
        row -= 1
    same = [match[1] for line in lines[first - 1 : last] if (match := COMMENT.search(line))]
    return " ".join([*above, *same])
