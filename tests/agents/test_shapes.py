"""Shapes said at the entrance of a function: what fits, and the sentence about what does not."""

import pytest
import torch

from agents.shapes import check_shapes


def zeros(*shapes):
    return [torch.zeros(shape) for shape in shapes]


@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        ("... T, ... T", [(3, 5), (3, 5)]),
        ("... T, ... T", [(5,), (7, 5)]),  # leading axes broadcast
        ("... T, ... T", [(2, 1, 5), (3, 5)]),
        ("... T, ... T+1", [(3, 5), (3, 6)]),
        ("... T+1, ... T", [(3, 6), (3, 5)]),  # in any order
        ("... T, ... T-1", [(5,), (4,)]),
        ("rewards: ... T, bootstrap: ...", [(3, 5), (3,)]),
        ("logp:... T", [(5,)]),
        ("theta: R N D, rates: N", [(4, 2, 5), (2,)]),
        ("payoffs: A A 2", [(3, 3, 2)]),
        ("...", [()]),
        ("x: 1", [(1,)]),
    ],
)
def test_what_fits(spec, shapes):
    check_shapes(spec, *zeros(*shapes))


@pytest.mark.parametrize(
    ("spec", "shapes", "sentence"),
    [
        (
            "rewards: ... T, values: ... T+1",
            [(3, 5), (3, 5)],
            "values must have the shape [... T+1] with T = 5, not [3, 5]",
        ),
        (
            "... T, ... T",
            [(5,), (4,)],
            "argument 2 must have the shape [... T] with T = 5, not [4]",
        ),
        (
            "theta: R N D",
            [(4, 2)],
            "theta must have the shape [R N D], not [4, 2]",
        ),
        (
            "theta: N D",
            [(4, 2, 5)],
            "theta must have the shape [N D], not [4, 2, 5]",
        ),
        ("x: ... A B", [(3,)], "x must have the shape [... A B], not [3]"),
        (
            "payoffs: A A 2",
            [(2, 3, 2)],
            "payoffs must have the shape [A A 2] with A = 2, not [2, 3, 2]",
        ),
        (
            "payoffs: A A 2",
            [(2, 2, 3)],
            "payoffs must have the shape [A A 2] with A = 2, not [2, 2, 3]",
        ),
        (
            "logp: ... T, rewards: ... T",
            [(3, 5), (2, 5)],
            "rewards must have the shape [... T] with leading axes that broadcast with [3], "
            "not with [2]",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(spec, shapes, sentence):
    with pytest.raises(ValueError) as error:
        check_shapes(spec, *zeros(*shapes))
    assert str(error.value) == sentence


def test_an_optional_argument_may_be_left_out():
    check_shapes("rewards: ... T, bootstrap: ...", torch.zeros(3, 5), None)


def test_every_argument_has_its_entry():
    with pytest.raises(ValueError, match="zip"):
        check_shapes("... T", torch.zeros(5), torch.zeros(5))


@pytest.mark.parametrize("spec", ["T ...", "a: b: T", "T+x", "T*2"])
def test_a_spec_that_says_nothing_is_refused(spec):
    with pytest.raises(ValueError, match="not the shape of an argument"):
        check_shapes(spec, torch.zeros(5))
