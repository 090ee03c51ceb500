"""Everything of a learner that changes from update to update: parameters, optimisers, past selves.

Checkpoints hold these tensors by name; the names are part of their format.

Shapes  R runs, P parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from agents.nn.adam import Adam


@dataclass
class PlayerState:
    """One network that learns, with its past.

    Attributes:
        theta: θ [R, P], the actor's and the critic's.
        target: θ̄ [R, P], the average whose critic sets the targets.
        actor_adam: of the actor's loss.
        critic_adam: of the critic's.
        past: earlier θ, oldest first.
    """

    theta: Tensor
    target: Tensor
    actor_adam: Adam
    critic_adam: Adam
    past: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, theta: Tensor) -> "PlayerState":
        """A learner at its start."""
        return cls(theta, theta.clone(), Adam.of(theta), Adam.of(theta))

    def tensors(self) -> dict[str, Tensor]:
        """What changes with every update, by name."""
        return {
            "theta": self.theta.detach(),
            "target": self.target.detach(),
            **self.actor_adam.tensors("actor_adam."),
            **self.critic_adam.tensors("critic_adam."),
        }

    def load(self, tensors: Mapping[str, Tensor], prefix: str, updates: int) -> None:
        """Sets what `tensors` gave, on the device where it is.

        Args:
            tensors: of a checkpoint.
            prefix: of this learner's names in it.
            updates: made until then.
        """
        device = self.theta.device
        self.theta = tensors[f"{prefix}theta"].to(device)
        self.target = tensors[f"{prefix}target"].to(device)
        self.actor_adam.load(tensors, f"{prefix}actor_adam.", updates)
        self.critic_adam.load(tensors, f"{prefix}critic_adam.", updates)


@dataclass
class ModelState:
    """What one learner believes of the others, and how it learns it.

    Attributes:
        theta: [R, P], π̂ and Q̂.
        target: [R, P], the average whose Q̂ sets the targets.
        adam: of both.
        reward_model: [R, P'], r̂.
        reward_adam: of r̂.
    """

    theta: Tensor
    target: Tensor
    adam: Adam
    reward_model: Tensor
    reward_adam: Adam

    @classmethod
    def of(cls, theta: Tensor, reward_model: Tensor) -> "ModelState":
        """Models at their start."""
        adams = Adam.of(theta), Adam.of(reward_model)
        return cls(theta, theta.clone(), adams[0], reward_model, adams[1])

    def tensors(self) -> dict[str, Tensor]:
        """What changes with every update, by name."""
        return {
            "theta": self.theta.detach(),
            "target": self.target.detach(),
            **self.adam.tensors("adam."),
            "taste": self.reward_model.detach(),  # its name in checkpoints since the first of them
            **self.reward_adam.tensors("taste_adam."),
        }

    def load(self, tensors: Mapping[str, Tensor], prefix: str, updates: int) -> None:
        """Sets what `tensors` gave; see PlayerState."""
        device = self.theta.device
        self.theta = tensors[f"{prefix}theta"].to(device)
        self.target = tensors[f"{prefix}target"].to(device)
        self.adam.load(tensors, f"{prefix}adam.", updates)
        self.reward_model = tensors[f"{prefix}taste"].to(device)
        self.reward_adam.load(tensors, f"{prefix}taste_adam.", updates)
