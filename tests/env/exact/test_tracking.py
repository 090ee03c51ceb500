"""The state of an exact game, followed from observations, against the real game's own boards."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact.tracking import StateTracker
from social_dilemmas_env.games.game import decode, encode


def played(game, steps, num_envs=64, **kwargs):
    """Observations [T + 1, B, N, ...], boards [T + 1, B] (codes) and moves [T, B, N] of chance."""
    venv = sde.make_vec_env("coin_game_v0", num_envs=num_envs, **kwargs)
    rng = np.random.default_rng(0)
    seen, moves = [np.array(venv.reset(seed=1)[0])], []
    for _ in range(steps):
        moves.append(rng.integers(0, 4, (num_envs, game.num_agents)))
        seen.append(np.array(venv.step(moves[-1])[0]))
    return seen, moves


@pytest.mark.parametrize("symmetry", [None, "translations", "all"])
@pytest.mark.parametrize("seat", [0, 1])
def test_both_seats_agree_and_successors_hold(symmetry, seat):
    """Each state is a successor of the one before, by the moves that were made."""
    game = sde.exact_game("coin_game_v0", memory="last_pickup", symmetry=symmetry)
    seen, moves = played(game, 30)
    tracker, group = StateTracker(game, seat), game.origin.quotient.group
    remembered, before, element = None, None, None
    for t, observations in enumerate(seen):
        remembered = tracker.follow(remembered, observations[:, seat])
        states, now = tracker.states(remembered)
        if before is not None:
            named = [group.actions[n][element, moves[t - 1][:, n]] for n in (0, 1)]
            target = game.successors[before, encode(tuple(named), game.num_actions)]
            waits = target >= game.num_states
            assert (target[~waits] == states[~waits]).all()
            chances = np.asarray(game.chance.todense())
            assert (chances[target[waits] - game.num_states, states[waits]] > 0).all()
            assert waits.any()
        before, element = states, now


def test_a_board_is_read_from_any_view():
    game = sde.exact_game("coin_game_v0", memory="last_pickup")
    rules = game.origin.game
    codes = np.arange(0, 1458, 7)
    board = decode(codes, rules.sizes)
    for seat in (0, 1):
        seen = game.origin.observe(board, seat)
        assert (StateTracker(game, seat).read(seen) == codes).all()
        assert (StateTracker(game, seat).read(seen.reshape(len(codes), -1)) == codes).all()


def test_bad_observations():
    tracker = StateTracker(sde.exact_game("coin_game_v0"))
    for observations, words in (
        (np.zeros((2, 4, 3, 3)), "no observation"),
        (np.zeros((2, 4, 5, 5)), "have 36 numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            tracker.follow(None, observations)
    with pytest.raises(ValueError, match="does not see the whole board"):
        StateTracker(sde.exact_game("public_goods_v0", num_agents=3))
