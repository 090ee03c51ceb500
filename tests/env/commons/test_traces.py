"""Games of Melting Pot's engine, step by step (`tests/oracle`): each step is one that the rules
here can make.

Only the order of moves and the places of returns are left to chance there.  64 games are played on
from each frame: that none of them moves in an order that matters happens less than once in 10^5.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from social_dilemmas_env import rng
from social_dilemmas_env.engine.bound_engine import BoundEngine
from social_dilemmas_env.engine.numpy_engine import NumpyArrays
from social_dilemmas_env.games.commons.harvest import RIPE
from social_dilemmas_env.games.commons_harvest import OPEN_BEAM, ROOM_BEAM, commons_harvest

FILE = Path(__file__).parents[2] / "oracle" / "traces.json"
TRACES = json.loads(FILE.read_text())["traces"]
HARVEST = [trace for trace in TRACES if trace["substrate"].startswith("commons_harvest")]
B = 64


def harvest_rules(trace):
    """The rules that the trace was played by."""
    rates = trace["numbers"]["DensityRegrow"]["regrowthProbabilities"]
    beam = OPEN_BEAM if trace["substrate"].endswith("open") else ROOM_BEAM
    game = commons_harvest(map=trace["map"], num_agents=3)
    return replace(game, growth=(tuple(map(int, rates)), 1), beam=beam)


def first_board(game, frame):
    """The start of a game, [K, B] alike."""
    zeros = [0] * game.num_agents
    apples = np.array([[RIPE]] * len(game.apple_cells), np.uint8).repeat(B, 1)
    players = [np.array([p]).T.repeat(B, 1) for p in (frame["cells"], frame["facings"])]
    return (*players, *[np.array([zeros]).T.repeat(B, 1) for _ in range(2)], apples)


def agrees(game, before, board, frame):
    """Which of the games [B] are as the frame; where a returning player stands does not matter."""
    cell, facing, cooldown, away, apples = board
    here, back = np.array(frame["present"])[:, None] > 0, before[3] == 1
    same = ((away == 0) == here).all(0)
    for own, seen in ((cell, frame["cells"]), (facing, frame["facings"])):
        same &= ((own == np.array(seen)[:, None]) | back | ~here).all(0)
    ready = np.array(frame["ready"])[:, None] == 1
    same &= (((cooldown == 0) == ready) | ~here).all(0)

    # What a beam hides is left out.
    ripe = np.array([k in frame["apples"] for k in game.apple_cells])[:, None]
    hidden = np.array([k in frame["hidden"] for k in game.apple_cells])[:, None]
    return same & (((apples == RIPE) == ripe) | hidden).all(0)


def follow(game, trace):
    """Plays beside the trace; the numbers of the steps that the rules cannot make."""
    engine, key = BoundEngine(game, NumpyArrays()), rng.key(np.arange(B, dtype=np.int64), 0)
    key = tuple(part.astype(np.uint32) for part in key)
    board, wrong = first_board(game, trace["frames"][0]), []

    for t, (actions, frame) in enumerate(
        zip(trace["actions"], trace["frames"][1:], strict=True), 1
    ):
        given = np.array([actions]).T.repeat(B, 1)
        after, codes = engine.rules.play(board, given, engine.draw(key, t))
        fits = agrees(game, board, after, frame)
        fits &= (codes == np.array(frame["rewards"])[:, None]).all(0)
        if not fits.any():
            return [*wrong, t]

        # On from there, with those who are back where the engine has put them.
        back = board[3][:, 0] == 1
        board = tuple(part[:, [int(fits.argmax())]].repeat(B, 1) for part in after)
        for own, seen in ((board[0], frame["cells"]), (board[1], frame["facings"])):
            own[back] = np.array(seen)[back, None]
        assert set(board[0][back, 0].tolist()) <= set(game.spawn_cells)
    return wrong


@pytest.mark.parametrize("number", range(len(HARVEST)))
def test_every_step_of_harvest_is_one_of_ours(number):
    assert follow(harvest_rules(HARVEST[number]), HARVEST[number]) == []


def test_traces_hold_what_they_are_for():
    """Apples, shots and returns, in each of them."""
    for trace in HARVEST:
        frames = trace["frames"]
        assert sum(sum(frame["rewards"]) for frame in frames) >= 1
        assert sum(3 - sum(frame["present"]) for frame in frames) > 20


@pytest.mark.parametrize(
    "change",
    [
        {"beam": OPEN_BEAM._replace(length=2)},
        {"beam": OPEN_BEAM._replace(cooldown=1)},
        {"beam": OPEN_BEAM._replace(away=4)},
        {"growth": ((1, 1, 1, 0), 1)},
    ],
)
def test_other_rules_are_noticed(change):
    assert follow(replace(harvest_rules(HARVEST[0]), **change), HARVEST[0]) != []
