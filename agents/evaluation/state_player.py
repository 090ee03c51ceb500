"""A player of an exact game's states in the real game, and games seen as such states.

    player = StatePlayer(game, policy)             [S, A], or [T, S, A] for a policy of time
    own, others = play_scores(game, [player, *opponents], episodes, seed)

Shapes  T steps, B games, N players, S states, A actions.
"""

from typing import Any, NamedTuple

import numpy as np

from agents.evaluation.scoring import play_episodes
from social_dilemmas_env.exact import ExactGame
from social_dilemmas_env.exact.tracking import StateTracker
from social_dilemmas_env.validation import real_array


class StatePlayer:
    """Plays a table of an exact game from observations.

    Args:
        game: the exact game.
        policy: [S, A], or [T, S, A] with a table for each step; indexed by what the seat sees.
        player: its seat.
    """

    def __init__(self, game: ExactGame, policy: Any, player: int = 0) -> None:
        self.game, self.player = game, player
        self.tracker = StateTracker(game, player)
        tables = real_array("policy", policy)
        tables = tables if tables.ndim == 3 else tables[None]
        self.tables = np.stack([game.by_state(table, player) for table in tables])
        self.reset(1, 0)

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins an episode in each of so many games."""
        self._remembered: Any = None
        self.states: list[np.ndarray] = []
        self.moves: list[np.ndarray] = []  # by the names of the exact game
        if seed is not None:
            self._random = np.random.default_rng(seed)

    def act(self, observations: Any, first: Any = None) -> np.ndarray:
        """The moves, [B]; remembers states and moves until the next `reset`."""
        self._remembered = self.tracker.follow(self._remembered, np.asarray(observations))
        states, elements = self.tracker.states(self._remembered)
        table = self.tables[min(len(self.states), len(self.tables) - 1)]

        # Draw by the exact game's names, and find what the game calls that.
        below = table[states].cumsum(1)[:, :-1]
        moves = (self._random.random((len(states), 1)) >= below).sum(1)
        self.states.append(states)
        self.moves.append(moves)
        found: np.ndarray = (self.tracker.renamed(elements) == moves[:, None]).argmax(1)
        return found


class Score(NamedTuple):
    """A mean over episodes and its 95 % interval, reward a step."""

    mean: float
    low: float
    high: float


def interval(values: np.ndarray) -> Score:
    """Mean and 95 % interval of independent values, [B]."""
    mean = float(values.mean())
    half = 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5
    return Score(round(mean, 5), round(mean - half, 5), round(mean + half, 5))


def play_scores(
    game: ExactGame, players: list[Any], episodes: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean rewards a step of player 0 and of the others, [B] each."""
    origin = game.origin
    played = play_episodes(origin.env_id, players, episodes, seed, **origin.kwargs)
    mean = played["rewards"].mean(0, dtype=np.float64)
    return mean[:, 0], mean[:, 1:].mean(1)


def averaged_policy(
    game: ExactGame, agents: list[Any], games: list[dict[str, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """What agents do in each state of an exact game, averaged over the histories that led there.

    Args:
        game: the exact game.
        agents: one a seat, `TrainedAgent`; None for a seat that is not theirs.
        games: of `play_episodes`.

    Returns:
        [S, A], indexed by what a seat sees, uniform where they never were; visits [S].
    """
    total = np.zeros((game.num_states, game.num_actions[0]))
    for seat, agent in enumerate(agents):
        if agent is None:
            continue
        tracker = StateTracker(game, seat)
        for played in games:
            remembered = hidden = None
            for seen in played["observations"][:-1, :, seat]:
                remembered = tracker.follow(remembered, seen)
                states, elements = tracker.states(remembered)
                chances, hidden = agent.probabilities(seen, hidden)

                # By state as the seat sees it, and by the names that moves have there.
                names = tracker.renamed(elements)
                if game.seen_actions is not None:
                    names = np.take_along_axis(game.seen_actions[seat][states], names, 1)
                rows = game.seen[seat, states][:, None]
                np.add.at(total, (rows, names), chances.double().cpu().numpy())

    visits = total.sum(1)
    uniform = np.full_like(total, 1 / total.shape[1])
    average = np.where(visits[:, None] > 0, total / np.maximum(visits, 1e-300)[:, None], uniform)
    return game.symmetrised(average), visits
