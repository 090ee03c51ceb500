"""Promise 10 of `reset(options=...)`: an option near a known one is never silently ignored, in any
view: it would restart every running game."""

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv
from social_dilemmas_env.single_agent.opponents import SingleState
from social_dilemmas_env.validation import RESET_OPTIONS, reset_options

MASK = np.array([True, False, True])
NEAR = ["mask", "rest_mask", "reset_masks", "resetmask", "Reset_Mask", "reset", "mask_reset"]
FAR = ["anything", "another", "seed", "init_state", "config", "randomize", "options"]


def dict_venv():
    env = DictVecEnv("ipd_v0", 3, backend="numpy")
    env.get_state = env.batch.get_state
    return env


MANY = {
    "numpy": lambda: sde.make_vec_env("coin_game_v0", 3),
    "torch": lambda: sde.make_vec_env("ipd_v0", 3, "torch"),
    "commons": lambda: sde.make_vec_env("commons_harvest_v0", 3),
    "dict": dict_venv,
    "gymnasium": lambda: SingleVectorEnv(3, env_id="ipd_v0"),
}
ONE = {
    "parallel": lambda: sde.make_env("coin_game_v0"),
    "aec": lambda: sde.make_env("ipd_v0", api="aec"),
    "single": lambda: SingleEnv("ipd_v0"),
}


def kept(env):
    """The state, as text; opponents are objects."""
    state = env.get_state()
    return repr([state.game, state.first] if isinstance(state, SingleState) else state)


@pytest.mark.parametrize("view", MANY)
def test_a_word_near_the_mask_changes_nothing(view):
    env = MANY[view]()
    env.reset(seed=0)
    before = kept(env)
    for word in NEAR:
        with pytest.raises(ValueError, match=f"there is no option '{word}'; did.*'reset_mask'"):
            env.reset(seed=1, options={word: MASK})
        assert kept(env) == before


@pytest.mark.parametrize("view", ONE)
def test_one_game_has_no_options(view):
    env = ONE[view]()
    env.reset(seed=0)
    before = kept(env)
    for word in [*NEAR, "reset_mask"]:
        with pytest.raises(ValueError, match=f"'{word}' is no option here"):
            env.reset(seed=1, options={word: [True]})
        assert kept(env) == before


@pytest.mark.parametrize("view", [*ONE, *MANY])
def test_what_is_no_dict_is_refused(view):
    env = (ONE | MANY)[view]()
    env.reset(seed=0)
    before = kept(env)
    with pytest.raises(TypeError, match="options must be a dict or None"):
        env.reset(options=[("reset_mask", MASK)])
    assert kept(env) == before


@pytest.mark.parametrize("view", [*ONE, *MANY])
def test_options_of_other_libraries_pass(view):
    env = (ONE | MANY)[view]()
    env.reset(seed=0, options=dict.fromkeys([*FAR, 3], 1))
    env.reset(seed=0, options={})


def test_every_option_is_known_where_it_is_read():
    mask = dict.fromkeys(RESET_OPTIONS, MASK)
    assert reset_options(mask, RESET_OPTIONS) is mask


@pytest.mark.skipif(
    not hasattr(gymnasium.vector, "AutoresetMode"), reason="Gymnasium has masks from 1.1 on"
)
def test_gymnasiums_own_vectors_keep_their_mask():
    """They take it out before they ask the single games."""
    envs = gymnasium.vector.SyncVectorEnv(
        [lambda: SingleEnv("ipd_v0")] * 3, autoreset_mode=gymnasium.vector.AutoresetMode.DISABLED
    )
    envs.reset(seed=0)
    envs.reset(options={"reset_mask": MASK})


def test_stable_baselines_options_do_not_vanish():
    pytest.importorskip("stable_baselines3")
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    env = SB3VecEnv("ipd_v0", 3)
    for given in ({"reset_mask": MASK}, {"anything": 1}, [{}, {}, {"x": 1}]):
        with pytest.raises(ValueError, match="SB3VecEnv has no options"):
            env.set_options(given)
    for nothing in (None, {}, [{}, {}]):
        env.set_options(nothing)
    env.reset()


@pytest.mark.parametrize("name", ["seed", "options"])
def test_torchrls_reset_takes_neither(name):
    pytest.importorskip("torchrl")
    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    env = TorchRLEnv("ipd_v0", 3)
    env.reset()
    before = env.batch.get_state()
    with pytest.raises(ValueError, match=f"TorchRLEnv.reset takes no {name}: use"):
        env.reset(**{name: {"reset_mask": MASK}})
    assert env.batch.get_state() == before
