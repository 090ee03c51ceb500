"""Promise 10: bad input is one clear error that says what was expected, and changes nothing.

Each call below is made on an environment in the middle of a game; afterwards its state is what it
was, and it goes on as a twin to which nothing happened."""

import importlib.util

import pytest
from gymnasium.error import ResetNeeded

import social_dilemmas_env as sde
from social_dilemmas_env import extras
from tests.env.promises.bad_calls import BAD, acts, coin, refuse
from tests.helpers.games import (
    THREE_PLAYERS,
    Dice,
    make,
    play,
    playing,
)


@pytest.mark.parametrize("what", BAD)
def test_refused_and_nothing_changed(what):
    env, twin = playing(), playing()
    before = (env.get_state(), list(env.agents), env.max_cycles, env.payoffs, sde.list_envs())
    refuse(env, *BAD[what])
    after = (env.get_state(), list(env.agents), env.max_cycles, env.payoffs, sde.list_envs())
    assert after == before
    # To the end, and over the next episode.
    assert play(env, 60, Dice(1)) == play(twin, 60, Dice(1))


def test_the_table_is_long():
    assert len(BAD) >= 110


@pytest.mark.parametrize(
    "what",
    [what for what, (call, *_) in BAD.items() if call.__qualname__.startswith(("seed", "act"))],
)
def test_refused_by_a_game_that_was_never_reset(what):
    """A bad seed does not start it; and an action is refused because there is no game yet."""
    env = make("coin")
    with pytest.raises((ValueError, TypeError, ResetNeeded)):
        BAD[what][0](env)
    with pytest.raises(ResetNeeded, match="reset"):
        env.get_state()
    assert env.agents == []
    env.reset(seed=1)
    assert play(env, 3, Dice(0)) == play(reset_coin(1), 3, Dice(0))


def reset_coin(seed):
    env = make("coin")
    env.reset(seed=seed)
    return env


BEFORE_RESET = {
    "step": lambda env: env.step({"player_0": 0, "player_1": 0}),
    "get_state": lambda env: env.get_state(),
    "state": lambda env: env.state(),
    "scene": lambda env: env.scene(),
}


@pytest.mark.parametrize("call", BEFORE_RESET)
def test_before_the_first_reset(call):
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before"):
        BEFORE_RESET[call](make("coin"))


def test_turn_by_turn_nobody_is_left_after_the_end():
    aec = make("ipd_noise", api="aec")
    aec.reset(seed=1)
    for _ in aec.agent_iter():
        aec.step(None if aec.last()[3] else 0)
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before last\(\)"):
        aec.last()


def test_after_the_end():
    env = make("ipd_noise")
    env.reset(seed=1)
    play(env, env.max_cycles, Dice(0))
    state = env.get_state()
    for actions in ({"player_0": 0, "player_1": 0}, {}, {"player_0": 9, "player_1": None}):
        refuse(env, acts(actions), ResetNeeded, ["reset()", "over"])
    assert env.get_state() == state
    assert env.agents == []
    env.reset()
    assert env.get_state().episode == 1


def test_missing_pygame(monkeypatch):
    """The message holds the line that installs it; text needs no pygame."""
    real = importlib.util.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "pygame" else real(name))
    refuse(
        None,
        coin(render_mode="human"),
        extras.MissingExtraError,  # which is gymnasium's DependencyNotInstalled, and an ImportError
        ['pip install -e ".[render]"', "pygame"],
    )
    assert sde.make_env("coin_game_v0", render_mode="ansi").render_mode == "ansi"
    assert sde.make_env("coin_game_v0").render_mode is None


def test_registered_games_are_refused_alike():
    """A game of the user's own: its keywords are checked, and nothing of a failed registration
    stays."""
    before = sde.list_envs()
    for env_id in ("game", "my game_v0", "_v0", "my_game_vx", ""):
        with pytest.raises(ValueError, match="my_game_v0"):
            sde.register(env_id, lambda: None)
    assert sde.list_envs() == before


def test_three_players_missing_and_unknown():
    env = sde.make_env("matrix_game_v0", payoffs=THREE_PLAYERS)
    env.reset(seed=0)
    refuse(env, acts({"player_0": 0, "player_2": 0}), ValueError, ["missing ['player_1']"])
    refuse(
        env, acts({"player_0": 0, "player_1": 3, "player_2": 0}), ValueError, ["player_1", "0 .. 2"]
    )
    refuse(
        env, acts({"player_0": 2, "player_1": 2, "player_2": 0}), ValueError, ["player_0", "0 .. 1"]
    )
