"""Playing agents against one another, and what it says: mean rewards a step, with the settings that
they depend on.

Shapes  B games (episodes, played once each), T steps, N players.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

import social_dilemmas_env as sde

OPPONENTS = {
    "coin_game_v0": ("always_cooperate", "always_defect"),
    "ipd_v0": ("always_cooperate", "always_defect", "tit_for_tat"),
}


def play(
    env_id: str, players: Sequence[Any], episodes: int, seed: int = 0, **game_kwargs: Any
) -> dict[str, np.ndarray]:
    """Plays one episode in each of B games.

    Args:
        env_id: the game.
        players: one a player of the game, with `reset(B, seed)` and `act(observations [B, ...]) ->
            [B]`.
        episodes: B.
        seed: of the games and the players.
        **game_kwargs: the game's arguments.

    Returns:
        "observations" [T + 1, B, N, ...], "actions" and "rewards" [T, B, N].
    """
    venv = sde.make_vec_env(env_id, num_envs=episodes, autoreset="disabled", **game_kwargs)
    seen = [venv.reset(seed=sde.draw(seed, 0))[0]]
    for i, player in enumerate(players):
        player.reset(episodes, sde.draw(seed, 1, i))
    actions, rewards = [], []
    for _ in range(venv.max_cycles):
        actions.append(
            np.stack([np.asarray(p.act(seen[-1][:, i])) for i, p in enumerate(players)], 1)
        )
        observations, paid, *_ = venv.step(actions[-1])
        seen.append(np.array(observations))
        rewards.append(np.array(paid))
    return {
        "observations": np.stack(seen),
        "actions": np.stack(actions),
        "rewards": np.stack(rewards),
    }


def scores(
    agent: Any | Sequence[Any],
    *,
    episodes: int = 128,
    seed: int = 0,
    opponents: Sequence[str] | None = None,
) -> dict[str, float]:
    """Mean rewards a step of an agent in self-play and against scripted players.

    Args:
        agent: of `load_agent`; or one for each seat, as of `load_agents`.
        episodes: a pair.
        seed: fixes games and draws.
        opponents: scripted players; by default those of OPPONENTS. With more than two players all
            others are alike.

    Returns:
        "self": mean of all players; "vs NAME": the agent's (the first's), as player 0; "NAME vs
        it": the others' mean. In the Coin Game also "adversarial": the share of the pick-ups in
        self-play that are of another's coin.
    """
    from agents.evaluation.agent import AgentPlayer

    given = list(agent) if isinstance(agent, Sequence) else [agent]
    first = given[0]
    game = sde.spec(first.env_id).game(**first.game_kwargs)
    seats = range(len(game.num_actions))
    players = [AgentPlayer(given[i % len(given)]) for i in seats]
    alone = play(first.env_id, players, episodes, seed, **first.game_kwargs)
    found = {"self": float(alone["rewards"].mean())}
    if first.env_id == "coin_game_v0":
        from social_dilemmas_env.metrics import adversarial_fraction, coin_pickups

        rules: Any = game
        found["adversarial"] = float(
            adversarial_fraction(coin_pickups(rules, alone["observations"][:, :, 0])).mean()
        )
    for name in OPPONENTS.get(first.env_id, ()) if opponents is None else opponents:
        scripted = [
            sde.make_strategy(name, first.env_id, player=i, **first.game_kwargs) for i in seats[1:]
        ]
        games = play(
            first.env_id, [AgentPlayer(first), *scripted], episodes, seed, **first.game_kwargs
        )
        mean = games["rewards"].mean((0, 1))
        found |= {f"vs {name}": float(mean[0]), f"{name} vs it": float(mean[1:].mean())}
    return found
