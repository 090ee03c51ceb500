"""How a deep learner computes: step by step, or by graphs that were recorded (cuda_graphs.py).

A learner hands what it computes in every iteration to `compute(function, *arguments)`, and its
episodes to `compute.rollout(...)`; it knows nothing else of graphs. The functions are pure. Tensors
among their arguments, in tuples and named tuples too, are inputs; all else (settings, networks,
flags) says which function it is. They draw nothing at random, look at no value on the host and make
no tensor from host data. Optimisers stay outside: their age is a number of the host, their kernels
are few.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor

from agents.execution.rollout import JointPolicy, Trajectory, rollout

T = TypeVar("T")


class Direct:
    """Calls what it is asked to compute.

    Attributes:
        attached: whether results may be attached to the autograd graph of their arguments.
    """

    attached = True  # nothing stands between a result and its graph

    def __call__(self, function: Callable[..., T], *arguments: Any) -> T:
        """`function(*arguments)`."""
        return function(*arguments)

    def rollout(self, venv: Any, seed: int, players: JointPolicy, uniforms: Tensor) -> Trajectory:
        """Plays one episode of every game, from the start that a seed gives.

        Args:
            venv: of `make_vec_env(..., backend="torch", obs_mode="state", autoreset="disabled")`.
            seed: of `venv.reset`.
            players: who plays.
            uniforms: [2, T, B, N], the randomness of the actions and of exploration
                ([1, ...] without it); T is `max_cycles`.
        """
        first, _ = venv.reset(seed=seed)
        # Memories of recurrent policies begin anew with the episode.
        seats = players.seats(venv.num_envs, uniforms.shape[1])
        return rollout(venv, first, seats, uniforms, players.epsilon)
