"""Boards of the commons, drawn: a map, and where players stand."""

from dataclasses import replace

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.games.commons.harvest import RIPE
from social_dilemmas_env.games.commons_harvest import commons_harvest

NORTH, EAST, SOUTH, WEST = range(4)
NOOP, FORWARD, BACKWARD, LEFT, RIGHT, TURN_LEFT, TURN_RIGHT, ZAP = range(8)
SURE = ((1, 1, 1, 1), 1)  # every apple that has been counted grows back
NEVER = ((0, 0, 0, 0), 1)

# Four spawn points, and an apple, in a room of their own behind a wall.
YARD = "WWWWWWWWW\nWPPPP  AW\n"
ROOM = YARD + "WWWWWWWWW\nW       W\nW       W\nW       W\nW       W\nW       W\nWWWWWWWWW"


def standing(players, text=ROOM, growth=NEVER, seed=0, **more):
    """An environment in which players stand at (row, column, facing); apples as the map has them.

    A place of None: away for one more step.
    """
    game = replace(commons_harvest(map=text, num_agents=len(players), **more), growth=growth)
    env = DilemmaEnv("commons_harvest_v0", game)
    env.reset(seed=seed)
    nowhere, width = game.lattice.nowhere, game.lattice.width
    places = [place or (0, nowhere, NORTH) for place in players]
    board = [
        *[row * width + column for row, column, _ in places],
        *[facing for *_, facing in places],
        *[0] * len(players),
        *[int(place is None) for place in players],
        *[RIPE] * len(game.apple_cells),
    ]
    env.set_state(env.get_state()._replace(board=board))
    return env


def step(env, *actions):
    """One joint move: the rewards."""
    rewards = env.step(dict(zip(env.possible_agents, actions, strict=True)))[1]
    return [int(reward) for reward in rewards.values()]


def part(env, name):
    """An array of the board, as a list."""
    first = 0
    for known, width, _ in env.game.parts:
        if known == name:
            return env.get_state().board[first : first + width]
        first += width
    raise KeyError(name)


def places(env):
    """(row, column) of each player, or None for one who is away."""
    lattice = env.game.lattice
    cells = part(env, "cell")
    return [None if c == lattice.nowhere else divmod(c, lattice.width) for c in cells]
