"""Checks on each value that an environment returns: type, dtype, range, keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from gymnasium import spaces

from social_dilemmas_env.testing.findings import Finding, Report, call, short
from social_dilemmas_env.testing.records import PARTS, Record
from social_dilemmas_env.testing.session import Session

ARRAY_SPACES = (spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)
AT_RESET = ("observations", "infos")  # what `reset` returns


class Values:
    """Each returned value has the type, and lies in the space, that was announced."""

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        for part in PARTS if record.step else AT_RESET:
            raw = session.raw[part]
            if isinstance(raw, dict):
                yield from self.entries(session, record, part)
            else:
                yield Finding(
                    "info_not_dict" if part == "infos" else "result_not_dict",
                    f"The {part} at {record.where} are {short(raw)}; "
                    "expected a dict with one entry per agent.",
                )

    def entries(self, session: Session, record: Record, part: str) -> Report:
        """Findings in one of the returned dicts."""
        for agent in record.live:
            if agent in session.raw[part]:
                yield from self.entry(session, record, part, agent)
            else:
                yield Finding(
                    "missing_agent_entry",
                    f"The {part} at {record.where} have no entry for {agent}; every agent that "
                    "was alive needs one, also at the step at which it ends.",
                )

    def entry(self, session: Session, record: Record, part: str, agent: Any) -> Report:
        """Findings in the entry of one agent."""
        value, place = session.raw[part][agent], f"of {agent} at {record.where}"

        if part == "observations":
            space = call("observation_space", session.env.observation_space, agent)
            if isinstance(space, spaces.Space):  # else check_spaces reports it
                yield from observation_faults(space, value, f"observation {place}")

        elif part == "rewards":
            yield from reward_faults(value, f"The reward {place} is {short(value)}")

        elif part == "infos":
            if not isinstance(value, dict):
                yield Finding(
                    "info_not_dict",
                    f"The info {place} is {short(value)}; expected a dict, empty if need be.",
                )

        elif not isinstance(value, (bool, np.bool_)):
            yield Finding(
                "flag_not_bool",
                f"The {part.removesuffix('s')} {place} is {short(value)} "
                f"({type(value).__name__}); expected a bool.",
            )


def reward_faults(reward: Any, prefix: str) -> Report:
    """Type and finiteness of a reward; `prefix` says in words where and what it is."""
    if not isinstance(reward, (float, np.floating)):
        yield Finding(
            "reward_not_float",
            f"{prefix} ({type(reward).__name__}); expected a float: return float(reward).",
        )
    with suppress(TypeError, ValueError):  # no number at all: reported above
        if not math.isfinite(reward):
            yield Finding("reward_not_finite", f"{prefix}; expected a finite number.")


def observation_faults(space: Any, value: Any, name: str) -> Report:
    """Findings in one observation, leaf by leaf for Dict and Tuple spaces."""
    parts = parts_of(space, value)
    for part_space, part, label in parts:
        yield from observation_faults(part_space, part, f"{label} of the {name}")
    if not parts:
        yield from leaf_faults(space, value, name)


def parts_of(space: Any, value: Any) -> list[tuple[Any, Any, str]]:
    """Space, value and label of each part of an observation; none if it is not nested alike."""
    if isinstance(space, spaces.Dict) and isinstance(value, Mapping):
        keys = list(space.spaces) if value.keys() == space.spaces.keys() else []
        return [(space[key], value[key], f"{key!r} part") for key in keys]
    if isinstance(space, spaces.Tuple) and isinstance(value, tuple):
        alike = len(value) == len(space.spaces)
        return [(space[k], item, f"part {k}") for k, item in enumerate(value)] if alike else []
    return []


def leaf_faults(space: Any, value: Any, name: str) -> Report:
    """NaN, dtype and range of an observation that is not nested."""
    # NaN lies in no space, whatever else is wrong.
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "fc" and np.isnan(value).any():
        yield Finding("obs_nan", f"The {name} holds NaN: {short(value)}.")
        return

    # The dtype.
    if isinstance(space, ARRAY_SPACES):
        if not isinstance(value, (np.ndarray, np.generic)):
            yield Finding(
                "obs_wrong_dtype",
                f"The {name} is a {type(value).__name__}; {short(space)} wants a numpy array.",
            )
            return
        if value.dtype != space.dtype and not space.contains(value):  # a Box takes float16
            yield Finding(
                "obs_wrong_dtype",
                f"The {name} has dtype {value.dtype}; its space says {space.dtype}.",
            )
        with np.errstate(all="ignore"):  # a wrong dtype is no reason to miss a wrong value
            value = np.asarray(value).astype(space.dtype)

    # The range, and the shape.
    if not space.contains(value):
        shape = f", shape {value.shape}" if isinstance(value, np.ndarray) else ""
        yield Finding(
            "obs_outside_space", f"The {name} lies outside {short(space)}: {short(value)}{shape}."
        )


class GlobalState:
    """`state()` lies in `state_space`, where the environment has one."""

    def see(self, session: Session, record: Record) -> Report:
        """Findings at one moment."""
        space = getattr(session.env, "state_space", None)
        if not isinstance(space, spaces.Space) or record.over:
            return

        state = call("state", session.env.state)
        if not space.contains(state):
            yield Finding(
                "state_outside_space",
                f"state() after {record.where} is {short(state)}, outside {short(space)}.",
            )


class InfoKeys:
    """Infos carry the same keys at every step as at the reset.

    Attributes:
        keys: agent -> the keys of its info at the reset.
    """

    def __init__(self) -> None:
        self.keys: dict[Any, set[Any]] = {}

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        infos = {
            agent: info for agent, info in record.parts["infos"].items() if isinstance(info, dict)
        }

        # The keys at the reset are those expected later.
        if record.step == 0:
            self.keys = {agent: set(info) for agent, info in infos.items()}

        for agent in record.live:
            expected, keys = self.keys.get(agent), set(infos.get(agent, ()))
            if agent in infos and expected is not None and keys != expected:
                yield Finding(
                    "info_keys_change",
                    f"The info of {agent} has keys {sorted(map(str, keys))} at {record.where} but "
                    f"{sorted(map(str, expected))} at the reset; TorchRL builds its spec from the "
                    "reset and drops the others, so give every key at every call.",
                )
