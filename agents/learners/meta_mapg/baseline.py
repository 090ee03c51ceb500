"""The linear feature baseline: returns to go, regressed on what was seen and on time.

Source  Duan et al. 2016, https://arxiv.org/abs/1604.06778, as in the authors' linear_baseline.py
Shapes  M chains, N players, K games, T steps, V distinct observations, F = V + 4 features.
"""

import torch
from torch import Tensor

from agents.estimators import discounted_returns
from agents.learners.meta_mapg.config import MetaConfig
from agents.learners.meta_mapg.games import Games
from agents.shapes import check_shapes

RIDGE = 1e-5  # weight of the squared coefficients


def features(obs_ids: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """One-hot observation, t/100, its square and cube, 1.  [T, M, K] -> [M, K, T, V + 4]."""
    # [M, K, T, V] and [T, 4].
    seen = torch.nn.functional.one_hot(obs_ids.permute(1, 2, 0), count).to(dtype)
    t = torch.arange(len(obs_ids), dtype=dtype, device=obs_ids.device) / 100
    time = torch.stack((t, t**2, t**3, torch.ones_like(t)), -1)
    return torch.cat((seen, time.expand(*seen.shape[:-1], 4)), -1)


def linear_baseline(x: Tensor, returns: Tensor) -> Tensor:
    """b_t, ridge regression of returns to go on features, each chain by itself.

    The one-hots add up to the constant 1, so that only the ridge keeps the matrix regular: float64
    whatever the policy's.

    Args:
        x: [M, K, T, F], features.
        returns: [M, K, T].

    Returns:
        [M, K, T].
    """
    check_shapes("x: M K T F, returns: M K T", x, returns)
    flat, y = x.flatten(1, 2).double(), returns.flatten(1).double()
    gram = flat.mT @ flat + RIDGE * torch.eye(x.shape[-1], dtype=flat.dtype, device=x.device)
    # Without a look at whether it worked: a chain that diverged is found out later, all at once.
    weights = torch.linalg.solve_ex(gram, flat.mT @ y[..., None])[0]
    fitted: Tensor = (flat @ weights)[..., 0].view(returns.shape)
    return fitted.to(returns.dtype)


def baselines(games: Games, num_actions: int, cfg: MetaConfig) -> Tensor:
    """The linear baseline of both players; 0 if there is none.  -> [N, M, K, T]."""
    if not cfg.baseline:
        return torch.zeros_like(games.rewards)

    fitted = []
    for obs_ids, rewards in zip(games.obs_ids, games.rewards, strict=True):
        x = features(obs_ids, num_actions**2 + 1, rewards.dtype)
        fitted.append(linear_baseline(x, discounted_returns(rewards, cfg.gamma)))
    return torch.stack(fitted)
