"""Checks that play one game twice and compare: seeds, neighbours, global random state, copies."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

from social_dilemmas_env.testing.findings import BROKEN, Finding, Report, call, describe
from social_dilemmas_env.testing.global_rng import (
    GLOBAL_SEED,
    preserved_rng,
    rng_states,
    seed_global_rng,
)
from social_dilemmas_env.testing.kit import CALLS, Kit
from social_dilemmas_env.testing.records import Record, difference, same
from social_dilemmas_env.testing.session import Session

# Seeds
# --------------------------------------------------------------------------------------------------


def check_seed(kit: Kit) -> Report:
    """One seed gives one game, over whole episodes and the unseeded resets between them."""
    first, second = (list(kit.session().episodes(kit.episodes, kit.seed)) for _ in range(2))
    yield from seed_faults(first, second, kit.seed)


def seed_faults(first: list[Record], second: list[Record], seed: int) -> Report:
    """The finding that fits the first moment at which two games with one seed differ."""
    advice = (
        "Draw everything from one generator that reset(seed) seeds: "
        f"with seed {seed}, in two fresh environments,"
    )
    for a, b in zip(first, second, strict=False):
        if text := difference(a, b):
            check, rule = "seed_ignored_later", ""
            if a.step == 0 and a.episode == 1:
                check = "seed_ignored_at_reset"
            elif a.step == 0:
                check = "seed_forgotten_at_reset"
                rule = "A reset without a seed must go on with the old generator. "
            yield Finding(check, f"{rule}{advice} {text}.")
            return

        if text := difference(a, b, ("infos",)):
            yield Finding("infos_not_reproducible", f"{advice} {text}.")


def check_seed_zero(kit: Kit) -> Report:
    """Seed 0 is a seed: `if seed:` is a common slip."""
    # Silent where no seed is kept at all.
    others = [kit.recording(kit.seed, 2) for _ in range(2)]
    zeros = [kit.recording(0, 2) for _ in range(2)]
    if not any(map(difference, *others)) and any(map(difference, *zeros)):
        yield Finding(
            "seed_zero_ignored",
            f"reset(seed=0) does not seed, though reset(seed={kit.seed}) does; "
            "test `seed is not None`, not `if seed`.",
        )


def check_second_seed(kit: Kit) -> Report:
    """The same seed gives the same game again in the same environment.

    Also after an unfinished episode.
    """
    middle, env = kit.middle, kit.fresh()
    for number, calls in enumerate((CALLS, middle + 1, CALLS)):  # the second one unfinished
        seed_global_rng()
        divergence = kit.divergence(kit.recording(kit.seed, calls, env))

        if divergence and number == 0:
            return  # not the second seed's fault
        if divergence:
            yield Finding(
                "seed_ignored_second_reset",
                f"Calling reset(seed={kit.seed}) a second time on one environment "
                f"gives another game: {divergence}.",
            )
            return


def check_instances(kit: Kit) -> Report:
    """A second environment, played in turns with the first, changes nothing in it."""
    session = kit.session()
    records = [session.reset(seed=kit.seed)]

    # The neighbour may use the global state without disturbing this game.
    with preserved_rng():
        neighbour = kit.session()
        neighbour.reset(seed=kit.seed + 7)
    for _ in range(CALLS - 1):
        records.append(session.advance())
        with preserved_rng():
            neighbour.advance()

    if divergence := kit.divergence(records):
        yield Finding(
            "instances_share_state",
            f"Another environment alive in the same process changes this one: {divergence}. "
            "Keep generators and state on the instance, not on the class or module.",
        )


# Global random state
# --------------------------------------------------------------------------------------------------


def check_global_rng_written(kit: Kit) -> Report:
    """No call moves the global generators."""
    tape = kit.tape
    seed_global_rng()
    before = rng_states()

    session = Session(kit.fresh(), tape, kit.max_steps)
    yield from rng_moved(before, "making the environment")
    for number in range(CALLS):
        record = session.advance() if number else session.reset(seed=kit.seed)
        yield from rng_moved(before, record.where)
    call("close", session.env.close)
    yield from rng_moved(before, "close()")


def rng_moved(before: dict[str, Any], where: str) -> Report:
    """A finding if a global generator is not where it was."""
    after = rng_states()
    moved = [name for name in before if name != "random" and not same(before[name], after[name])]
    if before["random"] != after["random"]:  # 625 plain integers, for which `same` would be slow
        moved.append("random")

    if moved:
        yield Finding(
            "global_rng_written",
            f"{where[0].upper()}{where[1:]} changed the global random state of "
            f"{' and '.join(moved)}; use a generator of the environment's own "
            "(numpy.random.default_rng(seed)).",
        )


def check_global_rng_read(kit: Kit) -> Report:
    """The game is the same wherever the caller's global generators stand."""
    session = Session(kit.fresh(GLOBAL_SEED + 1), kit.tape, kit.max_steps)
    seed_global_rng(GLOBAL_SEED + 1)
    records = [session.reset(seed=kit.seed), *session.run(CALLS - 1)]
    if divergence := kit.divergence(records):
        yield Finding(
            "global_rng_read",
            "Seeding the global random or numpy.random differently changes the game: "
            f"{divergence}. Use a generator of the environment's own, seeded by reset(seed).",
        )


