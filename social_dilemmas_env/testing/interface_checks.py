"""Checks on what the environment says about itself, and on calls that must work."""

from __future__ import annotations

import re

from gymnasium import spaces
from pettingzoo import ParallelEnv

from social_dilemmas_env.testing.findings import Finding, Report, call, rejected, short
from social_dilemmas_env.testing.kit import Kit

AGENT_ID = re.compile(r"[a-z][a-z0-9_]*_[0-9]+")  # for example player_0


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
        yield Finding(
            "metadata_incomplete",
            f'metadata["name"] is {name!r}; expected a name such as "my_game_v0".',
        )
    if not (isinstance(modes, (list, tuple)) and all(isinstance(mode, str) for mode in modes)):
        yield Finding(
            "metadata_incomplete",
            f'metadata["render_modes"] is {modes!r}; '
            "expected a list of names, [] if there are none.",
        )


def check_agent_ids(kit: Kit) -> Report:
    """Agents are called player_0: libraries group agents by the part before the number."""
    agents = list(kit.tape.spaces)
    if not agents:
        yield Finding("no_possible_agents", "possible_agents is empty.")

    for agent in agents:
        if not (isinstance(agent, str) and AGENT_ID.fullmatch(agent)):
            yield Finding(
                "agent_ids",
                f"The agent id {agent!r} is not of the form <lowercase>_<int>, such as player_0; "
                "TorchRL, AgileRL and BenchMARL group agents by it.",
            )


def check_spaces(kit: Kit) -> Report:
    """Each space is a gymnasium Space, and one object for ever."""
    # Ask once.
    env, names = kit.fresh(), ("observation_space", "action_space")
    agents = list(kit.tape.spaces)
    first = {
        (name, agent): call(name, getattr(env, name), agent) for name in names for agent in agents
    }

    # Ask again after a reset.
    call("reset", env.reset, seed=kit.seed)
    for (name, agent), space in first.items():
        if not isinstance(space, spaces.Space):
            yield Finding(
                "space_invalid", f"{name}({agent!r}) is {short(space)}, not a gymnasium Space."
            )
        elif call(name, getattr(env, name), agent) is not space:
            yield Finding(
                "spaces_not_same_object",
                f"{name}({agent!r}) returns a new object on each call; "
                "make it once, or seeding the space is lost.",
            )


def check_reset_options(kit: Kit) -> Report:
    """Unknown reset options are ignored: tests and trainers pass their own."""
    env = kit.fresh()
    call("reset", env.reset, seed=kit.seed)
    if rejected(lambda: env.reset(seed=kit.seed, options={"no_such_option": 1})):
        yield Finding(
            "unknown_option_rejected",
            'reset(options={"no_such_option": 1}) raised; '
            "ignore unknown options: PettingZoo's own tests pass one.",
        )


def check_close(kit: Kit) -> Report:
    """`close` may be called twice."""
    session = kit.session()
    session.reset(seed=kit.seed)
    call("close", session.env.close)
    if rejected(session.env.close):
        yield Finding("close_not_idempotent", "A second close() raised; it must do nothing.")
