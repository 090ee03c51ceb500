"""Checks on the interface itself: ids, spaces, metadata, and calls that must be refused.

For `testing.check_env`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from social_dilemmas_env.testing.findings import (
    Finding,
    Report,
    call,
    rejected,
    rng_states,
    short,
)
from social_dilemmas_env.testing.session import Kit, Session

AGENT_ID = re.compile(r"[a-z][a-z0-9_]*_[0-9]+")
STRANGER = "no_such_agent_0"


# What the environment says about itself
# --------------------------------------------------------------------------------------------------


def check_class(kit: Kit) -> Report:
    """Trainers test for the class."""
    env = kit.fresh()
    if not isinstance(env, ParallelEnv):
        yield Finding(
            "not_parallel_env",
            f"{type(env).__name__} does not inherit from pettingzoo.ParallelEnv; trainers test it.",
        )


def check_metadata(kit: Kit) -> Report:
    """`metadata` names the environment and its render modes."""
    metadata = getattr(kit.fresh(), "metadata", None)
    metadata = metadata if isinstance(metadata, dict) else {}
    name, modes = metadata.get("name"), metadata.get("render_modes")
    if not (isinstance(name, str) and name):
        message = f'metadata["name"] is {name!r}; expected a name such as "my_game_v0".'
        yield Finding("metadata_incomplete", message)
    if not (isinstance(modes, (list, tuple)) and all(isinstance(mode, str) for mode in modes)):
        message = f'metadata["render_modes"] is {modes!r}; expected a list of names, [] if there are none.'
        yield Finding("metadata_incomplete", message)


def check_agent_ids(kit: Kit) -> Report:
    """Agents are called player_0: libraries group agents by the part before the number."""
    agents = list(kit.tape.spaces)
    if not agents:
        yield Finding("no_possible_agents", "possible_agents is empty.")
    for agent in agents:
        if not (isinstance(agent, str) and AGENT_ID.fullmatch(agent)):
            yield Finding(
                "agent_ids",
                f"The agent id {agent!r} is not of the form <lowercase>_<int>, such as player_0; TorchRL, AgileRL and "
                "BenchMARL group agents by it.",
            )


def check_spaces(kit: Kit) -> Report:
    """Each space is a gymnasium Space, and one object for ever."""
    env, names = kit.fresh(), ("observation_space", "action_space")
    agents = list(kit.tape.spaces)
    first = {
        (name, agent): call(name, getattr(env, name), agent) for name in names for agent in agents
    }
    call("reset", env.reset, seed=kit.seed)
    for (name, agent), space in first.items():
        if not isinstance(space, spaces.Space):
            yield Finding(
                "space_invalid", f"{name}({agent!r}) is {short(space)}, not a gymnasium Space."
            )
        elif call(name, getattr(env, name), agent) is not space:
            yield Finding(
                "spaces_not_same_object",
                f"{name}({agent!r}) returns a new object on each call; make it once, or seeding the space is lost.",
            )


def check_reset_options(kit: Kit) -> Report:
    """Unknown reset options are ignored: tests and trainers pass their own."""
    env = kit.fresh()
    call("reset", env.reset, seed=kit.seed)
    if rejected(lambda: env.reset(seed=kit.seed, options={"no_such_option": 1})):
        yield Finding(
            "unknown_option_rejected",
            'reset(options={"no_such_option": 1}) raised; ignore unknown options: PettingZoo\'s own tests pass one.',
        )


def check_close(kit: Kit) -> Report:
    """`close` may be called twice."""
    session = kit.session()
    session.reset(seed=kit.seed)
    call("close", session.env.close)
    if rejected(session.env.close):
        yield Finding("close_not_idempotent", "A second close() raised; it must do nothing.")


# What it must refuse
# --------------------------------------------------------------------------------------------------


def check_step_before_reset(kit: Kit) -> Report:
    """There is no game before the first reset."""
    session = kit.session()
    actions = session.actions()
    if not rejected(lambda: session.env.step(actions)):
        yield Finding(
            "step_before_reset_accepted", "step() before the first reset() did not raise."
        )


def check_step_after_end(kit: Kit) -> Report:
    """There is no game after its end."""
    session = kit.session()
    session.reset(seed=kit.seed)
    while not session.here.over and session.here.step < kit.max_steps:
        actions = session.actions()
        session.step()
    if session.here.over and session.here.step and not rejected(lambda: session.env.step(actions)):
        yield Finding(
            "step_after_end_accepted",
            f"step() after the end of the episode ({session.here.where}) did not raise; ask for a reset().",
        )


def check_bad_calls(kit: Kit) -> Report:
    """Each bad call raises, and the game goes on as if it had not been made."""
    for number in range(len(list(bad_calls(kit.at_middle())))):
        session = kit.at_middle()
        states = rng_states()
        check, what, bad_call = list(bad_calls(session))[number]
        if not rejected(bad_call):
            yield Finding(
                check,
                f"{what} after {session.here.where} did not raise; raise ValueError and change nothing.",
            )
        elif departure := kit.goes_on(session, states):
            yield Finding(
                "rejected_action_changes_state",
                f"{what} was refused but has changed the game: {departure}. Look at all input before changing anything.",
            )


def bad_calls(session: Session) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """The bad calls at this moment: the check, the call in words, the call."""
    step, good = session.env.step, session.actions()

    def stepping(
        check: str, what: str, actions: dict[Any, Any]
    ) -> tuple[str, str, Callable[[], Any]]:
        return check, f"step() with {what}", lambda: step(actions)

    yield "negative_seed_accepted", "reset(seed=-1)", lambda: session.env.reset(seed=-1)
    for agent in {
        **dict.fromkeys([*good][:1]),
        **dict.fromkeys([*good][-1:]),
    }:  # the last one: half a step is done
        for check, bad in bad_actions(session.tape.spaces[agent]):
            yield stepping(
                check,
                f"the action {short(bad)} ({type(bad).__name__}) of {agent}",
                {**good, agent: bad},
            )
        others = {name: action for name, action in good.items() if name != agent}
        yield stepping("missing_action_accepted", f"no action of the live agent {agent}", others)
    yield stepping(
        "unknown_agent_accepted",
        f"an action of an unknown agent {STRANGER!r}",
        {**good, STRANGER: 0},
    )


def bad_actions(space: Any) -> Iterator[tuple[str, Any]]:
    """Actions outside a discrete space, or of a wrong type.

    Box actions are left alone: many games clip them.
    """
    if isinstance(space, spaces.Discrete):
        start, n = int(space.start), int(space.n)
        yield "out_of_range_action_accepted", start + n
        yield "out_of_range_action_accepted", start - 1
        yield "float_action_accepted", float(start)
        if start <= 1 < start + n:
            yield "bool_action_accepted", True
    elif isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        top = (
            space.nvec + space.start
            if isinstance(space, spaces.MultiDiscrete)
            else np.full(space.shape, 2)
        )
        yield "out_of_range_action_accepted", top.astype(space.dtype)
