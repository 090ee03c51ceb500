"""Checks that play one game twice and compare: seeds, copies, neighbours, rendering.

For `testing.check_env`.
"""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from social_dilemmas_env.testing.findings import (
    BROKEN,
    PIN,
    Finding,
    Record,
    Report,
    Violation,
    call,
    describe,
    difference,
    kept_rng,
    pin_rng,
    rng_states,
    same,
    short,
)
from social_dilemmas_env.testing.session import CALLS, Kit, Session

FRAMES = 20  # rendered per mode; drawing is slow

# Seeds
# --------------------------------------------------------------------------------------------------


def check_seed(kit: Kit) -> Report:
    """One seed gives one game, over whole episodes and the unseeded resets between them."""
    first, second = (list(kit.session().episodes(kit.episodes, kit.seed)) for _ in range(2))
    yield from seed_faults(first, second, kit.seed)


def seed_faults(first: list[Record], second: list[Record], seed: int) -> Report:
    """The finding that fits the first moment at which two games with one seed differ."""
    advice = f"Draw everything from one generator that reset(seed) seeds: with seed {seed}, in two fresh environments,"
    for a, b in zip(first, second, strict=False):
        if text := difference(a, b):
            at_reset = "seed_ignored_at_reset" if a.episode == 1 else "seed_forgotten_at_reset"
            rule = (
                ""
                if a.step or a.episode == 1
                else "A reset without a seed must go on with the old generator. "
            )
            yield Finding("seed_ignored_later" if a.step else at_reset, f"{rule}{advice} {text}.")
            return
        if text := difference(a, b, ("infos",)):
            yield Finding("infos_not_reproducible", f"{advice} {text}.")


def check_seed_zero(kit: Kit) -> Report:
    """Seed 0 is a seed: `if seed:` is a common slip."""
    others = [kit.recording(kit.seed, 2) for _ in range(2)]
    zeros = [kit.recording(0, 2) for _ in range(2)]
    if not any(map(difference, *others)) and any(map(difference, *zeros)):
        yield Finding(
            "seed_zero_ignored",
            f"reset(seed=0) does not seed, though reset(seed={kit.seed}) does; test `seed is not None`, not `if seed`.",
        )


def check_second_seed(kit: Kit) -> Report:
    """The same seed gives the same game again in the same environment, also after an unfinished
    episode.
    """
    middle, env = kit.middle, kit.fresh()
    for number, calls in enumerate((CALLS, middle + 1, CALLS)):
        pin_rng()
        departure = kit.departure(kit.recording(kit.seed, calls, env))
        if departure and number == 0:
            return  # not the second seed's fault
        if departure:
            yield Finding(
                "seed_ignored_second_reset",
                f"Calling reset(seed={kit.seed}) a second time on one environment gives another game: {departure}.",
            )
            return


def check_instances(kit: Kit) -> Report:
    """A second environment, played in turns with the first, changes nothing in it."""
    session = kit.session()
    records = [session.reset(seed=kit.seed)]
    with kept_rng():
        neighbour = kit.session()
        neighbour.reset(seed=kit.seed + 7)
    for _ in range(CALLS - 1):
        records.append(session.advance())
        with kept_rng():
            neighbour.advance()
    if departure := kit.departure(records):
        yield Finding(
            "instances_share_state",
            f"Another environment alive in the same process changes this one: {departure}. Keep generators and state "
            "on the instance, not on the class or module.",
        )


# Global random state
# --------------------------------------------------------------------------------------------------


def check_global_rng_written(kit: Kit) -> Report:
    """No call moves the global generators."""
    tape = kit.tape
    pin_rng()
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
            f"{where[0].upper()}{where[1:]} changed the global random state of {' and '.join(moved)}; use a generator "
            "of the environment's own (numpy.random.default_rng(seed)).",
        )


def check_global_rng_read(kit: Kit) -> Report:
    """The game is the same wherever the caller's global generators stand."""
    session = Session(kit.fresh(pin=PIN + 1), kit.tape, kit.max_steps)
    pin_rng(PIN + 1)
    records = [session.reset(seed=kit.seed), *session.run(CALLS - 1)]
    if departure := kit.departure(records):
        yield Finding(
            "global_rng_read",
            f"Seeding the global random or numpy.random differently changes the game: {departure}. Use a generator of "
            "the environment's own, seeded by reset(seed).",
        )


# Copies
# --------------------------------------------------------------------------------------------------


def check_deepcopy(kit: Kit) -> Report:
    """`copy.deepcopy` of a running game goes on like the original."""
    yield from copied(kit, "deepcopy", copy.deepcopy)


def check_pickle(kit: Kit) -> Report:
    """`pickle` of a running game goes on like the original."""
    yield from copied(
        kit, "pickle", lambda env: pickle.loads(pickle.dumps(env, pickle.HIGHEST_PROTOCOL))
    )


def copied(kit: Kit, name: str, duplicate: Callable[[Any], Any]) -> Report:
    """Plays on in a copy made in mid-game, then in the original."""
    session = kit.at_middle()
    states = rng_states()
    try:
        twin = duplicate(session.env)
    except BROKEN as error:
        yield Finding(f"{name}_fails", f"{name} of a running environment raised {describe(error)}.")
        return
    if departure := kit.goes_on(session.fork(twin), states):
        yield Finding(
            f"{name}_differs",
            f"The {name} taken after {session.here.where} does not go on like the original: {departure}. The copy must "
            "hold the whole running game, generator included; EzPickle only runs the constructor again and loses it.",
        )
    if departure := kit.goes_on(session.fork(session.env), states):
        yield Finding(
            f"{name}_shares_state", f"Playing in a {name} changed the original: {departure}."
        )


