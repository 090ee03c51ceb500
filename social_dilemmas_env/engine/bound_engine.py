"""Plays B games of rules that are bound to a library of arrays: boards of arrays [K, B].

See `games.commons.arrays`.  Encoded boards are those arrays; outside of the engine a board is their
rows, one after another, so that states look as those of other games.
"""

import math
from typing import Any

from typing_extensions import override

from social_dilemmas_env.engine.array_engine import Array, Encoded, Key, RuleEngine
from social_dilemmas_env.games.game import Board, Game, bound_rules, observed_shape


class BoundEngine(RuleEngine):
    """The rules on arrays [K, B].

    Attributes:
        rules: the rules, bound to the arrays.
        obs_mode: "uint8": observations are the class of each cell; "float32": a plane a class.
    """

    def __init__(
        self,
        game: Game,
        xp: Any,
        obs_mode: str = "float32",
        *,
        static: bool = False,
        reward_dtype: str = "float32",
    ):
        super().__init__(game, xp, static=static, reward_dtype=reward_dtype)
        self.rules: Any = bound_rules(game, xp)
        self.widths: tuple[int, ...] = game.widths  # type: ignore[attr-defined]
        self.obs_mode = obs_mode
        self.numbers = math.prod(observed_shape(game, obs_mode))

    @override
    def start(self, key: Key) -> Encoded:
        board: Encoded = self.rules.start(self.draw(key, 0), len(key[0]))
        return board

    @override
    def play(
        self, encoded: Encoded, actions: Array, key: Key, t: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        draw = self.draw(key, t)
        board, codes = self.rules.play(encoded, self.xp.pile(self.xp.columns(actions)), draw)
        return board, self.rewards(codes.T, episode_rewards)

    # In two halves, for a graph: chance is drawn within the move.

    def chance_draw(self, key: Key, t: Any) -> Any:
        """What chance brings to the t-th moves, as `move` takes it."""
        return self.draw(key, t)

    def chance_draws(self, key: Key, first: Array, num_steps: int) -> list[Any]:
        """`chance_draw` for the moves first, first + 1, ..."""
        return [self.draw(key, first + k) for k in range(num_steps)]

    def move(
        self, encoded: Encoded, actions: Array, chance_draw: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        """A joint move in operations of static shapes: new boards, rewards."""
        given = self.xp.pile(self.xp.columns(actions))
        board, codes = self.rules.play(encoded, given, chance_draw)
        return board, self.rewards(codes.T, episode_rewards)

    # What players see

    @override
    def observe(self, encoded: Encoded, out: Array) -> Array:
        seen = self.rules.observe(encoded)
        if self.obs_mode == "uint8":
            out[...] = seen.reshape(len(out), -1)
            return out

        # A plane for each class.
        games, players, cells = seen.shape
        planes = out.reshape(games, players, -1, cells)
        for class_id in range(planes.shape[2]):
            planes[:, :, class_id] = seen == class_id
        return out

    @override
    def observation_ids(self, encoded: Encoded) -> Array:
        raise self._too_many()

    @override
    def observe_ids(self, ids: Array) -> Array:
        raise self._too_many()

    def _too_many(self) -> ValueError:
        return ValueError(
            "this game has too many views for observation ids: use the observations themselves"
        )

    # Boards

    @override
    def board(self, encoded: Encoded) -> Board:
        return tuple(row for array in encoded for row in self.xp.cast(array, "int64"))

    @override
    def encoded(self, board: Board) -> Encoded:
        rows, arrays = iter(board), []
        for width, dtype in zip(self.widths, self.rules.dtypes, strict=True):
            array = self.xp.pile([next(rows) for _ in range(width)])
            arrays.append(self.xp.cast(array, dtype))
        return tuple(arrays)
