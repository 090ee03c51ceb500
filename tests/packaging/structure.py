"""Prints the figures of style and structure: `python -m tests.packaging.structure`."""

from tests.packaging.graph import circles, file_graph, floors, room_graph
from tests.packaging.measures import FIGURES
from tests.packaging.sources import PACKAGES, ROOT, sources

# Lines of tests for each line of source, at least; 1 is the aim.
LINES_OF_TESTS = 0.75
FLAT = 12  # files directly in agents/, at most


def lines_of_tests() -> float:
    """Lines of tests for each line of source."""
    lines = {name: sum(len(s.lines) for s in sources(*name)) for name in (PACKAGES, ("tests",))}
    return lines["tests",] / lines[PACKAGES]


def flat_files() -> list[str]:
    """Files that lie directly in agents/."""
    return sorted(path.name for path in (ROOT / "agents").glob("*.py"))


def style_table() -> str:
    """A row a figure, a column a package."""
    names = [*PACKAGES, "together"]
    groups = [sources(name) for name in PACKAGES] + [sources(*PACKAGES)]
    rows = [
        [figure.name, *(f"{figure.of(files):.3g}" for files in groups), figure.goal]
        for figure in FIGURES
    ]
    return table(["measured", *names, "goal"], rows)


def graph_table() -> str:
    """A row a package: its files and its rooms, the arrows between them, floors and circles."""
    rows = []
    for name in PACKAGES:
        whole, rooms = file_graph(), room_graph(name)
        inside = frozenset(module for module in whole if module.split(".")[0] == name)
        files = {module: whole[module] & inside for module in inside}
        rows += [[name, "files", *counts(files)], [name, "rooms", *counts(rooms)]]
    return table(["package", "boxes are", "boxes", "arrows", "floors", "circles"], rows)


def counts(graph) -> list[str]:
    arrows = sum(map(len, graph.values()))
    return [str(n) for n in (len(graph), arrows, floors(graph), len(circles(graph)))]


def table(head, rows) -> str:
    """Columns of text, as Markdown."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    ruled = [head, ["-" * width for width in widths], *rows]
    padded = [[w.ljust(n) for w, n in zip(row, widths, strict=True)] for row in ruled]
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def main() -> None:
    print(style_table(), graph_table(), sep="\n\n")
    print(f"\nlines of tests for each line of source: {lines_of_tests():.2f}", end="")
    print(f" (at least {LINES_OF_TESTS}; the aim is 1)")
    print(f"files directly in agents/: {len(flat_files())} (at most {FLAT})")


if __name__ == "__main__":
    main()
