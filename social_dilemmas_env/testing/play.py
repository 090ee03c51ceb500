"""Plays an environment under test: actions, recordings and comparisons for `testing.check_env`.

Most promises are checked by playing one game twice, the second time with something done to it (copied, rendered, a
bad action offered, another game alive beside it), and comparing the two recordings. So the actions depend on the
step number only, and the caller's global random state is put in the same place before every game.
"""

from __future__ import annotations

import copy
import hashlib
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

GAME = ("observations", "rewards", "terminations", "truncations")
PARTS = (*GAME, "infos")
BROKEN = (Exception, SystemExit)  # a pygame environment may well call sys.exit()
CALLS = 80  # length of the recordings that are compared with an undisturbed game: past the end of a 50-step episode
LARGE = 16_384  # bytes; larger observations are recorded as digests, 3,000 images would not fit in memory
PIN = 987_654_321  # where the global generators stand before each game

Report = Iterator[tuple[str, str]]  # (check id, sentence)


class Violation(Exception):
    """A broken promise after which this game cannot go on."""

    def __init__(self, check: str, message: str):
        super().__init__(message)
        self.check, self.message = check, message


def guarded(name: str, report: Iterable[tuple[str, str]]) -> Report:
    """The findings of one check; whatever it raises becomes its last finding."""
    try:
        yield from report
    except Violation as violation:
        yield violation.check, violation.message
    except BROKEN as error:
        yield "check_unfinished", f"{name} could not be finished: the environment led to {describe(error)}."


