"""Environments by name: one game (`make_env`), or many at once (`make_vec_env`)."""

from typing import Any, Literal, overload

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.envs.turn_based import OrderedEnv, SequentialEnv
from social_dilemmas_env.games.flat import shaped
from social_dilemmas_env.modes import APIS, Api, Autoreset, Backend, ObsMode, RenderMode
from social_dilemmas_env.registry import spec
from social_dilemmas_env.validation import one_of
from social_dilemmas_env.vector.base import BatchEnv
from social_dilemmas_env.vector.numpy_env import NumpyBatch
from social_dilemmas_env.vector.options import Options


@overload
def make_env(
    env_id: str,
    *,
    api: Literal["parallel"] = "parallel",
    render_mode: RenderMode | None = None,
    flat: bool = False,
    info_metrics: bool = False,
    **game_kwargs: Any,
) -> DilemmaEnv: ...


@overload
def make_env(
    env_id: str,
    *,
    api: Literal["aec"],
    render_mode: RenderMode | None = None,
    flat: bool = False,
    info_metrics: bool = False,
    **game_kwargs: Any,
) -> OrderedEnv: ...


def make_env(
    env_id: str,
    *,
    api: Api = "parallel",
    render_mode: RenderMode | None = None,
    flat: bool = False,
    info_metrics: bool = False,
    **game_kwargs: Any,
) -> DilemmaEnv | OrderedEnv:
    """One game.

    Args:
        env_id: see `list_envs`.
        api: "parallel" for a PettingZoo `ParallelEnv`, all players at once; "aec" for an
            `AECEnv`, turn by turn.
        render_mode: None, "human" (a window), "rgb_array" (uint8 [height, width, 3]) or "ansi"
            (text).
        flat: observations of one axis, [numbers], instead of the Coin Game's planes, which some
            libraries take for an image.
        info_metrics: at the end of an episode infos hold "metrics": return, cooperation rate, own
            and stolen coins of the player; see `engine.episode_metrics`.
        **game_kwargs: the game's arguments; see `spec(env_id).page`; and the switches of every
            game: `observe_time=True`, `continuation=0.98`, `action_noise=0.01` (see
            `games.switches`).

    Returns:
        The environment.

    Raises:
        ValueError: unknown id, api, render mode or value of an argument.
        TypeError: unknown argument, or a value of the wrong type.
        gymnasium.error.DependencyNotInstalled: pygame is needed and missing.
    """
    one_of("api", api, APIS)

    # Turn by turn is a form of the same game; the wrapper refuses calls in the wrong order.
    game = shaped(spec(env_id).game(**game_kwargs), flat)
    env = DilemmaEnv(env_id, game, render_mode, info_metrics=info_metrics)
    return env if api == "parallel" else OrderedEnv(SequentialEnv(env))


def make_vec_env(
    env_id: str,
    num_envs: int,
    backend: Backend = "numpy",
    device: Any = "cpu",
    obs_mode: ObsMode = "float32",
    autoreset: Autoreset = "same_step",
    seed: int | None = None,
    *,
    reuse_buffers: bool = False,
    validate: bool = False,
    tables: bool | None = None,
    static: bool | None = None,
    flat: bool = False,
    info_metrics: bool = False,
    **game_kwargs: Any,
) -> BatchEnv:
    """B games at once, each the same as the single game (`make_env`) with its seed.

    Game i of a batch reset with `seed` has the seed `draw(seed, i)`, on every backend, in any
    batch that has a game i.  Outputs of `step` are fresh arrays [B, N, ...]; the end of the
    horizon is a truncation.  `vector.options.Options` says more about each option.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B.
        backend: "numpy", or "torch" (tensors on `device`).
        device: for torch: "cpu", "cuda", "cuda:1", a torch.device.
        obs_mode: "float32" or "uint8": observations [B, N, *obs_shape]; "state": observation ids
            [B, N], which `observe(ids)` turns into float32 observations.
        autoreset: what follows the end of an episode: "same_step", "next_step" or "disabled".
        seed: of the first reset, if that gives none; None: from the operating system.
        reuse_buffers: write observations into the same array every time.
        validate: torch: also make the checks for which the host has to wait for the device.
        tables: play from look-up tables (True), by the rules (False), or as is faster (None).
        static: torch: use the step that a CUDA graph can capture; None: on CUDA only.
        flat: observations of one axis; see `make_env`.
        info_metrics: metrics of the episodes that end in infos, as arrays; see `BatchEnv.step`.
        **game_kwargs: the game's arguments and switches; see `make_env`.

    Returns:
        A `NumpyBatch` or a `TorchBatch`; see `BatchEnv` for its attributes and methods.

    Raises:
        ValueError: unknown id or option, num_envs below 1, tables wanted for too large a game.
        TypeError: an argument of another type, an unknown keyword.
        ModuleNotFoundError: torch is not installed.
        RuntimeError: CUDA is asked for and absent.
    """
    game = shaped(spec(env_id).game(**game_kwargs), flat)
    named = (num_envs, backend, device, obs_mode, autoreset, seed)
    options = Options(*named, reuse_buffers, validate, tables, static, info_metrics=info_metrics)
    if backend == "numpy":
        return NumpyBatch(env_id, game, options)

    # Here, because it imports torch, which is an extra and takes seconds.
    from social_dilemmas_env.vector.torch_env import TorchBatch

    return TorchBatch(env_id, game, options)
