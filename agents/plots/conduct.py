"""What agents do, measured by playing them: cooperation, thefts, policies, reactions.

Shapes  T steps, B games, N players, S states, A actions.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import social_dilemmas_env as sde
from agents.evaluation.agent import AgentPlayer, TrainedAgent
from agents.evaluation.intervals import half_interval
from agents.evaluation.scoring import play_episodes
from social_dilemmas_env.games.coin_boards import board_of
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.matrix import MatrixGame
from social_dilemmas_env.metrics import coin_pickups
from social_dilemmas_env.policy import GameDraws

EPISODES = 128
BLOCK = 8  # steps for which the partner of a reaction map keeps to one strategy
PARTNERS = ("self", "always_cooperate", "always_defect")
HISTORIES = ("nothing yet", "took its own", "took mine")
COINS = ("my coin", "its coin")


class Bar(NamedTuple):
    """A mean with half its 95 % interval."""

    mean: float
    half: float


def what_is_counted(agent: TrainedAgent) -> str:
    """What `conduct` measures in the agent's game; "" where it measures nothing."""
    game = agent.rules
    if isinstance(game, CoinGame):
        return "coins of others, of all it took"
    dilemma = getattr(game, "action_names", [()])[0][:1] == ("cooperate",)
    return "moves that cooperate" if dilemma else ""


def conduct(agents: Sequence[TrainedAgent], partner: str, seed: int = 0) -> np.ndarray:
    """The share of thefts (Coin Game), or of cooperation, of player 0.

    Args:
        agents: one a seat, as of `load_agents`.
        partner: the name of a strategy for the other seats, or "self".
        seed: of games and draws.

    Returns:
        [B], by episode; NaN for one without any coin.
    """
    # Who plays.
    first, game = agents[0], agents[0].rules
    seats = range(1, len(game.num_actions))
    others: list[Any]
    if partner == "self":
        others = [AgentPlayer(agents[i % len(agents)].seated(i)) for i in seats]
    else:
        kwargs = first.game_kwargs
        others = [sde.make_strategy(partner, first.env_id, player=i, **kwargs) for i in seats]
    players = [AgentPlayer(first.seated(0)), *others]
    played = play_episodes(first.env_id, players, EPISODES, seed, **first.game_kwargs)

    # What player 0 did, episode by episode.
    if not isinstance(game, CoinGame):
        cooperation: np.ndarray = (played["actions"][:, :, 0] == 0).mean(0)
        return cooperation
    pickups = coin_pickups(game, played["observations"][:, :, 0])
    own, other = (kind[..., 0].sum(0) for kind in pickups)
    with np.errstate(invalid="ignore"):
        shares: np.ndarray = other / (own + other)
    return shares


def bar_of(runs: Sequence[Sequence[TrainedAgent]], partner: str) -> Bar:
    """Over the runs of a group where there are several, else over the episodes of the one."""
    rows = [conduct(agents, partner, seed) for seed, agents in enumerate(runs)]
    if len(rows) == 1:
        known = rows[0][~np.isnan(rows[0])]
        return Bar(float(known.mean()), half_interval(known)) if len(known) else Bar(np.nan, 0.0)
    means = np.array([np.nanmean(row) for row in rows])
    return Bar(float(means.mean()), half_interval(means))


# ------------------------------------------------------------------------------ memory-one agents


def memory_one(agent: TrainedAgent) -> np.ndarray | None:
    """Probabilities of action 0 at the start and after each joint action, own first, [S].

    None for an agent that is no memory-one policy of a matrix game of two.
    """
    game = agent.rules
    if not isinstance(game, MatrixGame) or len(game.num_actions) != 2:
        return None
    every = np.eye(game.sizes[0], dtype=np.float32)
    chances, hidden = agent.probabilities(every)
    return None if hidden is not None else chances[:, 0].double().cpu().numpy()


def state_names(agent: TrainedAgent) -> list[str]:
    """Names of the states of `memory_one`, such as "start", "CC", "CD", "DC", "DD"."""
    game = agent.rules
    marks = [[name[:1].upper() for name in names] for names in game.action_names]
    return ["start", *(a + b for a in marks[0] for b in marks[1])]


# -------------------------------------------------------------------------------------- reactions


class Reaction(NamedTuple):
    """What an agent does by what was done to it.

    Attributes:
        chance: [2, 3], of taking a coin in reach: its colour (COINS), and what the other did with
            the last coin it took (HISTORIES); NaN where that did not happen.
        occasions: [2, 3], how often it could.
    """

    chance: np.ndarray
    occasions: np.ndarray


class Moody:
    """Cooperates or defects for some steps at a time, by a coin toss of its own.

    Args:
        env_id: the game.
        player: its seat.
        game_kwargs: the game's arguments.
    """

    def __init__(self, env_id: str, player: int, game_kwargs: dict[str, Any]) -> None:
        names = ("always_cooperate", "always_defect")
        self.moods = [sde.make_strategy(n, env_id, player=player, **game_kwargs) for n in names]
        self.draws = GameDraws(player)

    def reset(self, num_games: int, seed: Any = None) -> None:
        """Begins episodes."""
        for mood in self.moods:
            mood.reset(num_games, seed)
        self.draws.reset(num_games, seed)
        self._t = 0

    def act(self, observations: Any, first: Any = None) -> np.ndarray:
        """The moves [B]."""
        moves = [np.asarray(mood.act(observations)) for mood in self.moods]
        if self._t % BLOCK == 0:
            self._bad = self.draws.uniforms() < 0.5
        self._t += 1
        return np.where(self._bad, moves[1], moves[0])


def reaction(agent: TrainedAgent, seed: int = 0) -> Reaction:
    """How an agent of a Coin Game of two answers a partner who changes its mind.

    Raises:
        ValueError: another game.
    """
    game = agent.rules
    if not isinstance(game, CoinGame) or game.num_agents != 2 or game.coins != 1:
        raise ValueError("a reaction map is of an agent of the Coin Game of two players")

    # Play, then ask the agent again what it was about to do.
    agent = agent.seated(0)
    partner = Moody(agent.env_id, 1, agent.game_kwargs)
    kwargs = agent.game_kwargs
    played = play_episodes(agent.env_id, [AgentPlayer(agent), partner], EPISODES, seed, **kwargs)
    seen = played["observations"][:, :, 0]
    chances, hidden = [], None
    for observations in seen[:-1]:
        now, hidden = agent.probabilities(observations, hidden)
        chances.append(now.double().cpu().numpy())

    return _tally(game, seen, np.stack(chances))


def _tally(game: CoinGame, seen: np.ndarray, chances: np.ndarray) -> Reaction:
    """Counts coins in reach and the chance of taking them.  [T + 1, B, ...], [T, B, A]."""
    pickups = coin_pickups(game, seen)
    history = np.zeros(seen.shape[1], np.int64)
    total, count = np.zeros((2, 3)), np.zeros((2, 3), np.int64)
    for t, row in enumerate(chances):
        cell, _, coin, owner = board_of(game, seen[t])
        hits = np.stack([game.move(cell, np.full_like(cell, a)) == coin for a in range(4)], -1)
        takes, reach = (row * hits).sum(-1), hits.any(-1)

        np.add.at(total, (owner[reach], history[reach]), takes[reach])
        np.add.at(count, (owner[reach], history[reach]), 1)
        # What the other takes now is its last deed from the next step on.
        history = np.where(pickups.own[t, :, 1] > 0, 1, history)
        history = np.where(pickups.other[t, :, 1] > 0, 2, history)

    with np.errstate(invalid="ignore"):
        return Reaction(total / count, count)
