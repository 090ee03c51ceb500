"""Plays one environment under test, and records what it returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from social_dilemmas_env.testing.action_tape import ActionTape
from social_dilemmas_env.testing.findings import BROKEN, Violation, call, describe, read, short
from social_dilemmas_env.testing.records import PARTS, Record, snapshot, truthy


class Session:
    """One environment being played.

    `advance` steps it, or resets it without a seed once an episode is over.

    Attributes:
        env: The environment.
        tape: Its actions.
        max_steps: An episode that is longer is cut here.
        t: Steps over all episodes: the place on the tape.
        last: The record of the last call; None before the first.
        raw: The very objects that the last call returned.
    """

    def __init__(self, env: Any, tape: ActionTape, max_steps: int):
        self.env, self.tape, self.max_steps = env, tape, max_steps
        self.t = 0
        self.last: Record | None = None
        self.raw: dict[str, Any] = {}

    def fork(self, env: Any) -> Session:
        """The same moment in a copy of the environment."""
        session = Session(env, self.tape, self.max_steps)
        session.t, session.last = self.t, self.last
        return session

    @property
    def here(self) -> Record:
        """The record of the last call."""
        if self.last is None:
            raise Violation("reset_missing", "No game has been started.")
        return self.last

    def actions(self) -> dict[Any, Any]:
        """The joint action that is next."""
        return self.tape.at(self.t, self.last.agents if self.last else self.tape.spaces, self.last)

    def reset(self, **kwargs: Any) -> Record:
        """Starts an episode."""
        result = call("reset", self.env.reset, **kwargs)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise Violation(
                "reset_result",
                f"reset() returned {short(result)}; "
                "the parallel API wants the pair (observations, infos).",
            )

        raw = {"observations": result[0], "infos": result[1]}
        episode = self.last.episode + 1 if self.last else 1
        return self._record(raw, episode, 0, live_agents(self.env))

    def step(self) -> Record:
        """Plays the next joint action of the tape."""
        # The actions fit: whatever is raised is the environment's fault.
        here, actions = self.here, self.actions()
        try:
            result = self.env.step(actions)
        except BROKEN as error:
            message = (
                f"step({short(actions)}) after {here.where} raised {describe(error)} "
                "though the actions fit."
            )
            raise Violation("step_raises", message) from error
        if not (isinstance(result, tuple) and len(result) == 5):
            raise Violation(
                "step_result",
                f"step() returned {short(result)}; "
                f"the parallel API wants the five dicts {', '.join(PARTS)}.",
            )

        self.t += 1
        raw = dict(zip(PARTS, result, strict=True))
        return self._record(raw, here.episode, here.step + 1, here.agents)

    def _record(
        self, raw: dict[str, Any], episode: int, step: int, live: tuple[Any, ...]
    ) -> Record:
        """Copies what a call returned."""
        # A part that is no dict counts as empty here; `Values` reports it.
        parts = {
            part: snapshot(raw[part]) if isinstance(raw.get(part), dict) else {} for part in PARTS
        }

        # An episode is over when nobody is left, or all who were alive have ended.
        agents = live_agents(self.env)
        ended = [
            truthy(parts["terminations"].get(agent)) or truthy(parts["truncations"].get(agent))
            for agent in live
        ]
        over = not agents or all(ended)

        self.raw, self.last = raw, Record(episode, step, live, agents, parts, over)
        return self.last

    def advance(self) -> Record:
        """The next reset or step."""
        last = self.last
        if last is None or last.over or last.step >= self.max_steps:
            return self.reset()
        return self.step()

    def run(self, calls: int) -> list[Record]:
        """The next `calls` records."""
        return [self.advance() for _ in range(calls)]

    def episodes(self, count: int, seed: int) -> Iterator[Record]:
        """Whole episodes, the first with a seed; each cut after `max_steps`."""
        yield self.reset(seed=seed)
        while self.here.episode < count or not (self.here.over or self.here.step >= self.max_steps):
            yield self.advance()


def live_agents(env: Any) -> tuple[Any, ...]:
    """`env.agents` as a tuple."""
    return tuple(read(env, "agents"))
