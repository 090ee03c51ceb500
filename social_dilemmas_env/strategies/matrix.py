"""Scripted players of games of cooperating (action 0, C) and defecting (action 1, D).

Most are *reactive*: the probability of C depends on the last joint action alone.  For two players
that is a memory-one strategy, the five numbers (start, CC, CD, DC, DD), own move first: M. Nowak
and K. Sigmund, "The evolution of stochastic strategies in the Prisoner's Dilemma", Acta Applicandae
Mathematicae 20 (1990).

Names and definitions agree with the Axelrod library (doi:10.5334/jors.125);
tests/interop/test_axelrod.py compares them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.games.game import Game
from social_dilemmas_env.games.matrix import MatrixGame
from social_dilemmas_env.games.public_goods import PublicGoods
from social_dilemmas_env.strategies.base import Array, Scripted, like
from social_dilemmas_env.validation import finite

PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))
CERTAIN = 1 << 32  # probability 1, in units of the words of `draws`


def payoff(game: Game, player: int, actions: Sequence[int]) -> float:
    """What `player` is paid for a joint action, without noise."""
    code = game.act(game.start(lambda stream, n: 0), actions)[1][player]
    return game.reward_values[code]


def own_payoffs(game: Game, player: int) -> tuple[float, float, float, float]:
    """(R, S, T, P): what `player` of two is paid for CC, CD, DC, DD, own move first."""
    r, s, t, p = (payoff(game, player, joint if player == 0 else joint[::-1]) for joint in PAIRS)
    return r, s, t, p


def outcomes(game: Game, player: int) -> list[tuple[int, int]]:
    """(own last action, how many others cooperated), for each observation after the start, in
    order.
    """
    if isinstance(game, PublicGoods):
        others = game.num_agents - 1
        return [(own, others - idle) for own in (0, 1) for idle in range(others + 1)]
    own_first = player == 0 or game.view == "ego"  # type: ignore[attr-defined]
    return [
        (own, 1 - other) for own, other in (pair if own_first else pair[::-1] for pair in PAIRS)
    ]


def two_actions_refusal(game: Game) -> str:
    """Why "cooperate" has no meaning in a game; "" if it has."""
    if not isinstance(game, MatrixGame | PublicGoods) or set(game.num_actions) != {2}:
        return "needs a matrix game with two actions, cooperate and defect"
    everyone = range(len(game.num_actions))
    if not all(
        payoff(game, i, [0 for _ in everyone]) > payoff(game, i, [1 for _ in everyone])
        for i in everyone
    ):
        return "needs a game in which all players prefer that all choose action 0 (cooperate) to that all choose 1"
    return ""


def two_players_refusal(game: Game) -> str:
    """Why a game is not one of two players with two actions each; "" if it is."""
    if isinstance(game, MatrixGame | PublicGoods) and game.num_actions == (2, 2):
        return ""
    return "needs a matrix game of two players with two actions each"


def probability(name: str, value: float) -> float:
    """A number in [0, 1].

    Raises:
        ValueError: it is none.
    """
    if not 0 <= finite(name, value) <= 1:
        raise ValueError(f"{name} must lie between 0 and 1, got {value!r}")
    return float(value)


class Reactive(Scripted):
    """Cooperates with a probability that depends on its last observation alone.

    Attributes:
        chances: probability of cooperating for each observation, the start first.
    """

    def __init__(self, game: Game, player: int, seed: int, chances: Sequence[float]):
        super().__init__(game, player, seed)
        self.chances = tuple(chances)
        self._certain = set(self.chances) <= {0.0, 1.0}

    def _start(self, zeros: Array) -> None:
        self._limits = like(zeros, [round(chance * CERTAIN) for chance in self.chances])

    def _choose(self, observations: Array, restart: Array) -> Array:
        limit = self._limits[observations.argmax(-1) * (1 - restart)]
        return (limit == 0) * 1 if self._certain else (self._words() >= limit) * 1

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        cooperate = np.array(self.chances)[observations.argmax(-1)]
        return np.stack([cooperate, 1 - cooperate], -1)


class AlwaysCooperate(Reactive):
    """Cooperates always.

    Also Cooperator, ALLC: R. Axelrod, The Evolution of Cooperation (1984).
    """

    name = "always_cooperate"

    def __init__(self, game: Game, player: int = 0, seed: int = 0):
        """See `make_strategy`."""
        super().__init__(game, player, seed, [1.0] * game.observation_shape[0])

    @classmethod
    def refusal(cls, game: Game) -> str:
        """See `Scripted`."""
        return two_actions_refusal(game)


class AlwaysDefect(Reactive):
    """Defects always.

    Also Defector, ALLD: R. Axelrod, The Evolution of Cooperation (1984).
    """

    name = "always_defect"

    def __init__(self, game: Game, player: int = 0, seed: int = 0):
        """See `make_strategy`."""
        super().__init__(game, player, seed, [0.0] * game.observation_shape[0])

    @classmethod
    def refusal(cls, game: Game) -> str:
        """See `Scripted`."""
        return two_actions_refusal(game)


class OfMany(Scripted):
    """A player that counts how many of the others cooperated: two players, or a public goods game
    of any number.
    """

    @classmethod
    def refusal(cls, game: Game) -> str:
        """See `Scripted`."""
        return two_actions_refusal(game) or (
            "" if isinstance(game, PublicGoods) else two_players_refusal(game)
        )


class TitForTat(Reactive, OfMany):
    """Cooperates first, then does what the other player did last.

    Among more than two players it cooperates if at least the fraction `share` (by default half) of
    the others did.

    A. Rapoport's entry in R. Axelrod, "Effective Choice in the Prisoner's Dilemma", J. Conflict
    Resolution 24 (1980).  For many players the strategies T_a of R. Boyd and P. Richerson, "The
    Evolution of Reciprocity in Sizable Groups", J. Theor. Biol. 132 (1988), with a = share * (N -
    1), rounded up.
    """

    name = "tit_for_tat"

    def __init__(self, game: Game, player: int = 0, seed: int = 0, *, share: float = 0.5):
        """See `make_strategy`."""
        if probability("share", share) == 0:
            raise ValueError(
                f"share must be positive, got {share!r}: always_cooperate asks nothing of the others"
            )
        enough = share * (len(game.num_actions) - 1) - 1e-9
        super().__init__(
            game,
            player,
            seed,
            [1.0, *(float(others >= enough) for _, others in outcomes(game, player))],
        )


class Grim(OfMany):
    """Cooperates until any other player defects, then defects to the end of the episode.

    Also Grudger, trigger strategy: J. W. Friedman, "A Non-cooperative Equilibrium for Supergames",
    Review of Economic Studies 38 (1971); the entry Friedman in Axelrod's first tournament (1980).
    """

    name = "grim"
    num_memories = 2
    memory = "grudge"

    def _betrayals(self) -> list[int]:
        """1 for each observation that shows a defection of another, else 0; the start first."""
        others = len(self.game.num_actions) - 1
        return [0, *(int(c < others) for _, c in outcomes(self.game, self.player))]

    def _start(self, zeros: Array) -> None:
        self._betrayal = like(zeros, self._betrayals())
        self._grudge = zeros + 0

    def _choose(self, observations: Array, restart: Array) -> Array:
        last = observations.argmax(-1) * (1 - restart)
        grudge = (self._grudge * (last > 0) + self._betrayal[last] > 0) * 1
        self._grudge[:] = grudge
        return grudge

    @override
    def action_probabilities(self, observations: Any, memory: int = 0) -> Any:
        return np.tile(np.eye(2)[memory], (len(observations), 1))

    @override
    def next_memory(self, memory: int, before: Any, observations: Any) -> Any:
        return np.maximum(memory, np.array(self._betrayals())[observations.argmax(-1)])


class MemoryOne(Reactive):
    """Cooperates with the probabilities (start, CC, CD, DC, DD), own last move first.

    `probabilities=` takes any five numbers between 0 and 1; in a game without cooperation they are
    those of action 0.

    M. Nowak and K. Sigmund, "The evolution of stochastic strategies in the Prisoner's Dilemma",
    Acta Applicandae Mathematicae 20 (1990); the policies of LOLA (arXiv:1709.04326).
    """

    name = "memory_one"

    def __init__(
        self, game: Game, player: int = 0, seed: int = 0, *, probabilities: Sequence[float]
    ):
        """See `make_strategy`."""
        given = list(probabilities)
        if len(given) != 5:
            raise ValueError(
                f"probabilities must be five numbers (start, CC, CD, DC, DD), got {len(given)}"
            )
        self.probabilities = tuple(probability("each of probabilities", float(p)) for p in given)
        after = [
            self.probabilities[1 + 2 * own + (1 - others)] for own, others in outcomes(game, player)
        ]
        super().__init__(game, player, seed, [self.probabilities[0], *after])

    @classmethod
    def refusal(cls, game: Game) -> str:
        """See `Scripted`."""
        return two_players_refusal(game)


class MemoryOneDilemma(MemoryOne):
    """A memory-one player to whom cooperation means something."""

    @classmethod
    def refusal(cls, game: Game) -> str:
        """See `Scripted`."""
        return two_players_refusal(game) or two_actions_refusal(game)


class Pavlov(MemoryOneDilemma):
    """Cooperates first, then repeats its move if the other cooperated and changes it if not
    (win-stay, lose-shift).

    M. Nowak and K. Sigmund, "A strategy of win-stay, lose-shift that outperforms tit-for-tat in the
    Prisoner's Dilemma game", Nature 364 (1993); (1, 1, 0, 0, 1) in every game here.
    """

    name = "pavlov"

    def __init__(self, game: Game, player: int = 0, seed: int = 0):
        """See `make_strategy`."""
        super().__init__(game, player, seed, probabilities=(1, 1, 0, 0, 1))


class GenerousTitForTat(MemoryOneDilemma):
    """As tit for tat, but forgives a defection with probability `generosity`.

    By default the most that cannot be exploited, min(1 - (T - R) / (R - S), (R - P) / (T - P)): 1/3
    for Axelrod's payoffs (R, S, T, P) = (3, 0, 5, 1) and 1/2 for those of `ipd_v0`.

    M. Nowak and K. Sigmund, "Tit for tat in heterogeneous populations", Nature 355 (1992).
    """

    name = "generous_tit_for_tat"

    def __init__(
        self, game: Game, player: int = 0, seed: int = 0, *, generosity: float | None = None
    ):
        """See `make_strategy`."""
        if generosity is None:
            generosity = best_generosity(*own_payoffs(game, player))
        g = self.generosity = probability("generosity", generosity)
        super().__init__(game, player, seed, probabilities=(1, 1, g, 1, g))


def best_generosity(r: float, s: float, t: float, p: float) -> float:
    """min(1 - (T - R) / (R - S), (R - P) / (T - P)), for T > R > max(S, P) and 2 R >= T + S.

    Raises:
        ValueError: other payoffs, for which the formula says nothing.
    """
    if not (t > r > max(s, p) and 2 * r >= t + s):
        raise ValueError(
            f"generous_tit_for_tat has no default for R, S, T, P = {r}, {s}, {t}, {p}: give generosity=, a probability"
        )
    return min(1 - (t - r) / (r - s), (r - p) / (t - p))


class Extort2(MemoryOneDilemma):
    """Makes its own surplus over mutual defection twice the other's: s_own - P = 2 (s_other - P),
    in the long run.

    Cooperates first.  For (R, S, T, P) = (3, 0, 5, 1): P(C | CC, CD, DC, DD) = (8/9, 1/2, 1/3, 0).

    W. Press and F. Dyson, "Iterated Prisoner's Dilemma contains strategies that dominate any
    evolutionary opponent", PNAS 109 (2012); Extort-2 of A. Stewart and J. Plotkin, "Extortion and
    cooperation in the Prisoner's Dilemma", PNAS 109 (2012).
    """

    name = "extort2"

    def __init__(self, game: Game, player: int = 0, seed: int = 0):
        """See `make_strategy`."""
        if own_payoffs(game, 0) != own_payoffs(game, 1):
            raise ValueError("extort2 needs a symmetric game")
        super().__init__(
            game, player, seed, probabilities=(1.0, *extortion(*own_payoffs(game, player)))
        )


def extortion(r: float, s: float, t: float, p: float, factor: float = 2.0) -> tuple[float, ...]:
    """P(C | CC, CD, DC, DD) of the zero-determinant strategy s_own - P = factor * (s_other - P).

    With slope 1 / factor and baseline P (C. Hilbe, M. Nowak, K. Sigmund, "Evolution of extortion in
    Iterated Prisoner's Dilemma games", PNAS 110 (2013)).  The free scale phi is half the largest
    that leaves probabilities, as in Press and Dyson's examples (1/9 for Axelrod's payoffs), so that
    it does not depend on the unit of the payoffs.

    Raises:
        ValueError: payoffs for which there is no such strategy.
    """
    slope = 1 / factor
    changes = ((1 - slope) * (r - p), slope * (p - s) + (t - p), (p - s) + slope * (t - p))
    if min(changes) < 0 or max(changes) == 0:
        raise ValueError(f"there is no extortion by {factor} for R, S, T, P = {r}, {s}, {t}, {p}")
    cc, cd, dc = (change / (2 * max(changes)) for change in changes)
    return 1 - cc, 1 - cd, dc, 0.0
