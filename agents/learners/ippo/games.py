"""The games that a learner plays: torch's on a device, numpy's with tensors around them on a CPU.

A step of a few games is a few hundred small operations, of which numpy's are three to four times
faster than torch's. The games are the same bit for bit, whoever computes them.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

import social_dilemmas_env as sde


def make_games(env_id: str, count: int, device: str, **game: Any) -> Any:
    """Batch of games with tensors on a device, which the caller resets.

    Args:
        env_id: which game.
        count: n, games side by side.
        device: where.
        **game: the game's arguments, `max_cycles` among them.
    """
    how: dict[str, Any] = {"obs_mode": "uint8", "autoreset": "disabled", **game}
    if torch.device(device).type != "cpu":
        return sde.make_vec_env(env_id, count, "torch", device=device, **how)
    return TensorGames(sde.make_vec_env(env_id, count, **how))


class TensorGames:
    """A batch on numpy whose actions and results are tensors; see `make_vec_env`.

    Results share the batch's memory: it may write into them again.

    Args:
        venv: the batch.
    """

    device = "cpu"

    def __init__(self, venv: Any) -> None:
        self._venv = venv
        self.game, self.possible_agents = venv.game, venv.possible_agents

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """As the batch's; a mask may be a tensor."""
        given = {name: np.asarray(x) for name, x in (options or {}).items()}
        observed, infos = self._venv.reset(seed=seed, options=given or None)
        return torch.from_numpy(observed), infos

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        """As the batch's."""
        *found, infos = self._venv.step(actions.numpy())
        observed, rewards, terminated, truncated = (torch.from_numpy(x) for x in found)
        return observed, rewards, terminated, truncated, infos
