"""Steps whose shapes depend on nothing that happens, for CUDA graphs to capture and JAX to compile.

A step comes in two halves: `chance_draw`, what chance brings to a move, and `move`, a joint move
given that.  Chance draws for every game, and what it draws counts where it has something to do.
"""

from typing import Any

from typing_extensions import override

from social_dilemmas_env.engine.array_engine import Array, Encoded, Key, RuleEngine, TableEngine


class StaticRules(RuleEngine):
    """The rules, on whole columns."""

    def chance_draw(self, key: Key, t: Any) -> Any:
        """What chance brings to the t-th moves, as `move` takes it."""
        return self.draw(key, t)

    def move(
        self, encoded: Encoded, actions: Array, chance_draw: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        """A joint move in operations of static shapes: new boards, rewards."""
        board, codes = self.game.act(encoded, self.xp.columns(actions))
        if self.has_chance:
            board = self.game.chance(board, chance_draw)
        return tuple(board), self.rewards(self.xp.stack(codes), episode_rewards)

    @override
    def play(
        self, encoded: Encoded, actions: Array, key: Key, t: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        if self.static:
            return self.move(encoded, actions, self.chance_draw(key, t), episode_rewards)
        return super().play(encoded, actions, key, t, episode_rewards)


class StaticTables(TableEngine):
    """The tables, looked up for whole columns."""

    def chance_draw(self, key: Key, t: Any) -> Array | None:
        """What chance brings to the t-th moves, as `move` takes it.

        [B], or [K, B] for K numbers t [K, 1]; None where nothing is left to chance.
        """
        return None if self.certain else self.outcome_index(self.bases, key, t)

    def move(
        self, encoded: Encoded, actions: Array, chance_draw: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        """A joint move in operations of static shapes: new boards, rewards."""
        entry = self.entry(encoded, actions)
        state = next_code = self.xp.take(self.next_codes, entry)
        if chance_draw is not None:
            index = chance_draw * (next_code >= self.num_states)
            state = self.xp.take(self.successors, next_code + index)
        return (self.xp.integer(state),), self.entry_rewards(entry, episode_rewards)

    def entry(self, encoded: Encoded, actions: Array) -> Array:
        """Index of (state, joint action)."""
        entry = encoded[0]
        for column, count in zip(self.xp.columns(actions), self.game.num_actions, strict=True):
            entry = entry * count + column
        return entry

    def entry_rewards(self, entry: Array, episode_rewards: Array | None) -> Array:
        """Rewards of (state, joint action)."""
        rewards = self.xp.take(self.joint_rewards, entry)
        return rewards if episode_rewards is None else self.rewards(rewards, episode_rewards)

    @override
    def play(
        self, encoded: Encoded, actions: Array, key: Key, t: Any, episode_rewards: Array | None
    ) -> tuple[Encoded, Array]:
        return self.move(encoded, actions, self.chance_draw(key, t), episode_rewards)
