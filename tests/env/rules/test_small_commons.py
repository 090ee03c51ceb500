"""GovSim's pool and the escape room: hand-written histories, and anchors by enumeration."""

import numpy as np
import pytest

import social_dilemmas_env as sde

LEVER, START, DOOR = range(3)


def pool_after(*rounds, **kwargs):
    """The pool and the rewards after rounds of catches."""
    env = sde.make_env("govsim_commons_v0", **kwargs)
    env.reset(seed=0)
    rewards = {}
    for catches in rounds:
        rewards = env.step(dict(zip(env.agents, catches, strict=True)))[1]
    return env.get_state().board[0], list(rewards.values())


# -------------------------------------------------------------------------------------------- pool


def test_half_of_an_equal_share_keeps_the_pool_full():
    assert pool_after([10] * 5, [10] * 5) == (100, [10.0] * 5)


def test_what_is_left_doubles():
    assert pool_after([12] * 5) == (80, [12.0] * 5)


def test_it_doubles_up_to_the_capacity():
    assert pool_after([0, 1, 2, 3, 4]) == (100, [0.0, 1.0, 2.0, 3.0, 4.0])


def test_everything_at_once_is_the_end():
    assert pool_after([20] * 5, [20] * 5) == (0, [0.0] * 5)


def test_four_left_of_a_hundred_are_too_few():
    assert pool_after([20, 20, 20, 20, 16])[0] == 0


def test_five_left_are_enough():
    assert pool_after([20, 20, 20, 20, 15])[0] == 10


def test_equal_parts_where_there_is_too_little():
    """20 are wanted by two, 3 by one, of 30 in the pool: 13, 13 and 3, and one stays."""
    env = sde.make_env("govsim_commons_v0", num_agents=3, capacity=30, collapse=1)
    env.reset(seed=0)
    rewards = env.step({"player_0": 20, "player_1": 20, "player_2": 3})[1]
    assert (list(rewards.values()), env.get_state().board[0]) == ([13.0, 13.0, 3.0], 2)


def test_catches_are_seen_from_ones_own_seat():
    env = sde.make_env("govsim_commons_v0", num_agents=3, capacity=12, max_catch=4)
    env.reset(seed=0)
    seen = env.step({"player_0": 1, "player_1": 2, "player_2": 0})[0]["player_1"]
    assert seen[13:].reshape(3, 6).argmax(1).tolist() == [3, 1, 2]


def test_catches_may_be_hidden():
    env = sde.make_env("govsim_commons_v0", show_catches=False)
    assert env.observation_space("player_0").shape == (101,)


def played(name, **kwargs):
    """What every player earns an episode if all play one strategy."""
    venv = sde.make_vec_env("govsim_commons_v0", 3, seed=0, **kwargs)
    players = [
        sde.make_strategy(name, "govsim_commons_v0", player=i, **kwargs)
        for i in range(venv.num_agents)
    ]
    observations, total = venv.reset(seed=0)[0], 0
    for player in players:
        player.reset(3, seed=0)
    for _ in range(venv.max_cycles):
        moves = [player.act(observations[:, i]) for i, player in enumerate(players)]
        observations, rewards, *_ = venv.step(np.stack(moves, -1))
        total = total + rewards
    return total.tolist()


def test_restraint_pays_the_group():
    assert played("restrained") == [[120.0] * 5] * 3


def test_greed_does_not():
    assert played("greedy") == [[20.0] * 5] * 3


def test_restraint_is_half_of_a_share_at_any_size():
    assert played("restrained", num_agents=3, capacity=33, max_catch=8) == [[60.0] * 3] * 3


def test_anchors_by_enumeration():
    """Two players, 12 units, 12 rounds: the exact game's scores, a round."""
    kwargs = {"num_agents": 2, "capacity": 12, "max_catch": 6, "show_catches": False}
    game = sde.exact_game("govsim_commons_v0", gamma=0.9, **kwargs).finite(12)
    restrained, greedy = (game.policy(name) for name in ("restrained", "greedy"))
    assert game.score([restrained, restrained]) == pytest.approx([3, 3])
    assert game.score([greedy, greedy]) == pytest.approx([6 / 12, 6 / 12])

    # The best answer to restraint keeps the pool alive, and takes it all in the last round.
    _, score = game.best_response([None, restrained])
    by_hand = best_against_restraint(12, 6, 12)
    assert score[0] == pytest.approx(by_hand / 12)
    assert score[0] > 3


