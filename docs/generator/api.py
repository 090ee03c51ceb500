"""A page a folder: public names, signatures and docstrings, read from the syntax trees.

Nothing is imported, and nothing has to be written in another markup than the docstrings have.
"""

import ast
from functools import cache
from pathlib import Path

from generator.markdown import from_docstring, page, summary, table

ROOT = Path(__file__).parents[2]
PACKAGES = ("social_dilemmas_env", "agents")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Modules that only give an old name, or stand for a file of another's name.
LEFT_OUT = ("moved.py", "_v0.py", "__main__.py")


def pages(folder: Path) -> dict[str, str]:
    """Page name -> text: a page for each folder with a part for each of its modules, and the index.

    A page a module would be 250 entries in the navigation, and a minute more to build.
    """
    written: dict[str, str] = {}
    rows = []
    for package in PACKAGES:
        for room in sorted({path.parent for path in (ROOT / package).rglob("*.py")}):
            paths = [path for path in sorted(room.glob("*.py")) if is_documented(path)]
            if not paths:
                continue
            name = ".".join(room.relative_to(ROOT).parts)
            written[name] = page(f"`{name}`", *(_module(path) for path in paths))
            rows += [(f"[`{module_name(p)}`](#{anchor(p)})", _about(p)) for p in paths]

    tree = "\n".join(sorted(written))
    written["index"] = page(
        "Modules",
        "Every module with public names. What to import first is short: the names of "
        "`social_dilemmas_env` and of `agents` themselves.",
        table(("module", "what it is"), rows),
        f"```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{tree}\n```",
    )
    return written


def module_name(path: Path) -> str:
    """agents/nn/__init__.py -> agents.nn"""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def anchor(path: Path) -> str:
    """What links to a module lead to."""
    return f"mod-{module_name(path).replace('.', '--').replace('_', '-')}"


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def is_documented(path: Path) -> bool:
    """Whether a module has a part of its own: text, and public names or a folder behind it."""
    if path.name.endswith(LEFT_OUT):
        return False
    tree = _tree(path)
    return bool(ast.get_docstring(tree) and (_names(tree.body) or path.name == "__init__.py"))


def _about(path: Path) -> str:
    return summary((ast.get_docstring(_tree(path)) or "").lstrip("# "))


def _module(path: Path) -> str:
    """The part of one module."""
    name, tree = module_name(path), _tree(path)
    shown = from_docstring(ast.get_docstring(tree) or "")
    if shown.startswith("# "):  # the page of a game is shown as such
        env_id, title = game_id(path.stem), shown.splitlines()[0].lstrip("# ")
        shown = f"{title}: see [its page](../games/{env_id}.md)." if env_id else title

    head = f"({anchor(path)})=\n\n## `{name}`\n\n```{{py:module}} {name}\n```"
    entries = [_entry(node) for node in _names(tree.body)]
    # A function of a package may have the name of a module beside it.
    modules = {other.stem for other in path.parent.glob("*.py")} if path.stem == "__init__" else ()
    for i, node in enumerate(_names(tree.body)):
        if getattr(node, "name", "") in modules:
            entries[i] = entries[i].replace("\n\n", "\n:no-index:\n\n", 1)
    return "\n\n".join([head, f"File `{path.relative_to(ROOT)}`.", shown, *entries])


def game_id(stem: str) -> str:
    """The id of the game in games/STEM.py; "" where there is none."""
    wanted = {"coin": "coin_game", "matrix": "matrix_game"}.get(stem, stem)
    module = ROOT / "social_dilemmas_env" / f"{wanted}_v0.py"
    return f"{wanted}_v0" if module.exists() else ""


def _names(body: list[ast.stmt]) -> list[ast.stmt]:
    """Public classes and functions."""
    kinds = (*FUNCTIONS, ast.ClassDef)
    named = [node for node in body if isinstance(node, kinds) and not node.name.startswith("_")]
    return [node for node in named if not any(map(_repeats, node.decorator_list))]


def _repeats(decorator: ast.expr) -> bool:
    """Whether it marks a second definition of a name: a setter, an overload."""
    return ast.unparse(decorator).endswith((".setter", "overload"))


def _entry(node: ast.stmt, depth: int = 1) -> str:
    """A directive of the Python domain with the docstring inside, methods within classes."""
    fence = ":" * (6 - depth)
    inside = from_docstring(ast.get_docstring(node) or "")
    if isinstance(node, ast.ClassDef):
        fields = _fields(node)
        methods = [m for m in _names(node.body) if ast.get_docstring(m)]
        members = [_entry(method, depth + 1) for method in methods]
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        inside = "\n\n".join(
            part for part in (f"Bases: `{bases}`" * bool(bases), inside, fields, *members) if part
        )
        return f"{fence}{{py:class}} {node.name}{_init(node)}\n\n{inside}\n{fence}"

    assert isinstance(node, FUNCTIONS)
    decorators = {ast.unparse(d) for d in node.decorator_list}
    kind = "function" if depth == 1 else "method"
    signature = f"{node.name}{_signature(node.args, skip_self=depth > 1)}"
    if decorators & {"property", "cached_property", "functools.cached_property"}:
        kind, signature = "property", node.name
    elif node.returns is not None:
        signature += f" -> {ast.unparse(node.returns)}"
    return f"{fence}{{py:{kind}}} {signature}\n\n{inside}\n{fence}"


def _init(node: ast.ClassDef) -> str:
    """The arguments of a class; none for dataclasses, whose fields are shown."""
    for child in node.body:
        if isinstance(child, FUNCTIONS) and child.name == "__init__":
            return _signature(child.args, skip_self=True)
    return ""


def _signature(arguments: ast.arguments, *, skip_self: bool) -> str:
    """As it stands in the source, without `self`."""
    text = ast.unparse(arguments)
    if skip_self:
        head, _, rest = text.partition(", ")
        text = rest if head.split(":")[0] in ("self", "cls") else text
    return f"({text})"


def _fields(node: ast.ClassDef) -> str:
    """Fields of a dataclass or a NamedTuple: name, type and default."""
    plain = [
        child
        for child in node.body
        if isinstance(child, ast.AnnAssign)
        and isinstance(child.target, ast.Name)
        and not child.target.id.startswith("_")
    ]
    rows = [
        (
            f"`{child.target.id}`",
            f"`{ast.unparse(child.annotation)}`",
            f"`{ast.unparse(child.value)}`" if child.value else "",
        )
        for child in plain
        if isinstance(child.target, ast.Name)
    ]
    return table(("field", "type", "default"), rows) if rows else ""
