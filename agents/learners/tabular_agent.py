"""The agent of a tabular learner's checkpoint: one memory-one policy that plays.

Shapes  B games, S states, A actions.
"""

from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.sampling import sample_actions


class TabularAgent:
    """A memory-one policy that plays.

    Attributes:
        env_id: the game it was trained for.
        game_kwargs: that game's arguments.
        facts: what its checkpoint says of it.
        policy: [S, A].
    """

    def __init__(self, policy: Tensor, facts: dict[str, Any], seed: int = 0) -> None:
        self.env_id, self.game_kwargs, self.facts = facts["env_id"], facts["game"], facts
        self.policy = policy
        self._generator = torch.Generator().manual_seed(seed)

    def logits(
        self, observations: Tensor, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities.  [B, S] one-hot -> [B, A].

        Raises:
            ValueError: observations of another game.
        """
        states = observations.to(self.policy.device, torch.float32).flatten(1)
        if states.shape[-1] != len(self.policy):
            raise ValueError(
                f"this agent plays {self.env_id} with {self.game_kwargs}: its observations have "
                f"{len(self.policy)} numbers, these {tuple(observations.shape)} have "
                f"{states.shape[-1]}"
            )
        return self.policy[states.argmax(-1)].log(), hidden

    def act(
        self,
        observations: Any,
        hidden: Tensor | None = None,
        *,
        greedy: bool = False,
        draws: torch.Generator | None = None,
    ) -> tuple[Any, Tensor | None]:
        """One step in B games.

        Args:
            observations: [B, S], one-hot, of the seat it plays; a torch tensor or a numpy array.
            hidden: passed through: a table remembers nothing.
            greedy: take the likeliest action instead of drawing one.
            draws: the randomness, on the CPU; the agent's own if None.

        Returns:
            Actions, int64 [B], of the library of the observations; and `hidden`.
        """
        logits, hidden = self.logits(torch.as_tensor(observations), hidden)
        if greedy:
            actions = logits.argmax(-1)
        else:
            # Uniforms from the CPU, whatever the device: one seed, one course of play.
            generator = draws or self._generator
            uniforms = torch.rand(len(logits), generator=generator, dtype=torch.float64)
            actions = sample_actions(logits.exp(), uniforms.to(logits.device))
        return (actions if isinstance(observations, Tensor) else actions.cpu().numpy()), hidden


def restore_agent(
    checkpoint: Checkpoint, device: str, seed: int, *, player: int = 0
) -> TabularAgent:
    """The agent of a checkpoint: the first run's policy of `player`.

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

    return TabularAgent(policies[0, player].to(device), facts, seed)
