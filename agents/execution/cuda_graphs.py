"""Roll-outs and updates of the deep learners as CUDA graphs.

    train(..., device="cuda", cuda_graphs=True)          sets `learner.compute = Graphs(device)`

Each function that a learner computes (direct.py) is recorded once for every shape of its arguments;
from then on the device launches its thousands of small kernels as one graph. Not yet run on a
device. On the CPU, tests/agents/execution/test_cuda_graphs.py records every function of every
learner operation by operation and replays it in the same memory, with results equal bit for bit.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map
from typing_extensions import override

from agents.execution.direct import Direct, T
from agents.execution.rollout import JointPolicy, Trajectory, choose_actions
from social_dilemmas_env.vector.cuda_graph import capture
from social_dilemmas_env.vector.graph_recorder import record_graph

# Recordings of one function; more means that an argument changes which should be a tensor.
MOST = 64


class Graphs(Direct):
    """Records what it is asked to compute, and replays it.

    Results are detached, and new tensors every time.

    Args:
        device: a CUDA device.

    Raises:
        ValueError: another device.
    """

    attached = False
    capture = staticmethod(capture)

    def __init__(self, device: str | torch.device) -> None:
        self.device = torch.device(device)
        if self.device.type != "cuda":
            raise ValueError(f"cuda_graphs needs a CUDA device; this run is on {self.device}")
        # Memory of all graphs: results are copied out of it before the next replay.
        self.pool: Any = None
        self.known: dict[Any, Any] = {}

    @override
    def __call__(self, function: Callable[..., T], *arguments: Any) -> T:
        recording = self._known(
            function, arguments, lambda: _Recording(function, arguments, self.record)
        )
        result: T = recording(arguments)
        return result

    @override
    def rollout(self, venv: Any, seed: int, players: JointPolicy, uniforms: Tensor) -> Trajectory:
        venv.reset(seed=seed)
        inputs = (players, uniforms)
        episode = self._known(venv, inputs, lambda: _Episode(venv, inputs, self.capture))
        played: Trajectory = episode(inputs)
        return played

    def _known(self, what: Any, inputs: Any, make: Callable[[], Any]) -> Any:
        """The recording of this for these shapes, made at its first use."""
        # Tensors count by shape and type, all else by value: flags and settings select a recording.
        leaves, spec = tree_flatten(inputs)
        shapes = ((x.shape, x.dtype) if isinstance(x, Tensor) else (type(x), x) for x in leaves)
        key = (what, spec, *shapes)

        if key not in self.known:
            if sum(what == known for known, *_ in self.known) >= MOST:
                raise RuntimeError(
                    f"{what} was recorded {MOST} times: "
                    "an argument that is no tensor keeps changing"
                )
            self.known[key] = make()
        return self.known[key]

    def record(self, body: Callable[[], None]) -> Callable[[], None]:
        """A graph of what `body` does; call it to replay."""
        graph = record_graph(body, self.device, self.pool)
        self.pool = graph.pool()
        return graph.replay


class _Recording:
    """A function on tensors of its own: inputs are written, the graph replayed, outputs copied."""

    def __init__(
        self, function: Callable[..., Any], arguments: Any, record: Callable[..., Any]
    ) -> None:
        self.function, self.inputs = function, copied(arguments)
        self.outputs: Any = None
        self.replay = record(self._run)

    def _run(self) -> None:
        # Detached, since the function may make its arguments need gradients.
        arguments = tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, self.inputs)
        self.outputs = self.function(*arguments)

    def __call__(self, arguments: Any) -> Any:
        write(self.inputs, arguments)
        self.replay()
        return copied(self.outputs)


class _Episode:
    """One episode of all games with players whose parameters are tensors of its own."""

    def __init__(
        self, venv: Any, inputs: tuple[JointPolicy, Tensor], prepare: Callable[..., Any]
    ) -> None:
        self.inputs, self.venv = copied(inputs), venv
        self.run = prepare(venv, self._act, venv.max_cycles, begin=self._begin)

    def _begin(self) -> None:
        players, uniforms = self.inputs
        self.seats = players.seats(self.venv.num_envs, uniforms.shape[1])
        self.logits: list[Tensor] = []

    def _act(self, obs_ids: Tensor) -> Tensor:
        (players, uniforms), t = self.inputs, len(self.logits)
        chosen, logits = choose_actions(
            self.seats, obs_ids.long(), t, uniforms[:, t], players.epsilon
        )
        self.logits.append(logits)
        return chosen

    def __call__(self, inputs: tuple[JointPolicy, Tensor]) -> Trajectory:
        write(self.inputs, inputs)
        played = self.run()

        # The recording rewrites its tensors at the next call: hand out copies.
        obs_ids = torch.cat((played.observations, played.final_observations)).long()
        logits = torch.stack(self.logits)
        return Trajectory(obs_ids, played.actions.clone(), played.rewards.clone(), logits)


def copied(tree: Any) -> Any:
    """The same with tensors of its own, detached."""
    return tree_map(lambda x: x.detach().clone() if isinstance(x, Tensor) else x, tree)


def write(mine: Any, tree: Any) -> None:
    """Copies the tensors of one tree into those of another."""
    for here, x in zip(tree_leaves(mine), tree_leaves(tree), strict=True):
        if isinstance(x, Tensor):
            here.copy_(x.detach())
