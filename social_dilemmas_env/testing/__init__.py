"""The conformance kit: does a parallel PettingZoo environment keep its promises?

PettingZoo's own parallel tests accept environments that ignore their seeds, leave their spaces or
return NaN. `check_env` plays whole episodes, with every game played at least twice, and says in a
sentence what is wrong:

    from social_dilemmas_env.testing import check_env

    for finding in check_env(lambda: my_parallel_env(max_cycles=50)):
        print(finding)

It works on any `pettingzoo.ParallelEnv`, and needs numpy, gymnasium and pettingzoo only. In a test
suite:

    def test_conformance():
        assert check_env(my_parallel_env) == []
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
from pettingzoo import AECEnv, ParallelEnv

from social_dilemmas_env.testing import interface_checks as calls
from social_dilemmas_env.testing import replay_checks as twins
from social_dilemmas_env.testing import value_checks as values
from social_dilemmas_env.testing.findings import (
    Finding,
    Report,
    guarded,
    kept_rng,
    rejected,
    short,
)
from social_dilemmas_env.testing.session import Kit

__all__ = ["Finding", "check_env"]

NEEDED = ("possible_agents", "reset", "step")
CHECKS = (
    calls.check_class,
    calls.check_metadata,
    calls.check_agent_ids,
    calls.check_spaces,
    values.check_rollout,
    values.check_time_limit,
    twins.check_seed,
    twins.check_seed_zero,
    twins.check_second_seed,
    twins.check_global_rng_written,
    twins.check_global_rng_read,
    twins.check_instances,
    twins.check_deepcopy,
    twins.check_pickle,
    twins.check_state_methods,
    calls.check_reset_options,
    calls.check_step_before_reset,
    calls.check_step_after_end,
    calls.check_bad_calls,
    calls.check_close,
    twins.check_render,
    values.check_writing_into_observations,  # last: it does most damage to an environment that shares its arrays
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
    refuse_bad_arguments(env_fn, episodes, max_steps, seed)
    with kept_rng(), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # odd calls are made on purpose here; -W error would make faults of them
        kit = Kit(env_fn, episodes, max_steps, seed)
        findings = collect(kit, (check_maker,))
        return findings or collect(kit, CHECKS)


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
    if isinstance(first, AECEnv):
        yield Finding(
            "not_parallel_env",
            f"env_fn() made an AEC environment, {short(first)}; wrap it in aec_to_parallel.",
        )
    elif lacking := [name for name in NEEDED if rejected(partial(getattr, first, name))]:
        yield Finding(
            "not_parallel_env",
            f"env_fn() made a {type(first).__name__} without {' and '.join(lacking)}.",
        )
    elif first is second:
        yield Finding(
            "env_not_fresh",
            "env_fn() returned one and the same object twice; it must make a new environment each time.",
        )


def refuse_bad_arguments(env_fn: Any, episodes: int, max_steps: int, seed: int) -> None:
    """Raises on misuse of the kit itself."""
    advice = "pass a function that makes a fresh one, for example check_env(lambda: my_env(max_cycles=50))"
    if isinstance(env_fn, (ParallelEnv, AECEnv, gymnasium.Env)):
        raise TypeError(f"check_env was given an environment ({type(env_fn).__name__}); {advice}.")
    if not callable(env_fn):
        raise TypeError(f"check_env was given {short(env_fn)} ({type(env_fn).__name__}); {advice}.")
    for name, value, least in (
        ("episodes", episodes, 1),
        ("max_steps", max_steps, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, not {value}.")
