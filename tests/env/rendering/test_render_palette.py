"""Colours that colour-blind viewers can tell apart, and text that can be read."""

import itertools

import numpy as np
import pytest

from social_dilemmas_env.render import palette

# G. M. Machado, M. M. Oliveira and L. A. F. Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color, blindness):
    """CIE L*a*b* of a colour as somebody sees it."""
    rgb = np.array(color) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    x, y, z = TO_XYZ @ np.clip(BLINDNESS[blindness] @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_players_can_be_told_apart_by_everybody(blindness):
    """Distances of 10 are seen at a glance.

    The first three players, the most common, are much farther apart.
    """
    seen = [lab(color, blindness) for color in palette.PLAYERS]
    for i, j in itertools.combinations(range(len(seen)), 2):
        assert np.linalg.norm(seen[i] - seen[j]) > (25 if max(i, j) < 3 else 10), (i, j)


def test_every_one_of_eight_players_has_a_colour_and_a_shape_of_its_own():
    assert len({palette.player_color(i) for i in range(8)}) == 8
    assert len({palette.player_shape(i) for i in range(8)}) == 8
    assert palette.player_color(9) == palette.player_color(1)


def test_contrast_is_that_of_wcag():
    assert palette.contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert palette.contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert palette.contrast((9, 9, 9), (9, 9, 9)) == 1


@pytest.mark.parametrize("paper", [palette.PAPER, palette.CARD, palette.LIT])
def test_text_is_readable_wherever_it_stands(paper):
    for color in (palette.INK, palette.MUTED):
        assert palette.contrast(color, paper) >= 4.5
    for player in range(8):
        assert palette.contrast(palette.player_ink(player, paper), paper) >= 4.5


def test_marks_are_readable_on_every_shade():
    for player, num_actions in itertools.product(range(8), range(1, 8)):
        for action in range(num_actions):
            shade = palette.action_shade(player, action, num_actions)
            assert palette.contrast(palette.text_on(shade), shade) >= 3


def test_shades_grow_from_pale_to_full():
    for player in range(8):
        lightness = [
            palette.luminance(palette.action_shade(player, action, 4)) for action in range(4)
        ]
        assert lightness == sorted(lightness, reverse=True)
        assert palette.action_shade(player, 3, 4) == palette.player_color(player)
        assert (
            palette.contrast(palette.action_shade(player, 0, 2), palette.action_shade(player, 1, 2))
            > 1.15
        )


def test_mixing():
    assert palette.mix((0, 0, 0), (200, 100, 50), 0) == (0, 0, 0)
    assert palette.mix((0, 0, 0), (200, 100, 50), 1) == (200, 100, 50)
    assert palette.mix((0, 0, 0), (200, 100, 50), 0.5) == (100, 50, 25)