def best_against_restraint(capacity, max_catch, rounds):
    """Dynamic programming in plain words: the other takes pool // 4."""
    value = dict.fromkeys(range(capacity + 1), 0)
    for _ in range(rounds):
        new = {}
        for pool in value:
            options = []
            for wish in range(max_catch + 1):
                other = pool // 4
                mine = wish if wish + other <= pool else pool - other
                left = pool - mine - other
                following = min(2 * left, capacity) if left >= 2 else 0
                options.append(mine + value[following])
            new[pool] = max(options)
        value = new
    return value[capacity]


# -------------------------------------------------------------------------------------------- room


def went(*steps, **kwargs):
    """Rewards of the last of some steps, and whether somebody has left."""
    env = sde.make_env("escape_room_v0", **kwargs)
    env.reset(seed=0)
    rewards = {}
    for places in steps:
        rewards = env.step(dict(zip(env.agents, places, strict=True)))[1]
    return list(rewards.values()), env.get_state().board[-1]


def test_one_pulls_and_the_other_leaves():
    assert went([LEVER, DOOR]) == ([-1.0, 10.0], 1)


def test_nobody_pulls():
    assert went([DOOR, DOOR]) == ([-1.0, -1.0], 0)


def test_staying_is_free():
    assert went([DOOR, START], [DOOR, START]) == ([0.0, 0.0], 0)


def test_who_waits_at_the_door_leaves():
    assert went([START, DOOR], [LEVER, DOOR]) == ([-1.0, 10.0], 1)


def test_then_the_game_stands_still():
    assert went([LEVER, DOOR], [DOOR, LEVER]) == ([0.0, 0.0], 1)


def test_one_of_two_levers_is_not_enough():
    assert went([LEVER, DOOR, START], num_agents=3) == ([-1.0, -1.0, 0.0], 0)


def test_two_pull_for_one():
    assert went([LEVER, LEVER, DOOR], num_agents=3) == ([-1.0, -1.0, 10.0], 1)


def test_one_pulls_for_two():
    assert went([DOOR, LEVER, DOOR], num_agents=3, levers=1) == ([10.0, -1.0, 10.0], 1)


def test_scores_by_enumeration():
    """Five steps: a puller and a waiter earn -1 and 10 in all; two waiters, or two pullers, -1."""
    game = sde.exact_game("escape_room_v0").finite(5)
    pull, wait = (game.policy(name) for name in ("always_cooperate", "always_defect"))
    assert 5 * game.score([pull, wait]) == pytest.approx([-1, 10])
    assert 5 * game.score([wait, wait]) == pytest.approx([-1, -1])
    assert 5 * game.score([pull, pull]) == pytest.approx([-1, -1])


def test_the_best_answer_to_waiting_is_to_do_nothing():
    game = sde.exact_game("escape_room_v0").finite(5)
    _, score = game.best_response([None, game.policy("always_defect")])
    assert score[0] == pytest.approx(0)


# --------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("env_id", "kwargs", "error", "words"),
    [
        ("govsim_commons_v0", {"num_agents": 1}, ValueError, "num_agents"),
        ("govsim_commons_v0", {"num_agents": 40}, ValueError, "at most 32"),
        ("govsim_commons_v0", {"capacity": 5}, ValueError, "capacity"),
        ("govsim_commons_v0", {"max_catch": 101}, ValueError, "max_catch must be at most"),
        ("govsim_commons_v0", {"collapse": 0}, ValueError, "collapse"),
        ("govsim_commons_v0", {"collapse": 101}, ValueError, "collapse must be at most"),
        ("govsim_commons_v0", {"show_catches": 1}, TypeError, "show_catches"),
        ("escape_room_v0", {"levers": 2}, ValueError, "somebody can leave"),
        ("escape_room_v0", {"reward": 1.5}, TypeError, "reward"),
        ("escape_room_v0", {"num_agents": 99}, ValueError, "at most 16"),
    ],
)
def test_bad_arguments(env_id, kwargs, error, words):
    with pytest.raises(error, match=words):
        sde.make_env(env_id, **kwargs)


def test_a_pool_of_many_is_too_large_to_enumerate():
    with pytest.raises(ValueError, match="too large to enumerate"):
        sde.exact_game("govsim_commons_v0", num_agents=6)


def test_pictures_say_what_the_pool_is():
    env = sde.make_env("govsim_commons_v0", render_mode="ansi")
    env.reset(seed=0)
    assert "Pool 100 of 100, sustainable catch 10" in env.render()


def test_boards_that_cannot_be():
    env = sde.make_env("govsim_commons_v0")
    env.reset(seed=0)
    state = env.get_state()
    with pytest.raises(ValueError, match="no board of this game"):
        env.set_state(state._replace(board=[50, 0, 0, 0, 0, 0]))
