"""Checks on every value that an environment returns in whole episodes, for `testing.check_env`."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from gymnasium import spaces

from social_dilemmas_env.testing.findings import (
    BROKEN,
    PARTS,
    Finding,
    Record,
    Report,
    arrays,
    call,
    describe,
    guarded,
    same,
    short,
    truthy,
)
from social_dilemmas_env.testing.session import Kit, Session

ARRAY_SPACES = (spaces.Box, spaces.MultiDiscrete, spaces.MultiBinary)
LIMITS = (
    "max_cycles",
    "max_steps",
    "max_episode_steps",
    "horizon",
)  # attributes that name a time limit
LIKELY_A_LIMIT = 8  # this many episodes in a row that end at one step are no coincidence


def check_rollout(kit: Kit) -> Report:
    """Shows every record of the episodes to all watchers, each of which may fail alone."""
    session = kit.session()
    watchers = [
        (watch.__name__, watch()) for watch in (Values, Freshness, Lifecycle, InfoKeys, GlobalState)
    ]
    for record in session.episodes(kit.episodes, kit.seed):
        for name, watcher in watchers:
            yield from guarded(name, watcher.see(session, record))


# Observations, rewards, flags, infos
# --------------------------------------------------------------------------------------------------


class Values:
    """Each returned value has the type, and lies in the space, that was announced."""

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        for part in PARTS if record.step else ("observations", "infos"):
            raw = session.raw[part]
            if not isinstance(raw, dict):
                check = "info_not_dict" if part == "infos" else "result_not_dict"
                yield Finding(
                    check,
                    f"The {part} at {record.where} are {short(raw)}; expected a dict with one entry per agent.",
                )
                continue
            for agent in record.live:
                if agent not in raw:
                    yield Finding(
                        "missing_agent_entry",
                        f"The {part} at {record.where} have no entry for {agent}; every agent that was alive needs "
                        "one, also at the step at which it ends.",
                    )
                else:
                    yield from self.entry(session, record, part, agent)

    def entry(self, session: Session, record: Record, part: str, agent: Any) -> Report:
        """Findings in the entry of one agent."""
        value, place = session.raw[part][agent], f"of {agent} at {record.where}"
        if part == "observations":
            space = call("observation_space", session.env.observation_space, agent)
            if isinstance(space, spaces.Space):  # else check_spaces reports it
                yield from observation_faults(space, value, f"observation {place}")
        elif part == "rewards":
            yield from reward_faults(value, f"The reward {place} is {short(value)}")
        elif part == "infos" and not isinstance(value, dict):
            yield Finding(
                "info_not_dict",
                f"The info {place} is {short(value)}; expected a dict, empty if need be.",
            )
        elif part != "infos" and not isinstance(value, (bool, np.bool_)):
            yield Finding(
                "flag_not_bool",
                f"The {part.removesuffix('s')} {place} is {short(value)} ({type(value).__name__}); expected a bool.",
            )


def reward_faults(reward: Any, seen: str) -> Report:
    """Type and finiteness of a reward."""
    if not isinstance(reward, (float, np.floating)):
        yield Finding(
            "reward_not_float",
            f"{seen} ({type(reward).__name__}); expected a float: return float(reward).",
        )
    with suppress(TypeError, ValueError):
        if not math.isfinite(reward):
            yield Finding("reward_not_finite", f"{seen}; expected a finite number.")


def observation_faults(space: Any, value: Any, name: str) -> Report:
    """Findings in one observation, leaf by leaf for Dict and Tuple spaces."""
    if (
        isinstance(space, spaces.Dict)
        and isinstance(value, Mapping)
        and value.keys() == space.spaces.keys()
    ):
        for key in space.spaces:
            yield from observation_faults(space[key], value[key], f"{key!r} part of the {name}")
    elif (
        isinstance(space, spaces.Tuple)
        and isinstance(value, tuple)
        and len(value) == len(space.spaces)
    ):
        for number, item in enumerate(value):
            yield from observation_faults(space[number], item, f"part {number} of the {name}")
    else:
        yield from leaf_faults(space, value, name)


def leaf_faults(space: Any, value: Any, name: str) -> Report:
    """NaN, dtype and range of an observation that is not nested."""
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind in "fc" and np.isnan(value).any():
        yield Finding("obs_nan", f"The {name} holds NaN: {short(value)}.")
        return
    if isinstance(space, ARRAY_SPACES):
        if not isinstance(value, (np.ndarray, np.generic)):
            yield Finding(
                "obs_wrong_dtype",
                f"The {name} is a {type(value).__name__}; {short(space)} wants a numpy array.",
            )
            return
        if value.dtype != space.dtype:
            yield Finding(
                "obs_wrong_dtype",
                f"The {name} has dtype {value.dtype}; its space says {space.dtype}.",
            )
        with np.errstate(all="ignore"):
            value = np.asarray(value).astype(
                space.dtype
            )  # a wrong dtype is no reason to miss a wrong value
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
    """Infos carry the same keys at every step as at the reset."""

    def __init__(self) -> None:
        self.keys: dict[Any, set[Any]] = {}

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        infos = {
            agent: info for agent, info in record.parts["infos"].items() if isinstance(info, dict)
        }
        if record.step == 0:
            self.keys = {agent: set(info) for agent, info in infos.items()}
        for agent in record.live:
            expected, found = self.keys.get(agent), set(infos.get(agent, ()))
            if agent in infos and expected is not None and found != expected:
                yield Finding(
                    "info_keys_change",
                    f"The info of {agent} has keys {sorted(map(str, found))} at {record.where} but "
                    f"{sorted(map(str, expected))} at the reset; TorchRL builds its spec from the reset and drops "
                    "the others, so give every key at every call.",
                )


# Fresh objects
# --------------------------------------------------------------------------------------------------


class Freshness:
    """No returned dict is returned again, no returned observation changes afterwards."""

    def __init__(self) -> None:
        self.dicts: deque[tuple[str, Any]] = deque(
            maxlen=40
        )  # kept alive, so that an id is not used twice
        self.buffers: deque[tuple[str, list[Any], Any]] = deque(maxlen=4)

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        for part, value in session.raw.items():
            earlier = next((name for name, other in self.dicts if other is value), None)
            if earlier and isinstance(value, dict):
                yield Finding(
                    "dict_reused",
                    f"The {part} at {record.where} are the very dict object returned as {earlier}; return a new dict "
                    "every time, since trainers write into it.",
                )
            self.dicts.append((f"the {part} at {record.where}", value))
        for place, buffers, before in self.buffers:
            if not same(before, buffers):
                yield Finding(
                    "obs_aliased",
                    f"An observation array returned at {place} had changed after {record.where}: the environment "
                    "writes into arrays it has handed out. Return a copy.",
                )
        buffers = list(arrays(session.raw["observations"]))
        self.buffers.append((record.where, buffers, [buffer.copy() for buffer in buffers]))


def check_writing_into_observations(kit: Kit) -> Report:
    """The game does not read the arrays that it has handed out."""
    control, _ = (
        kit.control
    )  # played first, since an environment that crashes here by itself has another fault
    undo: list[tuple[np.ndarray, np.ndarray]] = []
    session = kit.session()
    records = [session.reset(seed=kit.seed)]
    try:
        while len(records) < len(control):
            undo += scribble(session.raw["observations"])
            records.append(session.advance())
    except BROKEN as error:
        message = f"The game breaks after writing into returned observations, which must be copies: {describe(error)}."
        yield Finding("obs_write_changes_game", message)
    finally:  # the array may be a table that other environments share
        for array, before in reversed(undo):
            array[...] = before
    if departure := kit.departure(records):
        yield Finding(
            "obs_write_changes_game",
            f"Writing into returned observations changes the game: {departure}. Return a copy, or a read-only array.",
        )


def scribble(value: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Overwrites the writable arrays; returns them with their former contents."""
    writable = [
        array for array in arrays(value) if array.flags.writeable and array.dtype.kind in "biuf"
    ]
    undo = [(array, array.copy()) for array in writable]
    for array in writable:
        array[...] = ~array if array.dtype.kind == "b" else 77
    return undo


