"""State machines that call environments, batches, strategies and exact games with anything.

Whatever is called, with whatever, in whatever order: it works, or it raises what it documents and
changes nothing.
"""

import copy
from typing import Any, ClassVar

import numpy as np
from gymnasium.error import ResetNeeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import social_dilemmas_env as sde
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv
from tests.helpers.games import GAMES

DOCUMENTED = (ValueError, TypeError, ResetNeeded)
# The first of the list is of every game; all of them once more with all switches.
FIRST = dict(reversed(GAMES.values()))
SWITCHES = {"observe_time": True, "continuation": 0.8, "action_noise": 0.2}
B = 3

NUMBERS = (
    st.integers(-3, 5) | st.integers() | st.floats() | st.sampled_from([2**31, 2**63, -(2**63)])
)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text(max_size=4) | st.binary(max_size=3)
ARRAYS = st.builds(
    lambda shape, dtype, fill: np.full(shape, fill, dtype),
    st.sampled_from([(), (0,), (2,), (B,), (B, 2), (B, 7), (2, B), (1, 1, 1)]),
    st.sampled_from(["int64", "int8", "uint64", "float32", "bool", "object", "U3", "complex64"]),
    st.integers(0, 5),
)
JUNK = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(
            st.sampled_from(["player_0", "player_1", "reset_mask", "rest_mask", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
SEEDS = st.integers(0, 2**63 - 1)


class Calls(RuleBasedStateMachine):
    """Calls of any object with a state.

    Attributes:
        subject: what is called.
    """

    subject: Any

    def state(self) -> str:
        """What must not change, as text."""
        raise NotImplementedError

    def attempt(self, call: Any, *args: Any, **kwargs: Any) -> bool:
        """Whether a call worked; if not, the error is documented and nothing has changed."""
        before = self.state()
        try:
            call(*args, **kwargs)
        except (*DOCUMENTED, AssertionError) as error:
            if isinstance(error, AssertionError):  # PettingZoo's wrapper, of calls before a reset
                assert "reset() needs to be called" in str(error), error
            assert str(error), "an error without a sentence"
            assert self.state() == before, f"changed by a refused call: {error}"
            return False
        return True


class GameCalls(Calls):
    """Calls of one game or of many, by `views`; `moves` are theirs."""

    views: ClassVar[dict[str, Any]] = {}

    @initialize(env_id=st.sampled_from(sde.list_envs()), switched=st.booleans(), data=st.data())
    def begin(self, env_id: str, switched: bool, data: Any) -> None:
        """Any registered game, in any view, with and without switches."""
        view = data.draw(st.sampled_from(sorted(self.views)), "view")
        arguments = {**FIRST[env_id], "max_cycles": 4, **(SWITCHES if switched else {})}
        try:
            self.subject = self.views[view](env_id, **arguments)
        except ValueError:  # a game that refuses a switch, in a sentence
            self.subject = self.views[view](env_id, **FIRST[env_id])
        self.kept: Any = None

    def state(self) -> str:
        """With the opponents' clocks, where there are some."""
        try:
            state = self.subject.get_state()
        except ResetNeeded:
            return "not reset"
        if hasattr(state, "opponents"):
            return repr([state.game, [vars(p).get("_t") for p in state.opponents], state.first])
        return repr(state)

    @rule(seed=st.none() | SEEDS)
    def reset(self, seed: int | None) -> None:
        """As documented."""
        self.subject.reset(seed=seed)

    @rule(seed=JUNK, options=st.none() | JUNK)
    def reset_with_anything(self, seed: Any, options: Any) -> None:
        """Seeds and options."""
        self.attempt(self.subject.reset, seed=seed, options=options)

    @rule(data=st.data())
    def step(self, data: Any) -> None:
        """As documented; before the first reset and after the end it is refused."""
        self.attempt(self.subject.step, self.moves(lambda n: data.draw(st.integers(0, n - 1))))

    @rule(junk=JUNK)
    def step_with_anything(self, junk: Any) -> None:
        """Instead of all actions."""
        self.attempt(self.subject.step, junk)

    @rule(junk=JUNK, place=st.integers(0, 20))
    def step_with_one_wrong(self, junk: Any, place: int) -> None:
        """Instead of one."""
        moves, count = self.moves(lambda _: 0), iter(range(100))
        if isinstance(moves, dict):
            moves = {key: junk if next(count) == place % len(moves) else 0 for key in moves}
        elif isinstance(moves, np.ndarray):
            moves = moves.astype(object)
            moves.flat[place % moves.size] = place
        self.attempt(self.subject.step, moves)

    @rule()
    def keep(self) -> None:
        """A state that may be set later."""
        try:
            self.kept = self.subject.get_state()
        except ResetNeeded:
            self.kept = None

    @rule()
    def set_kept(self) -> None:
        """As documented."""
        if self.kept is not None:
            self.subject.set_state(copy.deepcopy(self.kept))

    @rule(junk=JUNK)
    def set_anything(self, junk: Any) -> None:
        """Instead of a state."""
        self.attempt(self.subject.set_state, junk)

    @rule(junk=JUNK, place=st.integers(0, 9), inside=st.booleans(), where=st.integers(0, 50))
    def set_nearly(self, junk: Any, place: int, inside: bool, where: int) -> None:
        """A state with one field, or one number in it, exchanged."""
        if self.kept is None:
            return
        fields = list(self.kept)
        place %= len(fields)
        if inside and isinstance(fields[place], list | tuple) and fields[place]:
            changed = list(fields[place])
            changed[where % len(changed)] = junk
            fields[place] = changed
        else:
            fields[place] = junk
        self.attempt(self.subject.set_state, type(self.kept)(*fields))

    def moves(self, choose: Any) -> Any:
        """Actions of the right form; `choose(n)` gives one of n."""
        raise NotImplementedError


class OneGame(GameCalls):
    """Simultaneous, turn by turn, and seen by one learner."""

    views: ClassVar[dict[str, Any]] = {
        "parallel": sde.make_env,
        "aec": lambda env_id, **kwargs: sde.make_env(env_id, api="aec", **kwargs),
        "single": SingleEnv,
    }

    def moves(self, choose: Any) -> Any:
        env = self.subject
        if isinstance(env, SingleEnv):
            return choose(int(env.action_space.n))
        if not hasattr(env, "agent_selection") and not hasattr(env, "agent_iter"):
            return {agent: choose(int(env.action_space(agent).n)) for agent in env.possible_agents}
        return choose(min(int(env.action_space(agent).n) for agent in env.possible_agents))


class ManyGames(GameCalls):
    """Batches, by each backend and each answer to an end."""

    views: ClassVar[dict[str, Any]] = {
        "numpy": lambda env_id, **kwargs: sde.make_vec_env(env_id, B, **kwargs),
        "rules": lambda env_id, **kwargs: sde.make_vec_env(env_id, B, tables=False, **kwargs),
        "torch": lambda env_id, **kwargs: sde.make_vec_env(
            env_id, B, "torch", validate=True, autoreset="next_step", **kwargs
        ),
        "disabled": lambda env_id, **kwargs: sde.make_vec_env(
            env_id, B, autoreset="disabled", **kwargs
        ),
        "gymnasium": lambda env_id, **kwargs: SingleVectorEnv(B, env_id=env_id, **kwargs),
    }

    def moves(self, choose: Any) -> Any:
        env = self.subject
        if isinstance(env, SingleVectorEnv):
            return np.array([choose(int(env.single_action_space.n)) for _ in range(B)])
        counts = env.game.num_actions
        return np.array([[choose(n) for n in counts] for _ in range(B)])


STRATEGIES = sorted(
    (env_id, name)
    for env_id in sde.list_envs()
    for name in sde.list_strategies(env_id, **FIRST[env_id])
    if name not in ("constant", "memory_one")
)


class StrategyCalls(Calls):
    """Every scripted player of every game."""

    @initialize(which=st.sampled_from(STRATEGIES), seed=SEEDS)
    def begin(self, which: tuple[str, str], seed: int) -> None:
        """Of a batch that it plays in."""
        env_id, name = which
        self.subject = sde.make_strategy(name, env_id, seed=seed, **FIRST[env_id])
        venv = sde.make_vec_env(env_id, B, **FIRST[env_id])
        self.seen = np.array(venv.reset(seed=seed % 1000)[0][:, 0])

    def state(self) -> str:
        return repr({name: value for name, value in vars(self.subject).items() if name != "game"})

    @rule(games=st.just(B), seed=st.none() | SEEDS)
    def reset(self, games: int, seed: int | None) -> None:
        """As documented."""
        self.subject.reset(games, seed)

    @rule(games=JUNK.filter(lambda x: not isinstance(x, int) or x < 9), seed=JUNK)
    def reset_with_anything(self, games: Any, seed: Any) -> None:
        """Numbers of games and seeds."""
        self.attempt(self.subject.reset, games, seed)

    @rule(first=st.none() | st.just(np.array([True, False, True])))
    def act(self, first: Any) -> None:
        """As documented; refused where it was reset for another number of games."""
        self.attempt(self.subject.act, self.seen, first)

    @rule(seen=JUNK, first=JUNK)
    def act_on_anything(self, seen: Any, first: Any) -> None:
        """Observations and firsts."""
        self.attempt(self.subject.act, seen)
        self.attempt(self.subject.act, self.seen, first)


EXACT = sde.exact_game("ipd_v0")
TABLE = np.full((EXACT.num_states, 2), 0.5)


class ExactCalls(Calls):
    """An exact game, whose tables nothing may change."""

    @initialize()
    def begin(self) -> None:
        """One game for all: it has no state."""
        self.subject = EXACT

    def state(self) -> str:
        return repr([EXACT.score([TABLE, TABLE]).tolist(), TABLE.sum()])

    @rule(name=st.sampled_from(["score", "values", "occupancy", "exploitability", "nash_gap"]))
    def ask(self, name: str) -> None:
        """As documented."""
        getattr(EXACT, name)([TABLE, TABLE])

    @rule(
        name=st.sampled_from(["score", "values", "occupancy", "exploitability", "certificate"]),
        junk=JUNK,
        other=JUNK,
    )
    def ask_with_anything(self, name: str, junk: Any, other: Any) -> None:
        """Policies, all of them or one."""
        self.attempt(getattr(EXACT, name), junk)
        self.attempt(getattr(EXACT, name), [TABLE, other])

    @rule(junk=JUNK)
    def seats_and_sources(self, junk: Any) -> None:
        """Players, strategies, words."""
        self.attempt(EXACT.best_response, [TABLE, TABLE], junk)
        self.attempt(EXACT.policy, junk)
        self.attempt(sde.make_strategy, junk, "ipd_v0")
        self.attempt(sde.make_env, junk)
        self.attempt(sde.make_env, "ipd_v0", **({"max_cycles": junk}))
