"""Checks on rendering: what each mode returns, and that it leaves the game alone."""

from __future__ import annotations

import inspect
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from social_dilemmas_env.testing.findings import BROKEN, Finding, Report, Violation, describe, short
from social_dilemmas_env.testing.kit import Kit
from social_dilemmas_env.testing.records import Record, difference

FRAMES = 20  # rendered per mode; drawing is slow


def check_render(kit: Kit) -> Report:
    """Rendering works without a display, returns what the mode promises, and changes nothing."""
    for mode, argument in render_modes(kit):
        window_before = display_surface()
        try:
            env = kit.fresh(render_mode=argument)
        except Violation as violation:
            # Where `render_mode` is one of any keywords, refusing it is no fault.
            if render_mode_parameter(kit.env_fn) == "named":
                yield Finding(
                    "render_mode_rejected",
                    f"Making the environment with render_mode={mode!r}: "
                    f"{violation.finding.message}",
                )
            continue

        # A game in this mode, without and with rendering.
        unrendered = kit.recording(kit.seed, FRAMES, env)
        if divergence := kit.divergence(unrendered):
            yield Finding(
                "render_mode_changes_game",
                f"The environment made with render mode {mode!r}, before any render(), "
                f"is another: {divergence}.",
            )
        yield from render_faults(kit, kit.fresh(render_mode=argument), mode, unrendered)

        if mode == "rgb_array" and window_before is None and display_surface() is not None:
            yield Finding(
                "rgb_array_needs_display",
                "The render mode 'rgb_array' opened a window (pygame.display.set_mode), which "
                "fails on a machine without a display; draw on a pygame.Surface or a numpy array.",
            )


def render_faults(kit: Kit, env: Any, mode: str, unrendered: list[Record]) -> Report:
    """Plays a game and renders at every step, where the game `unrendered` did not."""
    session, records = kit.session(env), []
    for number in range(FRAMES):
        records.append(session.advance() if number else session.reset(seed=kit.seed))
        try:
            frame = env.render()
        except BROKEN as error:
            # pygame.error without a display says "No available video device" or "video system not
            # initialized"
            video = type(error).__module__.startswith("pygame") and "video" in str(error)
            yield Finding(
                "rgb_array_needs_display" if video else "render_raises",
                f"render() in mode {mode!r} raised {describe(error)} after {records[-1].where}.",
            )
            return
        yield from frame_faults(frame, mode)

    # Compared as far as the game is reproducible at all.
    reliable = unrendered[: kit.control[1]]
    differences = (difference(a, b) for a, b in zip(reliable, records, strict=False))
    if divergence := next(filter(None, differences), None):
        yield Finding(
            "render_changes_game", f"Rendering in mode {mode!r} changes the game: {divergence}."
        )


def frame_faults(frame: Any, mode: str) -> Report:
    """Type and shape of one frame."""
    if mode == "rgb_array" and not is_rgb(frame):
        shown = short(frame)
        if isinstance(frame, np.ndarray):
            shown = f"{frame.dtype} of shape {frame.shape}"

        yield Finding(
            "rgb_array_invalid",
            f"render() in mode 'rgb_array' returned {shown}; expected uint8 [height, width, 3].",
        )
    elif mode == "ansi" and not isinstance(frame, (str, io.StringIO)):
        yield Finding(
            "ansi_invalid", f"render() in mode 'ansi' returned {short(frame)}; expected a str."
        )


def is_rgb(frame: Any) -> bool:
    """Whether this is an array uint8 [height, width, 3]."""
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        return False
    return frame.ndim == 3 and frame.shape[2] == 3


def render_modes(kit: Kit) -> Iterator[tuple[str, str | None]]:
    """The render modes within reach, each with the argument that asks for it.

    Without "human", which opens a window by design.
    """
    env = kit.fresh()
    metadata = getattr(env, "metadata", None)
    modes = metadata.get("render_modes") if isinstance(metadata, dict) else None

    if render_mode_parameter(kit.env_fn):
        for mode in modes if isinstance(modes, (list, tuple)) else ():
            if mode != "human":
                yield mode, mode
    elif getattr(env, "render_mode", None) not in (None, "human"):
        yield env.render_mode, None  # the maker has chosen one


def render_mode_parameter(env_fn: Callable[..., Any]) -> str:
    """How `env_fn` takes a `render_mode`.

    Returns:
        "named" as a keyword of its own, "any" among all keywords, "" not at all.
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
