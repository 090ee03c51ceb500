"""`check_env`: all checks, in order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
from pettingzoo import AECEnv, ParallelEnv

from social_dilemmas_env.testing import (
    aliasing_checks,
    interface_checks,
    lifecycle_checks,
    refusal_checks,
    render_checks,
    replay_checks,
    rollout_checks,
)
from social_dilemmas_env.testing.findings import Finding, Report, guarded, rejected, short
from social_dilemmas_env.testing.global_rng import preserved_rng
from social_dilemmas_env.testing.kit import Kit

NEEDED = ("possible_agents", "reset", "step")  # without which nothing can be played
CHECKS = (
    interface_checks.check_class,
    interface_checks.check_metadata,
    interface_checks.check_agent_ids,
    interface_checks.check_spaces,
    rollout_checks.check_rollout,
    lifecycle_checks.check_time_limit,
    replay_checks.check_seed,
    replay_checks.check_seed_zero,
    replay_checks.check_second_seed,
    replay_checks.check_global_rng_written,
    replay_checks.check_global_rng_read,
    replay_checks.check_instances,
    replay_checks.check_deepcopy,
    replay_checks.check_pickle,
    replay_checks.check_state_methods,
    interface_checks.check_reset_options,
    refusal_checks.check_step_before_reset,
    refusal_checks.check_step_after_end,
    refusal_checks.check_bad_calls,
    interface_checks.check_close,
    render_checks.check_render,
    # Last: it does most damage to an environment that shares its arrays.
    aliasing_checks.check_writing_into_observations,
)


def check_env(
    env_fn: Callable[[], ParallelEnv], *, episodes: int = 3, max_steps: int = 1000, seed: int = 0
) -> list[Finding]:
    """Finds the promises that an environment breaks.

    The caller's global random state (random, numpy, torch) is as before when this returns.
    Exceptions raised by the environment become findings. Every check is made, whatever the others
    find, and reported once, at its first occurrence. Checks that compare two games are silent from
    the moment at which equal seeds give unequal games, so after repairing the seeds run it again.

    Args:
        env_fn: Makes a fresh environment at each call. If it has a `render_mode` keyword, the
            render modes in the environment's metadata are checked too, except "human".
        episodes: Whole episodes in which every returned value is looked at.
        max_steps: An episode that is longer is cut here.
        seed: Seed of the games and of the random actions.

    Returns:
        The findings; empty when the environment keeps every promise.

    Raises:
        TypeError: `env_fn` is not a callable that makes environments.
        ValueError: A number is out of range.
    """
    check_arguments(env_fn, episodes, max_steps, seed)

    with preserved_rng(), warnings.catch_warnings():
        # Odd calls are made on purpose here; -W error would make faults of their warnings.
        warnings.simplefilter("ignore")
        kit = Kit(env_fn, episodes, max_steps, seed)
        return collect(kit, (check_maker,)) or collect(kit, CHECKS)


def collect(kit: Kit, checks: tuple[Callable[[Kit], Report], ...]) -> list[Finding]:
    """Runs checks; the first finding of each id stays."""
    findings: dict[str, Finding] = {}
    for check in checks:
        for finding in guarded(check.__name__, check(kit)):
            findings.setdefault(finding.check, finding)
        kit.close_all()
    return list(findings.values())


def check_maker(kit: Kit) -> Report:
    """`env_fn` makes a new parallel environment each time.

    Nothing else can be checked unless it does.
    """
    first, second = kit.fresh(), kit.fresh()
    missing = [name for name in NEEDED if rejected(partial(getattr, first, name))]

    if isinstance(first, AECEnv):
        yield Finding(
            "not_parallel_env",
            f"env_fn() made an AEC environment, {short(first)}; wrap it in aec_to_parallel.",
        )
    elif missing:
        yield Finding(
            "not_parallel_env",
            f"env_fn() made a {type(first).__name__} without {' and '.join(missing)}.",
        )
    elif first is second:
        yield Finding(
            "env_not_fresh",
            "env_fn() returned one and the same object twice; "
            "it must make a new environment each time.",
        )


def check_arguments(env_fn: Any, episodes: int, max_steps: int, seed: int) -> None:
    """Raises on misuse of the kit itself; see `check_env`."""
    advice = (
        "pass a function that makes a fresh one, "
        "for example check_env(lambda: my_env(max_cycles=50))"
    )
    kind = type(env_fn).__name__
    if isinstance(env_fn, (ParallelEnv, AECEnv, gymnasium.Env)):
        raise TypeError(f"check_env was given an environment ({kind}); {advice}.")
    if not callable(env_fn):
        raise TypeError(f"check_env was given {short(env_fn)} ({kind}); {advice}.")

    numbers = (("episodes", episodes, 1), ("max_steps", max_steps, 1), ("seed", seed, 0))
    for name, value, least in numbers:
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}.")
