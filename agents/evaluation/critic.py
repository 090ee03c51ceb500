"""The critic of a trained agent, asked step by step: what return it expected.

Shapes  V distinct observations, F features, A actions.
"""

from collections.abc import Callable

import numpy as np
import torch

from agents.nn.networks import Network, Params

Valued = Callable[[np.ndarray, np.ndarray], float]  # (observation, probabilities [A]) -> V


class Critic:
    """A network of action values, or of state values if it has one number alone.

    Args:
        net: the network.
        params: its parameters, of one set.
    """

    def __init__(self, net: Network, params: Params) -> None:
        self.net, self.params = net, params

    @torch.no_grad()
    def begin(self, steps: int) -> Valued:
        """A function to be called once a step, for one episode of so many steps.

        Returns:
            (observation, probabilities [A]) -> Σ_a π(a | s) Q(s, a), or V(s).
        """
        step = self.net.stepper(self.params, 1, steps)
        t = 0

        @torch.no_grad()
        def value(observation: np.ndarray, chances: np.ndarray) -> float:
            nonlocal t
            seen = torch.as_tensor(observation, dtype=self.net.table.dtype).flatten()
            # Observations are rows of the table, zeros and ones: the nearest is the one.
            obs_id = (self.net.table - seen.to(self.net.table.device)).abs().sum(1).argmin()
            found = step(obs_id.reshape(1, 1), t)[0, 0].double().cpu().numpy()
            t += 1
            return float(found[0] if len(found) == 1 else chances @ found)

        return value
