"""The options of a batch, its spaces, and what is wrong with its actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from social_dilemmas_env import rng as draws
from social_dilemmas_env.engine.array_engine import view_count
from social_dilemmas_env.engine.tables import (
    MAX_ENTRIES,
    fits,
    num_joint_actions,
    num_states,
)
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.validation import flag, integer, nearest

BACKENDS = ("numpy", "torch")
OBS_MODES = ("float32", "uint8", "state")
AUTORESETS = ("same_step", "next_step", "disabled")
MAX_BATCH = 1 << 31


@dataclass(frozen=True)
class Options:
    """The options of a batch, checked; see `make_vec_env`."""

    num_envs: int
    backend: str = "numpy"
    device: str = "cpu"
    obs_mode: str = "float32"
    autoreset: str = "same_step"
    seed: int | None = None
    reuse_buffers: bool = False
    validate: bool = False
    tables: bool | None = None
    static: bool | None = None

    def __post_init__(self) -> None:
        if integer("num_envs", self.num_envs, 1) > MAX_BATCH:
            raise ValueError(f"num_envs must be at most 2^31, got {self.num_envs}")
        for name, known in (
            ("backend", BACKENDS),
            ("obs_mode", OBS_MODES),
            ("autoreset", AUTORESETS),
        ):
            _word(name, getattr(self, name), known)
        for name in ("reuse_buffers", "validate"):
            flag(name, getattr(self, name))
        for name in ("tables", "static"):
            if getattr(self, name) is not None:
                flag(name, getattr(self, name))
        if self.seed is not None:
            draws.check_seed(self.seed)
        if self.backend == "numpy" and str(self.device) != "cpu":
            raise ValueError(
                f'the numpy backend runs on device="cpu", got {self.device!r}; see backend="torch"'
            )
        if self.backend == "numpy" and self.static:
            raise ValueError('static=True is an option of backend="torch"')


def _word(name: str, value: Any, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}; {nearest(str(value), known)}"
        )


def by_tables(game: Game, wanted: bool | None) -> bool:
    """Whether to play from tables: as wanted, or if they are small.

    Raises:
        ValueError: tables are wanted and too large.
    """
    if wanted and not fits(game):
        raise ValueError(
            f"tables=True: this game has {num_states(game)} states x {num_joint_actions(game)} joint actions, more than "
            f"the {MAX_ENTRIES} entries that tables may have; leave out `tables`, and the rules are played directly"
        )
    return fits(game) if wanted is None else wanted


def single_spaces(game: Game, obs_mode: str) -> tuple[Box | Discrete, Discrete | MultiDiscrete]:
    """Spaces of one player: observations in this mode, actions."""
    if obs_mode == "state":
        observation: Box | Discrete = Discrete(view_count(game))
    elif obs_mode == "uint8":
        observation = Box(0, 1, game.observation_shape, np.uint8)
    else:
        observation = Box(0.0, 1.0, game.observation_shape, np.float32)
    same = len(set(game.num_actions)) == 1
    return observation, Discrete(game.num_actions[0]) if same else MultiDiscrete(
        list(game.num_actions)
    )


def check_action_shape(shape: Sequence[int], batch: Any) -> None:
    """Raises a ValueError unless actions are [B, N]."""
    if tuple(shape) != (batch.num_envs, batch.num_agents):
        raise ValueError(
            f"actions must have shape [B, N] = ({batch.num_envs}, {batch.num_agents}): one for each player of each game; "
            f"got {tuple(shape)}"
        )


def range_error(batch: Any) -> ValueError:
    """The error of actions out of range."""
    limits = [f"0 .. {n - 1}" for n in batch.game.num_actions]
    each = limits[0] if len(set(limits)) == 1 else " and ".join(limits) + " for the players in turn"
    return ValueError(f"actions of {batch.env_id} must lie in {each}")
