"""Melting Pot's own engine, as far as the recordings of this folder need it.

Nothing but `record_*.py` imports it, and no test: it needs dmlab2d and Melting Pot, which are no
dependencies of this project (README.md says how to get them).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from meltingpot import substrate
from meltingpot.configs.substrates import (
    clean_up,
    commons_harvest__closed,
    commons_harvest__open,
    commons_harvest__partnership,
)
from meltingpot.utils.substrates import builder

SUBSTRATES = {
    "commons_harvest__open": commons_harvest__open,
    "commons_harvest__closed": commons_harvest__closed,
    "commons_harvest__partnership": commons_harvest__partnership,
    "clean_up": clean_up,
}
SPRITE = 8  # pixels of a cell
APPLE = (214, 88, 88)  # a colour that only apples have,
APPLE_PIXEL = (4, 3)  # and one of the pixels of a cell that have it
APPLE_IN_WATER = (135, 181, 194)  # an apple under a cleaning beam
ZAP_BEAM = (252, 252, 106)  # hides what is under it
DIRT_LAYER, DIRT_SPRITE = 4, 25  # in the layers that players see of Clean Up
for _module in SUBSTRATES.values():
    _module._ENABLE_DEBUG_OBSERVATIONS = True  # positions and orientations


@dataclass
class Frame:
    """What is to be seen of a game after a step; lists by player, but apples and dirt by cell."""

    cells: list[int]
    facings: list[int]
    present: list[int]
    ready: list[float]
    rewards: list[float]
    apples: list[int]  # of those under a beam, as they were before
    hidden: list[int]  # cells under a beam
    dirt: list[int]


class Engine:
    """One game of the engine.

    Args:
        name: of the substrate.
        num_players: how many.
        text: a map of its own, or None.
        change: rewrites the definition before it is built.
    """

    def __init__(self, name: str, num_players: int, text: str | None = None, change: Any = None):
        self.module, self.num_players = SUBSTRATES[name], num_players
        definition = self.module.build(["default"] * num_players, substrate.get_config(name))
        simulation = definition["simulation"]
        if text is not None:
            simulation["map"] = f"\n{text}\n"
        if change is not None:
            change(definition)
        self.lines = simulation["map"].strip("\n").split("\n")
        self.width = len(self.lines[0])
        self.num_actions = len(self.module.ACTION_SET)
        self.river = name == "clean_up"
        self.env = builder.builder(definition)

    def reset(self) -> Frame:
        """A new episode."""
        self.apples: set[int] = set()
        return self.frame(self.env.reset())

    def step(self, actions: list[int]) -> Frame:
        """One joint move."""
        given = {}
        for player, action in enumerate(actions, 1):
            for name, value in self.module.ACTION_SET[action].items():
                given[f"{player}.{name}"] = np.array(value, dtype=np.int32)
        return self.frame(self.env.step(given))

    def frame(self, timestep: Any) -> Frame:
        """What is to be seen."""
        seen, players = timestep.observation, range(1, self.num_players + 1)
        places = [np.asarray(seen[f"{i}.POSITION"]).tolist() for i in players]
        world = np.asarray(seen["WORLD.RGB"])
        layers = {i: np.asarray(seen[f"{i}.LAYER"]) for i in players}
        self.views = [np.asarray(seen[f"{i}.RGB"]) for i in players]
        hidden = cells_with(world, ZAP_BEAM)
        seen_apples = {*cells_with(world, APPLE), *cells_with(world, APPLE_IN_WATER)}
        self.apples = seen_apples | self.apples & set(hidden)
        return Frame(
            cells=[y * self.width + x for x, y in places],
            facings=[int(seen[f"{i}.ORIENTATION"]) for i in players],
            present=[int(view.any()) for view in self.views],
            ready=[float(seen[f"{i}.READY_TO_SHOOT"]) for i in players],
            rewards=[float(seen[f"{i}.REWARD"]) for i in players],
            apples=sorted(self.apples),
            hidden=hidden,
            dirt=self.dirt([(*place, layers[i]) for i, place in enumerate(places, 1)]),
        )

    def dirt(self, views: list[tuple[int, int, np.ndarray]]) -> list[int]:
        """Cells with dirt, put together from what the players see: [11, 11, layers] around each."""
        found = set()
        for x, y, view in views if self.river else []:
            for row, column in np.argwhere(view[:, :, DIRT_LAYER] == DIRT_SPRITE).tolist():
                found.add((y - 9 + row) * self.width + x - 5 + column)
        return sorted(found)


def cells_with(picture: np.ndarray, color: tuple[int, ...]) -> list[int]:
    """Indices of the cells of a picture in which `APPLE_PIXEL` has this colour, or nearly."""
    tiles = picture[APPLE_PIXEL[0] :: SPRITE, APPLE_PIXEL[1] :: SPRITE].astype(int)
    found: list[int] = np.flatnonzero((abs(tiles - np.array(color)) <= 2).all(-1)).tolist()
    return found
