"""Environments by name: one game (`make_env`), or many at once (`make_vec_env`)."""

from typing import TYPE_CHECKING, Any, Literal, overload

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.envs.turn_based import OrderedEnv, SequentialEnv
from social_dilemmas_env.extras import need_jax
from social_dilemmas_env.games.flat import shaped
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.modes import APIS, Api, Autoreset, Backend, ObsMode, RenderMode
from social_dilemmas_env.registry import spec
from social_dilemmas_env.validation import one_of
from social_dilemmas_env.vector.base import BatchEnv
from social_dilemmas_env.vector.numpy_env import NumpyBatch
from social_dilemmas_env.vector.options import Options

if TYPE_CHECKING:
    from social_dilemmas_env.vector.pure_jax import JaxEnv


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
            and stolen coins of the player; in the commons also collective return, equality, zaps
            or survival; see `engine.episode_metrics`.
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
        backend: "numpy", "torch" (tensors on `device`) or "jax" (JAX arrays on `device`).
        device: for torch: "cpu", "cuda", "cuda:1", a torch.device; for JAX: "cpu", "gpu", "gpu:1",
            "tpu", a jax.Device.
        obs_mode: "float32" or "uint8": observations [B, N, *obs_shape]; "state": observation ids
            [B, N], which `observe(ids)` turns into float32 observations.
        autoreset: what follows the end of an episode: "same_step", "next_step" or "disabled".
        seed: of the first reset, if that gives none; None: from the operating system.
        reuse_buffers: write observations into the same array every time.
        validate: torch and JAX: also make the checks for which the host has to wait for the device.
        tables: play from look-up tables (True), by the rules (False), or as is faster (None).
        static: torch: use the step that a CUDA graph can capture; None: on CUDA only.
        flat: observations of one axis; see `make_env`.
        info_metrics: metrics of the episodes that end in infos, as arrays; see `BatchEnv.step`.
        **game_kwargs: the game's arguments and switches; see `make_env`.

    Returns:
        A `NumpyBatch`, `TorchBatch` or `JaxBatch`; see `BatchEnv` for its attributes and methods.

    Raises:
        ValueError: unknown id or option, num_envs below 1, tables wanted for too large a game.
        TypeError: an argument of another type, an unknown keyword.
        ModuleNotFoundError: torch or JAX is not installed.
        RuntimeError: a device is asked for that is absent.
    """
    game = shaped(spec(env_id).game(**game_kwargs), flat)
    named = (num_envs, backend, device, obs_mode, autoreset, seed)
    options = Options(*named, reuse_buffers, validate, tables, static, info_metrics=info_metrics)
    return _batch(env_id, game, options)


def _batch(env_id: str, game: Game, options: Options) -> BatchEnv:
    """The batch of the backend that is asked for."""
    if options.backend == "numpy":
        return NumpyBatch(env_id, game, options)

    # Here, because they import torch or JAX, which are extras and take seconds.
    if options.backend == "jax":
        need_jax()
        from social_dilemmas_env.vector.jax_env import JaxBatch

        return JaxBatch(env_id, game, options)

    from social_dilemmas_env.vector.torch_env import TorchBatch

    return TorchBatch(env_id, game, options)


def jax_env(
    env_id: str,
    *,
    obs_mode: ObsMode = "float32",
    autoreset: Autoreset = "same_step",
    tables: bool | None = None,
    flat: bool = False,
    **game_kwargs: Any,
) -> "JaxEnv":
    """One game as pure functions of JAX, to be compiled, mapped and scanned with the agents.

        env = sde.jax_env("coin_game_v0")
        observations, state = env.reset(key)
        observations, state, rewards, terminations, truncations, info = env.step(state, actions)

    Args:
        env_id: see `list_envs`.
        obs_mode: as in `make_vec_env`, and so are the next three.
        autoreset: what follows the end of an episode; "disabled": the game plays on, truncated.
        tables: play from look-up tables, or by the rules.
        flat: observations of one axis.
        **game_kwargs: the game's arguments; see `spec(env_id).page`.

    Returns:
        A `vector.pure_jax.JaxEnv`.

    Raises:
        ValueError: unknown id or option, tables wanted for too large a game.
        TypeError: an argument of another type, an unknown keyword.
        ModuleNotFoundError: JAX is not installed, or too old.
    """
    game = shaped(spec(env_id).game(**game_kwargs), flat)
    options = Options(1, "jax", obs_mode=obs_mode, autoreset=autoreset, tables=tables)

    # Here, because it imports JAX, which is an extra and takes seconds.
    need_jax()
    from social_dilemmas_env.vector.pure_jax import JaxEnv

    return JaxEnv(env_id, game, options)
