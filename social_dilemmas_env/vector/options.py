"""The options of a batch, its spaces, and what is wrong with its actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from social_dilemmas_env import rng
from social_dilemmas_env.engine.array_tables import observation_count
from social_dilemmas_env.engine.tables import (
    MAX_ENTRIES,
    counted,
    fits,
    num_joint_actions,
    num_states,
)
from social_dilemmas_env.games.game import Game, is_bound, observed_most, observed_shape
from social_dilemmas_env.modes import (
    AUTORESETS,
    BACKENDS,
    OBS_MODES,
    Autoreset,
    Backend,
    ObsMode,
)
from social_dilemmas_env.validation import flag, integer, one_of

MAX_BATCH = 1 << 31


@dataclass(frozen=True)
class Options:
    """The options of a batch, checked; see `make_vec_env`.

    Raises:
        ValueError: an unknown word, a size out of range, options that exclude each other.
        TypeError: an option of another type.
    """

    num_envs: int  # games B

    # Where the games are played: numpy arrays, or torch tensors or JAX arrays on a device.
    backend: Backend = "numpy"
    device: Any = "cpu"

    # What players see: arrays of zeros and ones, or ("state") an int32 id for what each sees.  A
    # rollout of ids stores 4 bytes a player instead of 144 (3x3 Coin Game), and
    # `(venv.observation_table @ weights)[ids]` is a first layer on all of them.
    obs_mode: ObsMode = "float32"

    # What follows the end of an episode, as in Gymnasium 1.x.
    #   same_step   the observations returned are the next episode's first, the last are in
    #               infos["final_obs"]
    #   next_step   the next step ignores its actions and returns the next episode's first
    #               observations, rewards 0 and flags False
    #   disabled    the caller resets, with reset(options={"reset_mask": bool[B]}) or all at once
    autoreset: Autoreset = "same_step"

    seed: int | None = None  # of the first reset, if that gives none

    # Observations are written into the same array every time, valid until the next step; the
    # last observations of an episode are always fresh.
    reuse_buffers: bool = False

    # torch and JAX: also check the range of actions, and for steps of finished games, though the
    # host has to wait for the device.  numpy, and the others on the CPU, always check.
    validate: bool = False

    tables: bool | None = None  # from tables, by the rules, or (None) tables where they are small
    static: bool | None = None  # torch: shapes that never depend on values; None: on CUDA
    exact_rewards: bool = False  # rewards float64, bit for bit those of the single game
    info_metrics: bool = False  # infos hold metrics of the episodes that end; `episode_metrics`

    def __post_init__(self) -> None:
        if integer("num_envs", self.num_envs, 1) > MAX_BATCH:
            raise ValueError(f"num_envs must be at most 2^31, got {self.num_envs}")

        one_of("backend", self.backend, BACKENDS)
        one_of("obs_mode", self.obs_mode, OBS_MODES)
        one_of("autoreset", self.autoreset, AUTORESETS)
        for name in ("reuse_buffers", "validate", "exact_rewards", "info_metrics"):
            flag(name, getattr(self, name))
        for name in ("tables", "static"):
            if getattr(self, name) is not None:
                flag(name, getattr(self, name))
        if self.seed is not None:
            rng.check_seed(self.seed)
        if self.backend == "jax" and self.exact_rewards:
            raise ValueError('exact_rewards=True, float64, is no option of backend="jax"')

        if self.backend == "numpy" and str(self.device) != "cpu":
            raise ValueError(
                f'the numpy backend runs on device="cpu", got {self.device!r}; see backend="torch"'
            )
        if self.backend != "torch" and self.static:
            raise ValueError('static=True is an option of backend="torch"')


def by_tables(game: Game, wanted: bool | None) -> bool:
    """Whether to play from tables: as wanted, or if they are small.

    Raises:
        ValueError: tables are wanted and too large.
    """
    if wanted and not fits(game):
        raise ValueError(
            f"tables=True: this game has {counted(num_states(game))} states x "
            f"{num_joint_actions(game)} joint actions, more than the {MAX_ENTRIES} entries that "
            "tables may have; leave out `tables`, and the rules are played directly"
        )
    return fits(game) if wanted is None else wanted


def single_spaces(game: Game, obs_mode: ObsMode) -> tuple[Box | Discrete, Discrete | MultiDiscrete]:
    """Spaces of one player: observations in this mode, actions."""
    shape = observed_shape(game, obs_mode)
    if obs_mode == "state":
        check_ids(game)
        observation: Box | Discrete = Discrete(observation_count(game))
    elif obs_mode == "uint8":
        observation = Box(0, observed_most(game, obs_mode), shape, np.uint8)
    else:
        observation = Box(0.0, 1.0, shape, np.float32)

    if len(set(game.num_actions)) == 1:
        return observation, Discrete(game.num_actions[0])
    return observation, MultiDiscrete(list(game.num_actions))


def check_ids(game: Game) -> None:
    """Raises ValueError where views are too many to be observation ids."""
    if is_bound(game):
        raise ValueError(
            'obs_mode="state": this game has too many views for observation ids; "uint8" is the '
            "smallest form of its observations"
        )


def integer_array(actions: Any) -> np.ndarray:
    """Actions as an array of integers, of any shape.

    Raises:
        TypeError: they are none.
    """
    try:
        given = np.asarray(actions)
    except ValueError:
        raise TypeError("actions must be integers, got rows of different lengths") from None
    if given.dtype.kind not in "iu":
        raise TypeError(f"actions must be integers, got an array of {given.dtype}")
    return given


def shape_error(shape: Sequence[int], expected: Sequence[int]) -> ValueError:
    """The error of actions that are not [B, N]."""
    return ValueError(
        f"actions must have shape [B, N] = {tuple(expected)}: one for each player of each game; "
        f"got {tuple(shape)}"
    )


def range_error(env_id: str, game: Game) -> ValueError:
    """The error of actions out of range."""
    limits = [f"0 .. {n - 1}" for n in game.num_actions]
    each = limits[0] if len(set(limits)) == 1 else " and ".join(limits) + " for the players in turn"
    return ValueError(f"actions of {env_id} must lie in {each}")