# Agents and endings
# --------------------------------------------------------------------------------------------------


class Lifecycle:
    """Agents leave `env.agents` when they end, only then, and for the rest of the episode."""

    def __init__(self) -> None:
        self.ended: set[Any] = set()

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        now, live = set(record.agents), set(record.live)
        if record.step == 0:
            self.ended = set()
            yield from self.at_reset(session, record)
            return
        flags = [record.parts["terminations"], record.parts["truncations"]]
        done = {agent for agent in live if any(truthy(flag.get(agent)) for flag in flags)}
        if revived := (now - live) & self.ended:
            yield Finding(
                "agents_revived",
                f"{sorted(map(str, revived))} ended earlier but live again at {record.where}.",
            )
        if done == live and now:
            yield Finding(
                "agents_not_emptied",
                f"All agents ended at {record.where}, but env.agents is still {list(record.agents)}; it must be [].",
            )
        elif done & now:
            yield Finding(
                "done_agent_listed",
                f"{sorted(map(str, done & now))} ended at {record.where} but stay in env.agents; remove them.",
            )
        if vanished := live - now - done:
            yield Finding(
                "agent_vanished",
                f"{sorted(map(str, vanished))} left env.agents at {record.where} without a termination or truncation.",
            )
        self.ended |= done | (live - now)

    def at_reset(self, session: Session, record: Record) -> Report:
        """A reset brings agents, all of them possible ones."""
        if not record.agents:
            yield Finding(
                "no_agents_after_reset", "env.agents is empty after reset(); nobody can play."
            )
        if strangers := set(record.agents) - set(session.tape.spaces):
            yield Finding(
                "agents_not_possible",
                f"env.agents holds {strangers} after reset(), not in env.possible_agents.",
            )


def check_time_limit(kit: Kit) -> Report:
    """A time limit is a truncation.

    A termination would tell learners that the future is worth nothing.
    """
    session, lengths = kit.session(), []
    limit = time_limit(session.env)
    for record in session.episodes(LIKELY_A_LIMIT, kit.seed):
        if record.step and (record.over or record.step >= kit.max_steps):
            terminated, truncated = (
                {truthy(record.parts[part].get(a)) for a in record.live} for part in PARTS[2:4]
            )
            if terminated != {True} or truncated != {False}:
                return  # truncations are known here, or this is no end
            lengths.append(record.step)
        if session.t >= kit.episodes * kit.max_steps:
            break
    longest = max(lengths, default=0)
    named = longest == limit and lengths.count(longest) >= 2
    if named or (len(lengths) == LIKELY_A_LIMIT and set(lengths) == {longest} and longest > 1):
        yield Finding(
            "time_limit_terminates",
            f"{lengths.count(longest)} of {len(lengths)} episodes ended after exactly {longest} steps with terminations"
            f"{f' and the environment names {limit} as its limit' if named else ', whatever the actions'}; a time "
            "limit must set truncations, so that learners still bootstrap the value of the last state.",
        )


def time_limit(env: Any) -> int | None:
    """The limit that the environment names, if it does."""
    holders = (env, getattr(env, "unwrapped", env))
    values = (getattr(holder, name, None) for holder in holders for name in LIMITS)
    return next(
        (int(value) for value in values if isinstance(value, (int, np.integer)) and value > 0), None
    )
