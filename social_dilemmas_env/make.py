"""Environments by name: `make_env` (one game, parallel or turn by turn) and `make_vec_env` (many at
once).
"""

from typing import Any

from social_dilemmas_env.envs.parallel import DilemmaEnv, OrderedEnv, SequentialEnv
from social_dilemmas_env.registry import spec
from social_dilemmas_env.vector.base import BatchEnv
from social_dilemmas_env.vector.numpy_env import NumpyBatch
from social_dilemmas_env.vector.options import Options


def make_env(
    env_id: str, *, api: str = "parallel", render_mode: str | None = None, **game_kwargs: Any
) -> Any:
    """One game.

    Args:
        env_id: see `list_envs`.
        api: "parallel" for a PettingZoo `ParallelEnv`, "aec" for an `AECEnv`.
        render_mode: None, "human" (a window), "rgb_array" (uint8 [height, width, 3]) or "ansi"
            (text).
        **game_kwargs: the game's arguments; see `spec(env_id).page`.

    Returns:
        The environment.

    Raises:
        ValueError: unknown id, api, render mode or value of an argument.
        TypeError: unknown argument, or a value of the wrong type.
        gymnasium.error.DependencyNotInstalled: pygame is needed and missing.
    """
    if api not in ("parallel", "aec"):
        raise ValueError(f'api must be "parallel" or "aec", got {api!r}')
    env = DilemmaEnv(env_id, spec(env_id).game(**game_kwargs), render_mode)
    return env if api == "parallel" else OrderedEnv(SequentialEnv(env))


def make_vec_env(
    env_id: str,
    num_envs: int,
    backend: str = "numpy",
    device: Any = "cpu",
    obs_mode: str = "float32",
    autoreset: str = "same_step",
    seed: int | None = None,
    *,
    reuse_buffers: bool = False,
    validate: bool = False,
    tables: bool | None = None,
    static: bool | None = None,
    **game_kwargs: Any,
) -> BatchEnv:
    """B games at once, each the same as the single game (`make_env`) with its seed.

    Game i of a batch reset with `seed` has the seed `draws.draw(seed, i)`, on every backend, in any
    batch that has a game i. Outputs of `step` are fresh arrays [B, N, ...]; the end of the horizon
    is a truncation.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B.
        backend: "numpy", or "torch" (tensors on `device`).
        device: for torch: "cpu", "cuda", "cuda:1", a torch.device.
        obs_mode: "float32" or "uint8": observations [B, N, *obs_shape]; "state": view ids [B, N]
            (int32), a number for what each player sees, which `observe(ids)` turns into float32
            observations later: a rollout stores 4 bytes a player instead of 144 (3x3 Coin Game),
            and `(venv.observation_table @ weights)[ids]` is a first layer on all of them.
        autoreset: what follows the end of an episode, as in Gymnasium 1.x.  "same_step": the
            observations returned are the next episode's first, the last are in
            `infos["final_obs"]`; "next_step": the next step ignores its actions and returns the
            next episode's first observations, rewards 0 and flags False; "disabled": the caller
            resets, with `reset(options={"reset_mask": bool[B]})` or all at once.
        seed: of the first reset, if that gives none; None: from the operating system.
        reuse_buffers: write observations into the same array every time, valid until the next step
            (final_obs is fresh).
        validate: torch: also make the checks for which the host has to wait for a CUDA device, the
            range of actions and steps of finished games.  (numpy, and torch on the CPU, always make
            them.)
        tables: play from look-up tables (True), by the rules (False), or from tables where they are
            small (None).  The integers are the same.
        static: torch: use the step of static shapes that a CUDA graph can capture; by default on
            CUDA only.
        **game_kwargs: the game's arguments; see `spec(env_id).page`.

    Returns:
        A `NumpyBatch` or a `TorchBatch`; see `BatchEnv` for its attributes and methods.

    Raises:
        ValueError: unknown id or option, num_envs below 1, tables wanted for too large a game.
        TypeError: an argument of another type, an unknown keyword.
        ModuleNotFoundError: torch is not installed.
        RuntimeError: CUDA is asked for and absent.
    """
    game = spec(env_id).game(**game_kwargs)
    options = Options(
        num_envs,
        backend,
        device,
        obs_mode,
        autoreset,
        seed,
        reuse_buffers,
        validate,
        tables=tables,
        static=static,
    )
    if backend == "numpy":
        return NumpyBatch(env_id, game, options)
    from social_dilemmas_env.vector.torch_env import TorchBatch  # imports torch

    return TorchBatch(env_id, game, options)
