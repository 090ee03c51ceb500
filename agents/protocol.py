"""The contracts between the floors: what learns, what plays, and how a learner is announced.

    Learner       what `train` runs: update, state, load
    GraphLearner  a learner whose computations may be replaced by recorded graphs
    Policy        what acts in many games at once: strategies, trained agents, users' own objects
                  (social_dilemmas_env/policy.py)
    LearnerSpec   a learner's entry in the registry (registry.py)

Importing this imports no torch: names of types are enough for a contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from social_dilemmas_env.policy import Policy

if TYPE_CHECKING:  # torch takes a second to import, and listing learners does not need it
    from torch import Tensor

    from agents.checkpoint import Checkpoint
    from agents.evaluation.agent import TrainedAgent
    from agents.execution.direct import Direct

__all__ = ["GraphLearner", "Learner", "LearnerSpec", "Policy"]

ConfigT = TypeVar("ConfigT")


class Learner(Protocol):
    """Anything that `train` can run, save and resume.

    Its random numbers follow from its seed and `iteration`, or are part of `state`: 10 updates,
    `state`, `load` and 10 more give the same bits as 20 updates (on the CPU).

    An update that takes longer than a second or two should call `between_parts` (interruption.py)
    now and then, and the learner say so by a true attribute `leaves_between_parts`: a signal then
    ends a training there, with the state of before the update.

    Attributes:
        iteration: updates so far.
    """

    iteration: int

    def update(self) -> Mapping[str, Tensor]:
        """One update.

        Returns:
            Metrics by name, 0-dimensional tensors.
        """

    def state(self) -> dict[str, Tensor]:
        """Everything that changes from update to update, by name, detached."""

    def frozen(self) -> dict[str, Tensor]:
        """Tensors that never change once they are there (past selves), by name; may be empty."""

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """The inverse of `state` and `frozen`.

        Args:
            tensors: what both gave, on any device.
            iteration: updates that had been made then.

        Raises:
            KeyError: a tensor is missing.
        """


class GraphLearner(Learner, Protocol):
    """A learner that computes through an object, which graphs may replace.

    Attributes:
        compute: how; plain calls at first (execution/direct.py).
    """

    compute: Direct


@dataclass(frozen=True)
class LearnerSpec(Generic[ConfigT]):
    """A learner that `train` can run, generic in its config.

    Attributes:
        name: the key in LEARNERS.
        title: one line.
        settings: env_id -> the default config, a frozen dataclass.
        make: (config, env_id, game arguments, seed, device) -> a learner with its games.
        agent: (checkpoint, device, seed) -> the trained agent; see evaluation/restore.py.
        graphs: whether `make` gives a `GraphLearner`.
        instead: of a learner that `train` does not drive: how it is trained, the end of a sentence.
    """

    name: str
    title: str
    settings: Callable[[str], ConfigT]
    make: Callable[[ConfigT, str, dict[str, Any], int, str], Learner]
    agent: Callable[[Checkpoint, str, int], TrainedAgent]
    graphs: bool = False
    instead: str = ""
