"""Strategies of the Axelrod library as players of games of two players with two moves each.

    env = gymnasium.make("social_dilemmas/ipd-v0", opponent="axelrod:TitFor2Tats")

The library (https://github.com/Axelrod-Python/Axelrod, Knight et al. 2016) takes ten seconds to
import, so it is imported when such a player is made.  Its strategies are Python objects that
remember whole histories: a batch asks one object a game.  Action 0 is C, action 1 is D; payoffs are
those of the game, from the player's own seat, and no strategy is told how long a match lasts.

Shapes  B games.
"""

import difflib
import math
from functools import cache
from typing import Any

import numpy as np

from social_dilemmas_env import rng
from social_dilemmas_env.extras import need
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.games.matrix import MatrixGame
from social_dilemmas_env.policy import STREAM, check_seeds

PREFIX = "axelrod:"


def is_axelrod_word(word: str) -> bool:
    """Whether a word names a strategy of the library: "axelrod:NAME"."""
    return word.startswith(PREFIX)


@cache
def library_strategies() -> dict[str, Any]:
    """The library's strategies by the names of their classes.

    Without those that read or change their opponent's source or state: there is only a history.

    Raises:
        MissingExtraError: the library is not installed.
    """
    library = need("axelrod", extra="", what=f"an opponent {PREFIX}NAME")
    return {kind.__name__: kind for kind in library.strategies}


def own_table(game: Game, player: int) -> np.ndarray:
    """Payoffs [own action, other's action] of one seat.

    Raises:
        ValueError: not a matrix game of two players with two moves each.
    """
    if not isinstance(game, MatrixGame) or game.num_actions != (2, 2):
        raise ValueError(
            "Axelrod's strategies play matrix games of two players with two moves each"
        )
    table = np.array(game.reward_values).reshape(2, 2, 2)[..., player]
    return table if player == 0 else table.T


class AxelrodPlayer:
    """B copies of one of the library's strategies, one for each of B games; a `Policy`.

    Args:
        name: of its class, such as "TitFor2Tats".
        game: the rules.
        player: the seat.
        seed: of its random moves, until `reset` is given another.

    Raises:
        ValueError: an unknown name (the nearest are named), or a game that it cannot play.
        MissingExtraError: the library is not installed.
    """

    def __init__(self, name: str, game: Game, player: int = 0, seed: int = 0):
        self._payoffs = own_table(game, player)
        kinds = library_strategies()
        if name not in kinds:
            near = difflib.get_close_matches(name, kinds, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else f"there are {len(kinds)}"
            raise ValueError(f"Axelrod has no strategy {name!r} that plays by the rules; {hint}")

        self.name, self.player = name, player
        self._own_first = player == 0 or getattr(game, "view", "ego") == "ego"
        self._seed: Any = rng.check_seed(seed)
        self._resets, self._games = -1, 0
        self._pairs: list[Any] = []  # a game: the strategy, and a stand-in with the other's moves

    def reset(self, num_games: int, seed: Any = None) -> None:
        """See `Policy`."""
        # Checked before anything changes; without a seed the next episodes draw anew.
        seed = check_seeds(seed, num_games, self._seed)
        self._resets = self._resets + 1 if seed is None else 0
        self._seed = self._seed if seed is None else seed
        self._games, self._episodes = num_games, [0] * num_games
        self._pairs = [self._begun(i) for i in range(num_games)]

    def _begun(self, i: int) -> Any:
        """A strategy at the start of an episode of game i, and a stand-in for the other."""
        axl = need("axelrod", extra="")

        # It is told the payoffs, and no length.
        (r, s), (t, p) = self._payoffs.tolist()
        own = library_strategies()[self.name]()
        own.set_match_attributes(length=math.inf, game=axl.Game(r=r, s=s, t=t, p=p), noise=0)

        # Its own generator: a game's moves depend on no other game.
        seed = self._seed[i] if isinstance(self._seed, list) else rng.draw(self._seed, i)
        own.set_seed(rng.draw(seed, STREAM, self.player, self._resets, self._episodes[i]))
        return own, axl.MockPlayer()

    def act(self, observations: Any, first: Any = None) -> np.ndarray:
        """See `Policy`; int64 [B].

        Raises:
            ValueError: another number of games than at the reset.
        """
        seen = np.asarray(observations).reshape(len(observations), -1)
        if not self._games:
            self.reset(len(seen))
        if len(seen) != self._games or seen.shape[1] < 5:  # a clock may follow
            raise ValueError(
                f"observations of {self._games} games must have shape [{self._games}, 5 or more], "
                f"got {seen.shape}"
            )
        begins = seen[:, 0] > 0 if first is None else np.asarray(first) | (seen[:, 0] > 0)
        return np.array([self._move(i, seen[i], bool(begins[i])) for i in range(len(seen))])

    def _move(self, i: int, seen: np.ndarray, begins: bool) -> int:
        """The move in game i."""
        axl = need("axelrod", extra="")
        actions = (axl.Action.C, axl.Action.D)

        # An episode begins; or the last joint move is told to both sides.
        if begins:
            if len(self._pairs[i][0].history):
                self._episodes[i] += 1
                self._pairs[i] = self._begun(i)
        else:
            mine, theirs = divmod(int(seen[1:5].argmax()), 2)
            mine, theirs = (mine, theirs) if self._own_first else (theirs, mine)
            own, other = self._pairs[i]
            own.update_history(actions[mine], actions[theirs])
            other.update_history(actions[theirs], actions[mine])

        # What it does now.
        own, other = self._pairs[i]
        return actions.index(own.strategy(other))
