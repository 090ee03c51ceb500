"""K steps of a batch together with a policy, as one CUDA graph.

    run = capture(venv, policy, num_steps=venv.max_cycles)
    rollout = run()      # the next K steps; always the same tensors, rewritten

where `policy` turns observations [B, N, ...] into actions [B, N].

Launching a kernel costs the host several microseconds, and a step of a small game is a dozen small
kernels: below a million games a GPU waits for its host.  A graph is recorded once and launched as
one.

The horizon is the host's business, as in `step`: K divides `max_cycles`, or is a multiple of it,
and a run begins where K steps fit, at t = 0, K, 2 K, ...  So the steps at which episodes end are
known when the graph is recorded, nothing is computed for resets that do not happen, and the numbers
are those that `step` gives.

A graph reads and writes tensors of its own, a copy of the batch's running episodes
(`BatchEnv.running`), and the batch takes a copy of them back (`put_back`).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from social_dilemmas_env import rng
from social_dilemmas_env.games.game import random_end
from social_dilemmas_env.games.switches import action_noise
from social_dilemmas_env.validation import integer
from social_dilemmas_env.vector.episodes import Running
from social_dilemmas_env.vector.graph_recorder import record_graph
from social_dilemmas_env.vector.torch_env import TorchBatch

Policy = Callable[[Tensor], Tensor]
MAX_DRAWS = 1 << 24  # draws of chance made in one go: 128 MB


class Rollout(NamedTuple):
    """K steps of B games with N players."""

    observations: Tensor  # [K, B, N, *obs_shape] what the policy saw, in the batch's `obs_mode`
    actions: Tensor  # [K, B, N] what it chose
    rewards: Tensor  # [K, B, N] float32
    truncations: Tensor  # [K, B, N] bool

    # [E, B, N, *obs_shape] after each max_cycles steps, or all K if that is less; before a reset
    final_observations: Tensor


class Capture:
    """K steps of a batch with a policy; call it to run them.

    Attributes:
        venv, policy, num_steps, begin: as given to `capture`.
        segment: steps without a reset.
        rollout: what a run writes.
    """

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
        self.segment = min(num_steps, venv.max_cycles)
        self._running = copied(venv.running)  # what the graph reads and writes
        self._clock = torch.zeros((), dtype=torch.int64, device=venv.device)
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

    # Between the batch and the static tensors

    def _load(self) -> None:
        """Copies the running episodes of the batch into the static tensors."""
        venv, running = self.venv, self.venv.running
        clock = venv.clock
        fits = (
            isinstance(clock, int)
            and clock % self.segment == 0
            and clock + self.segment <= venv.max_cycles
            and not venv.over
        )
        if not fits:
            raise ValueError(
                f"{self.num_steps} steps must begin at a multiple of {self.segment} steps of the "
                f"episode, the same in all games; got t = {clock}"
            )

        self._write(running)
        self._clock.fill_(clock)

    def _write(self, running: Running) -> None:
        """Copies running episodes into the static tensors."""
        for mine, tensor in zip(tensors(self._running), tensors(running), strict=True):
            mine.copy_(tensor)

    def _store(self) -> None:
        """Copies the static tensors back; the batch ends episodes that have come to their end."""
        self.rollout.truncations[-1].fill_(self.venv.clock + self.segment == self.venv.max_cycles)
        self.venv.put_back(copied(self._running), self.segment)

    def _buffers(self) -> Rollout:
        """Tensors for K steps, shaped like the present observations and the actions on them."""
        venv, k = self.venv, self.num_steps
        observation = venv.observe_now()
        self.begin()
        actions = self.policy(observation.clone())
        venv.check_actions(actions)

        games = (venv.num_envs, venv.num_agents)
        truncations = torch.zeros((k, *games), dtype=torch.bool, device=venv.device)
        truncations[self.segment - 1 :: self.segment] = self.segment == venv.max_cycles
        return Rollout(
            observation.new_empty((k, *observation.shape)),
            actions.new_empty((k, *games)),
            torch.empty((k, *games), dtype=torch.float32, device=venv.device),
            truncations,
            observation.new_empty((k // self.segment, *observation.shape)),
        )

    # What a graph records

    def _record(self) -> torch.cuda.CUDAGraph:
        """Records `_run`."""
        with torch.no_grad():
            return record_graph(self._run, self.venv.device)

    def _run(self) -> None:
        """K steps from the static tensors to the static tensors.

        Nothing here depends on values that are on the device.
        """
        engine, clock = self.venv.engine, self._clock
        stem, episode, key, rewards, encoded = self._running
        self.begin()
        for first in range(0, self.num_steps, self.segment):
            # The next episode, if this is not the first one.
            if first:
                episode, clock = episode + 1, torch.zeros_like(clock)
                key = rng.key_of(stem, engine.xp.word(episode))
                rewards, encoded = engine.episode_rewards(key), engine.start(key)

            # Its steps.
            for k, chance_draw in enumerate(self._chance_draws(key, clock + 1), first):
                encoded = self._step(k, encoded, chance_draw, rewards)
            self._observe(encoded, self.rollout.final_observations[first // self.segment])
        self._write(Running(stem, episode, key, rewards, encoded))

    def _step(
        self, k: int, encoded: tuple[Tensor, ...], chance_draw: Any, rewards: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Step k of the rollout; returns the new boards, encoded."""
        observations = self.rollout.observations[k]
        self._observe(encoded, observations)
        actions = self.policy(observations)
        self.rollout.actions[k].copy_(actions)
        encoded, earned = self.venv.engine.move(encoded, actions, chance_draw, rewards)
        self.rollout.rewards[k].copy_(earned)
        return encoded

    def _chance_draws(self, key: tuple[Tensor, Tensor], first: Tensor) -> Iterator[Any]:
        """What chance brings to the moves of a segment, a block of them at a time."""
        block = max(1, MAX_DRAWS // self.venv.num_envs)
        for lo in range(0, self.segment, block):
            num_steps = min(block, self.segment - lo)
            yield from self.venv.engine.chance_draws(key, first + lo, num_steps)

    def _observe(self, encoded: tuple[Tensor, ...], out: Tensor) -> None:
        """Writes what players see of these boards into `out`."""
        if self.venv.obs_mode == "state":
            out.copy_(self.venv.engine.observation_ids(encoded))
        else:
            self.venv.engine.observe(encoded, out.view(self.venv.num_envs, -1))

    def _check_range(self) -> None:
        limits = torch.tensor(self.venv.game.num_actions, device=self.venv.device)
        if bool(((self.rollout.actions < 0) | (self.rollout.actions >= limits)).any()):
            raise self.venv.range_error()


def tensors(running: Running) -> list[Tensor]:
    """All tensors of running episodes."""
    rewards = [] if running.rewards is None else [running.rewards]
    return [running.stem, running.episode, *running.key, *rewards, *running.encoded]


def copied(running: Running) -> Running:
    """The same with tensors of its own."""
    return Running(
        running.stem.clone(),
        running.episode.clone(),
        (running.key[0].clone(), running.key[1].clone()),
        None if running.rewards is None else running.rewards.clone(),
        tuple(column.clone() for column in running.encoded),
    )


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

    num_steps = _checked_steps(venv, num_steps)
    if graph is None:
        graph = venv.device.type == "cuda"
    if graph and venv.device.type != "cuda":
        raise RuntimeError(f"a CUDA graph needs a batch on CUDA; this one is on {venv.device}")
    return Capture(venv, policy, num_steps, graph, begin)


def _checked_steps(venv: TorchBatch, num_steps: int) -> int:
    """K steps, whose resets are known beforehand; raises what `capture` documents."""
    if action_noise(venv.game) or random_end(venv.game) is not None:
        raise ValueError(
            "capture needs a game without action_noise whose episodes end at max_cycles"
        )

    num_steps = integer("num_steps", num_steps, 1)
    if venv.max_cycles % num_steps and num_steps % venv.max_cycles:
        raise ValueError(
            f"num_steps must divide max_cycles ({venv.max_cycles}) or be a multiple of it, "
            f"got {num_steps}"
        )
    if venv.autoreset == "disabled" and num_steps > venv.max_cycles:
        raise ValueError(
            f'autoreset="disabled": num_steps must be at most {venv.max_cycles}, one episode; '
            f"got {num_steps}"
        )
    return num_steps
