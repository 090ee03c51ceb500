"""Players of matrix games, as literal histories (in the style of the Axelrod library's
`versus_test`) and as numbers."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.metrics import conditional_cooperation
from social_dilemmas_env.strategies import list_strategies, make_strategy
from social_dilemmas_env.strategies.matrix import best_generosity, extortion
from tests.env.strategies.versus import history, one_hot, ones_at

AXELROD = [[[3, 3], [0, 5]], [[5, 0], [1, 1]]]  # R, S, T, P = 3, 0, 5, 1


@pytest.mark.parametrize(
    ("name", "opponent", "expected"),
    [
        ("always_cooperate", "CDCDDD", "CCCCCC"),
        ("always_defect", "CDCCCC", "DDDDDD"),
        ("tit_for_tat", "CCCCCC", "CCCCCC"),
        ("tit_for_tat", "DDDDDD", "CDDDDD"),
        ("tit_for_tat", "CDCDDC", "CCDCDD"),
        ("grim", "CCCCCC", "CCCCCC"),
        ("grim", "CDCCCC", "CCDDDD"),
        ("grim", "DCCCCC", "CDDDDD"),
        ("pavlov", "CCCCCC", "CCCCCC"),
        ("pavlov", "DDDDDD", "CDCDCD"),
        ("pavlov", "CDCCDD", "CCDDDC"),
        ("pavlov", "DCDCDC", "CDDCCD"),
    ],
)
@pytest.mark.parametrize(
    "seat", [{}, {"player": 1}, {"player": 1, "view": "joint"}, {"view": "joint"}], ids=str
)
def test_literal_histories(name, opponent, expected, seat):
    assert history(name, opponent, **seat) == expected


@pytest.mark.parametrize("env_id", ["ipd_v0", "stag_hunt_v0", "chicken_v0"])
def test_deterministic_players_are_the_same_in_every_dilemma_of_two(env_id):
    for name, expected in (("tit_for_tat", "CCDDC"), ("grim", "CCDDD"), ("pavlov", "CCDCC")):
        assert history(name, "CDDCC", env_id=env_id) == expected


def test_grim_remembers_what_the_observation_no_longer_shows():
    # Its own slip (D although nobody defected) is not a reason to defect again; the other's
    # defection is, for ever.
    grim = make_strategy("grim", "ipd_v0")
    grim.reset(2)
    seen = [(0, 0), (3, 2), (1, 1), (3, 3)]  # start; (DC, CD); (CC, CC); (DC, DC)
    assert [grim.act(ones_at(*pair)).tolist() for pair in seen] == [[0, 0], [0, 1], [0, 1], [0, 1]]
    assert grim.act(ones_at(0, 0)).tolist() == [0, 0]  # a new episode: forgiven


def test_grim_forgets_only_in_the_games_that_begin():
    grim = make_strategy("grim", "ipd_v0")
    grim.reset(4)
    grim.act(ones_at(0, 0, 0, 0))
    assert grim.act(ones_at(2, 2, 1, 2)).tolist() == [1, 1, 0, 1]
    first = np.array([False, True, False, True])
    assert grim.act(ones_at(3, 0, 1, 3), first).tolist() == [1, 0, 0, 0]
    assert grim.act(ones_at(3, 1, 1, 1)).tolist() == [1, 0, 0, 0]


def test_first_makes_a_reactive_player_open():
    tft = make_strategy("tit_for_tat", "ipd_v0")
    tft.reset(2)
    assert tft.act(ones_at(4, 4), np.array([True, False])).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("idle", "num_agents", "share", "move"),
    [
        (0, 4, 0.5, 0),
        (1, 4, 0.5, 0),  # two of three others: at least half
        (2, 4, 0.5, 1),
        (2, 5, 0.5, 0),  # two of four: exactly half
        (1, 4, 1.0, 1),
        (0, 4, 1.0, 0),
        (2, 4, 1 / 3, 0),  # exactly one third, in spite of rounding
        (3, 4, 1 / 3, 1),
    ],
)
def test_tit_for_tat_among_many_asks_for_a_share_of_the_others(idle, num_agents, share, move):
    player = make_strategy("tit_for_tat", "public_goods_v0", num_agents=num_agents, share=share)
    size = 1 + 2 * num_agents
    assert player.act(one_hot([0], size)).tolist() == [0]
    assert player.act(one_hot([1 + idle], size)).tolist() == [move]  # after cooperating oneself
    assert player.act(one_hot([1 + num_agents + idle], size)).tolist() == [
        move
    ]  # after defecting oneself


def test_grim_among_many_turns_on_the_first_defection_of_anyone():
    grim = make_strategy("grim", "public_goods_v0", num_agents=3)
    moves = [grim.act(one_hot([position], 7))[0] for position in (0, 1, 4, 2, 4, 1)]
    # start; all gave; I did not, both others did (my own slip); one other did not; ...
    assert moves == [0, 0, 0, 1, 1, 1]


def test_constants_of_many_players():
    for env_id, arguments, size in (
        ("public_goods_v0", {"num_agents": 5}, 11),
        (
            "matrix_game_v0",
            {"payoffs": np.ones((2, 2, 2, 3)) * np.array([1, 0]).reshape(2, 1, 1, 1)},
            9,
        ),
    ):
        observations = one_hot(range(size), size)
        assert not make_strategy("always_cooperate", env_id, **arguments).act(observations).any()
        assert make_strategy("always_defect", env_id, **arguments).act(observations).all()


def test_public_goods_of_two_is_a_prisoners_dilemma():
    for name, expected in (("tit_for_tat", "CCDDC"), ("grim", "CCDDD"), ("pavlov", "CCDCC")):
        assert history(name, "CDDCC", env_id="public_goods_v0", num_agents=2) == expected


# Probabilities
# --------------------------------------------------------------------------------------------------


def test_published_probabilities():
    extort = make_strategy("extort2", "matrix_game_v0", payoffs=AXELROD)
    np.testing.assert_allclose(
        extort.probabilities, (1, 8 / 9, 1 / 2, 1 / 3, 0), atol=1e-15
    )  # Stewart and Plotkin 2012
    np.testing.assert_allclose(
        extortion(3, 0, 5, 1, factor=3), (11 / 13, 1 / 2, 7 / 26, 0), atol=1e-15
    )  # Press and Dyson
    generous = make_strategy("generous_tit_for_tat", "matrix_game_v0", payoffs=AXELROD)
    np.testing.assert_allclose(generous.probabilities, (1, 1, 1 / 3, 1, 1 / 3), atol=1e-15)
    assert make_strategy("generous_tit_for_tat", "ipd_v0").generosity == 0.5
    assert make_strategy("generous_tit_for_tat", "ipd_v0", generosity=0.1).probabilities == (
        1,
        1,
        0.1,
        1,
        0.1,
    )
    assert make_strategy("pavlov", "ipd_v0").probabilities == (1, 1, 0, 0, 1)


def test_extortion_does_not_depend_on_the_unit_or_the_zero_of_the_payoffs():
    scaled = (np.array(AXELROD) * 100 - 17).tolist()
    np.testing.assert_allclose(
        make_strategy("extort2", "matrix_game_v0", payoffs=scaled).probabilities,
        (1, 8 / 9, 1 / 2, 1 / 3, 0),
        atol=1e-12,
    )


def stationary_payoffs(p, q, payoffs):
    """Long-run mean payoffs of two memory-one players (R, S, T, P as player 0 is paid), by their
    Markov chain."""
    q = [q[0], q[2], q[1], q[3]]
    chain = np.array(
        [[a * b, a * (1 - b), (1 - a) * b, (1 - a) * (1 - b)] for a, b in zip(p, q, strict=True)]
    )
    weights = np.linalg.matrix_power(chain, 1 << 20)[0]
    r, s, t, pun = payoffs
    return weights @ [r, s, t, pun], weights @ [r, t, s, pun]


@pytest.mark.parametrize("env_id", ["ipd_v0", "chicken_v0", "stag_hunt_v0"])
def test_extort2_enforces_its_relation_against_any_memory_one_player(env_id):
    extort = make_strategy("extort2", env_id)
    table = sde.payoffs(env_id)[..., 0]
    r, s, t, p = table.ravel()
    rng = np.random.default_rng(0)
    for other in rng.uniform(0.05, 0.95, (50, 4)):
        own, its = stationary_payoffs(extort.probabilities[1:], other, (r, s, t, p))
        assert own - p == pytest.approx(2 * (its - p), abs=1e-9)


def test_generous_tit_for_tat_leaves_defection_no_gain():
    """At the default generosity, always defecting against it pays at most R, and one defection does
    not pay either."""
    for r, s, t, p in ((3, 0, 5, 1), (-1, -3, 0, -2), (3, 1, 4, 0)):
        g = best_generosity(r, s, t, p)
        assert 0 < g < 1
        assert g * t + (1 - g) * p <= r + 1e-12  # always defect
        assert t + (g * r + (1 - g) * s) <= 2 * r + 1e-12  # defect once, then take the punishment


@pytest.mark.parametrize(
    ("name", "arguments"), [("extort2", {}), ("generous_tit_for_tat", {}), ("random", {})]
)
def test_random_players_play_their_probabilities(name, arguments):
    """Each of five frequencies over 40,000 moves within 4.5 s.e.

    Of its probability; 0 and 1 exactly.
    """
    player = make_strategy(name, "ipd_v0", **arguments)
    expected = np.array(getattr(player, "probabilities", [0.5] * 5))
    games = 8000
    player.reset(5 * games, seed=3)
    observations = one_hot(np.repeat(np.arange(5), games), 5)
    cooperated = np.mean(
        [player.act(observations).reshape(5, games) == 0 for _ in range(5)], (0, 2)
    )
    bound = 4.5 * np.sqrt(expected * (1 - expected) / (5 * games))
    assert (np.abs(cooperated - expected) <= bound).all(), (cooperated, expected)


@pytest.mark.parametrize("view", ["ego", "joint"])
@pytest.mark.parametrize("player", [0, 1])
def test_memory_one_reads_its_own_move_first_in_every_view(view, player):
    """Frequencies in play against a random player, by the trajectory's own statistics."""
    probabilities = (0.1, 0.9, 0.3, 0.6, 0.45)
    names = [("memory_one", {"probabilities": probabilities}), ("random", {})]
    order = names if player == 0 else names[::-1]
    players = [
        make_strategy(name, "ipd_v0", player=i, view=view, seed=11, **kw)
        for i, (name, kw) in enumerate(order)
    ]
    games, steps = 3000, 12
    position, actions = [np.zeros(games, int)] * 2, []
    for _ in range(steps):
        moves = np.stack([p.act(one_hot(position[i], 5)) for i, p in enumerate(players)], -1)
        actions.append(moves)
        joint = 1 + 2 * moves[:, 0] + moves[:, 1]
        flipped = 1 + 2 * moves[:, 1] + moves[:, 0]
        position = [joint, joint if view == "joint" else flipped]
    measured = conditional_cooperation(np.stack(actions))
    np.testing.assert_allclose(measured[player], probabilities, atol=0.04)
    np.testing.assert_allclose(measured[1 - player], 0.5, atol=0.04)


