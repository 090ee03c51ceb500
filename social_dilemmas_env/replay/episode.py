"""One episode as plain data: what was played, and what the players thought.

Shapes  T steps, N players, C columns of a board, A actions.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env.games.game import Board, Game
from social_dilemmas_env.registry import spec
from social_dilemmas_env.render.scene import HISTORY, Move, Scene

FORMAT = "social-dilemmas episode 1"
DIGITS = 6  # significant, of probabilities and values in files

Numbers = tuple[float, ...]


class Insight(NamedTuple):
    """What one player can tell of its decisions; None for what it cannot.

    Attributes:
        probabilities: [T, A], of its actions before each move.
        values: [T], the return that it expected there, by its own critic.
    """

    probabilities: tuple[Numbers, ...] | None = None
    values: Numbers | None = None


class Exact(NamedTuple):
    """What linear algebra says of the moves, where both policies are known.

    Attributes:
        label: in words, how it was computed.
        values: a player, [T] or None: V(s) before each move.
        advantages: a player, [T] or None: Q(s, a) - V(s) of its moves.
    """

    label: str
    values: tuple[Numbers | None, ...]
    advantages: tuple[Numbers | None, ...]


@dataclass(frozen=True)
class Episode:
    """One episode, or the part of it that was played.

    Attributes:
        env_id: the game.
        game_kwargs: its arguments.
        players: N names.
        boards: [T + 1, C], before each move and at the end.
        actions: [T, N].
        rewards: [T, N].
        payoffs: reward code -> reward in this episode, noise included.
        seed: of the game, if it is known.
        insights: one a player.
        exact: see `Exact`.
    """

    env_id: str
    game_kwargs: dict[str, Any]
    players: tuple[str, ...]
    boards: tuple[Board, ...]
    actions: tuple[tuple[int, ...], ...]
    rewards: tuple[Numbers, ...]
    payoffs: Numbers
    seed: int | None = None
    insights: tuple[Insight, ...] = field(default=())
    exact: Exact | None = None

    def __post_init__(self) -> None:
        if not self.insights:
            object.__setattr__(self, "insights", (Insight(),) * len(self.players))

    @property
    def steps(self) -> int:
        """T, how many moves were made."""
        return len(self.actions)

    @property
    def game(self) -> Game:
        """The rules."""
        return spec(self.env_id).game(**self.game_kwargs)

    def scenes(self) -> list[Scene]:
        """What pictures of the T + 1 moments show."""
        game, players = self.game, len(self.players)
        moves = [
            Move(*move) for move in zip(self.boards[:-1], self.actions, self.rewards, strict=True)
        ]
        names = tuple(name.removeprefix("bundled:") for name in self.players)
        nothing = (0.0,) * players
        scores = accumulate(self.rewards, _added, initial=nothing)

        return [
            Scene(
                env_id=self.env_id,
                game=game,
                board=self.boards[t],
                t=t,
                history=tuple(moves[max(t - HISTORY, 0) : t]),
                scores=tuple(score),
                rewards=self.payoffs,
                names=names,
            )
            for t, score in enumerate(scores)
        ]


def _added(total: Sequence[float], rewards: Sequence[float]) -> Numbers:
    return tuple(a + b for a, b in zip(total, rewards, strict=True))


def episode_json(episode: Episode) -> str:
    """The text of the file."""
    content = episode_dict(episode)
    content = {**content, "sha256": content_digest(content)}
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


def content_digest(content: Mapping[str, Any]) -> str:
    """Of what a file says, in whatever order and spacing."""
    text = json.dumps(dict(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def episode_dict(episode: Episode) -> dict[str, Any]:
    """The file's content as lists, dicts and numbers, rounded to what anybody would look at."""
    exact = episode.exact
    return {
        "format": FORMAT,
        "env_id": episode.env_id,
        "game": plain_arguments(episode.game_kwargs),
        "players": list(episode.players),
        "seed": episode.seed,
        "payoffs": list(episode.payoffs),
        "boards": [list(board) for board in episode.boards],
        "actions": [list(row) for row in episode.actions],
        "rewards": [list(row) for row in episode.rewards],
        "insights": [
            {"probabilities": _rounded(own.probabilities), "values": _rounded(own.values)}
            for own in episode.insights
        ],
        "exact": None
        if exact is None
        else {
            "label": exact.label,
            "values": _rounded(exact.values),
            "advantages": _rounded(exact.advantages),
        },
    }


def plain_arguments(game_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A game's arguments as JSON has them: arrays as lists.

    Raises:
        TypeError: an argument that is neither.
    """

    def listed(value: Any) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            return value.tolist()
        raise TypeError(f"an argument of the game cannot be written as JSON: {value!r:.60}")

    plain: dict[str, Any] = json.loads(json.dumps(dict(game_kwargs), default=listed))
    return plain


def _rounded(values: Any) -> Any:
    """Numbers with few digits, at any depth of tuples; None stays."""
    if values is None:
        return None
    if isinstance(values, int | float):
        return float(f"{values:.{DIGITS}g}")
    return [_rounded(value) for value in values]
