"""What several test files share: a list of games, a source of actions, and records of whole
games.

A test of every game takes `any_game`, or `wide_game` where it is long: `make test` then plays one
game of each kind, and CI the others as well (`make test-wide`).
"""

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games.game import Game

THREE_PLAYERS = (
    np.arange(2 * 3 * 2 * 3).reshape(2, 3, 2, 3) * 7 % 11 - 4.0
).tolist()  # 2, 3 and 2 actions; not symmetric

SMALL_COMMONS = """\
WWWWWWW
WAA P W
WAQ W W
WAA PPW
WWWWWWW"""

GAMES: dict[str, tuple[str, dict[str, Any]]] = {
    "bach_stravinsky": ("bach_stravinsky_v0", {}),
    "chicken": ("chicken_v0", {}),
    "imp": ("imp_v0", {}),
    "ipd": ("ipd_v0", {}),
    "ipd_joint": ("ipd_v0", {"view": "joint"}),
    "ipd_pot": ("ipd_v0", {"contribution_factor": 1.33}),
    "ipd_noise": ("ipd_v0", {"payoff_noise": 0.5, "max_cycles": 7}),
    "matrix_3p": ("matrix_game_v0", {"payoffs": THREE_PLAYERS}),
    "matrix_1p": ("matrix_game_v0", {"payoffs": [[1.0], [0.0], [-1.0]], "max_cycles": 1}),
    "public_goods": ("public_goods_v0", {}),
    "public_goods_2p": ("public_goods_v0", {"num_agents": 2, "factor": 1.33}),
    "public_goods_9p": ("public_goods_v0", {"num_agents": 9, "max_cycles": 5}),
    "escape_room": ("escape_room_v0", {}),
    "escape_room_3p": ("escape_room_v0", {"num_agents": 3, "levers": 2, "max_cycles": 4}),
    "govsim": ("govsim_commons_v0", {}),
    "govsim_2p": ("govsim_commons_v0", {"num_agents": 2, "capacity": 8, "max_catch": 3}),
    "govsim_blind": (
        "govsim_commons_v0",
        {"num_agents": 3, "capacity": 20, "max_catch": 20, "show_catches": False},
    ),
    "rps": ("rps_v0", {}),
    "stag_hunt": ("stag_hunt_v0", {}),
    "coin": ("coin_game_v0", {}),
    "coin_pola": ("coin_game_v0", {"variant": "pola"}),
    "coin_lola": ("coin_game_v0", {"variant": "lola"}),
    "coin_mfos": ("coin_game_v0", {"variant": "mfos"}),
    "coin_random": ("coin_game_v0", {"coin_color": "random"}),
    "coin_split": ("coin_game_v0", {"ties": "split"}),
    "coin_each": ("coin_game_v0", {"coins": 2}),
    "coin_each_2x3": ("coin_game_v0", {"coins": 2, "grid_size": (2, 3), "view": "joint"}),
    "coin_2x2": ("coin_game_v0", {"grid_size": 2, "distinct_starts": True}),
    "coin_3x2": (
        "coin_game_v0",
        {"grid_size": (3, 2), "coin_avoids_players": False, "ties": "red"},
    ),
    "coin_5x5": ("coin_game_v0", {"grid_size": 5, "max_cycles": 20}),
    "coin_3p": ("coin_game_v0", {"num_agents": 3}),
    "coin_3p_2x2": ("coin_game_v0", {"num_agents": 3, "grid_size": 2, "coin_color": "random"}),
    "coin_3p_split": (
        "coin_game_v0",
        {"num_agents": 3, "ties": "split", "distinct_starts": True, "grid_size": 2},
    ),
    "coin_3p_mfos": ("coin_game_v0", {"num_agents": 3, "variant": "mfos", "grid_size": (2, 4)}),
    "coin_walls": ("coin_game_v0", {"walls": True, "grid_size": (2, 3), "payoffs": (1, -0.5)}),
    "coin_reciprocator": ("coin_game_v0", {"variant": "reciprocator"}),
    "coin_3p_reciprocator": (
        "coin_game_v0",
        {"variant": "reciprocator", "num_agents": 3, "grid_size": 2},
    ),
    "coin_memory": ("coin_game_v0", {"memory": "last_pickup"}),
    "coin_3p_memory": (
        "coin_game_v0",
        {"num_agents": 3, "memory": "pickups", "grid_size": 2, "ties": "red", "view": "joint"},
    ),
    "coin_7p": (
        "coin_game_v0",
        {"num_agents": 7, "grid_size": 4, "ties": "red", "coin_color": "random"},
    ),
    "harvest": ("commons_harvest_v0", {"max_cycles": 30}),
    "harvest_closed": (
        "commons_harvest_v0",
        {"map": "closed", "num_agents": 3, "zap": False, "max_cycles": 12},
    ),
    "harvest_small": (
        "commons_harvest_v0",
        {"map": SMALL_COMMONS, "num_agents": 3, "max_cycles": 25},
    ),
}
SMALL_RIVER = """\
WWWWWWW
WHFHFHW
WFH  SW
WP PPAW
WAAAAAW
WWWWWWW"""
GAMES |= {
    "clean_up": ("clean_up_v0", {"max_cycles": 30}),
    "clean_up_small": (
        "clean_up_v0",
        {"map": SMALL_RIVER, "num_agents": 2, "zap": False, "max_cycles": 70},
    ),
}
COIN_GAMES = [name for name in GAMES if name.startswith("coin")]
COMMONS = [name for name in GAMES if name.startswith(("harvest", "clean_up"))]  # rules on arrays
COLUMN_GAMES = [name for name in GAMES if name not in COMMONS]

