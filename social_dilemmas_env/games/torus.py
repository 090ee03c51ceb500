"""Symmetries of a board.

translations        every cell a row down, or a column to the right; moves stay what they are; of a
                    board that wraps around only
reflections         up becomes down, or left becomes right
transposition       rows become columns, on square boards
"""

from collections.abc import Callable

Place = Callable[[int, int], tuple[int, int]]


def board_symmetries(
    height: int, width: int, moves: str, *, wraps: bool = True
) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Generators of the symmetries of a torus, or of a board with walls.

    Args:
        height: rows.
        width: columns; cell = row * width + column.
        moves: the actions, by the letters L, R, U, D, S.
        wraps: whether the board is a torus.

    Returns:
        For each, what a cell becomes, and what an action becomes.
    """
    flip, turn = str.maketrans("UD", "DU"), str.maketrans("LR", "RL")
    translations: list[tuple[Place, dict[int, int]]] = [
        (lambda row, column: ((row + 1) % height, column), {}),
        (lambda row, column: (row, (column + 1) % width), {}),
    ]
    # On a torus any row can be the mirror; with walls the middle is.
    last_row, last_column = (0, 0) if wraps else (height - 1, width - 1)
    generators = [
        *(translations if wraps else []),
        (lambda row, column: ((last_row - row) % height, column), flip),
        (lambda row, column: (row, (last_column - column) % width), turn),
    ]
    if height == width:
        generators.append((lambda row, column: (column, row), str.maketrans("LURD", "ULDR")))

    symmetries = []
    for place, names in generators:
        images = [place(*divmod(cell, width)) for cell in range(height * width)]
        cells = tuple(row * width + column for row, column in images)
        symmetries.append((cells, tuple(moves.index(move.translate(names)) for move in moves)))
    return symmetries
