"""Playing agents against one another, and their mean rewards a step.

Shapes  B games (episodes, played once each), T steps, N players.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.intervals import half_interval
from social_dilemmas_env.games.game import random_end
from social_dilemmas_env.metrics import adversarial_fraction, coin_pickups

if TYPE_CHECKING:  # torch takes a second to import, and leagues of scripted players do without
    from agents.evaluation.agent import TrainedAgent

OPPONENTS = {
    "coin_game_v0": ("always_cooperate", "always_defect"),
    "ipd_v0": ("always_cooperate", "always_defect", "tit_for_tat"),
}
OBSERVED = ("coin_game_v0",)  # games whose scores say what players saw


def play_episodes(
    env_id: str,
    players: Sequence[Any],
    episodes: int,
    seed: int = 0,
    *,
    keep_observations: bool = True,
    **game_kwargs: Any,
) -> dict[str, np.ndarray]:
    """Plays one episode in each of B games.

    Args:
        env_id: the game.
        players: one a seat, with `reset(B, seed)` and `act(observations [B, ...]) -> [B]`.
        episodes: B.
        seed: of the games and the players.
        keep_observations: False for those who read none: of 128 games of the commons they are
            4 GB.
        **game_kwargs: the game's arguments.

    Returns:
        "observations" [T + 1, B, N, ...] if kept, "actions" and "rewards" [T, B, N].

    Raises:
        ValueError: a game whose episodes end at random.
    """
    venv = sde.make_vec_env(env_id, num_envs=episodes, autoreset="disabled", **game_kwargs)
    if random_end(venv.game) is not None:
        raise ValueError(
            f"games of {env_id} are played side by side to the horizon: episodes that end at "
            "random (continuation, ending) are not to be had here"
        )

    # The games and every player have seeds of their own.
    seen = venv.reset(seed=sde.draw(seed, 0))[0]
    observations = [seen]
    for i, player in enumerate(players):
        player.reset(episodes, sde.draw(seed, 1, i))

    actions, rewards = [], []
    for _ in range(venv.max_cycles):
        moves = [np.asarray(p.act(seen[:, i])) for i, p in enumerate(players)]
        actions.append(np.stack(moves, 1))
        # Copies: the batch writes into its arrays again.
        seen, paid = map(np.array, venv.step(actions[-1])[:2])
        rewards.append(paid)
        if keep_observations:
            observations.append(seen)

    found = {"actions": np.stack(actions), "rewards": np.stack(rewards)}
    return {"observations": np.stack(observations), **found} if keep_observations else found


def score_agent(
    agent: TrainedAgent | Sequence[TrainedAgent],
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
    found: dict[str, float] = {}
    for opponent, games in play_matches(agent, episodes, seed, opponents):
        if opponent is None:
            found["self"] = float(games["rewards"].mean())
            found |= _thefts(agent, games)
        else:
            mean = games["rewards"].mean((0, 1))
            found[f"vs {opponent}"] = float(mean[0])
            found[f"{opponent} vs it"] = float(mean[1:].mean())
    return found


def score_intervals(
    agent: TrainedAgent | Sequence[TrainedAgent],
    *,
    episodes: int = 128,
    seed: int = 0,
    opponents: Sequence[str] | None = None,
) -> dict[str, float]:
    """Half the 95 % interval over episodes of each reward of `score_agent`, of the same games."""
    found: dict[str, float] = {}
    for opponent, games in play_matches(agent, episodes, seed, opponents):
        rewards = games["rewards"].mean(0, dtype=np.float64)  # [B, N]
        if opponent is None:
            found["self"] = half_interval(rewards.mean(1))
        else:
            found[f"vs {opponent}"] = half_interval(rewards[:, 0])
            found[f"{opponent} vs it"] = half_interval(rewards[:, 1:].mean(1))
    return found


def play_matches(
    agent: TrainedAgent | Sequence[TrainedAgent],
    episodes: int,
    seed: int,
    opponents: Sequence[str] | None,
) -> Iterator[tuple[str | None, dict[str, np.ndarray]]]:
    """Plays what `score_agent` looks at: an opponent, None for self-play, and `play_episodes`'.

    Observations only in the games of OBSERVED.
    """
    # Inside: see TYPE_CHECKING above.
    from agents.evaluation.agent import AgentPlayer

    given = list(agent) if isinstance(agent, Sequence) else [agent]
    first = given[0]
    env_id, kwargs = first.env_id, first.game_kwargs
    seats = range(len(first.rules.num_actions))

    players = [AgentPlayer(given[i % len(given)]) for i in seats]
    how = {"keep_observations": env_id in OBSERVED, **kwargs}
    yield None, play_episodes(env_id, players, episodes, seed, **how)
    for name in OPPONENTS.get(env_id, ()) if opponents is None else opponents:
        scripted = [sde.make_strategy(name, env_id, player=i, **kwargs) for i in seats[1:]]
        met = [AgentPlayer(first), *scripted]
        yield name, play_episodes(env_id, met, episodes, seed, **how)


def _thefts(
    agent: TrainedAgent | Sequence[TrainedAgent], games: dict[str, np.ndarray]
) -> dict[str, float]:
    """The share of thefts in self-play, in the Coin Game."""
    first = agent[0] if isinstance(agent, Sequence) else agent
    if first.env_id not in OBSERVED:
        return {}
    pickups = coin_pickups(first.rules, games["observations"][:, :, 0])
    return {"adversarial": float(adversarial_fraction(pickups).mean())}
