"""Games and policies that several tests of exact games share."""

from functools import lru_cache

import numpy as np

import social_dilemmas_env as sde

GAMMA = 0.96


@lru_cache(maxsize=32)
def coin(memory="last_pickup", gamma=GAMMA, **game_kwargs):
    """A Coin Game, built once."""
    return sde.exact_game("coin_game_v0", memory=memory, gamma=gamma, **game_kwargs)


def ipd(memory=None, gamma=GAMMA, **game_kwargs):
    return sde.exact_game("ipd_v0", memory=memory, gamma=gamma, **game_kwargs)


def some_policies(game, seed=0, alike=False):
    """Random policies, one a player or one for all."""
    rng = np.random.default_rng(seed)
    tables = [rng.dirichlet(np.ones(a), game.num_states) for a in game.num_actions]
    return [tables[0]] * game.num_agents if alike else tables


def sidestep(game):
    """Goes to coins of its own colour, and of the others' avoids only to step on them.

    It avoids them by any move that does not land on the coin, each with the same probability, where
    the library's always_cooperate goes as far away as it can.
    """
    cells = game.columns["player_0"], game.columns["coin"]
    height, width = game.origin.game.height, game.origin.game.width
    steps = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0)}
    lands = [
        (cells[0] // width + rows) % height * width + (cells[0] % width + columns) % width
        for rows, columns in (steps[name] for name in game.origin.game.moves)
    ]
    stays_off = np.stack([cell != cells[1] for cell in lands], -1)
    avoid = stays_off / stays_off.sum(1, keepdims=True)
    return np.where((game.columns["owner"] == 0)[:, None], game.policy("always_defect"), avoid)


def grudging(game):
    """Takes every coin while the other's last pick-up was a theft, and else sidesteps."""
    thief = game.columns["pickup_1"] == 2
    return np.where(thief[:, None], game.policy("always_defect"), sidestep(game))
