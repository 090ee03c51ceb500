"""The shapes of a function's arguments, said in its first line and held there.

    check_shapes("rewards: ... T, values: ... T+1, logp: ... T", rewards, values, logp)

A letter (or word) is a size: the same letter is the same size in every argument.  A number is
itself, `T+1` one more than T.  `...` stands for any leading axes; those of all arguments must
broadcast.  Names before the colon are for the error; without them arguments are numbered from 1.
"""

import re
from functools import cache

import numpy as np
from torch import Tensor

Axis = tuple[str, int]  # a letter and what is added to it; "" for a number
_ARGUMENT = re.compile(r"(?:(?P<name>[^\s:]+):)?\s*(?P<leading>\.\.\.)?(?P<axes>[^.:]*)")
_AXIS = re.compile(r"(?P<letter>[^\W\d]\w*)?(?P<number>[+-]?\d+)?")


@cache
def parse(spec: str) -> tuple[tuple[str, str, bool, tuple[Axis, ...]], ...]:
    """Each argument's name, letters as written, whether it has leading axes, and its axes."""
    arguments = []
    for number, text in enumerate(spec.split(","), 1):
        found = _ARGUMENT.fullmatch(text.strip())

        # "... T+1" -> leading, ("T", 1)
        axes = [_AXIS.fullmatch(word) for word in found["axes"].split()] if found else [None]
        if found is None or None in axes:
            raise ValueError(f"no shapes of arguments: {text.strip()!r} in {spec!r}")
        letters = f"{found['leading'] or ''} {found['axes'].strip()}".strip()

        parsed = tuple((axis["letter"] or "", int(axis["number"] or 0)) for axis in axes if axis)
        name = found["name"] or f"argument {number}"
        arguments.append((name, letters, found["leading"] is not None, parsed))
    return tuple(arguments)


def check_shapes(spec: str, *tensors: Tensor | None) -> None:
    """Holds the shapes of arguments to `spec`; None (an optional argument left out) fits anything.

    Args:
        spec: one entry an argument, separated by commas; see the top of this file.
        tensors: the arguments, in the same order.

    Raises:
        ValueError: a shape that does not fit; the sentence names the argument, the letters that
            were expected and the shape that came.
    """
    sizes: dict[str, int] = {}
    batch: tuple[int, ...] | None = None  # the leading axes of all arguments so far
    for (name, letters, leading, axes), tensor in zip(parse(spec), tensors, strict=True):
        if tensor is None:
            continue

        # Named axes are matched from the last one; what is left of them leads.
        shape = tensor.shape
        first = len(shape) - len(axes)  # where the named axes begin

        fits = first >= 0 if leading else first == 0
        if fits:
            for (letter, number), size in zip(axes, shape[first:], strict=True):
                known = sizes.setdefault(letter, size - number) if letter else 0
                fits = fits and size == known + number
        if not fits:
            raise ValueError(_sentence(name, letters, shape, sizes))

        if leading and (lead := shape[:first]) != batch:
            batch = lead if batch is None else _broadcast(batch, lead, name, letters)


def _broadcast(
    batch: tuple[int, ...], lead: tuple[int, ...], name: str, letters: str
) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(batch, lead)
    except ValueError:
        words = f"{name} must have the shape [{letters}] with leading axes that broadcast"
        raise ValueError(f"{words} with {list(batch)}, not with {list(lead)}") from None


def _sentence(name: str, letters: str, shape: tuple[int, ...], sizes: dict[str, int]) -> str:
    known = ", ".join(f"{letter} = {size}" for letter, size in sizes.items())
    where = f" with {known}" if known else ""
    return f"{name} must have the shape [{letters}]{where}, not {list(shape)}"