# The first of each registered game, and what changes its draws, its rewards or its players.
KINDS = [
    *{env_id: name for name, (env_id, _) in reversed(GAMES.items())}.values(),
    *("ipd_noise", "coin_3p", "coin_mfos", "coin_random"),
]
any_game = pytest.mark.parametrize("name", GAMES)


def wide(names: Iterable[str], quick: Iterable[str]) -> list[Any]:
    """Parameters of a test: those that are not among the quick ones are `wide`."""
    chosen = set(quick)
    return [n if n in chosen else pytest.param(n, marks=pytest.mark.wide) for n in names]


wide_game = pytest.mark.parametrize("name", wide(GAMES, KINDS))


def make(name: str, **more: Any) -> Any:
    """A fresh environment of the list above."""
    env_id, arguments = GAMES[name]
    return sde.make_env(env_id, **arguments, **more)


def rules(name: str) -> Game:
    """The rules of a game of the list above."""
    env_id, arguments = GAMES[name]
    return sde.spec(env_id).game(**arguments)


class Dice:
    """A small source of random integers that shares nothing with the package (Knuth's MMIX
    generator, high bits)."""

    def __init__(self, seed: int = 0):
        self.state = seed

    def below(self, n: int) -> int:
        """The next integer in [0, n)."""
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def actions(self, env: Any) -> dict[str, int]:
        """A random action for every agent."""
        return {agent: self.below(int(env.action_space(agent).n)) for agent in env.possible_agents}


def pack(step: tuple[Any, ...]) -> bytes:
    """What `reset` or `step` returned, every bit of it, as bytes that do not depend on the
    machine."""
    parts = []
    for part in step:
        for agent, value in part.items():
            if isinstance(value, np.ndarray):
                value = f"{value.dtype}{value.shape}".encode() + value.astype("<f4").tobytes()
            elif isinstance(value, float):
                value = struct.pack("<d", value)
            else:
                value = repr(value).encode()
            parts.append(agent.encode() + b"=" + value)
    return b";".join(parts)


def play(env: Any, steps: int, dice: Dice) -> list[bytes]:
    """Plays on from where `env` is; one record a step, and one a reset."""
    records = []
    for _ in range(steps):
        if not env.agents:
            records.append(pack(env.reset()))
        records.append(pack(env.step(dice.actions(env))))
    return records


def play_new(env: Any, seed: int | None, steps: int, dice_seed: int = 0) -> list[bytes]:
    """A game from its reset on."""
    return [pack(env.reset(seed=seed)), *play(env, steps, Dice(dice_seed))]


def turn(aec: Any, dice: Dice) -> bytes:
    """One turn of the turn-by-turn view: what the agent sees, and what it does."""
    agent = aec.agent_selection
    observation, reward, terminated, truncated, info = aec.last()
    record = pack(
        (
            {agent: observation},
            {agent: float(reward)},
            {agent: terminated},
            {agent: truncated},
            {agent: info},
        )
    )
    aec.step(None if terminated or truncated else dice.below(int(aec.action_space(agent).n)))
    return record


def play_turns(aec: Any, turns: int, dice: Dice) -> list[bytes]:
    """Plays on turn by turn, through as many episodes as it takes."""
    records = []
    for _ in range(turns):
        if not aec.agents:
            aec.reset()
        records.append(turn(aec, dice))
    return records


def playing(name: str = "coin", **view: Any) -> Any:
    """An environment in the middle of its second episode."""
    env = make(name, **view)
    env.reset(seed=31)
    env.reset()
    if view:
        play_turns(env, 7, Dice(0))
    else:
        play(env, 3, Dice(0))
    return env
