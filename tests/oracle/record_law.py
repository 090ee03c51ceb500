"""Plays Melting Pot's engine with this project's scripted players, and writes down what they earn.

    python -m tests.oracle.record_law commons_harvest_v0 greedy 100 300

plays 100 episodes of 300 steps with seven greedy players and adds them to `law/`.  The players see
what they would see here: each frame of the engine becomes a board of ours.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from social_dilemmas_env.engine.bound_engine import BoundEngine
from social_dilemmas_env.engine.numpy_engine import NumpyArrays
from social_dilemmas_env.games.commons.harvest import RIPE
from tests.oracle.engine import Engine, Frame

FOLDER = Path(__file__).with_name("law")
PARALLEL = 10  # games side by side
EVERY = 50  # steps between two looks at what is left
SUBSTRATE = {"commons_harvest_v0": "commons_harvest__open", "clean_up_v0": "clean_up"}
MIXED = {  # who plays in the kind "mixed"
    "commons_harvest_v0": ["greedy", *["restrained"] * 6],
    "clean_up_v0": [*["cleaner"] * 3, *["free_rider"] * 4],
}


def board_of(game: Any, frames: list[Frame], dirt: list[list[int]]) -> tuple[np.ndarray, ...]:
    """Frames of the engine as a board of ours, [K, B] arrays; only what players see is right."""
    river = hasattr(game, "dirt_cells")
    here = np.array([frame.present for frame in frames]).T > 0
    cell = np.where(here, np.array([frame.cells for frame in frames]).T, game.lattice.nowhere)
    facing = np.array([frame.facings for frame in frames]).T
    ready = np.array([frame.ready for frame in frames]).T == 1
    players = cell, facing, (~ready).astype(np.int64), (~here).astype(np.int64)
    if not river:
        return (*players, marks(game.apple_cells, [frame.apples for frame in frames]) * RIPE)

    # Pauses after cleaning, and the clock, are not seen.
    apples = marks(game.apple_cells, [frame.apples for frame in frames])
    return (*players, cell * 0, cell[:1] * 0, apples, marks(game.dirt_cells, dirt))


def marks(cells: tuple[int, ...], found: list[list[int]]) -> np.ndarray:
    """1 where a cell is among those of a game: uint8 [K, B]."""
    return np.stack([np.isin(cells, own) for own in found], 1).astype(np.uint8)


def play(
    env_id: str, players: list[str], engines: list[Engine], plan: tuple[int, int]
) -> dict[str, Any]:
    """PARALLEL episodes: rewards by seat, and what is left, every so many steps."""
    game, (steps, seed) = sde.spec(env_id).game(), plan
    view = BoundEngine(game, NumpyArrays(), "uint8")
    policies = [sde.make_strategy(name, env_id, player=i) for i, name in enumerate(players)]
    for policy in policies:
        policy.reset(PARALLEL, seed=seed)

    frames = [engine.reset() for engine in engines]
    totals = np.zeros((PARALLEL, len(players)))
    left, dirty = [], []
    dirt = [e.all_dirt(frame) for e, frame in zip(engines, frames, strict=True)]
    for t in range(steps):
        seen = view.rules.observe(board_of(game, frames, dirt))
        actions = np.stack([policy.act(seen[:, i]) for i, policy in enumerate(policies)], 1)
        frames = [e.step(row.tolist()) for e, row in zip(engines, actions, strict=True)]
        dirt = [e.all_dirt(frame) for e, frame in zip(engines, frames, strict=True)]
        totals += [frame.rewards for frame in frames]
        if (t + 1) % EVERY == 0:
            left.append([len(frame.apples) for frame in frames])
            dirty.append([len(cells) for cells in dirt])

    found = {"rewards": totals.astype(int).tolist(), "apples_left": np.array(left).T.tolist()}
    return found | ({"dirt": np.array(dirty).T.tolist()} if engines[0].river else {})


def main(env_id: str, kind: str, episodes: int, steps: int) -> None:
    """Plays, and rewrites the file of this kind after every few episodes."""
    players = MIXED[env_id] if kind == "mixed" else [kind] * 7
    path = FOLDER / f"{env_id}.{kind}.{steps}.json"
    facts = {"game": env_id, "players": players, "steps": steps, "every": EVERY}

    # What is there already, of the same game: other episodes have other seeds.
    FOLDER.mkdir(exist_ok=True)
    kept = json.loads(path.read_text()) if path.exists() else facts
    found: dict[str, Any] = {name: x for name, x in kept.items() if name not in facts}
    before = len(found.get("rewards", []))
    engines = [Engine(SUBSTRATE[env_id], len(players)) for _ in range(PARALLEL)]
    for first in range(before, before + episodes, PARALLEL):
        for name, rows in play(env_id, players, engines, (steps, 1000 + first)).items():
            found[name] = found.get(name, []) + rows
        path.write_text(json.dumps({**facts, **found}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
