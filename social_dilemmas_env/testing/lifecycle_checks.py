"""Checks on agents that end, and on episodes that end."""

from __future__ import annotations

from typing import Any

import numpy as np

from social_dilemmas_env.testing.findings import Finding, Report
from social_dilemmas_env.testing.kit import Kit
from social_dilemmas_env.testing.records import Record, truthy
from social_dilemmas_env.testing.session import Session

# Attributes that name a time limit.
LIMITS = ("max_cycles", "max_steps", "max_episode_steps", "horizon")
LIKELY_A_LIMIT = 8  # this many episodes in a row that end at one step are no coincidence


class Lifecycle:
    """Agents leave `env.agents` when they end, only then, and for the rest of the episode.

    Attributes:
        ended: Agents that have ended in this episode.
    """

    def __init__(self) -> None:
        self.ended: set[Any] = set()

    def see(self, session: Session, record: Record) -> Report:
        """Findings in one record."""
        if record.step == 0:
            self.ended = set()
            yield from self.at_reset(session, record)
        else:
            yield from self.at_step(record)

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

    def at_step(self, record: Record) -> Report:
        """Agents go when, and only when, they terminate or are truncated."""
        now, live = set(record.agents), set(record.live)
        flags = [record.parts["terminations"], record.parts["truncations"]]
        done = {agent for agent in live if any(truthy(flag.get(agent)) for flag in flags)}

        # Who came back?
        if revived := (now - live) & self.ended:
            yield Finding(
                "agents_revived", f"{ids(revived)} ended earlier but live again at {record.where}."
            )

        # Who stayed?
        if done == live and now:
            yield Finding(
                "agents_not_emptied",
                f"All agents ended at {record.where}, but env.agents is still "
                f"{list(record.agents)}; it must be [].",
            )
        elif done & now:
            yield Finding(
                "done_agent_listed",
                f"{ids(done & now)} ended at {record.where} but stay in env.agents; remove them.",
            )

        # Who went without a reason?
        if vanished := live - now - done:
            yield Finding(
                "agent_vanished",
                f"{ids(vanished)} left env.agents at {record.where} "
                "without a termination or truncation.",
            )
        self.ended |= done | (live - now)


def ids(agents: set[Any]) -> list[str]:
    """Agents in a fixed order, for a message."""
    return sorted(map(str, agents))


def check_time_limit(kit: Kit) -> Report:
    """A time limit is a truncation.

    A termination would tell learners that the future is worth nothing.
    """
    session, lengths = kit.session(), []
    limit = time_limit(session.env)

    # The lengths of some episodes that terminated.
    for record in session.episodes(LIKELY_A_LIMIT, kit.seed):
        if record.step and (record.over or record.step >= kit.max_steps):
            if not all_terminated(record):
                return  # truncations are known here, or this is no end
            lengths.append(record.step)
        if session.t >= kit.episodes * kit.max_steps:
            break

    # A limit that the environment names, or that all of them show.
    longest = max(lengths, default=0)
    named = longest == limit and lengths.count(longest) >= 2
    alike = len(lengths) == LIKELY_A_LIMIT and set(lengths) == {longest} and longest > 1
    if named or alike:
        why = (
            f" and the environment names {limit} as its limit"
            if named
            else ", whatever the actions"
        )
        yield Finding(
            "time_limit_terminates",
            f"{lengths.count(longest)} of {len(lengths)} episodes ended after exactly {longest} "
            f"steps with terminations{why}; a time limit must set truncations, so that learners "
            "still bootstrap the value of the last state.",
        )


def all_terminated(record: Record) -> bool:
    """Whether all agents were terminated and none truncated."""
    terminations, truncations = record.parts["terminations"], record.parts["truncations"]
    terminated = {truthy(terminations.get(agent)) for agent in record.live}
    truncated = {truthy(truncations.get(agent)) for agent in record.live}
    return terminated == {True} and truncated == {False}


def time_limit(env: Any) -> int | None:
    """The limit that the environment names, if it does."""
    holders = (env, getattr(env, "unwrapped", env))
    values = (getattr(holder, name, None) for holder in holders for name in LIMITS)
    limits = (int(v) for v in values if isinstance(v, (int, np.integer)) and v > 0)
    return next(limits, None)
