"""Which file imports which, and which room: the graph of the repository.

A file's arrows are its imports at module level, of first-party files, what only type checkers see
left out.  A room is an entry of a package's folder: a folder or a single file.
"""

from collections.abc import Mapping
from functools import lru_cache

from tests.packaging.sources import LAYERS, sources

Graph = Mapping[str, frozenset[str]]


@lru_cache
def file_graph() -> Graph:
    """Module -> the first-party modules that it imports when it is imported."""
    files = {source.module: source for source in sources(*LAYERS)}
    return {
        module: frozenset(
            target
            for found in source.imports(source.at_import_time())
            if (target := _target(found.module, found.name, files)) not in (None, module)
        )
        for module, source in files.items()
    }


def _target(module, name, files):
    """The file that an import leads to: the name itself where it is a module."""
    whole = f"{module}.{name}"
    return whole if whole in files else module if module in files else None


def room_graph(layer: str) -> Graph:
    """The entries of a package's folder, and the arrows between them."""
    rooms: dict[str, set[str]] = {}
    for module, targets in file_graph().items():
        if module.startswith(f"{layer}."):
            inside = {_room(t) for t in targets if t.startswith(f"{layer}.")}
            rooms.setdefault(_room(module), set()).update(inside - {_room(module)})
    return {room: frozenset(targets) for room, targets in rooms.items()}


def _room(module: str) -> str:
    return module.split(".")[1]


def circles(graph: Graph) -> list[list[str]]:
    """Groups of files that import each other, each as a walk that comes back to its start."""
    found = []
    for members in _components(graph):
        if len(members) > 1:
            found.append(_walk(graph, min(members), members))
    return found


def floors(graph: Graph) -> int:
    """Number of files on the longest way down; a circle counts as one file."""
    group = {node: members for members in _components(graph) for node in members}

    @lru_cache
    def height(members: frozenset[str]) -> int:
        below = {group[target] for node in members for target in graph[node]} - {members}
        return 1 + max(map(height, below), default=0)

    return max(map(height, group.values()), default=0)


def _components(graph: Graph) -> list[frozenset[str]]:
    """Strongly connected components: the sets of files that reach each other."""
    reach = {node: _reachable(graph, node) for node in graph}
    left, found = set(graph), []
    for node in graph:
        if node in left:
            members = frozenset({node, *(x for x in reach[node] if node in reach[x])})
            found.append(members)
            left -= members
    return found


def _reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(graph[node])
    return seen


def _walk(graph: Graph, start: str, members: frozenset[str]) -> list[str]:
    """A shortest way from a file through its circle back to itself."""
    ways = [[start]]
    while ways:
        way = ways.pop(0)
        for target in sorted(graph[way[-1]] & members):
            if target == start:
                return [*way, start]
            if target not in way:
                ways.append([*way, target])
    raise ValueError(f"{start} is in no circle")
