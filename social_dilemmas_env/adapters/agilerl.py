"""A batch as AgileRL's vector environment.

    from social_dilemmas_env.adapters.agilerl import AgileVecEnv

    envs = AgileVecEnv("coin_game_v0", num_envs=64, flat=True)

AgileRL takes for one game whatever is not a subclass of its `PettingZooVecEnv`; this is one.  The
sketch that it grew from ran AgileRL's IPPO and MADDPG (AgileRL 2.58, PettingZoo 1.26); IPPO stayed
at random play in the prisoner's dilemma, there as on AgileRL's own asynchronous environment.  The
tests play it with AgileRL 2.58.0 where that is installed, else with a stand-in for its base class.
"""

from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.adapters.dict_vec_env import Arrays, DictVecEnv, Infos
from social_dilemmas_env.adapters.versions import unusable

try:
    from agilerl.vector.pz_vec_env import PettingZooVecEnv
except ImportError as error:
    raise unusable("agilerl", error, "AgileVecEnv") from error


class AgileVecEnv(PettingZooVecEnv):  # type: ignore[misc]  # an untyped library
    """B games, an entry for each player; games restart in the step in which they end.

    Attributes:
        games: the games, as dicts of numpy arrays.

    Args:
        env_id: see `list_envs`.
        num_envs: number of games B.
        **kwargs: `obs_mode`, `seed`, `flat` and the game's own arguments; see `make_vec_env`.
            AgileRL takes the Coin Game's planes for an image too small for its networks: use
            `flat=True`.
    """

    def __init__(self, env_id: str, num_envs: int, **kwargs: Any):
        self.games = DictVecEnv(env_id, num_envs, backend="numpy", **kwargs)
        games = self.games
        super().__init__(
            games.num_envs, games.observation_spaces, games.action_spaces, games.possible_agents
        )

    @property
    def max_cycles(self) -> int:
        """Steps after which an episode is truncated."""
        return self.games.max_cycles

    @override
    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Arrays, Infos]:
        return self.games.reset(seed, options)

    @override
    def step(self, actions: Arrays) -> tuple[Arrays, Arrays, Arrays, Arrays, Infos]:
        return self.games.step({agent: np.asarray(a) for agent, a in actions.items()})

    @override
    def close(self, **kwargs: Any) -> None:
        """Nothing to close."""
