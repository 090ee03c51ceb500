"""The one sampler: actions by inverting the distribution function."""

from dataclasses import replace

import pytest
import torch

from agents import train
from agents.registry import LEARNERS
from agents.sampling import invert_cdf, sample_actions, seeded_generator


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


SEEDS = [0, 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**33, 2**40 + 1, 2**62, 2**63 - 1]


def test_large_seeds_are_not_small_ones():
    """Torch's own generator reads the low 32 bits only."""
    first = [torch.rand(2, generator=seeded_generator(seed)).tolist() for seed in SEEDS]
    assert len({tuple(x) for x in first}) == len(SEEDS)
    assert torch.rand(1, generator=torch.Generator().manual_seed(2**32)).equal(
        torch.rand(1, generator=torch.Generator().manual_seed(0))
    )


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_seeds_of_32_bits_are_torchs_own(seed):
    ours, torchs = seeded_generator(seed), torch.Generator().manual_seed(seed)
    assert torch.equal(torch.rand(3, generator=ours), torch.rand(3, generator=torchs))


def test_every_learner_tells_large_seeds_apart():
    """Its first parameters, in the prisoner's dilemma."""
    for name, spec in LEARNERS.items():
        if name in ("sb3_ppo", "exact_policy", "exact_clone"):  # they have loops of their own
            continue
        config = spec.settings("ipd_v0")
        small = {"runs": 1, "batch": 2, "games": 2, "snapshots": 1, "thieves": 0} | (
            {"hidden": 4} if "pola" in name else {}
        )
        fitting = {k: x for k, x in small.items() if hasattr(config, k)}
        states = [
            spec.make(replace(config, **fitting), "ipd_v0", {}, seed, "cpu").state()
            for seed in (0, 2**32, 2**33)
        ]
        for other in states[1:]:
            assert any(not torch.equal(x, other[key]) for key, x in states[0].items()), name


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, "0", None])
def test_what_is_no_seed(seed, tmp_path):
    with pytest.raises((TypeError, ValueError), match="seed"):
        seeded_generator(seed)
    with pytest.raises((TypeError, ValueError), match="seed"):
        train("lola_exact", "ipd_v0", seed=seed, out=tmp_path / "x")
    assert not (tmp_path / "x").exists()
