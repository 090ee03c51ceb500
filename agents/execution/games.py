"""The games that a deep learner plays: a batch on observation ids, and what a network must know.

Shapes  V distinct observations, F features of one, A actions.
"""

from typing import Any

from torch import Tensor

import social_dilemmas_env as sde
from social_dilemmas_env.games.game import random_end


def make_games(env_id: str, game: dict[str, Any], count: int, horizon: int, device: str) -> Any:
    """That many games on observation ids, which begin when told to.

    Args:
        env_id: the game.
        game: its arguments.
        count: B.
        horizon: T, steps an episode.
        device: where they are played.

    Raises:
        ValueError: episodes that end at random: these are played to the horizon together.
    """
    # No game ends at random that is not asked to.
    asked = {"continuation", "ending"} & game.keys()
    if asked and random_end(sde.spec(env_id).game(**game)) is not None:
        raise ValueError(
            "this learner's episodes end at the horizon, all at once: leave out continuation and "
            "ending (ippo learns where episodes end at random)"
        )

    options: dict[str, Any] = {
        "backend": "torch",
        "device": device,
        "obs_mode": "state",  # observation ids
        "autoreset": "disabled",  # an episode ends; the next begins with a seed of its own
    }
    return sde.make_vec_env(env_id, num_envs=count, max_cycles=horizon, **options, **game)


def check_told_apart(rules: Any, remedy: str = "") -> None:
    """Looks whether one network can play all seats.

    Args:
        rules: the game.
        remedy: what else to do than to take the other view, the end of a sentence.

    Raises:
        ValueError: players all see the same, so that none knows who it is.
    """
    # Of matrix games some views are the same for both players.
    if getattr(rules, "view", "") == "joint":
        raise ValueError(
            "view='joint' shows all players the same: of one network none knows who it is; use "
            f"view='ego'{remedy}"
        )


def spaces(env_id: str, game: dict[str, Any], device: str) -> tuple[Tensor, int]:
    """All observations of a game, by their ids, and the number of actions.  -> [V, F], A."""
    # One game is enough: the table does not depend on how many there are.
    venv: Any = sde.make_vec_env(
        env_id, num_envs=1, backend="torch", device=device, obs_mode="state", **game
    )
    return venv.observation_table, int(venv.single_action_space.n)
