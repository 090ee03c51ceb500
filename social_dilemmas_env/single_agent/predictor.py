"""Policies of Stable-Baselines3, and whatever else has its `predict`, in a seat of ours.

Shapes  B games, A actions.
"""

import copy
from typing import Any

import numpy as np

from social_dilemmas_env.policy import GameDraws


def left_out(policy: Any) -> dict[int, Any]:
    """Parts of a policy of Stable-Baselines3 that a copy does without, as a `memo` of deepcopy.

    Its optimiser; and in its distribution the last probabilities, which belong to a graph of
    gradients after training and cannot be copied.
    """
    memo: dict[int, Any] = {}
    optimizer = getattr(policy, "optimizer", None)
    if optimizer is not None:
        memo[id(optimizer)] = None

    distribution = getattr(policy, "action_dist", None)
    if distribution is not None:
        twin = copy.copy(distribution)
        vars(twin).pop("distribution", None)
        memo[id(distribution)] = twin
    return memo


class Predictor:
    """An object with `predict(observations, state, episode_start, deterministic)` as a `Policy`.

    Where the object says its probabilities (`get_distribution`: PPO, A2C) actions are drawn here,
    by each game's own seed.  Else (DQN, recurrent policies) it plays its likeliest action, since
    `predict` itself would draw for all games from the one generator that the caller uses too.
    (Its probabilities are float32: games of two batches differ where a draw falls within 1e-7 of
    one.)

    Args:
        model: what predicts; a copy that belongs to this, and is never changed again.
        player: the seat.
    """

    def __init__(self, model: Any, player: int):
        # No dropout, and no gradients.
        for setting in ("set_training_mode", "requires_grad_"):
            getattr(model, setting, lambda _: None)(False)
        self.model, self.draws = model, GameDraws(player)
        self.state: Any = None  # of recurrent policies

    @property
    def player(self) -> Any:
        """What plays."""
        return self.model

    def reset(self, num_games: int, seed: Any = None) -> None:
        """See `Policy`."""
        self.draws.reset(num_games, seed)
        self.state = None

    def act(self, observations: Any, first: Any = None) -> Any:
        """See `Policy`."""
        if self.draws.num_games is None:
            self.reset(len(observations))
        chances = self._probabilities(observations)

        if chances is None:
            start = np.zeros(len(observations), bool) if first is None else np.asarray(first)
            found = self.model.predict(
                observations, state=self.state, episode_start=start, deterministic=True
            )
            actions, self.state = found
            self.skip()
            return np.asarray(actions)

        # Inverse of the distribution function, without its last value, which may round below 1.
        below = chances.cumsum(-1)[:, :-1]
        return (self.draws.uniforms()[:, None] >= below).sum(-1)

    def skip(self) -> None:
        """Passes over a move; see `GameDraws`."""
        self.draws.skip()

    def take_back(self, games: np.ndarray) -> None:
        """See `GameDraws`."""
        self.draws.take_back(games)

    def _probabilities(self, observations: np.ndarray) -> Any:
        """float64 [B, A], or None of a policy that does not say them."""
        ask = getattr(self.model, "get_distribution", None)
        if ask is None or hasattr(self.model, "lstm_actor"):
            return None

        tensor, _ = self.model.obs_to_tensor(observations)
        distribution = getattr(ask(tensor), "distribution", None)
        chances = getattr(distribution, "probs", None)
        if chances is None:
            return None
        return chances.detach().cpu().numpy().astype(np.float64)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Predictor":
        """The memory is copied; what predicts is only read, and shared."""
        twin = copy.copy(self)
        twin.draws, twin.state = copy.deepcopy((self.draws, self.state), memo)
        return twin
