"""The shapes of a function's arguments, said in its first line and held there.

    check_shapes("rewards: ... T, values: ... T+1, logp: ... T", rewards, values, logp)

A letter (or word) is a size: the same letter is the same size in every argument.  A number is
itself, `T+1` one more than T.  `...` stands for any leading axes; those of all arguments must
broadcast.  Names before the colon are for the error; without them arguments are numbered from 1.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np
from torch import Tensor

_ARGUMENT = re.compile(r"(?:(?P<name>[^\s:]+):)?\s*(?P<leading>\.\.\.)?(?P<axes>[^.:]*)")
_AXIS = re.compile(r"(?P<letter>[^\W\d]\w*)?(?P<number>[+-]?\d+)?")


class Argument(NamedTuple):
    """What a spec says of one argument."""

    name: str  # for the error
    letters: str  # its shape as written, for the error
    leading: bool  # whether any axes may lead
    axes: tuple[tuple[str, int], ...]  # a letter ("" for a number) and what is added to it


@cache
def parse(spec: str) -> tuple[Argument, ...]:
    """A spec's arguments, in order.

    Raises:
        ValueError: something that does not say a shape.
    """
    return tuple(_argument(text.strip(), k) for k, text in enumerate(spec.split(","), 1))


def _argument(text: str, position: int) -> Argument:
    match = _ARGUMENT.fullmatch(text)
    words = match["axes"].split() if match else []
    axes = [axis for axis in map(_AXIS.fullmatch, words) if axis]
    if match is None or len(axes) < len(words):
        raise ValueError(f"not the shape of an argument: {text!r}")

    letters = " ".join(["..."] * bool(match["leading"]) + words)
    parsed = tuple((axis["letter"] or "", int(axis["number"] or 0)) for axis in axes)
    return Argument(
        match["name"] or f"argument {position}", letters, bool(match["leading"]), parsed
    )


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
