"""What plays: the one contract of players (`Policy`), and their share of chance (`GameDraws`).

Scripted strategies, trained agents and a user's own objects are policies alike; whatever is met
by a learner, sits in a league or is watched is asked for these two methods and no more.

Shapes  B games.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from social_dilemmas_env import rng
from social_dilemmas_env.validation import integer

STREAM = 0x53747261  # keeps a player's words apart from those of a game with the same seed


@runtime_checkable
class Policy(Protocol):
    """One player of B games at once, with whatever memory it needs.

    What happens in game i depends on game i and its seed alone, whatever else is in the batch.
    """

    def reset(self, num_games: int, seed: Any = None) -> None:
        """Forgets everything; the next `act` begins an episode in all games.

        Args:
            num_games: B.
            seed: fixes the random choices from here on: an integer (game i then has the seed
                `draw(seed, i)`), or B of them, each game's own; None goes on with new ones.
        """

    def act(self, observations: Any, first: Any = None) -> Any:
        """The moves in all games.

        Args:
            observations: [B, *observation_shape], what this player sees; numpy or torch.
            first: [B] bool, the games whose episode has just begun, where episodes follow one
                another; None: not known.

        Returns:
            Actions, integers [B], of the library of the observations, on the same device.
        """


def check_seeds(seed: Any, num_games: int, last: Any) -> Any:
    """The seed of a `reset`, looked at before anything changes.

    Args:
        seed: an integer, a sequence of B of them, or None.
        num_games: B.
        last: the seed or seeds until now.

    Returns:
        An int, a list of B, or None.

    Raises:
        TypeError: no integers.
        ValueError: a seed out of range, or a wrong number of them.
    """
    if isinstance(seed, Sequence) or (isinstance(seed, np.ndarray) and seed.ndim):
        seeds = [rng.check_seed(own) for own in seed]
        if len(seeds) != num_games:
            raise ValueError(
                f"seed must be an integer or {num_games} of them, one a game; got {len(seeds)}"
            )
        return seeds
    if seed is not None:
        return rng.check_seed(seed)

    # None: the last seeds go on, if there are as many as games.
    if isinstance(last, list) and len(last) != num_games:
        raise ValueError(
            f"the last seeds were for {len(last)} games: {num_games} games need a seed"
        )
    return None


def take_back(policies: Iterable[Any], games: np.ndarray) -> None:
    """The last move of these games was none, since they waited for their reset.

    A policy is asked for the moves of all games at once.  Without this, its random moves in one
    game would depend on when the others end.

    Args:
        policies: those without a `take_back` have no words of their own, or keep count themselves.
        games: bool [B].
    """
    for policy in policies:
        if hasattr(policy, "take_back"):
            policy.take_back(games)


class GameDraws:
    """Random words for a player of B games: those of a game depend on its own seed alone.

    The word of game i at the t-th move since the n-th reset hashes (seed of game i, player, n, t),
    as in scripted strategies.

    Args:
        player: the seat it is for; two players of one game draw differently.
        seed: until `reset` gives another.
        stream: for several uses by one player.
    """

    def __init__(self, player: int, seed: int = 0, stream: int = STREAM):
        self.player, self.stream = player, stream
        self.num_games: int | None = None  # None before the first `reset`
        self._seed: Any = rng.check_seed(seed)
        self._resets = -1
        self._t: Any = 0  # moves; [B] once some were taken back

    def reset(self, num_games: int, seed: Any = None) -> None:
        """Begins anew; see `Policy.reset`, and `check_seeds` for what it raises."""
        num_games = integer("num_games", num_games, 1)
        seed = check_seeds(seed, num_games, self._seed)

        # A new seed starts over; without one, the count of resets makes new words.
        self._resets = self._resets + 1 if seed is None else 0
        self._seed = self._seed if seed is None else seed
        self.num_games, self._t = num_games, 0

        # A key for each game.
        if isinstance(self._seed, list):
            seeds: Any = np.array(self._seed, np.int64)
        else:
            seeds = rng.draw(self._seed, np.arange(num_games))
        self._key = rng.key(rng.draw(seeds, self.stream, self.player), self._resets)

    def words(self) -> np.ndarray:
        """A 32-bit word for each game, int64 [B]; the next call gives the next ones."""
        found: np.ndarray = rng.word(self._key, self._t)
        self.skip()
        return found

    def uniforms(self) -> np.ndarray:
        """A number in [0, 1) for each game, float64 [B]; takes a word each."""
        found: np.ndarray = self.words() / 2.0**32
        return found

    def skip(self) -> None:
        """Passes over a move: words belong to moves, whether they are looked at or not."""
        self._t += 1

    def take_back(self, games: np.ndarray) -> None:
        """The last move of these games [B] was none: they waited for their reset."""
        self._t = self._t - games * 1
