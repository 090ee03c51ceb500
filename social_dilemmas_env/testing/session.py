"""Plays an environment under test: actions, games, and an undisturbed game to compare with, for
`testing.check_env`.

Most promises are checked by playing one game twice, the second time with something done to it
(copied, rendered, a bad action offered, another game alive beside it), and comparing the two
recordings. So the actions depend on the step number only, and the caller's global random state is
put in the same place before every game.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from social_dilemmas_env.testing.findings import (
    BROKEN,
    PARTS,
    PIN,
    Record,
    Violation,
    call,
    describe,
    difference,
    pin_rng,
    read,
    restore_rng,
    short,
    snapshot,
    truthy,
)

CALLS = 80  # length of the recordings that are compared with an undisturbed game: past the end of a 50-step episode


# Actions
# --------------------------------------------------------------------------------------------------


class ActionTape:
    """Joint actions by step number: every game played from one tape meets the same actions.

    They are drawn from copies of the action spaces, since `Space.sample` would change the
    environment's own.
    """

    def __init__(self, env: Any, seed: int):
        agents = read(env, "possible_agents")
        self.spaces = {
            agent: copy.deepcopy(call("action_space", env.action_space, agent)) for agent in agents
        }
        for agent, space in self.spaces.items():
            if not isinstance(space, spaces.Space):
                raise Violation(
                    "space_invalid",
                    f"action_space({agent!r}) is {short(space)}, not a gymnasium Space.",
                )
        for number, space in enumerate(self.spaces.values()):
            space.seed(int(np.random.default_rng([seed, number]).integers(2**31)))
        self.joint: list[dict[Any, Any]] = []

    def at(self, t: int, agents: Iterable[Any], here: Record | None = None) -> dict[Any, Any]:
        """Fresh actions of step `t`, legal where `here` carries an action mask."""
        while len(self.joint) <= t:
            self.joint.append({agent: space.sample() for agent, space in self.spaces.items()})
        try:
            return {agent: copy.deepcopy(self._legal(t, agent, here)) for agent in agents}
        except KeyError as error:
            message = f"env.agents holds {error.args[0]!r}, which is not in env.possible_agents {list(self.spaces)}."
            raise Violation("agents_not_possible", message) from error

    def _legal(self, t: int, agent: Any, here: Record | None) -> Any:
        action, space = self.joint[t][agent], self.spaces[agent]
        mask = action_mask(here, agent)
        if (
            not isinstance(space, spaces.Discrete)
            or mask.shape != (space.n,)
            or mask[action - space.start]
        ):
            return action
        legal = np.flatnonzero(mask)
        return space.start + legal[(t + int(action)) % len(legal)] if len(legal) else action


def action_mask(here: Record | None, agent: Any) -> np.ndarray:
    """The agent's action mask, by PettingZoo's two conventions; empty where there is none."""
    for part in ("observations", "infos"):
        value = here.parts[part].get(agent) if here else None
        if isinstance(value, Mapping) and "action_mask" in value:
            return np.asarray(value["action_mask"])
    return np.empty(0)


# Games
# --------------------------------------------------------------------------------------------------


class Session:
    """One environment being played: `advance` steps it, or resets it without a seed once an episode
    is over.
    """

    def __init__(self, env: Any, tape: ActionTape, max_steps: int):
        self.env, self.tape, self.max_steps = env, tape, max_steps
        self.t = 0  # steps over all episodes: the place on the tape
        self.last: Record | None = None
        self.raw: dict[str, Any] = {}  # the very objects that the last call returned

    def fork(self, env: Any) -> Session:
        """The same moment in a copy of the environment."""
        twin = Session(env, self.tape, self.max_steps)
        twin.t, twin.last = self.t, self.last
        return twin

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
            message = f"reset() returned {short(result)}; the parallel API wants the pair (observations, infos)."
            raise Violation("reset_result", message)
        episode = self.last.episode + 1 if self.last else 1
        return self._record(
            {"observations": result[0], "infos": result[1]}, episode, 0, live_agents(self.env)
        )

    def step(self) -> Record:
        """Plays the next joint action of the tape."""
        here, actions = self.here, self.actions()
        try:
            result = self.env.step(actions)
        except BROKEN as error:
            message = f"step({short(actions)}) after {here.where} raised {describe(error)} though the actions fit."
            raise Violation("step_raises", message) from error
        if not (isinstance(result, tuple) and len(result) == 5):
            message = f"step() returned {short(result)}; the parallel API wants the five dicts {', '.join(PARTS)}."
            raise Violation("step_result", message)
        self.t += 1
        return self._record(
            dict(zip(PARTS, result, strict=True)), here.episode, here.step + 1, here.agents
        )

    def _record(
        self, raw: dict[str, Any], episode: int, step: int, live: tuple[Any, ...]
    ) -> Record:
        parts = {
            part: snapshot(raw[part]) if isinstance(raw.get(part), dict) else {} for part in PARTS
        }
        agents = live_agents(self.env)
        done = [
            truthy(parts["terminations"].get(a)) or truthy(parts["truncations"].get(a))
            for a in live
        ]
        self.raw, self.last = (
            raw,
            Record(episode, step, live, agents, parts, not agents or all(done)),
        )
        return self.last

    def advance(self) -> Record:
        """The next reset or step."""
        last = self.last
        return (
            self.reset()
            if last is None or last.over or last.step >= self.max_steps
            else self.step()
        )

    def run(self, calls: int) -> list[Record]:
        """The next `calls` records."""
        return [self.advance() for _ in range(calls)]

    def episodes(self, count: int, seed: int) -> Iterator[Record]:
        """Whole episodes, the first with a seed; each cut after `max_steps`."""
        yield self.reset(seed=seed)
        while not (
            self.here.episode == count and (self.here.over or self.here.step >= self.max_steps)
        ):
            yield self.advance()


def live_agents(env: Any) -> tuple[Any, ...]:
    """`env.agents` as a tuple."""
    return tuple(read(env, "agents"))


class Kit:
    """The environment's maker, the tape, and an undisturbed game to compare with."""

    def __init__(self, env_fn: Callable[..., Any], episodes: int, max_steps: int, seed: int):
        self.env_fn, self.episodes, self.max_steps = env_fn, episodes, max_steps
        self.seed = seed + 1  # never 0: `if seed:` is a bug of its own, see check_seed_zero
        self.made: list[Any] = []

    def fresh(self, pin: int = PIN, render_mode: str | None = None) -> Any:
        """A new environment, made with the global generators at `pin`."""
        kwargs = {} if render_mode is None else {"render_mode": render_mode}
        pin_rng(pin)
        env = call("env_fn", self.env_fn, **kwargs)
        self.made.append(env)
        return env

    def close_all(self) -> None:
        """Closes what `fresh` made; close has a check of its own."""
        while self.made:
            with suppress(*BROKEN):
                self.made.pop().close()

    @cached_property
    def tape(self) -> ActionTape:
        """The actions of all games."""
        return ActionTape(self.fresh(), self.seed)

    def session(self, env: Any = None) -> Session:
        """A game that has not been reset yet, in `env` or in a fresh environment."""
        tape = (
            self.tape
        )  # made first, so that making it cannot disturb the global state of this game
        return Session(self.fresh() if env is None else env, tape, self.max_steps)

    def recording(self, seed: int, calls: int = CALLS, env: Any = None) -> list[Record]:
        """`calls` records of a game with this seed."""
        session = self.session(env)
        return [session.reset(seed=seed), *session.run(calls - 1)]

    @cached_property
    def control(self) -> tuple[list[Record], int]:
        """The undisturbed game, and for how many records playing it again gives the same."""
        first, second = self.recording(self.seed), self.recording(self.seed)
        agree = (difference(a, b) is None for a, b in zip(first, second, strict=True))
        return first, next((i for i, equal in enumerate(agree) if not equal), len(first))

    def departure(self, records: list[Record], start: int = 0) -> str | None:
        """How a game departs from the control.

        Silent from where the control itself is not reproducible.
        """
        control, reliable = self.control
        pairs = zip(control[start:reliable], records, strict=False)
        return next((text for a, b in pairs if (text := difference(a, b))), None)

    @cached_property
    def middle(self) -> int:
        """The index in the control of a moment in the middle of the first episode."""
        control, _ = self.control
        return next((i for i, record in enumerate(control) if record.over), len(control)) // 2

    def at_middle(self) -> Session:
        """A fresh game, played to the middle of its first episode."""
        middle, session = self.middle, self.session()
        session.reset(seed=self.seed)
        session.run(middle)
        return session

    def goes_on(self, session: Session, states: dict[str, Any]) -> str | None:
        """How a game played on from the middle departs from the control; a crash counts.

        Args:
            session: A game at the middle.
            states: The global random state at the middle.
        """
        restore_rng(states)
        try:
            return self.departure(session.run(CALLS - self.middle - 1), self.middle + 1)
        except Violation as violation:
            return violation.finding.message.rstrip(".")
