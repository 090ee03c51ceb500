"""Many games at once, straight from the rules: a simulator for tests that shares nothing with the
batched engine."""

import math
from typing import Any, NamedTuple

import numpy as np

from social_dilemmas_env import rng
from social_dilemmas_env.engine import tables
from social_dilemmas_env.games.game import decode, encode


class Rollout(NamedTuple):
    """Time runs along the first axis."""

    boards: np.ndarray  # [T + 1, B, C]
    actions: np.ndarray  # [T, B, N]
    rewards: np.ndarray  # [T, B, N]


def rollout(game: Any, players: list[Any], num_games: int, steps: int, seed: int = 0) -> Rollout:
    """One episode of B games between N scripted players."""
    key = rng.key(rng.draw(seed, np.arange(num_games)), 0)

    def draw_at(t: int) -> Any:
        return lambda stream, n: rng.bounded(rng.word(key, t * game.streams + stream), n)

    board = game.chance(game.start(draw_at(0)), draw_at(0))
    boards, actions, rewards, values = [np.stack(board, -1)], [], [], np.array(game.reward_values)
    for i, player in enumerate(players):
        player.reset(num_games, seed=seed + i)
    for t in range(1, steps + 1):
        moves = [player.act(observe(game, board, i)) for i, player in enumerate(players)]
        board, codes = game.act(board, moves)
        board = game.chance(board, draw_at(t))
        boards.append(np.stack(board, -1))
        actions.append(np.stack(moves, -1))
        rewards.append(values[np.stack(codes, -1)])
    return Rollout(np.stack(boards), np.stack(actions), np.stack(rewards))


def observe(game: Any, board: tuple[np.ndarray, ...], player: int) -> np.ndarray:
    """What a player observes, float32 [B, *observation_shape]."""
    view = game.view_of(board, player)
    if math.prod(game.view_sizes) < 1 << 62:
        return tables.observations(game, encode(view, game.view_sizes))
    raise ValueError("too many views to count")


def rates(
    game: Any, players: list[Any], episodes: int, steps: int = 50, seed: int = 0
) -> np.ndarray:
    """Mean reward per step and its standard error (over episodes), per player: [2, N]."""
    chunk = 4000
    sizes = [min(chunk, episodes - done) for done in range(0, episodes, chunk)]
    means = [
        rollout(game, players, size, steps, seed + 1000 * i).rewards.mean(0)
        for i, size in enumerate(sizes)
    ]
    sample = np.concatenate(means)
    return np.stack([sample.mean(0), sample.std(0, ddof=1) / math.sqrt(len(sample))])


def exact_rates(game: Any, players: list[Any], steps: int) -> np.ndarray:
    """Expected reward per step of two players without memory in the Coin Game, [2]: no sampling, no
    error.

    The distribution over boards is carried forward; only for boards that the tables can enumerate.
    """
    table = tables.tables(game)
    moves = [_move_probabilities(game, player) for player in players]
    joint = (moves[0][:, :, None] * moves[1][:, None, :]).ravel()
    rewards = np.array(game.reward_values)[table.rewards]
    boards, total = _start_probabilities(game), np.zeros(2)
    for _ in range(steps):
        played = np.repeat(boards, table.num_joint) * joint
        total += played @ rewards
        reached = np.bincount(table.next_code, played, minlength=table.next_code.max() + 1)
        drawn = np.repeat(reached[table.num_states :], table.span) / table.span
        boards = reached[: table.num_states] + np.bincount(
            table.outcomes, drawn, minlength=table.num_states
        )
    return total / steps


def _move_probabilities(game: Any, player: Any, repeats: int = 64) -> np.ndarray:
    """[S, 4]: uniform over the moves the player makes on a board when asked again and again."""
    states = tables.num_states(game)
    seen = observe(game, decode(np.arange(states), game.sizes), player.player)
    made = np.zeros((states, 4), bool)
    player.reset(states, seed=0)
    for _ in range(
        repeats
    ):  # a move of probability 1/2 is missed with probability 2^-64, one of 1/4 with 1e-8
        made[np.arange(states), player.act(seen)] = True
    return made / made.sum(1, keepdims=True)


def _start_probabilities(game: Any) -> np.ndarray:
    """[S]: players uniform (on different cells if so), the coin uniform on free cells, its colour
    uniform."""
    first, second, coin, owner = decode(np.arange(tables.num_states(game)), game.sizes)
    possible = (
        (coin != first)
        & (coin != second)
        & ((first != second) | (not game.distinct_starts))
        & (owner >= 0)
    )
    free = game.cells - 1 - (first != second)
    weights = possible / free
    return weights / weights.sum()