def call(name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """The result of a valid call, or a Violation that names the exception."""
    try:
        return function(*args, **kwargs)
    except BROKEN as error:
        raise Violation(f"{name}_raises", f"{name}() raised {describe(error)} on a valid call.") from error


def rejected(function: Callable[[], Any]) -> bool:
    """Whether a bad call raises, as it should."""
    try:
        function()
    except BROKEN:
        return True
    return False


def describe(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}({short(str(error))!r})"


def short(value: Any, width: int = 160) -> str:
    """A value in one line of bounded length."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    return text if len(text) <= width else text[: width - 3] + "..."


# Global random state -------------------------------------------------------------------------------------------------


def rng_states() -> dict[str, Any]:
    """The global generators' states; torch's only where the caller has imported torch already."""
    states = {"random": random.getstate(), "numpy.random": np.random.get_state(legacy=False)}
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state()
    return states


def restore_rng(states: dict[str, Any]) -> None:
    """Puts the global generators back."""
    random.setstate(states["random"])
    np.random.set_state(states["numpy.random"])
    if "torch" in states:
        sys.modules["torch"].set_rng_state(states["torch"])


def pin_rng(value: int = PIN) -> None:
    """Puts the global generators in a known place."""
    random.seed(value)
    np.random.seed(value % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "default_generator"):
        torch.default_generator.manual_seed(value)  # torch.manual_seed would reseed the GPUs as well


@contextmanager
def kept_rng() -> Iterator[None]:
    """The global random state after the block is the one before it."""
    states = rng_states()
    try:
        yield
    finally:
        restore_rng(states)


# Recordings ----------------------------------------------------------------------------------------------------------


class Record(NamedTuple):
    """What one `reset` or `step` returned, copied."""

    episode: int  # from 1
    step: int  # from 1; 0 is the reset
    live: tuple[Any, ...]  # agents who should have an entry: those alive before a step, or after a reset
    agents: tuple[Any, ...]  # env.agents after the call
    parts: dict[str, dict[Any, Any]]
    over: bool

    @property
    def where(self) -> str:
        """The place in words."""
        return f"step {self.step} of episode {self.episode}" if self.step else f"the reset of episode {self.episode}"


def snapshot(value: Any) -> Any:
    """A copy that later steps cannot change; a large array becomes its digest."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        if value.nbytes <= LARGE:
            return value.copy()
        return value.shape, value.dtype.str, hashlib.blake2b(np.ascontiguousarray(value).data).hexdigest()
    if isinstance(value, dict):
        return {key: snapshot(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str, np.generic)):
        return value
    try:
        return copy.deepcopy(value)
    except BROKEN:
        return type(value)


def same(a: Any, b: Any) -> bool:
    """Equality of nested results, in which NaN equals NaN and objects without `__eq__` are equal by type."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__array__") and hasattr(b, "__array__"):
        x, y = np.asarray(a), np.asarray(b)
        nan = x.dtype.kind in "fc"
        return x.shape == y.shape and x.dtype == y.dtype and np.array_equal(x, y, equal_nan=nan)
    if type(a).__eq__ is object.__eq__:
        return type(a) is type(b)
    return bool(a == b) or bool(a != a and b != b)


def difference(a: Record, b: Record, parts: tuple[str, ...] = GAME) -> str | None:
    """Where two records of the same moment differ, or None."""
    for part in parts:
        x, y = a.parts[part], b.parts[part]
        if not same(x, y):
            agent = next((k for k in x if k not in y or not same(x[k], y[k])), next(iter(y), None))
            values = f"{short(x.get(agent), 60)} against {short(y.get(agent), 60)}"
            return f"the {part} of {agent} differ at {a.where} ({values})"
    return None if a.agents == b.agents else f"env.agents differ at {a.where} ({a.agents} against {b.agents})"


def arrays(value: Any) -> Iterator[np.ndarray]:
    """All arrays inside a nested observation."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from arrays(item)


def truthy(value: Any) -> bool:
    """The truth of a flag that may be no bool at all."""
    try:
        return bool(value)
    except BROKEN:
        return False


# Actions -------------------------------------------------------------------------------------------------------------


class ActionTape:
    """Joint actions by step number: every game played from one tape meets the same actions.

    They are drawn from copies of the action spaces, since `Space.sample` would change the environment's own.
    """

    def __init__(self, env: Any, seed: int):
        agents = call("possible_agents", lambda: list(env.possible_agents))
        self.spaces = {agent: copy.deepcopy(call("action_space", env.action_space, agent)) for agent in agents}
        for agent, space in self.spaces.items():
            if not isinstance(space, spaces.Space):
                raise Violation("space_invalid", f"action_space({agent!r}) is {short(space)}, not a gymnasium Space.")
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
        if not isinstance(space, spaces.Discrete) or mask.shape != (space.n,) or mask[action - space.start]:
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


# Games ---------------------------------------------------------------------------------------------------------------


class Session:
    """One environment being played: `advance` steps it, or resets it without a seed once an episode is over."""

    def __init__(self, env: Any, tape: ActionTape, max_steps: int):
        self.env, self.tape, self.max_steps = env, tape, max_steps
        self.t = 0  # steps over all episodes: the place on the tape
        self.here: Record | None = None
        self.raw: dict[str, Any] = {}  # the very objects that the last call returned

    def fork(self, env: Any) -> Session:
        """The same moment in a copy of the environment."""
        twin = Session(env, self.tape, self.max_steps)
        twin.t, twin.here = self.t, self.here
        return twin

    def actions(self) -> dict[Any, Any]:
        """The joint action that is next."""
        return self.tape.at(self.t, self.here.agents if self.here else self.tape.spaces, self.here)

    def reset(self, **kwargs: Any) -> Record:
        """Starts an episode."""
        result = call("reset", self.env.reset, **kwargs)
        if not (isinstance(result, tuple) and len(result) == 2):
            message = f"reset() returned {short(result)}; the parallel API wants the pair (observations, infos)."
            raise Violation("reset_result", message)
        agents = live_agents(self.env)
        episode = self.here.episode + 1 if self.here else 1
        return self._record({"observations": result[0], "infos": result[1]}, episode, 0, agents)

    def step(self) -> Record:
        """Plays the next joint action of the tape."""
        here, actions = self.here or self.reset(), self.actions()
        result = call("step", self.env.step, actions)
        if not (isinstance(result, tuple) and len(result) == 5):
            message = f"step() returned {short(result)}; the parallel API wants the five dicts {', '.join(PARTS)}."
            raise Violation("step_result", message)
        self.t += 1
        return self._record(dict(zip(PARTS, result, strict=True)), here.episode, here.step + 1, here.agents)

    def _record(self, raw: dict[str, Any], episode: int, step: int, live: tuple[Any, ...]) -> Record:
        parts = {part: snapshot(raw[part]) if isinstance(raw.get(part), dict) else {} for part in PARTS}
        agents = live_agents(self.env)
        done = [truthy(parts["terminations"].get(a)) or truthy(parts["truncations"].get(a)) for a in live]
        self.raw, self.here = raw, Record(episode, step, live, agents, parts, not agents or all(done))
        return self.here

    def advance(self) -> Record:
        """The next reset or step."""
        here = self.here
        return self.reset() if here is None or here.over or here.step >= self.max_steps else self.step()

    def run(self, calls: int) -> list[Record]:
        """The next `calls` records."""
        return [self.advance() for _ in range(calls)]

    def episodes(self, count: int, seed: int) -> Iterator[Record]:
        """Whole episodes, the first with a seed; each cut after `max_steps`."""
        yield self.reset(seed=seed)
        while not (self.here.episode == count and (self.here.over or self.here.step >= self.max_steps)):
            yield self.advance()


def live_agents(env: Any) -> tuple[Any, ...]:
    """`env.agents` as a tuple."""
    return tuple(call("agents", lambda: env.agents))


class Kit:
    """The environment's maker, the tape, and an undisturbed game to compare with."""

    def __init__(self, env_fn: Callable[..., Any], episodes: int, max_steps: int, seed: int):
        self.env_fn, self.episodes, self.max_steps = env_fn, episodes, max_steps
        self.seed = seed + 1  # never 0: `if seed:` is a bug of its own, see check_seed_zero
        self.made: list[Any] = []

    def fresh(self, pin: int = PIN, **kwargs: Any) -> Any:
        """A new environment, made with the global generators at `pin`."""
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
        tape = self.tape  # made first, so that making it cannot disturb the global state of this game
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
        """How a game departs from the control; silent from where the control itself is not reproducible."""
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
            return violation.message.rstrip(".")
