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
APPLES = ((214, 88, 88), (212, 80, 57))  # colours that only apples have: Harvest, Clean Up,
APPLE_PIXEL = (4, 3)  # and one of the pixels of a cell that have it
UNDER_BEAM = (135, 178, 184)  # an apple under a cleaning beam
BEAMS = ((252, 252, 106), (147, 232, 199))  # they hide what is under them: zap, zap and clean
# In the layers that players see of Clean Up, of 3 players; each more has sprites of its own.
OUTSIDE, DIRT_LAYER, DIRT_SPRITE = 33, 4, 25
MORE = (5, 4)  # numbers of sprites that come before these two
DIRT, DIRT_PIXEL = (27, 149, 143), (3, 7)  # a colour that dirt has there, and clean water never
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
    dirt: list[int]  # among the cells seen
    seen: list[int]  # cells that some player sees (Clean Up only)


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
        self.outside = OUTSIDE + MORE[0] * (num_players - 3)
        self.dirt_sprite = DIRT_SPRITE + MORE[1] * (num_players - 3)
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
        world = self.world = np.asarray(seen["WORLD.RGB"])
        layers = {i: np.asarray(seen[f"{i}.LAYER"]) for i in players}
        self.views = [np.asarray(seen[f"{i}.RGB"]) for i in players]
        hidden = [cell for color in BEAMS for cell in cells_with(world, color)]
        colors = (APPLES[1], UNDER_BEAM) if self.river else (APPLES[0],)
        seen_apples = {cell for color in colors for cell in cells_with(world, color)}
        self.apples = seen_apples | self.apples & set(hidden)
        return Frame(
            cells=[y * self.width + x for x, y in places],
            facings=[int(seen[f"{i}.ORIENTATION"]) for i in players],
            present=[int(view.any()) for view in self.views],
            ready=[float(seen[f"{i}.READY_TO_SHOOT"]) for i in players],
            rewards=[float(seen[f"{i}.REWARD"]) for i in players],
            apples=sorted(self.apples),
            hidden=hidden,
            dirt=self.cells_seen(
                places, layers, lambda view: view[:, :, DIRT_LAYER] == self.dirt_sprite
            ),
            seen=self.cells_seen(places, layers, lambda view: view[:, :, 0] != self.outside),
        )

    def all_dirt(self, frame: Frame) -> list[int]:
        """Cells with dirt: as players see them, and elsewhere as the picture shows them.

        Where no player looks there are neither players nor beams, which hide dirt.
        """
        shown = set(cells_with(self.world, DIRT, DIRT_PIXEL)) - set(frame.seen)
        return sorted(shown | set(frame.dirt))

    def cells_seen(self, places: list[list[int]], layers: Any, which: Any) -> list[int]:
        """Cells that players see and for which `which` holds; [11, 11, layers] around each."""
        found = [np.zeros(0, int)]
        for (x, y), view in zip(places, layers.values(), strict=True) if self.river else []:
            rows, columns = np.nonzero(which(view))
            found.append((y - 9 + rows) * self.width + x - 5 + columns)
        cells: list[int] = np.unique(np.concatenate(found)).tolist()
        return cells


def cells_with(
    picture: np.ndarray, color: tuple[int, ...], pixel: tuple[int, int] = APPLE_PIXEL
) -> list[int]:
    """Indices of the cells of a picture in which a pixel has this colour, or nearly."""
    tiles = picture[pixel[0] :: SPRITE, pixel[1] :: SPRITE].astype(int)
    found: list[int] = np.flatnonzero((abs(tiles - np.array(color)) <= 2).all(-1)).tolist()
    return found
