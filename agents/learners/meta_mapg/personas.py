"""Distributions of tasks for meta-learning: peers with a character, and payoff tables with noise;
each split from a seed.

    cooperative   P(C | s) ~ U(1/2, 1) in every state                      prisoner's dilemma
    defective     P(D | s) ~ U(1/2, 1)
    rock, ...     P(that action | s) ~ U(1/3, 1), the rest shared          rock-paper-scissors

A persona is where a tabular peer starts to learn: its logits are the logarithms of these
probabilities, one a state and action. Splits never share a persona or a table: each number is a
hash of the seed, the split and its place.

Paper   Kim et al. 2021, Meta-MAPG, https://arxiv.org/abs/2011.00382 (personas); Kim, Liu, ... 2021, AAAI student abstract
        (noise on payoffs)
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f), pretrain_model and rps_env.py: 200,
20 and 20 of each kind Shapes  C personas or tables, V = A² + 1 states, A actions.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

import social_dilemmas_env as sde

SPLITS = {"train": 200, "validation": 20, "test": 20}
KINDS = {"ipd_v0": ("cooperative", "defective"), "rps_v0": ("rock", "paper", "scissors")}


def uniforms(seed: int, split: str, stream: int, *shape: int) -> Tensor:
    """Numbers in [0, 1) that depend on the seed, the split and their place alone."""
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
    place = np.arange(int(np.prod(shape)), dtype=np.int64)
    words = sde.draw(sde.draw(seed, list(SPLITS).index(split), stream), place)
    return torch.from_numpy(words / 2.0**32).view(shape)


def personas(env_id: str, kind: str, split: str, seed: int = 0) -> Tensor:
    """The logits of all personas of a kind.  -> [C, V A].

    Args:
        env_id: ipd_v0 or rps_v0.
        kind: one of KINDS, or "all".
        split: "train", "validation" or "test".
        seed: of the distribution.

    Raises:
        ValueError: an unknown game, kind or split.
    """
    if env_id not in KINDS:
        raise ValueError(
            f"there are no personas for {env_id}; there are some for {' and '.join(KINDS)}"
        )
    kinds = KINDS[env_id]
    if kind == "all":
        return torch.cat([personas(env_id, each, split, seed) for each in kinds])
    if kind not in kinds:
        raise ValueError(
            f"there is no persona {kind!r} in {env_id}; there are {', '.join(kinds)}, all"
        )
    action, num = kinds.index(kind), len(kinds)
    count = SPLITS.get(split, 0)
    main = 1 / num + (1 - 1 / num) * uniforms(seed, split, action, count, num**2 + 1)
    policy = ((1 - main) / (num - 1))[..., None].repeat(1, 1, num)
    policy[..., action] = main
    return policy.log().flatten(1)


def noisy_payoffs(table: Any, noise: float, count: int, split: str, seed: int = 0) -> Tensor:
    """Tables whose every entry is shifted by its own draw from U(-noise, noise).

    [A, A, 2] -> [C, A, A, 2].
    """
    if not 0 <= noise < float("inf") or count < 1:
        raise ValueError(
            f"noise must be finite and not negative, and count >= 1, not {noise!r} and {count!r}"
        )
    table = torch.as_tensor(table, dtype=torch.float64)
    return table + noise * (2 * uniforms(seed, split, 100, count, *table.shape) - 1)
