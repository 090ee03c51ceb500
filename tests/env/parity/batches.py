"""What the parity tests share: every way to play a batch, and the single games it is compared
with."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from social_dilemmas_env.engine.tables import fits
from tests.helpers.games import GAMES, rules

ROUTES: dict[str, dict[str, Any]] = {
    "numpy": {},
    "numpy_rules": {"tables": False},
    "torch": {"backend": "torch"},
    "torch_rules": {"backend": "torch", "tables": False},
    "torch_static": {"backend": "torch", "static": True},
    "torch_static_rules": {"backend": "torch", "tables": False, "static": True},
}
CUDA_ROUTES: dict[str, dict[str, Any]] = {
    "cuda": {"backend": "torch", "device": "cuda"},
    "cuda_rules": {"backend": "torch", "device": "cuda", "tables": False},
    "cuda_dynamic": {"backend": "torch", "device": "cuda", "static": False},
}
JAX_ROUTES: dict[str, dict[str, Any]] = {
    "jax": {"backend": "jax"},
    "jax_rules": {"backend": "jax", "tables": False},
}
no_cuda = not torch.cuda.is_available()
SKIP = pytest.mark.skipif(no_cuda, reason="no CUDA device")
no_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
# Slow: each game has its steps compiled.  `test_jax` holds what is quick.
any_jax = [pytest.param(route, marks=[no_jax, pytest.mark.slow]) for route in JAX_ROUTES]
any_route = pytest.mark.parametrize(
    "route",
    [
        *ROUTES,
        *any_jax,
        pytest.param("cuda", marks=[pytest.mark.cuda, SKIP]),
    ],
)
ALL_ROUTES = ROUTES | JAX_ROUTES | CUDA_ROUTES
SMALL = [name for name in GAMES if fits(rules(name))]


def cuda(test: Any) -> Any:
    """Marks a test that needs a GPU."""
    return pytest.mark.cuda(SKIP(test))


def batch(name: str, num_envs: int, route: str = "numpy", **more: Any) -> Any:
    """A batch of a game of the list."""
    env_id, arguments = GAMES[name]
    return sde.make_vec_env(env_id, num_envs, **{**ALL_ROUTES[route], **arguments, **more})


def singles(name: str, indices: Iterable[int], seed: int, **more: Any) -> "Singles":
    """Games number `indices` of that batch, one by one."""
    env_id, arguments = GAMES[name]
    seeds = [sde.draw(seed, i) for i in indices]
    return Singles([sde.make_env(env_id, **{**arguments, **more}) for _ in seeds], seeds)


def numpy_of(array: Any) -> np.ndarray:
    """A numpy array, a tensor or a JAX array as a numpy array."""
    return array.cpu().numpy() if isinstance(array, torch.Tensor) else np.asarray(array)


def moves(venv: Any, rng: np.random.Generator) -> np.ndarray:
    """Random actions [B, N]."""
    return np.stack([rng.integers(n, size=venv.num_envs) for n in venv.game.num_actions], -1)


def given(venv: Any, array: np.ndarray) -> Any:
    """A numpy array as the batch takes it."""
    if venv.backend == "torch":
        return torch.as_tensor(array, device=venv.device)
    return array


def step(venv: Any, actions: np.ndarray) -> tuple[Any, ...]:
    """A step of any batch with numpy actions; everything comes back as numpy arrays."""
    *arrays, infos = venv.step(given(venv, actions))
    return *map(numpy_of, arrays), {key: numpy_of(value) for key, value in infos.items()}


def reset(venv: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    """The observations of a reset, as a numpy array."""
    return numpy_of(venv.reset(*args, **kwargs)[0])


def same(first: tuple[Any, ...], second: tuple[Any, ...]) -> None:
    """Asserts that two steps are the same, dtypes included."""
    for a, b in zip(first[:4], second[:4], strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_array_equal(a, b)
    assert first[4].keys() == second[4].keys()
    for key, value in first[4].items():
        np.testing.assert_array_equal(value, second[4][key])


@dataclass
class Singles:
    """Single games played side by side, with the outputs of a batch that resets in the same
    step."""

    envs: list[Any]
    seeds: list[int]

    def observations(self, parts: list[dict[str, np.ndarray]]) -> np.ndarray:
        """[B, N, *obs_shape]."""
        return np.stack(
            [np.stack([part[agent] for agent in self.envs[0].possible_agents]) for part in parts]
        )

    def reset(self) -> np.ndarray:
        """The first observations."""
        return self.observations(
            [env.reset(seed=seed)[0] for env, seed in zip(self.envs, self.seeds, strict=True)]
        )

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:
        """A step of each game."""
        agents = self.envs[0].possible_agents
        steps = [
            env.step(dict(zip(agents, row, strict=True)))
            for env, row in zip(self.envs, actions.tolist(), strict=True)
        ]
        rewards, terminations, truncations = (
            np.array([[part[agent] for agent in agents] for part in parts])
            for parts in list(zip(*steps, strict=True))[1:4]
        )
        observations, infos = self.observations([part[0] for part in steps]), {}
        if truncations.any():
            infos = {"final_obs": observations, "_final_obs": truncations[:, 0]}
            observations = self.observations([env.reset()[0] for env in self.envs])
        return observations, rewards.astype(np.float32), terminations, truncations, infos

    def state(self) -> list[Any]:
        """The states of the games."""
        return [env.get_state() for env in self.envs]
