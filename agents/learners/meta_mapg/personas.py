"""Distributions of tasks for meta-learning: peers with a character, payoff tables with noise.

    cooperative   P(C | s) ~ U(1/2, 1) in every state                      prisoner's dilemma
    defective     P(D | s) ~ U(1/2, 1)
    rock, ...     P(that action | s) ~ U(1/3, 1), the rest shared          rock-paper-scissors

A persona is where a tabular peer starts to learn: its logits are the logarithms of these
probabilities, one a state and action. Each kind has three splits. They never share a persona or a
table: each number is a hash of the seed, the split and its place.

Papers  Kim et al. 2021, Meta-MAPG, https://arxiv.org/abs/2011.00382 (personas)
        Kim, Liu, ... 2021, AAAI student abstract (noise on payoffs)
Source  https://github.com/dkkim93/meta-mapg (commit 2d8046f), pretrain_model and rps_env.py: 200,
        20 and 20 of each kind
Shapes  C personas or tables, V = A² + 1 states, A actions.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from social_dilemmas_env.rng import draw

SPLITS = {"train": 200, "validation": 20, "test": 20}
KINDS = {"ipd_v0": ("cooperative", "defective"), "rps_v0": ("rock", "paper", "scissors")}
NOISE = 100  # index of the noise's numbers; those of personas are their actions'


def uniforms(seed: int, split: str, index: int, *shape: int) -> Tensor:
    """Numbers in [0, 1) that depend on the seed, the split, `index` and their place alone."""
    if split not in SPLITS:
        raise ValueError(f"there is no split {split!r}; there are {', '.join(SPLITS)}")
    place = np.arange(math.prod(shape), dtype=np.int64)
    words = draw(draw(seed, list(SPLITS).index(split), index), place)
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

    # The character's action is likelier than at random; the others share the rest.
    action, num_actions = kinds.index(kind), len(kinds)
    shape = (SPLITS.get(split, 0), num_actions**2 + 1)
    main = 1 / num_actions + (1 - 1 / num_actions) * uniforms(seed, split, action, *shape)
    policy = ((1 - main) / (num_actions - 1))[..., None].repeat(1, 1, num_actions)
    policy[..., action] = main
    return policy.log().flatten(1)


def noisy_payoffs(table: Any, noise: float, count: int, split: str, seed: int = 0) -> Tensor:
    """Tables whose every entry is shifted by its own draw from U(-noise, noise).

    Args:
        table: [A, A, 2].
        noise: half the width.
        count: C.
        split: "train", "validation" or "test".
        seed: of the distribution.

    Returns:
        [C, A, A, 2].

    Raises:
        ValueError: a noise that is negative or not finite, no table, or an unknown split.
    """
    if not 0 <= noise < float("inf") or count < 1:
        raise ValueError(
            f"noise must be finite and not negative, and count >= 1, not {noise!r} and {count!r}"
        )
    payoffs = torch.as_tensor(table, dtype=torch.float64)
    shifts = 2 * uniforms(seed, split, NOISE, count, *payoffs.shape) - 1
    return payoffs + noise * shifts
