"""Checks that returned objects are the caller's: fresh ones, which the game does not read."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from social_dilemmas_env.testing.findings import BROKEN, Finding, Report, describe
from social_dilemmas_env.testing.kit import Kit
from social_dilemmas_env.testing.records import Record, arrays, same
from social_dilemmas_env.testing.session import Session


class Freshness:
    """No returned dict is returned again, no returned observation changes afterwards.

    Attributes:
        dicts: The last returned dicts and what they were; kept alive, so that an id is not used
            twice.
        buffers: The last returned observation arrays: where, the arrays, copies of them.
    """

    def __init__(self) -> None:
        self.dicts: deque[tuple[str, Any]] = deque(maxlen=40)
        self.buffers: deque[tuple[str, list[Any], Any]] = deque(maxlen=4)

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        # Is it a dict that was returned before?
        for part, value in session.raw.items():
            earlier = next((name for name, other in self.dicts if other is value), None)
            if earlier and isinstance(value, dict):
                yield Finding(
                    "dict_reused",
                    f"The {part} at {record.where} are the very dict object returned as {earlier}; "
                    "return a new dict every time, since trainers write into it.",
                )
            self.dicts.append((f"the {part} at {record.where}", value))

        # Have arrays that were returned before changed?
        for place, buffers, before in self.buffers:
            if not same(before, buffers):
                yield Finding(
                    "obs_aliased",
                    f"An observation array returned at {place} had changed after {record.where}: "
                    "the environment writes into arrays it has handed out. Return a copy.",
                )
        buffers = list(arrays(session.raw["observations"]))
        self.buffers.append((record.where, buffers, [buffer.copy() for buffer in buffers]))


def check_writing_into_observations(kit: Kit) -> Report:
    """The game does not read the arrays that it has handed out."""
    # First the control: an environment that crashes there by itself has another fault.
    control, _ = kit.control
    undo: list[tuple[np.ndarray, np.ndarray]] = []
    session = kit.session()
    records = [session.reset(seed=kit.seed)]

    # The same game, with garbage in every observation.
    try:
        while len(records) < len(control):
            undo += scribble(session.raw["observations"])
            records.append(session.advance())
    except BROKEN as error:
        yield Finding(
            "obs_write_changes_game",
            "The game breaks after writing into returned observations, which must be copies: "
            f"{describe(error)}.",
        )
    finally:  # the array may be a table that other environments share
        for array, before in reversed(undo):
            array[...] = before

    if divergence := kit.divergence(records):
        yield Finding(
            "obs_write_changes_game",
            f"Writing into returned observations changes the game: {divergence}. "
            "Return a copy, or a read-only array.",
        )


def scribble(value: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Overwrites the writable arrays; returns them with their former contents."""
    writable = [
        array for array in arrays(value) if array.flags.writeable and array.dtype.kind in "biuf"
    ]
    undo = [(array, array.copy()) for array in writable]
    for array in writable:
        array[...] = ~array if array.dtype.kind == "b" else 77
    return undo
