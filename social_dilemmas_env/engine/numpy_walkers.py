"""Plays B games of players who walk on numpy, from tables of two halves; see `walker_tables`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from typing_extensions import override

from social_dilemmas_env.engine.array_engine import Encoded, Key, RuleEngine
from social_dilemmas_env.engine.array_tables import reward_table
from social_dilemmas_env.engine.lane_draws import LaneDraws, start_draw
from social_dilemmas_env.engine.numpy_engine import JointActions, NumpyArrays
from social_dilemmas_env.engine.walker_tables import one_positions, walker_tables
from social_dilemmas_env.games.game import Board, Game, decode, encode, num_walkers


class NumpyWalkers(RuleEngine):
    """Encoded boards are two columns, places and rests, rewritten in place."""

    def __init__(self, game: Game, num_envs: int, reward_dtype: str = "float32"):
        super().__init__(game, NumpyArrays(), reward_dtype=reward_dtype)
        table = walker_tables(game)
        assert table is not None, "in_halves(game) says no"
        self.table, self.num_walkers = table, num_walkers(game)
        self.joint_action = JointActions(game.num_actions)
        # As arrays, which numpy takes quicker than numbers.
        self.num_joint, self.num_rests = map(np.array, (self.joint_action.count, table.num_rests))
        self.draws = LaneDraws(self.xp, self.streams, list(table.most), num_envs)
        self.most, codes = list(map(np.array, table.most.values())), table.rewards
        self.event_rewards = codes if game.reward_noise else reward_table(game, reward_dtype)[codes]

        # Scratch, and where each game's observations start.
        self.entry, self.event = np.empty(num_envs, np.int64), np.empty(num_envs, np.uint8)
        self.ready = one_positions(game)
        first = np.arange(num_envs)[:, None] * (self.numbers * len(self.players))
        self.first = first.repeat(self.ready[0].shape[1] if self.ready else 0, axis=1)
        self.index = np.empty_like(self.first)

    @override
    def start(self, key: Key) -> Encoded:
        draw = start_draw(self.xp, key, self.streams)
        place, rest = self.encoded(self.game.chance(self.game.start(draw), draw))
        return place + 0, rest + 0

    @override
    def play(
        self, encoded: Encoded, actions: Any, key: Key, t: Any, episode_rewards: Any | None
    ) -> tuple[Encoded, Any]:
        (place, rest), table, entry, event = encoded, self.table, self.entry, self.event

        # Where the players go.
        np.multiply(place, self.num_joint, out=entry)
        entry += self.joint_action(actions)
        table.next_place.take(entry, out=place, mode="clip")

        # What happens there.
        np.multiply(place, self.num_rests, out=entry)
        entry += rest
        table.events.take(entry, out=event, mode="clip")
        self.chance(rest, key, t)

        rewards = self.event_rewards.take(event, axis=0, mode="clip")
        return encoded, rewards if episode_rewards is None else self.rewards(
            rewards, episode_rewards
        )

    def chance(self, rest: np.ndarray, key: Key, t: Any) -> None:
        """Writes the rests that follow what happens."""
        table, draws = self.table, self.draws
        if draws.few and isinstance(t, int):
            # In all games, which in a small batch is quicker than to find those with an event.
            pending = table.next_rest.take(self.entry, mode="clip")
            values = draws.of_all(key, t, self.counts_of(pending))
            rest[...] = table.outcomes.take(self.outcome(pending, values), mode="clip")
            return

        lanes = self.event.nonzero()[0]
        if len(lanes):
            pending = table.next_rest.take(self.entry.take(lanes))
            values = draws(key, t, lanes, self.counts_of(pending))
            rest[lanes] = table.outcomes.take(self.outcome(pending, values))

    def counts_of(self, pending: np.ndarray) -> list[np.ndarray]:
        """How many values each stream of chance has, for rests and pending boards [L]."""
        return [count.take(pending, mode="clip") for count in self.table.counts.values()]

    def outcome(self, pending: np.ndarray, values: Sequence[np.ndarray]) -> np.ndarray:
        """Where `outcomes` has what these values make of rests and pending boards [L]."""
        index = pending
        for value, most in zip(values, self.most, strict=True):
            index = index * most + value
        return index

    # What players see

    @override
    def observe(self, encoded: Encoded, out: np.ndarray) -> np.ndarray:
        if self.ready is None:
            return super().observe(encoded, out)  # type: ignore[no-any-return]
        self.ready[0].take(encoded[0], axis=0, out=self.index, mode="clip")
        self.index += self.ready[1].take(encoded[1], axis=0, mode="clip")
        self.index += self.first
        filled: np.ndarray = self.xp.fill_at(self.index, out)
        return filled

    # Boards

    @override
    def board(self, encoded: Encoded) -> Board:
        n, sizes = self.num_walkers, self.game.sizes
        return (*decode(encoded[0], sizes[:n]), *decode(encoded[1], sizes[n:]))

    @override
    def encoded(self, board: Board) -> Encoded:
        n, sizes = self.num_walkers, self.game.sizes
        return encode(board[:n], sizes[:n]), encode(board[n:], sizes[n:])
