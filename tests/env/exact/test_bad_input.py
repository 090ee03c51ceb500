"""What exact games refuse, in one sentence each."""

import sys

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact import SolverError, TooLarge, per_player, solvers
from social_dilemmas_env.strategies.base import Scripted
from tests.env.exact.games import coin, ipd, some_policies


def one_sentence(error):
    text = str(error.value)
    return "\n" not in text and len(text) < 500


@pytest.mark.parametrize("gamma", [1.0, -0.1, 1.5, float("nan")])
def test_gamma(gamma):
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\)") as error:
        ipd(gamma=gamma)
    assert one_sentence(error)


def test_gamma_is_a_number():
    with pytest.raises(TypeError, match="gamma must be a number"):
        ipd(gamma="0.9")


@pytest.mark.parametrize("gamma", [0, 1.1])
def test_gamma_of_a_game_that_ends(gamma):
    with pytest.raises(ValueError, match=r"gamma must lie in \(0, 1\]"):
        ipd().finite(5, gamma)


@pytest.mark.parametrize(("horizon", "error"), [(0, ValueError), (1.5, TypeError)])
def test_horizon(horizon, error):
    with pytest.raises(error, match="horizon"):
        ipd().finite(horizon)


@pytest.mark.parametrize(
    ("env_id", "kwargs", "states"),
    [
        ("coin_game_v0", {"num_agents": 7, "grid_size": 4}, "boards"),
        ("coin_game_v0", {"grid_size": 1000}, "boards"),
        ("coin_game_v0", {"grid_size": 30, "memory": "last_pickup"}, "58,320,000 states"),
        ("public_goods_v0", {"num_agents": 13}, "boards"),
    ],
)
def test_too_large_a_game(env_id, kwargs, states):
    with pytest.raises(TooLarge, match="would shrink it") as error:
        sde.exact_game(env_id, **kwargs)
    assert states in str(error.value)
    assert one_sentence(error)


@pytest.mark.parametrize("memory", ["last_pick", "pick_up"])
def test_unknown_memory(memory):
    with pytest.raises(ValueError, match="there is no memory"):
        coin(memory)


@pytest.mark.parametrize("memory", [3, object(), sde.exact_game])
def test_no_automaton(memory):
    with pytest.raises(TypeError, match="memory must be None, one of"):
        sde.exact_game("coin_game_v0", memory=memory)


def test_memory_of_another_game():
    with pytest.raises(ValueError, match="needs the Coin Game"):
        ipd(memory="last_pickup")


@pytest.mark.parametrize("value", [2, -1, 0.5])
def test_memory_out_of_range(value):
    game = sde.spec("ipd_v0").game()
    memory = per_player(game, {"x": 2}, lambda memory, step: tuple(m * 0 + value for m in memory))
    with pytest.raises(ValueError, match=r"an integer in 0 \.\. 1"):
        ipd(memory=memory)


def test_unknown_game():
    with pytest.raises(ValueError, match="did you mean"):
        sde.exact_game("coin_game")


def test_unknown_argument():
    with pytest.raises(TypeError, match="did you mean 'grid_size'"):
        sde.exact_game("coin_game_v0", gridsize=3)


def test_unknown_symmetry():
    with pytest.raises(ValueError, match="symmetry must be one of"):
        sde.exact_game("coin_game_v0", symmetry="rotations")


POLICIES = {
    "wrong shape": (lambda p: p[:-1], "must have shape"),
    "time in a game without": (lambda p: p[None], "must have shape"),
    "negative": (lambda p: p - 0.3, "must hold probabilities"),
    "nan": (lambda p: p * np.nan, "must hold probabilities"),
    "not one": (lambda p: p * 1.01, "must sum to one"),
    "steps": (lambda p: np.ones((3, *p.shape)) / 2, "must have shape"),
}


@pytest.mark.parametrize("case", POLICIES)
@pytest.mark.parametrize("method", ["score", "values", "occupancy", "exploitability", "nash_gap"])
def test_bad_policies(case, method):
    change, sentence = POLICIES[case]
    game = ipd()
    policies = some_policies(game)
    policies[1] = change(policies[1])
    with pytest.raises(ValueError, match=sentence) as error:
        getattr(game, method)(policies)
    assert one_sentence(error)
    assert case in ("steps",) or "player_1" in str(error.value)


def test_time_dependent_policies_have_as_many_steps_as_the_game():
    game = ipd().finite(5)
    table = np.full((4, game.num_states, 2), 0.5)
    with pytest.raises(ValueError, match=r"must have shape \[5, 5, 2\], got \[4, 5, 2\]"):
        game.score([table, table])


@pytest.mark.parametrize("policies", [["random"], ["random"] * 3])
def test_number_of_policies(policies):
    with pytest.raises(ValueError, match="there are 2 players"):
        ipd().score(policies)


@pytest.mark.parametrize("policies", ["random", np.full((5, 2), 0.5)])
def test_no_list_of_policies(policies):
    with pytest.raises(TypeError, match="policies must be a list, one a player"):
        ipd().score(policies)


@pytest.mark.parametrize("player", [2, -1])
def test_no_such_player(player):
    with pytest.raises(ValueError, match="player must"):
        ipd().best_response(["random"] * 2, player=player)


def test_unknown_strategy():
    with pytest.raises(ValueError, match="did you mean 'tit_for_tat'"):
        ipd().policy("tit_for_tatt")


@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [("ipd_v0", {}), ("coin_game_v0", {"grid_size": 5}), ("coin_game_v0", {"variant": "pola"})],
)
def test_a_strategy_of_another_game(env_id, kwargs):
    strategy = sde.make_strategy("tit_for_tat", env_id, **kwargs)
    with pytest.raises(ValueError, match="this tit_for_tat was made for another game"):
        coin().policy(strategy)


def test_a_strategy_of_another_horizon_is_the_same():
    strategy = sde.make_strategy("tit_for_tat", "ipd_v0", max_cycles=7, continuation=0.5)
    assert np.array_equal(ipd().policy(strategy), ipd().policy("tit_for_tat"))


def test_agents_by_name_are_loaded_first():
    with pytest.raises(ValueError, match="load it first"):
        coin().policy("bundled:loqa_3x3")


def test_strategies_that_do_not_say_how_likely_their_actions_are():
    class Mine(Scripted):
        name = "mine"

    with pytest.raises(NotImplementedError, match="Mine does not say how likely"):
        ipd().policy(Mine(sde.spec("ipd_v0").game()))


def test_players_that_only_act():
    class Acts:
        def act(self, observations):
            return np.zeros(len(observations), int)

    with pytest.raises(ValueError, match=r"need probabilities\(observations\)"):
        ipd().policy(Acts())


def test_no_policy_at_all():
    with pytest.raises(TypeError, match="must be real numbers"):
        ipd().policy(object())


def test_a_solver_that_does_not_converge(monkeypatch):
    """The sentence names the residual and a state."""
    game = sde.exact_game("coin_game_v0")
    policies = some_policies(game)
    monkeypatch.setattr(solvers, "DIRECT", 0)
    monkeypatch.setattr(solvers, "STEPS", 1)
    with pytest.raises(SolverError, match=r"relative residual .* in state \d+") as error:
        game.values(policies)
    assert one_sentence(error)


def test_without_scipy(monkeypatch):
    """Importing the package and its games needs no scipy; an exact game says how to get it."""
    for name in ("scipy", "scipy.sparse", "scipy.sparse.linalg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install -e "\.\[exact\]"'):
        sde.exact_game("ipd_v0")
