"""The size rules of CONTRIBUTING, held by a test: short files, short functions, few arguments, a
docstring on every name.

All violations are reported in one message.
"""

import ast
import statistics
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ["social_dilemmas_env", "agents", "benchmarks", "render_assets"]
FILE, FUNCTION, ARGUMENTS = 400, 60, 5
CONTRACT = {"make_vec_env"}  # its signature is part of the public contract
MEDIAN_FILE, MEDIAN_FUNCTION = 120, 10
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def files(*folders):
    """Path relative to the root, and text, of every module."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]


def lines(node):
    """Lines of a definition, its decorators aside."""
    return node.end_lineno - node.lineno + 1


def arguments(node, method):
    """Number of arguments that may be given by position, `self` and `cls` aside."""
    static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list)
    return len(node.args.posonlyargs) + len(node.args.args) - (method and not static)


def too_long(path, text):
    if (count := len(text.splitlines())) > FILE:
        yield f"{path}: {count} lines, more than {FILE}"
    for node in functions(ast.parse(text)):
        if lines(node) > FUNCTION:
            yield f"{path}:{node.lineno}: {node.name} has {lines(node)} lines, more than {FUNCTION}"


def too_many_arguments(path, text):
    tree = ast.parse(text)
    methods = {
        item for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body
    }
    for node in functions(tree):
        if (count := arguments(node, node in methods)) > ARGUMENTS and node.name not in CONTRACT:
            yield f"{path}:{node.lineno}: {node.name} takes {count} positional arguments, more than {ARGUMENTS}"


def undocumented(path, text):
    """Modules, and public classes, functions and methods at any depth of classes (not functions
    inside functions)."""
    tree = ast.parse(text)
    if not ast.get_docstring(tree) and text.strip():
        yield f"{path}: the module has no docstring"
    waiting = [tree]
    while waiting:
        for node in waiting.pop().body:
            if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) or node.name.startswith("_"):
                continue
            setter = any(
                isinstance(d, ast.Attribute) and d.attr in ("setter", "deleter")
                for d in node.decorator_list
            )
            overload = any(ast.unparse(d).endswith("overload") for d in node.decorator_list)
            inherits = any(ast.unparse(d).endswith("override") for d in node.decorator_list)
            if not (ast.get_docstring(node) or setter or overload or inherits):
                yield f"{path}:{node.lineno}: {node.name} has no docstring"
            if isinstance(node, ast.ClassDef):
                waiting.append(node)


def untyped(path, text):
    """Functions of the packages whose arguments or result are not annotated."""
    tree = ast.parse(text)
    methods = {
        item for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for item in node.body
    }
    for node in functions(tree):
        named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if node in methods and not any(
            isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list
        ):
            named = named[1:]
        missing = [argument.arg for argument in named if argument.annotation is None]
        if missing or (node.returns is None and node.name != "__init__"):
            yield f"{path}:{node.lineno}: {node.name} is not annotated ({', '.join(missing) or 'result'})"


RULES = [
    (too_long, [*PACKAGES, "tests"]),
    (too_many_arguments, PACKAGES),
    (undocumented, PACKAGES),
    (untyped, ["social_dilemmas_env", "agents"]),
]


@pytest.mark.parametrize(
    ("rule", "folders"), RULES, ids=lambda value: getattr(value, "__name__", "")
)
def test_no_exceptions(rule, folders):
    found = [violation for path, text in files(*folders) for violation in rule(path, text)]
    assert not found, f"{len(found)} violations:\n" + "\n".join(found)


def test_medians():
    """Of the packages: half of the files and of the functions are short."""
    texts = [text for path, text in files(*PACKAGES[:2]) if text.strip()]
    sizes = [lines(node) for text in texts for node in functions(ast.parse(text))]
    assert statistics.median(len(text.splitlines()) for text in texts) <= MEDIAN_FILE
    assert statistics.median(sizes) <= MEDIAN_FUNCTION


BAD = """
def long(a, b, c, d, e, f):
    {}

class Public:
    def method(self, a: int) -> int:
        return a
"""


def test_the_rules_would_notice():
    text = BAD.format("\n    ".join(["pass"] * 70))
    assert len(list(too_long("x.py", text))) == 1 and len(list(too_long("x.py", "\n" * 401))) == 1
    assert len(list(too_many_arguments("x.py", text))) == 1
    assert len(list(undocumented("x.py", text))) == 4  # the module, long, Public, method
    assert len(list(untyped("x.py", text))) == 1
