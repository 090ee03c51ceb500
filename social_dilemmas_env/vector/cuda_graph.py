"""K steps of a batch together with a policy, as one CUDA graph.

    run = capture(venv, policy, num_steps=venv.max_cycles)      # policy: observations [B, N, ...] -> actions [B, N]
    rollout = run()                                             # the next K steps; always the same tensors, rewritten

Launching a kernel costs the host several microseconds, and a step of a small game is a dozen small
kernels: below a million games a GPU waits for its host.  A graph is recorded once and launched as
one.

The horizon is the host's business, as in `step`: K divides `max_cycles`, or is a multiple of it,
and a run begins where K steps fit, at t = 0, K, 2 K, ...  So the steps at which episodes end are
known when the graph is recorded, nothing is computed for resets that do not happen, and the numbers
are those that `step` gives.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from gymnasium.error import ResetNeeded
from torch import Tensor

from social_dilemmas_env import rng as draws
from social_dilemmas_env.validation import integer
from social_dilemmas_env.vector.graph_recorder import record_graph
from social_dilemmas_env.vector.options import range_error
from social_dilemmas_env.vector.torch_env import TorchBatch

Policy = Callable[[Tensor], Tensor]
MAX_LUCK = 1 << 24  # draws made in one go: 128 MB


class Rollout(NamedTuple):
    """K steps of B games with N players."""

    observations: Tensor  # [K, B, N, *obs_shape] what the policy saw, in the batch's `obs_mode`
    actions: Tensor  # [K, B, N] what it chose
    rewards: Tensor  # [K, B, N] float32
    truncations: Tensor  # [K, B, N] bool
    final_observations: Tensor  # [E, B, N, *obs_shape] after each max_cycles steps, or all K if that is less; before a reset


class Capture:
    """K steps of a batch with a policy; call it to run them."""

    def __init__(
        self,
        venv: TorchBatch,
        policy: Policy,
        num_steps: int,
        graph: bool,
        begin: Callable[[], None],
    ):
        """Makes the static tensors and records the graph; use `capture`."""
        self.venv, self.policy, self.num_steps, self.begin = venv, policy, num_steps, begin
        self.segment = min(num_steps, venv.max_cycles)  # steps without a reset
        self._load()
        self.rollout = self._buffers()
        self._graph = self._record() if graph else None

    def __call__(self) -> Rollout:
        """Plays the next K steps in all games.

        Returns:
            The rollout; its tensors are rewritten by the next call.

        Raises:
            ValueError: the games are not at a step where K steps fit; or `validate=True` and an
                action is out of range (the batch is then as it was).
        """
        self._load()
        if self._graph is None:
            with torch.no_grad():
                self._run()
        else:
            self._graph.replay()
        if self.venv.options.validate:
            self._check_range()
        self._store()
        return self.rollout

    def _load(self) -> None:
        """Copies the batch's state into the static tensors."""
        venv = self.venv
        if venv._t is None:
            raise ResetNeeded("reset the batch first")
        if (
            not isinstance(venv._t, int)
            or venv._t % self.segment
            or venv._t + self.segment > venv.max_cycles
            or venv._over
        ):
            raise ValueError(
                f"{self.num_steps} steps must begin at a multiple of {self.segment} steps of the episode, the same in all "
                f"games; got t = {venv._t}"
            )
        state = self._state_of(venv)
        if not hasattr(self, "_static"):
            self._static = [tensor.clone() for tensor in state]
            self._t = torch.zeros((), dtype=torch.int64, device=venv.device)
        for mine, tensor in zip(self._static, state, strict=True):
            mine.copy_(tensor)
        self._t.fill_(venv._t)

    @staticmethod
    def _state_of(venv: TorchBatch) -> list[Tensor]:
        values = [] if venv._values is None else [venv._values]
        return [venv._stem, venv._episode, *venv._key, *values, *venv._position]

    def _store(self) -> None:
        """Copies the static tensors back, and ends the episode if it has come to its end."""
        venv = self.venv
        _, venv._episode, start, stride, *rest = [tensor.clone() for tensor in self._static]
        venv._key = (start, stride)
        if venv._values is not None:
            venv._values = rest.pop(0)
        venv._position = tuple(rest)
        venv._t += self.segment
        ends = venv._t == venv.max_cycles
        self.rollout.truncations[-1].fill_(ends)
        if ends and venv.autoreset == "disabled":
            venv._over = True
        elif ends:
            venv._next_episode(None)

    def _buffers(self) -> Rollout:
        venv, k = self.venv, self.num_steps
        games = (venv.num_envs, venv.num_agents)
        observation = venv._observe(keep=True)
        self.begin()
        actions = self.policy(observation.clone())
        venv._check_actions(actions)
        truncations = torch.zeros((k, *games), dtype=torch.bool, device=venv.device)
        truncations[self.segment - 1 :: self.segment] = self.segment == venv.max_cycles
        return Rollout(
            observation.new_empty((k, *observation.shape)),
            actions.new_empty((k, *games)),
            torch.empty((k, *games), dtype=torch.float32, device=venv.device),
            truncations,
            observation.new_empty((k // self.segment, *observation.shape)),
        )

    def _record(self) -> torch.cuda.CUDAGraph:
        """Records `_run`."""
        with torch.no_grad():
            return record_graph(self._run, self.venv.device)

    def _run(self) -> None:
        """K steps from the static tensors to the static tensors.

        Nothing here depends on values that are on the device.
        """
        venv, engine = self.venv, self.venv._engine
        stem, episode, *key_and_rest = self._static
        key, rest = (key_and_rest[0], key_and_rest[1]), key_and_rest[2:]
        values = None if venv._values is None else rest.pop(0)
        position, t = tuple(rest), self._t
        self.begin()
        for first in range(0, self.num_steps, self.segment):
            if first:
                episode = episode + 1
                key = draws.key_of(stem, engine.xp.word(episode))
                values, position, t = engine.values(key), engine.start(key), torch.zeros_like(t)
            for k, luck in enumerate(self._lucks(key, t + 1), first):
                position = self._step(k, position, luck, values)
            self._observe(position, self.rollout.final_observations[first // self.segment])
        noisy = [] if values is None else [values]
        for mine, tensor in zip(
            self._static, [stem, episode, *key, *noisy, *position], strict=True
        ):
            mine.copy_(tensor)

    def _step(
        self, k: int, position: tuple[Tensor, ...], luck: Any, values: Tensor | None
    ) -> tuple[Tensor, ...]:
        observations = self.rollout.observations[k]
        self._observe(position, observations)
        actions = self.policy(observations)
        self.rollout.actions[k].copy_(actions)
        position, rewards = self.venv._engine.move(position, actions, luck, values)
        self.rollout.rewards[k].copy_(rewards)
        return position

    def _lucks(self, key: tuple[Tensor, Tensor], first: Tensor) -> Iterator[Any]:
        block = max(1, MAX_LUCK // self.venv.num_envs)
        for lo in range(0, self.segment, block):
            yield from self.venv._engine.lucks(key, first + lo, min(block, self.segment - lo))

    def _observe(self, position: tuple[Tensor, ...], out: Tensor) -> None:
        if self.venv.obs_mode == "state":
            out.copy_(self.venv._engine.view_ids(position))
        else:
            self.venv._engine.observe(position, out.view(self.venv.num_envs, -1))

    def _check_range(self) -> None:
        limits = torch.tensor(self.venv.game.num_actions, device=self.venv.device)
        if bool(((self.rollout.actions < 0) | (self.rollout.actions >= limits)).any()):
            raise range_error(self.venv)


def capture(
    venv: TorchBatch,
    policy: Policy,
    num_steps: int,
    *,
    graph: bool | None = None,
    begin: Callable[[], None] = lambda: None,
) -> Capture:
    """Prepares K steps of a batch with a policy to be run as one CUDA graph, again and again.

    Calls and `step`, `reset`, `set_state` of the batch may alternate.  A run gives what `step`
    would give.

    Args:
        venv: a batch with backend "torch" and autoreset "same_step" or "disabled", after a reset,
            at a step where K steps fit.
        policy: observations [B, N, *obs_shape] -> integer actions [B, N] on the same device.  What
            it does is recorded, not what it is: parameters must be changed in place; it must not
            look at values on the host.  It is called a few times while recording, without
            gradients.  Actions are in range: nothing checks them but `validate=True`.
        num_steps: K, which divides `max_cycles` or, if episodes follow one another, is a multiple
            of it.
        graph: False runs the same steps one by one; None: that on the CPU, a graph on CUDA.
        begin: called before the K steps whenever `policy` is about to be called for them. What it
            computes is recorded too; a policy with a memory clears it here.

    Returns:
        An object to be called for the next K steps; see `Rollout`.

    Raises:
        TypeError: no torch batch; actions that are not integers.
        ValueError: a K that does not fit the horizon; another autoreset; actions of another shape
            or device.
        RuntimeError: graph=True on the CPU.
        gymnasium.error.ResetNeeded: before the first reset.
    """
    if not isinstance(venv, TorchBatch):
        raise TypeError(f'capture needs a batch with backend="torch", got {type(venv).__name__}')
    if venv.autoreset == "next_step":
        raise ValueError('capture needs autoreset="same_step" or "disabled", got "next_step"')
    num_steps = integer("num_steps", num_steps, 1)
    if venv.max_cycles % num_steps and num_steps % venv.max_cycles:
        raise ValueError(
            f"num_steps must divide max_cycles ({venv.max_cycles}) or be a multiple of it, got {num_steps}"
        )
    if venv.autoreset == "disabled" and num_steps > venv.max_cycles:
        raise ValueError(
            f'autoreset="disabled": num_steps must be at most {venv.max_cycles}, one episode; got {num_steps}'
        )
    if graph is None:
        graph = venv.device.type == "cuda"
    if graph and venv.device.type != "cuda":
        raise RuntimeError(f"a CUDA graph needs a batch on CUDA; this one is on {venv.device}")
    return Capture(venv, policy, num_steps, graph, begin)