def check_state_methods(kit: Kit) -> Report:
    """`set_state(get_state())` brings a moment back, in the same environment and in another one."""
    session = kit.at_middle()
    if not (takes(session.env, "get_state", 0) and takes(session.env, "set_state", 1)):
        return
    states = rng_states()
    saved = call("get_state", session.env.get_state)
    if departure := kit.goes_on(session.fork(session.env), states):
        yield Finding(
            "get_state_changes_game", f"Calling get_state() changed the game: {departure}."
        )
    other = kit.session()
    other.reset(seed=kit.seed + 7)
    for env, name in ((session.env, "the same environment"), (other.env, "another environment")):
        call("set_state", env.set_state, saved)
        if departure := kit.goes_on(session.fork(env), states):
            yield Finding(
                "set_state_differs",
                f"After set_state(get_state()) in {name} the game does not go on as it did: {departure}. The state "
                "must hold everything, generator included, and must be a copy.",
            )


def takes(env: Any, name: str, arguments: int) -> bool:
    """Whether a method exists and can be called with so many arguments."""
    try:
        inspect.signature(getattr(env, name)).bind(*range(arguments))
    except (AttributeError, TypeError, ValueError):
        return False
    return True


# Rendering
# --------------------------------------------------------------------------------------------------


def check_render(kit: Kit) -> Report:
    """Rendering works without a display, returns what the mode promises, and leaves the game
    alone.
    """
    for mode, asked in render_ways(kit):
        window = display_surface()
        try:
            env = kit.fresh(render_mode=asked)
        except Violation as violation:
            if takes_render_mode(kit.env_fn) == "named":
                message = (
                    f"Making the environment with render_mode={mode!r}: {violation.finding.message}"
                )
                yield Finding("render_mode_rejected", message)
            continue
        quiet = kit.recording(kit.seed, FRAMES, env)
        if departure := kit.departure(quiet):
            message = f"The environment made with render mode {mode!r}, before any render(), is another: {departure}."
            yield Finding("render_mode_changes_game", message)
        yield from rendered(kit, kit.fresh(render_mode=asked), mode, quiet)
        if mode == "rgb_array" and window is None and display_surface() is not None:
            yield Finding(
                "rgb_array_needs_display",
                "The render mode 'rgb_array' opened a window (pygame.display.set_mode), which fails on a machine "
                "without a display; draw on a pygame.Surface or a numpy array.",
            )


def rendered(kit: Kit, env: Any, mode: str, quiet: list[Record]) -> Report:
    """Plays a game and renders at every step, where `quiet` did not."""
    session, records = kit.session(env), []
    for number in range(FRAMES):
        records.append(session.advance() if number else session.reset(seed=kit.seed))
        try:
            frame = env.render()
        except BROKEN as error:
            # pygame.error without a display says "No available video device" or "video system not
            # initialized"
            video = type(error).__module__.startswith("pygame") and "video" in str(error)
            check = "rgb_array_needs_display" if video else "render_raises"
            yield Finding(
                check,
                f"render() in mode {mode!r} raised {describe(error)} after {records[-1].where}.",
            )
            return
        yield from frame_faults(frame, mode)
    departures = (difference(a, b) for a, b in zip(quiet[: kit.control[1]], records, strict=False))
    if departure := next(filter(None, departures), None):
        yield Finding(
            "render_changes_game", f"Rendering in mode {mode!r} changes the game: {departure}."
        )


def frame_faults(frame: Any, mode: str) -> Report:
    """Type and shape of one frame."""
    if mode == "rgb_array":
        fits = (
            isinstance(frame, np.ndarray)
            and frame.dtype == np.uint8
            and frame.ndim == 3
            and frame.shape[2] == 3
        )
        if not fits:
            seen = (
                f"{frame.dtype} of shape {frame.shape}"
                if isinstance(frame, np.ndarray)
                else short(frame)
            )
            yield Finding(
                "rgb_array_invalid",
                f"render() in mode 'rgb_array' returned {seen}; expected uint8 [height, width, 3].",
            )
    elif mode == "ansi" and not isinstance(frame, (str, io.StringIO)):
        yield Finding(
            "ansi_invalid", f"render() in mode 'ansi' returned {short(frame)}; expected a str."
        )


def render_ways(kit: Kit) -> Iterator[tuple[str, str | None]]:
    """The render modes within reach and how to ask for them.

    Without "human", which opens a window by design.
    """
    env = kit.fresh()
    metadata = getattr(env, "metadata", None)
    modes = metadata.get("render_modes") if isinstance(metadata, dict) else None
    if takes_render_mode(kit.env_fn):
        for mode in modes if isinstance(modes, (list, tuple)) else ():
            if mode != "human":
                yield mode, mode
    elif getattr(env, "render_mode", None) not in (None, "human"):
        yield env.render_mode, None


def takes_render_mode(env_fn: Callable[..., Any]) -> str:
    """How `env_fn` takes a `render_mode`: "named" as a keyword of its own, "any" among all
    keywords, "" not at all.
    """
    try:
        parameters = inspect.signature(env_fn).parameters
    except (TypeError, ValueError):
        return ""
    named = parameters.get("render_mode")
    if named is not None and named.kind in (named.POSITIONAL_OR_KEYWORD, named.KEYWORD_ONLY):
        return "named"
    return "any" if any(p.kind is p.VAR_KEYWORD for p in parameters.values()) else ""


def display_surface() -> Any:
    """Pygame's window, if pygame has been imported and has one."""
    pygame = sys.modules.get("pygame")
    display = getattr(pygame, "display", None)
    try:
        return display.get_surface() if display is not None else None
    except BROKEN:
        return None
