"""The figures of style: sizes, complexity, comments, blank lines; each has a goal.

A figure is measured on some files.  The goals hold for the packages together; the command
`python -m tests.packaging.structure` prints every figure for each package too.
"""

import ast
import json
import math
import statistics
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO

from tests.packaging.sources import PACKAGES, ROOT, Source, sources

PHASES = 10  # a function of so many lines has phases: blank lines between them
COLUMNS = 100
Sized = tuple[float, str]  # a size, and what has it


@dataclass(frozen=True)
class Figure:
    """One measurement and its goal.

    name: in words.
    of: files -> the figure.
    goal: the figure may be `at_most` or `at_least` so much.
    worst: files -> sizes with names, largest first: what to look at when the goal is missed.
    """

    name: str
    of: Callable[[Sequence[Source]], float]
    at_most: float | None = None
    at_least: float | None = None
    worst: Callable[[Sequence[Source]], list[Sized]] | None = None

    @property
    def goal(self) -> str:
        return f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"

    def holds(self, value: float) -> bool:
        return value <= self.at_most if self.at_most is not None else value >= self.at_least


# ------------------------------------------------------------------------------------------ sizes


def size(node) -> int:
    """Lines of a definition, its decorators aside."""
    return node.end_lineno - node.lineno + 1


def file_sizes(files: Sequence[Source]) -> list[Sized]:
    return ranked((len(source.lines), source.path) for source in files)


def function_sizes(files: Sequence[Source]) -> list[Sized]:
    return ranked(
        (size(node), f"{source.path}:{node.lineno}: {node.name}")
        for source in files
        for node in source.functions()
    )


def long_lines(files: Sequence[Source]) -> list[Sized]:
    return ranked(
        (len(line), f"{source.path}:{number}")
        for source in files
        for number, line in enumerate(source.lines, 1)
        if len(line) > COLUMNS
    )


def argument_counts(files: Sequence[Source]) -> list[Sized]:
    """How many arguments each function takes by position, `self` and `cls` aside."""
    return ranked(
        (arguments(node, method), f"{source.path}:{node.lineno}: {node.name}")
        for source in files
        for node, method in functions_and_methods(source)
    )


def arguments(node, method: bool) -> int:
    return len(node.args.posonlyargs) + len(node.args.args) - method


def functions_and_methods(source: Source) -> Iterator[tuple[ast.FunctionDef, bool]]:
    """Every function, and whether its first argument is `self` or `cls`."""
    classes = [node for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)]
    methods = {item for node in classes for item in node.body}
    for node in source.functions():
        static = any(ast.unparse(d) == "staticmethod" for d in node.decorator_list)
        yield node, node in methods and not static


def ranked(sizes) -> list[Sized]:
    return sorted(sizes, reverse=True)


def largest(sizes: list[Sized]) -> float:
    return sizes[0][0] if sizes else 0


def median(sizes: list[Sized]) -> float:
    return statistics.median(size for size, _ in sizes)


# ------------------------------------------------------------------------------------- complexity


@lru_cache
def _complexities() -> tuple[tuple[int, str, str], ...]:
    """McCabe's number of every function, as ruff counts it: number, file, what ruff says."""
    words = ["check", *PACKAGES, "--select", "C901", "--ignore-noqa", "--output-format", "json"]
    words += ["--config", "lint.mccabe.max-complexity = 0"]
    command = [sys.executable, "-m", "ruff", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return tuple(
        (
            int(found["message"].partition("(")[2].split()[0]),
            found["filename"].removeprefix(f"{ROOT}/"),
            f"{found['location']['row']}: {found['message'].split('`')[1]}",
        )
        for found in json.loads(done.stdout)
    )


def complexities(files: Sequence[Source]) -> list[Sized]:
    paths = {source.path for source in files}
    return ranked((n, f"{path}:{what}") for n, path, what in _complexities() if path in paths)


def percentile_99(sizes: list[Sized]) -> float:
    """The smallest size that 99 % of all do not exceed."""
    ordered = sorted(size for size, _ in sizes)
    return ordered[math.ceil(0.99 * len(ordered)) - 1]


# ------------------------------------------------------------------------- comments and paragraphs


def comment_lines(source: Source) -> int:
    """Lines with a comment, on their own or behind code."""
    tokens = tokenize.generate_tokens(StringIO(source.text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def comments_per_thousand(files: Sequence[Source]) -> float:
    return 1000 * sum(map(comment_lines, files)) / sum(len(source.lines) for source in files)


def bodies(source: Source) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of every function with phases, its docstring aside."""
    for node in source.functions():
        if size(node) >= PHASES:
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            yield f"{source.path}:{node.lineno}: {node.name}", source.lines[start : node.end_lineno]


def blanks(lines: Sequence[str]) -> int:
    return sum(not line.strip() for line in lines)


def blank_share(files: Sequence[Source]) -> float:
    """Percentage of blank lines in functions with phases."""
    inside = [lines for source in files for _, lines in bodies(source)]
    return 100 * sum(map(blanks, inside)) / max(1, sum(map(len, inside)))


def without_paragraphs(files: Sequence[Source]) -> list[Sized]:
    """Bodies without a blank line, the longest first."""
    found = [pair for source in files for pair in bodies(source)]
    return ranked((len(lines), name) for name, lines in found if not blanks(lines))


def few_comments(files: Sequence[Source]) -> list[Sized]:
    """Comments that a file lacks to reach the goal, most first."""
    return ranked(
        (round(len(source.lines) * COMMENTS / 1000) - comment_lines(source), source.path)
        for source in files
    )


# ------------------------------------------------------------------------------------ all of them

COMMENTS = 45

FIGURES = (
    Figure("file, median lines", lambda files: median(file_sizes(files)), 120, worst=file_sizes),
    Figure("file, most lines", lambda files: largest(file_sizes(files)), 400, worst=file_sizes),
    Figure(
        "function, median lines",
        lambda files: median(function_sizes(files)),
        10,
        worst=function_sizes,
    ),
    Figure(
        "function, most lines",
        lambda files: largest(function_sizes(files)),
        60,
        worst=function_sizes,
    ),
    Figure(
        "complexity, 99 %", lambda files: percentile_99(complexities(files)), 10, worst=complexities
    ),
    Figure("complexity, most", lambda files: largest(complexities(files)), 12, worst=complexities),
    Figure("lines over 100 columns", lambda files: len(long_lines(files)), 0, worst=long_lines),
    Figure("comments per 1,000 lines", comments_per_thousand, None, COMMENTS, few_comments),
    Figure("% blank lines in functions", blank_share, None, 6, without_paragraphs),
)


def figures(*folders: str) -> dict[str, float]:
    """Name of the figure -> its value on these folders."""
    files = sources(*folders)
    return {figure.name: figure.of(files) for figure in FIGURES}
