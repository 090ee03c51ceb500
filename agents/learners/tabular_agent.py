"""The agent of a tabular learner's checkpoint: one memory-one policy that plays.

Shapes  B games, S states, A actions.
"""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, check_tensors
from agents.errors import CheckpointError
from agents.evaluation.agent import Hidden, TrainedAgent


class TabularAgent(TrainedAgent):
    """A memory-one policy that plays.

    Attributes:
        policy: [S, A].
    """

    uniform_dtype = torch.float64

    def __init__(self, policy: Tensor, facts: dict[str, Any], seed: int = 0) -> None:
        super().__init__(facts, seed)
        self.policy = policy

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        chances, hidden = self.probabilities(observations, hidden)
        return chances.log(), hidden

    @override
    def probabilities(self, observations: Any, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        seen = torch.as_tensor(observations)
        self.check_batch(seen)
        one_hot = seen.to(self.policy.device, torch.float32).flatten(1)
        self.check_features(one_hot, len(self.policy), tuple(seen.shape))
        return self.policy[one_hot.argmax(-1)], hidden


def restore_agent(checkpoint: Checkpoint, device: str, seed: int) -> TabularAgent:
    """The agent of a checkpoint: the first run's policy of player 0.

    Raises:
        CheckpointError: the checkpoint holds no such policies.
    """
    facts = checkpoint.facts
    policies = checkpoint.tensors.get("policies")
    if policies is None or policies.dim() != 4:
        raise CheckpointError(
            f"{checkpoint.path}: it has no policies [R, N, S, A]: "
            "saved by another learner or version"
        )

    # The shape that the game asks for.
    try:
        actions = sde.spec(facts["env_id"]).game(**facts["game"]).num_actions[0]
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    expected = torch.empty(len(policies), 2, actions**2 + 1, actions, dtype=torch.float64)
    check_tensors({"policies": policies}, {"policies": expected}, checkpoint.path)

    return TabularAgent(policies[0, 0].to(device), facts, seed)
