"""Checks on calls that must be refused, and must then have changed nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from social_dilemmas_env.testing.findings import Finding, Report, rejected, short
from social_dilemmas_env.testing.global_rng import rng_states
from social_dilemmas_env.testing.kit import Kit
from social_dilemmas_env.testing.session import Session

STRANGER = "no_such_agent_0"  # an agent of no environment


class BadCall(NamedTuple):
    """A call that must raise."""

    check: str  # id of the finding if it does not
    description: str  # in words
    function: Callable[[], Any]  # makes the call


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
    # Play to the end.
    session = kit.session()
    session.reset(seed=kit.seed)
    while not session.here.over and session.here.step < kit.max_steps:
        actions = session.actions()
        session.step()

    # The last actions once more.
    if session.here.over and session.here.step and not rejected(lambda: session.env.step(actions)):
        yield Finding(
            "step_after_end_accepted",
            f"step() after the end of the episode ({session.here.where}) did not raise; "
            "ask for a reset().",
        )


def check_bad_calls(kit: Kit) -> Report:
    """Each bad call raises, and the game goes on as if it had not been made."""
    for number in range(len(list(bad_calls(kit.at_middle())))):
        session = kit.at_middle()
        states = rng_states()
        check, description, bad_call = list(bad_calls(session))[number]

        if not rejected(bad_call):
            yield Finding(
                check,
                f"{description} after {session.here.where} did not raise; "
                "raise ValueError and change nothing.",
            )
        elif divergence := kit.divergence_after(session, states):
            yield Finding(
                "rejected_action_changes_state",
                f"{description} was refused but has changed the game: {divergence}. "
                "Look at all input before changing anything.",
            )


def bad_calls(session: Session) -> Iterator[BadCall]:
    """The bad calls at this moment."""
    step, good = session.env.step, session.actions()

    def bad_step(check: str, description: str, actions: dict[Any, Any]) -> BadCall:
        return BadCall(check, f"step() with {description}", lambda: step(actions))

    yield BadCall("negative_seed_accepted", "reset(seed=-1)", lambda: session.env.reset(seed=-1))

    # The first agent, and the last one, at whom half a step is done already.
    for agent in dict.fromkeys([*[*good][:1], *[*good][-1:]]):
        for check, bad in bad_actions(session.tape.spaces[agent]):
            description = f"the action {short(bad)} ({type(bad).__name__}) of {agent}"
            yield bad_step(check, description, {**good, agent: bad})
        others = {name: action for name, action in good.items() if name != agent}
        yield bad_step("missing_action_accepted", f"no action of the live agent {agent}", others)

    yield bad_step(
        "unknown_agent_accepted",
        f"an action of an unknown agent {STRANGER!r}",
        {**good, STRANGER: 0},
    )


def bad_actions(space: Any) -> Iterator[tuple[str, Any]]:
    """Actions outside a discrete space, or of a wrong type, each with the id of its check.

    Never one that the space contains: Python's True, for example, lies in `Discrete(2)`, and an
    environment may accept what it has announced.  Box actions are left alone: many games clip them.
    """
    for check, action in _suspects(space):
        if not space.contains(action):
            yield check, action


def _suspects(space: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(space, spaces.Discrete):
        start, n = int(space.start), int(space.n)
        yield "out_of_range_action_accepted", start + n
        yield "out_of_range_action_accepted", start - 1
        yield "float_action_accepted", float(start)
        if start <= 1 < start + n:
            yield "bool_action_accepted", True
            yield "bool_action_accepted", np.True_

    elif isinstance(space, spaces.MultiDiscrete):
        top = space.nvec + space.start
        yield "out_of_range_action_accepted", top.astype(space.dtype)

    elif isinstance(space, spaces.MultiBinary):
        top = np.full(space.shape, 2)
        yield "out_of_range_action_accepted", top.astype(space.dtype)
