"""Symmetries of a board that wraps around.

translations        every cell a row down, or a column to the right; moves stay what they are
reflections         up becomes down, or left becomes right
transposition       rows become columns, on square boards
"""

from collections.abc import Callable

Place = Callable[[int, int], tuple[int, int]]


def torus_symmetries(
    height: int, width: int, moves: str
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Generators of the symmetries of a torus.

    Args:
        height: rows.
        width: columns; cell = row * width + column.
        moves: the actions, by the letters L, R, U, D.

    Returns:
        For each, what a cell becomes, and what an action becomes.
    """
    flip, turn = str.maketrans("UD", "DU"), str.maketrans("LR", "RL")
    generators: list[tuple[Place, dict[int, int]]] = [
        (lambda row, column: ((row + 1) % height, column), {}),
        (lambda row, column: (row, (column + 1) % width), {}),
        (lambda row, column: (-row % height, column), flip),
        (lambda row, column: (row, -column % width), turn),
    ]
    if height == width:
        generators.append((lambda row, column: (column, row), str.maketrans("LURD", "ULDR")))

    symmetries = []
    for place, names in generators:
        images = [place(*divmod(cell, width)) for cell in range(height * width)]
        cells = tuple(row * width + column for row, column in images)
        symmetries.append((cells, tuple(moves.index(move.translate(names)) for move in moves)))
    return symmetries
