"""`check_env` rejects environments with one defect each, accepts correct ones, and survives
hopeless ones."""

import functools
import random
import subprocess
import sys
import time

import numpy as np
import pytest
from pettingzoo import ParallelEnv
from pettingzoo.utils.conversions import parallel_to_aec

from social_dilemmas_env.testing import Finding, check_env
from tests.env.conformance.broken_conduct import CrashesLate
from tests.env.conformance.broken_envs import BROKEN, PETTINGZOO_ACCEPTS, WINDOWS
from tests.env.conformance.broken_values import SeedsNumpy
from tests.env.conformance.toy_envs import CORRECT, NeverEnds, Toy


def ids(env_fn, **settings):
    return {finding.check for finding in check_env(env_fn, max_steps=60, **settings)}


@functools.cache
def findings_of(cls):
    return check_env(cls, max_steps=60)


def named(classes):
    return pytest.mark.parametrize("cls", classes, ids=lambda cls: cls.__name__)


@named(CORRECT)
def test_a_correct_environment_has_no_findings(cls):
    assert [str(finding) for finding in check_env(cls, max_steps=60)] == []


@named(CORRECT)
def test_it_has_none_with_another_seed(cls):
    assert ids(cls, seed=2**31, episodes=1) == set()


@named(BROKEN)
def test_a_broken_environment_has_exactly_its_own_findings(cls, monkeypatch):
    if cls in WINDOWS:
        pytest.importorskip("pygame")
        monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    findings = findings_of(cls)
    assert {finding.check for finding in findings} == BROKEN[cls]
    for finding in findings:  # each is a sentence in one line
        assert finding.message.endswith(".")
        assert len(finding.message) < 600
        assert "\n" not in finding.message


def test_the_nine_that_pettingzoo_accepts_are_rejected():
    """The environments of the report on `pettingzoo.test`, of which its parallel tests accept nine
    and seven."""
    assert len(PETTINGZOO_ACCEPTS) == 9
    assert all(
        {finding.check for finding in findings_of(cls)} == BROKEN[cls] for cls in PETTINGZOO_ACCEPTS
    )


def test_the_zoo_is_large():
    assert len(set().union(*BROKEN.values())) >= 45


@pytest.mark.parametrize(
    "env_fn",
    [
        Toy,
        lambda: Toy(),
        functools.partial(Toy, render_mode="rgb_array"),
        lambda **kwargs: Toy(**kwargs),
    ],
)
def test_any_callable_will_do(env_fn):
    assert check_env(env_fn) == []


def test_render_mode_is_checked_through_any_callable():
    class Loud(Toy):
        def render(self):
            return 0

    for env_fn in (
        lambda render_mode=None: Loud(render_mode),
        functools.partial(Loud, render_mode="ansi"),
    ):
        assert {"rgb_array_invalid", "ansi_invalid"} <= ids(env_fn)
    assert "ansi_invalid" in ids(lambda: Loud("ansi"))
    assert "render" not in " ".join(ids(lambda: Loud()))


# Messages
# --------------------------------------------------------------------------------------------------


def test_a_finding_reads_well():
    (finding,) = check_env(CrashesLate)
    assert isinstance(finding, Finding)
    assert str(finding) == f"[step_raises] {finding.message}"
    assert "ZeroDivisionError('division by zero')" in finding.message
    assert "step 6 of episode 1" in finding.message


# Hopeless environments
# --------------------------------------------------------------------------------------------------


class RaisesEverywhere(ParallelEnv):
    def __getattribute__(self, name):
        if name.startswith("__"):
            return super().__getattribute__(name)
        raise ZeroDivisionError(name)


class ReturnsNonsense(Toy):
    def reset(self, seed=None, options=None):
        super().reset(seed, options)
        return [], 7

    def step(self, actions):
        return None, [], "abc", {"player_0": []}, float("nan")


class Exits(Toy):
    def step(self, actions):
        sys.exit(3)


class NoAgents(Toy):
    def reset(self, seed=None, options=None):
        results = super().reset(seed, options)
        del self.agents
        return results


class NoPossibleAgents(Toy):
    def __init__(self):
        super().__init__()
        del self.possible_agents


@pytest.mark.parametrize(
    ("env_fn", "expected"),
    [
        (RaisesEverywhere, "not_parallel_env"),
        (ReturnsNonsense, "result_not_dict"),
        (Exits, "step_raises"),
        (NoPossibleAgents, "not_parallel_env"),
        (NoAgents, "agents_missing"),
        (lambda: 1 / 0, "env_fn_raises"),
        (lambda: None, "not_parallel_env"),
        (lambda needed: Toy(), "env_fn_raises"),
        (lambda: parallel_to_aec(Toy()), "not_parallel_env"),
        (functools.cache(lambda: Toy()), "env_not_fresh"),
    ],
)
def test_a_hopeless_environment_gives_findings(env_fn, expected):
    assert expected in ids(env_fn)


def test_an_environment_of_another_class_is_still_checked():
    class Duck:
        def __getattr__(self, name):
            if name == "toy":
                self.toy = SeedsNumpy()
                return self.toy
            return getattr(self.toy, name)

    assert {"not_parallel_env", "global_rng_written"} <= ids(Duck)


# The kit itself
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [Toy(), parallel_to_aec(Toy()), "coin_game_v0", None, 3])
def test_only_a_maker_is_accepted(bad):
    with pytest.raises(TypeError, match="pass a function that makes a fresh one"):
        check_env(bad)


@pytest.mark.parametrize("bad", [{"episodes": 0}, {"max_steps": 0}, {"seed": -1}])
def test_numbers_are_in_range(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        check_env(Toy, **bad)


@named([Toy, SeedsNumpy, CrashesLate])
def test_the_callers_random_state_is_untouched(cls):
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tobytes()
    check_env(cls)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before


def test_the_environments_own_spaces_are_not_sampled():
    made = []

    def env_fn():
        made.append(Toy())
        return made[-1]

    check_env(env_fn)
    spaces = [
        space
        for env in made
        for space in (*env.action_spaces.values(), *env.observation_spaces.values())
    ]
    assert all(space._np_random is None for space in spaces)


def test_all_environments_are_closed():
    class Counted(Toy):
        made, closed = 0, set()

        def __init__(self, render_mode=None):
            super().__init__(render_mode)
            Counted.made += 1
            self.number = Counted.made

        def close(self):
            Counted.closed.add(self.number)

    check_env(Counted)
    assert Counted.closed == set(range(1, Counted.made + 1))


def test_the_same_findings_twice():
    cls = next(iter(BROKEN))
    assert ids(cls) == ids(cls)


def test_shared_tables_are_repaired_after_writing_into_observations():
    class Shared(Toy):
        table = np.random.default_rng(0).random((5, 2), np.float32)

        def observe(self, agent):
            return self.table[self.x % 5]

    before = Shared.table.copy()
    assert "obs_write_changes_game" in ids(Shared)
    np.testing.assert_array_equal(Shared.table, before)


class FiftySteps(Toy):
    length = 50


def test_it_is_quick():
    start = time.process_time()
    assert check_env(FiftySteps) == []
    assert time.process_time() - start < 2


def test_a_game_without_an_end_is_cut():
    start = time.process_time()
    assert check_env(NeverEnds, max_steps=200) == []
    assert time.process_time() - start < 4


def test_importing_the_kit_imports_neither_torch_nor_pygame():
    code = (
        "import sys, social_dilemmas_env.testing\n"
        "sys.exit(bool({'torch', 'pygame'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
