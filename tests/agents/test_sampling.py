"""The one sampler: actions by inverting the distribution function."""

import pytest
import torch

from agents.sampling import invert_cdf, sample_actions


def test_each_uniform_meets_its_action():
    probabilities = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64).expand(6, 3)
    uniforms = torch.tensor([0.0, 0.24, 0.25, 0.74, 0.75, 0.999], dtype=torch.float64)
    assert sample_actions(probabilities, uniforms).tolist() == [0, 0, 1, 1, 2, 2]


def test_an_impossible_action_is_never_taken():
    probabilities = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    for u in (0.0, 0.5, 1 - 2**-24):
        assert sample_actions(probabilities, torch.full((2,), u)).tolist() == [1, 0]


def test_rounding_creates_no_action():
    """Probabilities that add up to less than a uniform."""
    probabilities = torch.tensor([0.5, 0.5 - 1e-6])
    assert sample_actions(probabilities, torch.tensor(1 - 2**-24)).item() == 1


def test_frequencies():
    """100,000 draws, within 5 standard errors: fails once in a million seeds."""
    p, n = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64), 100_000
    uniforms = torch.rand(n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    counts = torch.bincount(sample_actions(p.expand(n, 3), uniforms), minlength=3)
    assert ((counts / n - p).abs() < 5 * (p * (1 - p) / n).sqrt()).all()


def test_weights_that_do_not_add_up_to_one():
    """The last cumulative weight is the scale."""
    weights, u = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0.1, 0.2, 0.9])
    cumulative = weights.cumsum(-1)
    assert invert_cdf(cumulative[:-1], u * cumulative[-1]).tolist() == [0, 1, 2]


def test_any_leading_axes():
    probabilities = torch.softmax(torch.randn(2, 3, 4), -1)
    assert sample_actions(probabilities, torch.rand(2, 3)).shape == (2, 3)
    with pytest.raises(ValueError, match=r"uniforms must have the shape \[\.\.\.\]"):
        sample_actions(probabilities, torch.rand(5))