# What is defined where
# --------------------------------------------------------------------------------------------------


def test_list_of_strategies():
    everything = list_strategies()
    assert everything == sorted(everything)
    assert set(everything) >= {
        "tit_for_tat",
        "extort2",
        "memory_one",
        "random",
        "constant",
        "grim",
        "pavlov",
    }
    assert list_strategies("rps_v0") == ["constant", "random"]
    assert (
        list_strategies("imp_v0")
        == list_strategies("bach_stravinsky_v0")
        == ["constant", "memory_one", "random"]
    )
    commons = {"greedy", "restrained"}
    assert set(list_strategies("ipd_v0")) == set(everything) - commons
    assert set(list_strategies("commons_harvest_v0")) == {"constant", "random", *commons}
    assert set(list_strategies("coin_game_v0")) == {
        "always_cooperate",
        "always_defect",
        "constant",
        "random",
        "tit_for_tat",
    }
    assert "pavlov" not in list_strategies("public_goods_v0")
    assert "pavlov" in list_strategies("public_goods_v0", num_agents=2)
    assert list_strategies("matrix_game_v0") == ["constant", "random"]
    assert set(list_strategies("matrix_game_v0", payoffs=AXELROD)) == set(everything) - commons


def test_whatever_is_listed_can_be_made_and_plays():
    needed = {"memory_one": {"probabilities": [0.5] * 5}, "constant": {"action": 0}}
    for env_id in sde.list_envs():
        arguments = {"payoffs": AXELROD} if env_id == "matrix_game_v0" else {}
        env = sde.make_env(env_id, **arguments)
        observations, _ = env.reset(seed=0)
        for name in list_strategies(env_id, **arguments):
            own = (
                {"generosity": 0.2}
                if (name, env_id) == ("generous_tit_for_tat", "stag_hunt_v0")
                else {}
            )
            player = make_strategy(name, env_id, **arguments, **own, **needed.get(name, {}))
            action = player.act(observations["player_0"][None])
            assert action.shape == (1,), (name, env_id)
            assert env.action_space("player_0").contains(action[0]), (
                name,
                env_id,
            )