# Copies
# --------------------------------------------------------------------------------------------------


def check_deepcopy(kit: Kit) -> Report:
    """`copy.deepcopy` of a running game goes on like the original."""
    yield from copy_faults(kit, "deepcopy", copy.deepcopy)


def check_pickle(kit: Kit) -> Report:
    """`pickle` of a running game goes on like the original."""

    def duplicate(env: Any) -> Any:
        return pickle.loads(pickle.dumps(env, pickle.HIGHEST_PROTOCOL))

    yield from copy_faults(kit, "pickle", duplicate)


def copy_faults(kit: Kit, name: str, duplicate: Callable[[Any], Any]) -> Report:
    """Plays on in a copy made in mid-game, then in the original."""
    session = kit.at_middle()
    states = rng_states()

    # The copy itself.
    try:
        duplicated = duplicate(session.env)
    except BROKEN as error:
        yield Finding(f"{name}_fails", f"{name} of a running environment raised {describe(error)}.")
        return

    # It goes on like the original, and the original does not notice.
    if divergence := kit.divergence_after(session.fork(duplicated), states):
        yield Finding(
            f"{name}_differs",
            f"The {name} taken after {session.here.where} does not go on like the original: "
            f"{divergence}. The copy must hold the whole running game, generator included; "
            "EzPickle only runs the constructor again and loses it.",
        )
    if divergence := kit.divergence_after(session.fork(session.env), states):
        yield Finding(
            f"{name}_shares_state", f"Playing in a {name} changed the original: {divergence}."
        )


def check_state_methods(kit: Kit) -> Report:
    """`set_state(get_state())` brings a moment back, in the same environment and in another one."""
    session = kit.at_middle()
    if not (takes(session.env, "get_state", 0) and takes(session.env, "set_state", 1)):
        return

    # Saving a moment leaves the game alone.
    states = rng_states()
    saved = call("get_state", session.env.get_state)
    if divergence := kit.divergence_after(session.fork(session.env), states):
        yield Finding(
            "get_state_changes_game", f"Calling get_state() changed the game: {divergence}."
        )

    # And brings it back.
    other = kit.session()
    other.reset(seed=kit.seed + 7)
    for env, name in ((session.env, "the same environment"), (other.env, "another environment")):
        call("set_state", env.set_state, saved)
        if divergence := kit.divergence_after(session.fork(env), states):
            yield Finding(
                "set_state_differs",
                f"After set_state(get_state()) in {name} the game does not go on as it did: "
                f"{divergence}. The state must hold everything, generator included, "
                "and must be a copy.",
            )


def takes(env: Any, name: str, arguments: int) -> bool:
    """Whether a method exists and can be called with so many arguments."""
    try:
        inspect.signature(getattr(env, name)).bind(*range(arguments))
    except (AttributeError, TypeError, ValueError):
        return False
    return True
