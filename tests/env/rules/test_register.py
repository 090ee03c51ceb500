"""`register` is complete: the page is found, and PettingZoo and Gymnasium know the game at once."""

import functools

import gymnasium
import numpy as np
import pettingzoo
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import registry
from social_dilemmas_env.games.coin import coin_game
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.matrix import MatrixGame, matrix_game

has_registry = pytest.mark.skipif(
    not hasattr(pettingzoo, "register"), reason="PettingZoo has a registry from 1.27 on"
)
LEFT_ALONE = [[[3.0, 3.0], [0.0, 4.0]], [[4.0, 0.0], [1.0, 1.0]]]
DILEMMA = functools.partial(matrix_game, payoffs=LEFT_ALONE)


def bare(*, max_cycles=50):
    """# A game that a function makes"""
    return DILEMMA(max_cycles=max_cycles)


class Documented(CoinGame):
    """# Coins for connoisseurs (`documented_v0`)

    Like the Coin Game.
    """


class Undocumented(CoinGame):
    pass


@pytest.fixture
def registered():
    """Registers games, and forgets them afterwards."""
    added = []

    def add(env_id, rules, page=None):
        sde.register(env_id, rules, page)
        added.append(env_id)
        return sde.spec(env_id)

    yield add
    for env_id in added:
        registry._SPECS.pop(env_id)
        name = f"social_dilemmas/{env_id.replace('_v', '-v')}"
        gymnasium.registry.pop(name)
        if hasattr(pettingzoo, "register"):
            from pettingzoo.env_registry import registration

            registration.parallel_registry.pop(name)
            registration.aec_registry.pop(name)


def test_the_page_of_a_class_is_its_docstring(registered):
    spec = registered("documented_v0", Documented)
    assert spec.page.startswith("# Coins for connoisseurs (`documented_v0`)\n\nLike the Coin Game.")
    assert spec.title == "Coins for connoisseurs"


def test_the_page_of_a_class_without_docstring_is_its_modules(registered):
    assert registered("undocumented_v0", Undocumented).page.startswith("`register` is complete")


def test_the_page_of_a_function_is_its_modules(registered):
    assert registered("more_coins_v0", coin_game).page == sde.spec("coin_game_v0").page


def test_the_page_of_a_partial_is_that_of_what_it_calls(registered):
    """And not the docstring of functools."""
    twice = functools.partial(functools.partial(coin_game, grid_size=4), num_agents=3)
    assert registered("large_coins_v0", twice).page == sde.spec("coin_game_v0").page
    assert sde.spec("large_coins_v0").game().sizes == (16,) * 4 + (3,)


def test_the_page_of_a_function_whose_module_has_none_is_its_own(registered, monkeypatch):
    monkeypatch.setattr(bare, "__module__", "a_module_that_is_not_there")
    assert registered("bare_v0", bare).title == "A game that a function makes"


def test_a_page_is_taken_as_given(registered):
    spec = registered("my_dilemma_v3", DILEMMA, page="# My dilemma\n\nAll mine.\n")
    assert spec.page == "# My dilemma\n\nAll mine."
    assert spec.title == "My dilemma"


def test_both_gymnasium_and_we_make_it(registered):
    registered("my_dilemma_v3", DILEMMA)
    env = gymnasium.make("social_dilemmas/my_dilemma-v3", opponent="always_defect", max_cycles=4)
    env.reset(seed=0)
    assert env.step(1)[1] == 1.0
    assert env.unwrapped.env.game == sde.spec("my_dilemma_v3").game(max_cycles=4)


def test_gymnasium_makes_many(registered):
    registered("my_dilemma_v3", DILEMMA)
    envs = gymnasium.make_vec("social_dilemmas/my_dilemma-v3", num_envs=3, opponent="always_defect")
    envs.reset(seed=0)
    np.testing.assert_array_equal(envs.step(np.array([0, 1, 1]))[1], [0.0, 1.0, 1.0])


@has_registry
@pytest.mark.parametrize(
    ("api", "kind"), [("parallel", pettingzoo.ParallelEnv), ("aec", pettingzoo.AECEnv)]
)
def test_pettingzoo_makes_it(registered, api, kind):
    registered("my_dilemma_v3", DILEMMA)
    env = pettingzoo.make(api, "social_dilemmas/my_dilemma-v3", max_cycles=4)
    assert isinstance(env, kind)
    assert env.unwrapped.game == sde.spec("my_dilemma_v3").game(max_cycles=4)
    env.reset(seed=0)


def test_arguments_that_a_partial_has_given_have_a_default(registered):
    spec = registered("my_dilemma_v3", DILEMMA)
    assert isinstance(spec.game(), MatrixGame)
    with pytest.raises(TypeError, match="did you mean 'max_cycles'"):
        spec.game(max_cycle=3)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("my_game", DILEMMA), ValueError, 'looks like "my_game_v0": a name and a version, got'),
        (("my game_v0", DILEMMA), ValueError, "got 'my game_v0'"),
        ((7, DILEMMA), ValueError, "got 7"),
        (("ipd_v0", DILEMMA), ValueError, "ipd_v0 is already registered"),
        (("my_game_v0", None), TypeError, "rules must be a class or a function .* got None"),
        (("my_game_v0", DILEMMA, 7), TypeError, "page must be a text, got 7"),
    ],
)
def test_refused_and_nowhere_registered(arguments, error, words):
    before = sde.list_envs(), sorted(gymnasium.registry)
    with pytest.raises(error, match=words):
        sde.register(*arguments)
    assert (sde.list_envs(), sorted(gymnasium.registry)) == before