@pytest.mark.parametrize("name", ["tit_for_tat", "grim", "always_cooperate", "pavlov", "extort2"])
@pytest.mark.parametrize("env_id", ["rps_v0", "imp_v0", "bach_stravinsky_v0"])
def test_cooperation_needs_a_meaning(name, env_id):
    with pytest.raises(
        ValueError, match=rf"^{name} is not defined for this {env_id}: it needs .*$"
    ):
        make_strategy(name, env_id)


def test_cooperation_is_what_all_prefer_to_all_defecting():
    swapped = np.array(AXELROD)[::-1, ::-1].tolist()  # action 1 is the cooperative one
    with pytest.raises(ValueError, match="all players prefer that all choose action 0"):
        make_strategy("tit_for_tat", "matrix_game_v0", payoffs=swapped)
    assert list_strategies("matrix_game_v0", payoffs=swapped) == [
        "constant",
        "memory_one",
        "random",
    ]


@pytest.mark.parametrize(
    ("error", "name", "env_id", "arguments", "message"),
    [
        (ValueError, "tit_for_tatt", "ipd_v0", {}, "did you mean 'tit_for_tat'"),
        (ValueError, 7, "ipd_v0", {}, "there is no strategy 7"),
        (ValueError, "tit_for_tat", "ipd_v1", {}, "did you mean 'ipd_v0'"),
        (
            TypeError,
            "tit_for_tat",
            "ipd_v0",
            {"shre": 1.0},
            "has no argument 'shre'; did you mean 'share'",
        ),
        (TypeError, "random", "ipd_v0", {"payof_noise": 1.0}, "did you mean 'payoff_noise'"),
        (TypeError, "memory_one", "ipd_v0", {}, "memory_one needs the argument 'probabilities'"),
        (TypeError, "constant", "ipd_v0", {}, "constant needs the argument 'action'"),
        (TypeError, "random", "matrix_game_v0", {}, "needs the argument 'payoffs'"),
        (
            ValueError,
            "memory_one",
            "ipd_v0",
            {"probabilities": (1, 1, 0)},
            r"five numbers \(start, CC, CD, DC, DD\), got 3",
        ),
        (
            ValueError,
            "memory_one",
            "ipd_v0",
            {"probabilities": (1, 1, 0, 0, 1.5)},
            "between 0 and 1, got 1.5",
        ),
        (
            ValueError,
            "memory_one",
            "ipd_v0",
            {"probabilities": (1, 1, 0, 0, float("nan"))},
            "finite",
        ),
        (ValueError, "memory_one", "ipd_v0", {"probabilities": "CCDDC"}, "convert|finite|number"),
        (
            ValueError,
            "generous_tit_for_tat",
            "ipd_v0",
            {"generosity": -0.1},
            "generosity must lie between 0 and 1",
        ),
        (ValueError, "generous_tit_for_tat", "stag_hunt_v0", {}, "give generosity="),
        (ValueError, "tit_for_tat", "public_goods_v0", {"share": 0}, "share must be positive"),
        (ValueError, "constant", "rps_v0", {"action": 3}, r"action must lie in 0 \.\. 2, got 3"),
        (ValueError, "constant", "rps_v0", {"action": -1}, "action must be at least 0"),
        (TypeError, "constant", "rps_v0", {"action": 1.0}, "action must be an integer"),
        (ValueError, "tit_for_tat", "ipd_v0", {"player": 2}, r"player must lie in 0 \.\. 1, got 2"),
        (
            ValueError,
            "generous_tit_for_tat",
            "ipd_v0",
            {"player": 2},
            r"player must lie in 0 \.\. 1",
        ),
        (
            ValueError,
            "constant",
            "ipd_v0",
            {"player": -1, "action": 0},
            "player must be at least 0",
        ),
        (TypeError, "tit_for_tat", "ipd_v0", {"player": "player_1"}, "player must be an integer"),
        (ValueError, "random", "ipd_v0", {"seed": -1}, "seed must lie in"),
        (TypeError, "random", "ipd_v0", {"seed": 0.5}, "seed must be an integer"),
        (
            ValueError,
            "extort2",
            "matrix_game_v0",
            {"payoffs": [[[3, 4], [0, 5]], [[5, 0], [1, 1]]]},
            "symmetric",
        ),
    ],
)
def test_bad_arguments(error, name, env_id, arguments, message):
    with pytest.raises(error, match=message):
        make_strategy(name, env_id, **arguments)


def test_there_is_no_extortion_where_the_formula_gives_no_probabilities():
    with pytest.raises(ValueError, match="no extortion"):
        extortion(2, 0, 3, 3)
