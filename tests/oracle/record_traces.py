"""Writes down games of Melting Pot's engine step by step, in `traces.json`.

    python -m tests.oracle.record_traces

Chances are set to 0 or 1, so that only the order of moves and the places of returns are left to
chance: every step of the engine has to be one that the rules here can make.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracle.engine import Engine

FILE = Path(__file__).with_name("traces.json")
SOURCE = (
    "google-deepmind/meltingpot @81ee2e7 (Apache-2.0) on dmlab2d 1.0.2 (Apache-2.0), recorded by "
    "tests/oracle/record_traces.py"
)
HARVEST = """\
WWWWWWWWW
WPPPPP  W
W       W
W   A   W
W  AAA  W
W A AWA W
W  AAA  W
WWWWWWWWW"""
RIVER = """\
WWWWWWWWW
WHFHFFHFW
WFHFFHFFW
WPP  P PW
W PWPP  W
WBBBBBBBW
WWWWWWWWW"""
# Likelier moves make players meet: noop, forward, backward, left, right, turns, zap, clean.
WEIGHTS = [1, 6, 1, 2, 2, 2, 2, 3, 5]


def set_numbers(definition: Any, kwargs: dict[str, dict[str, Any]]) -> None:
    """Overwrites arguments of components, wherever they are."""
    simulation = definition["simulation"]
    things = [*simulation["prefabs"].values(), *simulation["gameObjects"], simulation["scene"]]
    for thing in things:
        for component in thing["components"]:
            for name, value in kwargs.get(component["component"], {}).items():
                if name in component["kwargs"]:
                    component["kwargs"][name] = value


def trace(name: str, text: str, steps: int, kwargs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One game of three players."""
    # All players start on the common points: a map of one's own has no others.
    kwargs = {"Avatar": {"spawnGroup": "spawnPoints"}, **kwargs}
    engine = Engine(name, 3, text, lambda definition: set_numbers(definition, kwargs))
    rng, weights = np.random.default_rng(len(name)), np.array(WEIGHTS[: engine.num_actions])

    frames, moves = [engine.reset()], []
    for _ in range(steps):
        moves.append(rng.choice(len(weights), 3, p=weights / weights.sum()).tolist())
        frames.append(engine.step(moves[-1]))
    return {
        "substrate": name,
        "map": text,
        "numbers": kwargs,
        "actions": moves,
        "frames": [asdict(frame) for frame in frames],
    }


def main() -> None:
    """Records all games."""
    found = []
    for growth in ([1.0] * 4, [0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]):
        numbers = {"DensityRegrow": {"regrowthProbabilities": growth}}
        for name, steps in (("commons_harvest__open", 150), ("commons_harvest__closed", 110)):
            found.append(trace(name, HARVEST, steps, numbers))
    for growth in (0.0, 1.0):
        numbers = {
            "DirtSpawner": {"dirtSpawnProbability": 0.0},
            "AppleGrow": {"maxAppleGrowthRate": growth, "thresholdDepletion": 1.0},
        }
        text = RIVER if growth == 0 else RIVER.replace("F", "H")
        found.append(trace("clean_up", text, 200, numbers))
    FILE.write_text(json.dumps({"source": SOURCE, "traces": found}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
