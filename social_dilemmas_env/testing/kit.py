"""The environments under test, and an undisturbed game to compare with.

Most promises are checked by playing one game twice, the second time with something done to it
(copied, rendered, a bad action offered, another game alive beside it), and comparing the two
recordings. So the actions depend on the step number only, and the caller's global random state is
put in the same place before every game.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

from social_dilemmas_env.testing.action_tape import ActionTape
from social_dilemmas_env.testing.findings import BROKEN, Violation, call
from social_dilemmas_env.testing.global_rng import GLOBAL_SEED, restore_rng, seed_global_rng
from social_dilemmas_env.testing.records import Record, difference
from social_dilemmas_env.testing.session import Session

CALLS = 80  # length of the recordings that are compared: past the end of a 50-step episode


class Kit:
    """The environment's maker, the tape, and an undisturbed game to compare with.

    Attributes:
        env_fn: Makes a fresh environment.
        episodes: Whole episodes in which every returned value is looked at.
        max_steps: An episode that is longer is cut here.
        seed: Seed of the games and of the random actions, at least 1.
    """

    def __init__(self, env_fn: Callable[..., Any], episodes: int, max_steps: int, seed: int):
        self.env_fn, self.episodes, self.max_steps = env_fn, episodes, max_steps
        self.seed = seed + 1  # never 0: `if seed:` is a bug of its own, see check_seed_zero
        self._open: list[Any] = []  # environments to be closed

    # Games
    # ----------------------------------------------------------------------------------------------

    def fresh(self, global_seed: int = GLOBAL_SEED, render_mode: str | None = None) -> Any:
        """A new environment, made with the global generators in a known place."""
        kwargs = {} if render_mode is None else {"render_mode": render_mode}
        seed_global_rng(global_seed)
        env = call("env_fn", self.env_fn, **kwargs)
        self._open.append(env)
        return env

    def close_all(self) -> None:
        """Closes what `fresh` made; close has a check of its own."""
        while self._open:
            with suppress(*BROKEN):
                self._open.pop().close()

    @cached_property
    def tape(self) -> ActionTape:
        """The actions of all games."""
        return ActionTape(self.fresh(), self.seed)

    def session(self, env: Any = None) -> Session:
        """A game that has not been reset yet, in `env` or in a fresh environment."""
        tape = self.tape  # first, so that making it cannot disturb this game's global state
        return Session(self.fresh() if env is None else env, tape, self.max_steps)

    def recording(self, seed: int, calls: int = CALLS, env: Any = None) -> list[Record]:
        """`calls` records of a game with this seed."""
        session = self.session(env)
        return [session.reset(seed=seed), *session.run(calls - 1)]

    # The undisturbed game
    # ----------------------------------------------------------------------------------------------

    @cached_property
    def control(self) -> tuple[list[Record], int]:
        """The undisturbed game, and for how many records playing it again gives the same."""
        first, second = self.recording(self.seed), self.recording(self.seed)
        agree = (difference(a, b) is None for a, b in zip(first, second, strict=True))
        return first, next((i for i, equal in enumerate(agree) if not equal), len(first))

    def divergence(self, records: list[Record], start: int = 0) -> str | None:
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

    def divergence_after(self, session: Session, states: dict[str, Any]) -> str | None:
        """How a game played on from the middle departs from the control; a crash counts.

        Args:
            session: A game at the middle.
            states: The global random state at the middle.
        """
        restore_rng(states)
        try:
            return self.divergence(session.run(CALLS - self.middle - 1), self.middle + 1)
        except Violation as violation:
            return violation.finding.message.rstrip(".")
