"""The repository's Python files, read once: text, syntax tree, and what each imports."""

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Each imports those before it only.
LAYERS = ("render_assets", "social_dilemmas_env", "agents", "benchmarks")
PACKAGES = LAYERS[1:]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Import:
    """One imported name: `from module import name`, or `import module` with name None."""

    module: str
    name: str | None
    line: int


@dataclass(frozen=True)
class Source:
    """A file, by its path relative to the root."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @property
    def layer(self) -> str:
        return self.path.split("/")[0]

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def package(self) -> str:
        """What a relative import starts from."""
        is_package = self.path.endswith("/__init__.py")
        return self.module if is_package else self.module.rpartition(".")[0]

    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS)]

    def imports(self, nodes=None) -> Iterator[Import]:
        """Every import statement among the nodes (by default anywhere in the file)."""
        for node in ast.walk(self.tree) if nodes is None else nodes:
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, None, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                dotted = "." * node.level + (node.module or "")
                module = importlib.util.resolve_name(dotted, self.package)
                yield from (Import(module, alias.name, node.lineno) for alias in node.names)

    def at_import_time(self) -> Iterator[ast.AST]:
        """Nodes that run when the module is imported: neither bodies of functions, nor what only
        type checkers see."""
        waiting = [self.tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, (*FUNCTIONS, ast.Lambda)):
                continue
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                waiting.extend(node.orelse)
                continue
            yield node
            waiting.extend(ast.iter_child_nodes(node))


@lru_cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file of these folders."""
    return tuple(
        Source(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def packages(source: Source, nodes=None) -> set[str]:
    """Top-level names of what a file imports."""
    return {found.module.split(".")[0] for found in source.imports(nodes)}
