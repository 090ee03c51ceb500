"""What the moves of an episode were worth, exactly: where the game can be enumerated.

    A_n(s, a) = Q_n(s, a) - V_n(s)          of the policies that were played
    A*(s, a)  = Q*(s, a) - V*(s) <= 0       where a player's policy is not known, such as a
                                            person's: against the best response to the others

Both in the discounted game without end (social_dilemmas_env/exact/game.py).

Shapes  T steps, N players, S states, A actions.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.exact import ExactGame, TooLarge, exact_game
from social_dilemmas_env.exact.tracking import StateTracker
from social_dilemmas_env.games.game import Game
from social_dilemmas_env.registry import spec
from social_dilemmas_env.replay import Episode, Exact

GAMMA = 0.96  # where no player brings its own
MAX_BOARDS = 2_000  # reachable or not, up to translations: a second of computing
MEMORIES = ("last_pickup", "last_action", "grudge", None)  # tried until all scripted players fit

Known = tuple[ExactGame, list[Any]]  # a game; each player's policy [S, A], None for unknown


def exact_of(episode: Episode, players: Sequence[Any]) -> Exact | None:
    """Values and advantages of an episode.

    Args:
        episode: what was played.
        players: one a seat: a trained agent, the name of a strategy, or anything else for a
            player whose policy is not known.

    Returns:
        None where the game is too large, or two players or more are not known.
    """
    known = as_policies(episode, players)
    if known is None:
        return None
    game, policies = known
    # With one player unknown, against the best it could have done.
    unknown = [seat for seat, policy in enumerate(policies) if policy is None]
    try:
        tables = _response(game, policies, unknown[0]) if unknown else _played(game, policies)
        rows = [
            None if table is None else _along(episode, game, seat, table)
            for seat, table in enumerate(tables)
        ]
    except ValueError:  # a player who does not see enough of the state
        return None

    return Exact(
        _label(game, episode.players, unknown),
        tuple(None if row is None else row[0] for row in rows),
        tuple(None if row is None else row[1] for row in rows),
    )


def _label(game: ExactGame, names: Sequence[str], unknown: list[int]) -> str:
    if unknown:
        name = names[unknown[0]].removeprefix("bundled:")
        return (
            f"what each move of {name} lost against the best response to the others, "
            f"discounted by {game.gamma:g}, without end"
        )
    return f"Q(s, a) - V(s) of the policies that play, discounted by {game.gamma:g}, without end"


# ------------------------------------------------------------------------------------- policies


def as_policies(episode: Episode, players: Sequence[Any]) -> Known | None:
    """An exact game in which all players but one are policies; None if there is none."""
    hopeless = sum(map(_has_no_policy, players))
    if hopeless > 1:
        return None

    best: Known | None = None
    for game in _games(episode, players):
        policies = [_policy(game, player, seat) for seat, player in enumerate(players)]
        missing = sum(policy is None for policy in policies)
        if missing == hopeless:
            return game, policies
        if missing == 1 and best is None:
            best = game, policies
    return best


def _has_no_policy(player: Any) -> bool:
    """Whether a player is no policy of any exact game: a person, or a recurrent network."""
    if isinstance(player, str):
        return False
    if not hasattr(player, "probabilities"):
        return True
    if hasattr(player, "exact"):
        return False
    shape = spec(player.env_id).game(**player.game_kwargs).observation_shape
    return player.probabilities(np.zeros((1, *shape), np.float32))[1] is not None


def _games(episode: Episode, players: Sequence[Any]) -> Iterator[ExactGame]:
    """Exact games to try: those that agents bring along, and others with some memory."""
    rules = episode.game
    for player in players:
        own = getattr(player, "exact", None)
        if own is not None and repr(own.origin.game) == repr(rules):
            yield own

    if _boards(rules) > MAX_BOARDS:
        return
    for memory in MEMORIES:
        # Some look at absolute cells: then every board counts.
        for symmetry in ("translations", None):
            try:
                yield exact_game(
                    episode.env_id,
                    memory=memory,
                    gamma=GAMMA,
                    symmetry=symmetry,
                    **episode.game_kwargs,
                )
            except (TooLarge, ValueError, TypeError):
                continue


def _boards(rules: Game) -> int:
    return math.prod(rules.sizes) // max(getattr(rules, "cells", 1), 1)


def _policy(game: ExactGame, player: Any, seat: int) -> Any:
    """A player as a policy of the game, [S, A]; None if it is none."""
    if not (isinstance(player, str) or hasattr(player, "probabilities")):
        return None
    try:
        return game.policy(player, player=seat)
    except (ValueError, TypeError):
        return None


# --------------------------------------------------------------------------------------- values

Tables = list[tuple[np.ndarray, np.ndarray] | None]  # a player: V [S] and Q [S, A]


def _played(game: ExactGame, policies: Sequence[Any]) -> Tables:
    """Of the policies that play."""
    values = game.values(policies)
    return [(values[:, n], _own(game, policies, values[:, n], n)) for n in range(game.num_agents)]


def _response(game: ExactGame, policies: Sequence[Any], player: int) -> Tables:
    """Of the best response of one player, against the others."""
    best, _ = game.best_response(policies, player)
    own = [best if seat == player else policy for seat, policy in enumerate(policies)]
    values = game.values(own)[:, player]
    tables: Tables = [None] * game.num_agents
    tables[player] = (values, _own(game, own, values, player))
    return tables


def _own(game: ExactGame, policies: Sequence[Any], values: np.ndarray, player: int) -> np.ndarray:
    """Q of a player's actions, [S, A]."""
    others = game.joint_policy(policies, without=player)
    return game.own_values(game.action_values(values, player, game.gamma), others, player)


def _along(
    episode: Episode, game: ExactGame, player: int, tables: tuple[np.ndarray, np.ndarray]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """V(s) before each move of an episode, and Q(s, a) - V(s) of it."""
    values, q = tables
    tracker = StateTracker(game, player)
    columns = zip(*episode.boards[:-1], strict=True)
    seen = game.origin.observe(tuple(np.array(column) for column in columns), player)

    found: list[tuple[float, float]] = []
    remembered = None
    for observation, actions in zip(seen, episode.actions, strict=True):
        remembered = tracker.follow(remembered, observation[None])
        states, elements = tracker.states(remembered)
        name = tracker.renamed(elements)[0, actions[player]]
        state = states[0]
        found.append((float(values[state]), float(q[state, name] - values[state])))
    before, advantages = zip(*found, strict=True)
    return before, advantages
