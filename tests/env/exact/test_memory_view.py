"""Exact games and players that are shown the memory: both remember the same."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.env.exact.games import coin
from tests.env.exact.test_policies import walk


class Seeing:
    """A player whose probabilities are a hash of what it is shown."""

    def __init__(self, memory, planes):
        self.game_kwargs = {"memory": memory}
        self.weights = np.random.default_rng(4).normal(size=(planes, 9, 4))

    def probabilities(self, observations):
        # By the memory's planes, which no translation moves.
        seen = observations.reshape(len(observations), -1, 9)[:, 4:]
        z = np.einsum("bpc,pca->ba", seen, self.weights)
        weights = np.exp(z - z.max(1, keepdims=True))
        return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize(("memory", "planes"), [("pickups", 2), ("last_pickup", 4)])
def test_a_policy_is_what_the_player_does_when_shown(memory, planes):
    """Along a walk through the rules themselves, state by state."""
    game, agent = coin(memory), Seeing(memory, planes)
    policy, rng = game.policy(agent), np.random.default_rng(0)
    rules = sde.spec("coin_game_v0").game(memory=memory)
    state = rng.choice(game.num_states, 8, p=game.start)
    board = tuple(c[game.origin.product.board[state]] for c in game.origin.boards.board)
    shown = (*board, *[np.zeros(8, int)] * planes)

    for _ in range(60):
        view = rules.view_of(shown, 0)
        seen = np.zeros((8, (4 + planes) * 9))
        for position in rules.features(view):
            seen[np.arange(8), position] = 1
        np.testing.assert_allclose(policy[state], agent.probabilities(seen), atol=1e-12)
        joint = rng.integers(0, 16, 8)
        after, _ = rules.act(shown, (joint // 4, joint % 4))
        state, board = walk(game, state, board, joint, rng)
        shown = (*board, *after[4:])


def test_another_memory_is_refused():
    with pytest.raises(ValueError, match="build the game with that memory"):
        coin("pickups").policy(Seeing("last_pickup", 4))
