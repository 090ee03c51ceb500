"""A batch as dicts of arrays, {"player_0": [B, ...], ...}.

It is what skrl reads, and PettingZoo with a batch axis (for AgileRL see `adapters.agilerl`):

    from skrl.envs.wrappers.torch import wrap_env
    from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv

    games = DictVecEnv("coin_game_v0", num_envs=4096, device="cuda")
    env = wrap_env(games, wrapper="isaaclab-multi-agent")
"""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Discrete

from social_dilemmas_env.adapters.options import required_options
from social_dilemmas_env.make import make_vec_env
from social_dilemmas_env.modes import Backend

Arrays = dict[str, Any]  # player -> array [B, ...]
Infos = dict[str, dict[str, Any]]  # player -> info


class DictVecEnv:
    """B games, an entry for each player; games restart in the step in which they end.

    Attributes:
        batch: the games.
        num_envs, num_agents, possible_agents, agents, device: what they say.
        observation_spaces, action_spaces: by player, of one game.
        state_space: of `state`, for centralised critics.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B.
        backend: "torch" or "numpy".
        **kwargs: see `make_vec_env` (all but `autoreset` and `reuse_buffers`).
    """

    render_mode = None

    def __init__(self, env_id: str, num_envs: int, backend: Backend = "torch", **kwargs: Any):
        options = required_options("DictVecEnv", kwargs, autoreset="same_step", reuse_buffers=False)
        self.batch = make_vec_env(env_id, num_envs, backend, **options)

        # What the libraries ask for, by their names; some of them write into `metadata`.
        self.metadata: dict[str, Any] = {"render_modes": []}
        self.num_envs, self.num_agents = self.batch.num_envs, self.batch.num_agents
        self.max_num_agents, self.device = self.num_agents, self.batch.device
        self.possible_agents = self.batch.possible_agents
        self.agents = self.possible_agents[:]

        # One space object for each player, the same at every call.
        space = self.batch.single_observation_space
        self.observation_spaces: dict[str, Box | Discrete] = dict.fromkeys(
            self.possible_agents, space
        )
        self.action_spaces = {
            agent: Discrete(count)
            for agent, count in zip(self.possible_agents, self.batch.game.num_actions, strict=True)
        }
        self.state_space = self.batch.state_space

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.batch.max_cycles

    @property
    def unwrapped(self) -> "DictVecEnv":
        """This wrapper."""
        return self

    def observation_space(self, agent: str) -> Box | Discrete:
        """Of one player of one game; the same object every time."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """Of one player of one game; the same object every time."""
        return self.action_spaces[agent]

    single_observation_space = observation_space  # AgileRL's names
    single_action_space = action_space

    def reset(
        self, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Arrays, Infos]:
        """Starts an episode in every game, or some; see `BatchEnv.reset`."""
        observations, _ = self.batch.reset(seed, options)
        return self._split(observations), {agent: {} for agent in self.possible_agents}

    def step(self, actions: Arrays) -> tuple[Arrays, Arrays, Arrays, Arrays, Infos]:
        """One joint move in every game.

        Args:
            actions: by player, integers [B] or [B, 1].

        Returns:
            Observations, rewards, terminations, truncations and infos, by player, [B, ...] each.
            Where games have ended the infos hold "final_obs" [B, *obs_shape] and
            "_final_obs" bool [B]; with `info_metrics=True`, "metrics", float64 [B] each, too.

        Raises:
            ValueError, TypeError, ResetNeeded: as `BatchEnv.step`; or a player's actions are
                missing or unknown.
        """
        *arrays, info = self.batch.step(self._join(actions))

        # The last observations of the games that have just ended.
        infos: Infos = {agent: {} for agent in self.possible_agents}
        if info:
            for agent, final in self._split(info["final_obs"]).items():
                infos[agent] = {"final_obs": final, "_final_obs": info["_final_obs"]}
        if "metrics" in info:
            for n, agent in enumerate(self.possible_agents):
                own = {name: values[:, n] for name, values in info["metrics"].items()}
                infos[agent] |= {"metrics": own, "_metrics": info["_metrics"]}

        observations, rewards, terminations, truncations = map(self._split, arrays)
        return observations, rewards, terminations, truncations, infos

    def state(self) -> Any:
        """Each whole game, [B, ...]; see `BatchEnv.state`."""
        return self.batch.state()

    def close(self) -> None:
        """Nothing to close."""

    def render(self) -> None:
        """Batches are not rendered."""

    def _split(self, array: Any) -> Arrays:
        """[B, N, ...] -> player -> [B, ...]."""
        return {agent: array[:, n] for n, agent in enumerate(self.possible_agents)}

    def _join(self, actions: Arrays) -> Any:
        """Player -> [B] or [B, 1] -> [B, N]."""
        if set(actions) != set(self.possible_agents):
            expected = f"actions must hold exactly the players {self.possible_agents}"
            raise ValueError(f"{expected}, got {sorted(actions)}")

        given = [actions[agent] for agent in self.possible_agents]
        if self.batch.backend == "numpy":
            return np.stack([np.asarray(column).reshape(-1) for column in given], -1)
        import torch  # optional; loaded already, for the batch is made of tensors

        for column in given:
            if not isinstance(column, torch.Tensor):
                raise TypeError(f"actions must be torch tensors, got {type(column).__name__}")
        return torch.stack([column.reshape(-1) for column in given], -1)
