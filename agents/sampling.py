"""Actions from probabilities, by inverting the distribution function: one uniform number an action.

    F(a) = Σ_{b≤a} π(b),      a(u) = number of actions with F(a) ≤ u,  the last one left out

The last action is left out because rounding may leave F(A - 1) below a uniform: that must not
create an action.  The caller draws the uniforms, so that a batch depends on one generator only.
"""

import torch
from torch import Tensor

from agents.shapes import check_shapes
from social_dilemmas_env.rng import check_seed, draw


def invert_cdf(cumulative: Tensor, uniforms: Tensor) -> Tensor:
    """The action at which a distribution function passes u.

    Args:
        cumulative: [..., A - 1], F of every action but the last.
        uniforms: [...], u on the scale of F: in [0, 1) if F ends at 1.

    Returns:
        [...], integers 0 .. A - 1.
    """
    return (uniforms[..., None] >= cumulative).sum(-1)


def sample_actions(probabilities: Tensor, uniforms: Tensor) -> Tensor:
    """An action of each row.

    Args:
        probabilities: [..., A], rows that add up to 1.
        uniforms: [...], in [0, 1).

    Returns:
        [...], integers 0 .. A - 1.
    """
    check_shapes("probabilities: ... A, uniforms: ...", probabilities, uniforms)
    # Without the last action, see the top of this file.
    return invert_cdf(probabilities.cumsum(-1)[..., :-1], uniforms)


def seeded_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator of torch, of any seed in [0, 2^63).

    Torch's own on the CPU reads the low 32 bits only, so that 2^32 would give the numbers of 0.
    Here larger seeds are hashed first. (32 bits they are still: of two large seeds, one pair in
    2^32 gives equal numbers.)

    Raises:
        TypeError, ValueError: no such seed.
    """
    number = check_seed(seed)
    small = number < 1 << 32  # unchanged: these are the published numbers
    return torch.Generator(device).manual_seed(number if small else draw(number))
