"""The single-learner views: Gymnasium's conventions, and the same games as everywhere."""

import copy
import pickle
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import TimeAwareObservation
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv


def argmax(observations):
    """A function that plays one game (one observation) as well as many."""
    return observations.argmax(-1) % 2


SETTINGS = {
    "coin": {"env_id": "coin_game_v0", "opponent": "tit_for_tat", "max_cycles": 9},
    "coin_random": {"env_id": "coin_game_v0", "player": 1, "max_cycles": 9},
    "coin_3p": {"env_id": "coin_game_v0", "num_agents": 3, "player": 1, "max_cycles": 9},
    "ipd": {
        "env_id": "ipd_v0",
        "opponent": "generous_tit_for_tat",
        "player": 1,
        "max_cycles": 9,
        "payoff_noise": 0.5,
    },
    "rps": {"env_id": "rps_v0", "max_cycles": 9},
    "public_goods": {
        "env_id": "public_goods_v0",
        "opponent": ["random", "always_defect", argmax],
        "max_cycles": 9,
    },
}
every = pytest.mark.parametrize("name", SETTINGS)


def random_actions(env, count, seed=0):
    return np.random.default_rng(seed).integers(env.action_space.n, size=count)


@every
def test_gymnasium_checks(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings(
            "ignore", message=".*render method.*|.*render_modes.*|.*not within the obs.*"
        )
        check_env(SingleEnv(**SETTINGS[name]), skip_render_check=True)


def test_made_by_gymnasium():
    for env_id in sde.list_envs():
        payoffs = {"payoffs": [[[1, 2], [0, 0]], [[3, 1], [1, 1]]]}
        kwargs = payoffs if env_id == "matrix_game_v0" else {}
        if "map" in sde.spec(env_id).keywords:
            kwargs = {"max_cycles": 50}
        env = gymnasium.make(f"social_dilemmas/{env_id.replace('_v', '-v')}", **kwargs)
        env.reset(seed=0)
        for _ in range(env.unwrapped.max_cycles):
            observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
            assert env.observation_space.contains(observation)
            assert isinstance(reward, float)
        assert truncated
        assert not terminated
        assert info == {}
        envs = gymnasium.make_vec(
            f"social_dilemmas/{env_id.replace('_v', '-v')}", num_envs=3, **kwargs
        )
        assert isinstance(envs.unwrapped, SingleVectorEnv)
        assert envs.spec.id.startswith("social_dilemmas/")


@every
@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
def test_game_i_of_many_is_the_single_game(name, mode):
    """Same seeds, same actions: same games, against the same moves, through three episodes."""
    envs, alone = (
        SingleVectorEnv(5, autoreset_mode=mode, **SETTINGS[name]),
        [SingleEnv(**SETTINGS[name]) for _ in range(5)],
    )
    first, _ = envs.reset(seed=7)
    np.testing.assert_array_equal(
        first, [one.reset(seed=sde.draw(7, i))[0] for i, one in enumerate(alone)]
    )
    for t in range(29):
        if mode == "NextStep" and t % 10 == 9:
            observations, rewards, _, truncations, _ = envs.step(np.zeros(5, int))
            np.testing.assert_array_equal(observations, [one.reset()[0] for one in alone])
            assert not rewards.any()
            assert not truncations.any()
            continue
        actions = random_actions(alone[0], 5, seed=t)
        observations, rewards, terminations, truncations, infos = envs.step(actions)
        expected = [one.step(action) for one, action in zip(alone, actions, strict=True)]
        np.testing.assert_array_equal(rewards, np.array([step[1] for step in expected]))
        np.testing.assert_array_equal(truncations, [step[3] for step in expected])
        assert rewards.dtype == np.float64
        assert not terminations.any()
        last = [step[0] for step in expected]
        if mode == "SameStep" and truncations.all():
            assert infos["_final_obs"].all()
            assert infos["final_obs"].dtype == object
            np.testing.assert_array_equal(np.stack(infos["final_obs"]), last)
            last = [one.reset()[0] for one in alone]
        np.testing.assert_array_equal(observations, last)


@every
def test_a_seed_fixes_game_and_opponents(name):
    env = SingleEnv(**SETTINGS[name])

    def play():
        records = [env.reset(seed=3)[0].tobytes()]
        for episode in range(3):
            for action in random_actions(env, 9, seed=episode):
                observation, reward, *_ = env.step(action)
                records += [observation.tobytes(), reward]
            records.append(env.reset()[0].tobytes())
        return records

    assert play() == play()


def test_opponents_play_their_seat():
    """Against a player who always defects the sucker's payoff is paid, in either seat."""
    for player in (0, 1):
        env = SingleEnv("ipd_v0", "always_defect", player)
        env.reset(seed=0)
        assert [env.step(0)[1] for _ in range(3)] == [-3.0] * 3
        env.reset()
        assert env.step(1)[1] == -2.0
    env = SingleEnv("ipd_v0", lambda observation: 0 if observation[0] else 1)  # cooperates first
    env.reset(seed=0)
    assert [env.step(0)[1], env.step(0)[1]] == [-1.0, -3.0]


def test_tit_for_tat_forgets_at_the_end_of_an_episode():
    for mode in ("SameStep", "NextStep"):
        envs = SingleVectorEnv(
            3, env_id="ipd_v0", opponent="grim", max_cycles=3, autoreset_mode=mode
        )
        envs.reset(seed=0)
        rewards = [envs.step(np.array([1, 0, 1]))[1].tolist() for _ in range(8)]
        episode = [[0.0, -1.0, 0.0], [-2.0, -1.0, -2.0], [-2.0, -1.0, -2.0]]
        pause = [[0.0] * 3] if mode == "NextStep" else []
        assert rewards == [*episode, *pause, *episode, *pause, *episode][:8]


class Recorder:
    """An opponent that keeps what it is given."""

    def __init__(self):
        self.resets, self.seen = [], []

    def reset(self, num_games, seed=None):
        self.resets.append((num_games, seed))

    def act(self, observations, first=None):
        self.seen.append((observations.shape, first.tolist()))
        return np.ones(len(observations), np.int64)


def test_what_an_opponent_is_told():
    env = SingleEnv("coin_game_v0", Recorder(), max_cycles=2)
    one = env.opponents.policies[0]
    env.reset(seed=4), env.step(0), env.step(0), env.reset(), env.step(0)
    assert one.resets == [(1, [4])]
    assert one.seen == [((1, 4, 3, 3), [True]), ((1, 4, 3, 3), [False]), ((1, 4, 3, 3), [True])]
    envs = SingleVectorEnv(
        2, env_id="coin_game_v0", opponent=Recorder(), max_cycles=2, autoreset_mode="Disabled"
    )
    many = envs.opponents.policies[0]
    envs.reset(seed=4), envs.step(np.zeros(2, int))
    envs.reset(options={"reset_mask": np.array([False, True])})
    envs.step(np.zeros(2, int))
    assert many.resets == [(2, 4)]
    assert [first for _, first in many.seen] == [[True, True], [False, True]]


@every
@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("how", ["state", "deepcopy", "pickle"])
def test_continuation(name, vector, how):
    """Promise 3, opponents included."""
    make = (
        (lambda: SingleVectorEnv(3, **SETTINGS[name]))
        if vector
        else (lambda: SingleEnv(**SETTINGS[name]))
    )
    env, games = make(), 3 if vector else 1
    env.reset(seed=5)

    def play(env, steps, seed):
        records = []
        for actions in np.random.default_rng(seed).integers(2, size=(steps, games)):
            observation, reward, _, truncated, _ = env.step(actions if vector else actions[0])
            records.append(
                (observation.tobytes(), np.asarray(reward).tolist(), np.asarray(truncated).tolist())
            )
            if not vector and truncated:
                records.append(env.reset()[0].tobytes())
        return records

    for t in range(4):
        play(env, 4, t)
        if how == "state":
            twin, state = make(), env.get_state()
            twin.set_state(state)
            play(twin, 3, 99)  # goes another way, and comes back
            twin.set_state(state)
        else:
            twin = copy.deepcopy(env) if how == "deepcopy" else pickle.loads(pickle.dumps(env))
        assert play(twin, 12, t + 50) == play(env, 12, t + 50)


@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_gymnasium_wrappers_and_modes(mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = gymnasium.make_vec(
            "social_dilemmas/ipd-v0",
            num_envs=4,
            opponent="always_cooperate",
            max_cycles=5,
            autoreset_mode=mode,
        )
    assert envs.metadata["autoreset_mode"].value == mode  # Gymnasium 1.0 has no `AutoresetMode`
    if mode == "SameStep" and not hasattr(gymnasium.vector, "AutoresetMode"):
        return  # the wrapper of Gymnasium 1.0 counts one step too few in this mode
    envs = RecordEpisodeStatistics(envs)
    envs.reset(seed=0)
    episodes = []
    for _ in range(24):
        _, _, _, truncations, infos = envs.step(np.array([0, 1, 0, 1]))
        if "episode" in infos:
            episodes.append((infos["episode"]["r"].tolist(), infos["episode"]["l"].tolist()))
        if mode == "Disabled" and truncations.any():
            envs.reset(options={"reset_mask": truncations})
    assert len(episodes) == 4
    assert episodes == [([-5.0, 0.0, -5.0, 0.0], [5, 5, 5, 5])] * 4


def test_default_mode_is_gymnasiums():
    envs = gymnasium.make_vec("social_dilemmas/rps-v0", num_envs=2)
    assert envs.metadata["autoreset_mode"].value == "NextStep"


def test_rendering_is_the_games():
    env = gymnasium.make("social_dilemmas/coin_game-v0", render_mode="ansi")
    env.reset(seed=0)
    env.step(1)
    assert isinstance(env.render(), str)
    env.close()


BAD = {
    "unknown strategy": ({"opponent": "tit_for_tatt"}, ValueError, "tit_for_tat"),
    "strategy of another game": (
        {"env_id": "coin_game_v0", "opponent": "grim"},
        ValueError,
        "not defined",
    ),
    "no player": ({"opponent": 7}, TypeError, "an opponent is"),
    "no seat": ({"player": 2}, ValueError, "player must lie in 0 .. 1"),
    "negative seat": ({"player": -1}, ValueError, "player must be at least 0"),
    "two opponents": ({"opponent": ["random", "random"]}, ValueError, r"seats \[1\], got 2"),
    "one memory, two seats": (
        {"env_id": "public_goods_v0", "num_agents": 3, "opponent": Recorder()},
        ValueError,
        "one object with a memory",
    ),
    "unknown argument": ({"grid": 3}, TypeError, "grid"),
    "unknown game": ({"env_id": "ipd_v9"}, ValueError, "ipd_v0"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("cls", [SingleEnv, SingleVectorEnv])
def test_bad_arguments(case, cls):
    changes, error, message = BAD[case]
    with pytest.raises(error, match=message):
        cls(**{"env_id": "ipd_v0", **changes})


def test_bad_calls_change_nothing():
    env, envs = (
        SingleEnv("ipd_v0", "random"),
        SingleVectorEnv(2, env_id="ipd_v0", max_cycles=2, autoreset_mode="Disabled"),
    )
    for one, action in ((env, 0), (envs, np.zeros(2, int))):
        with pytest.raises(ResetNeeded):
            one.step(action)
        one.reset(seed=0)
    for wrong, error in ((2, ValueError), (-1, ValueError), (0.5, TypeError), ("C", TypeError)):
        with pytest.raises(error, match="action"):
            env.step(wrong)
    for wrong in ([0, 2], [0, -1], [0, 0, 0], [[0], [0]], [0.0, 0.0]):
        with pytest.raises((ValueError, TypeError), match="actions must"):
            envs.step(np.array(wrong))
    twin, twins = (
        SingleEnv("ipd_v0", "random"),
        SingleVectorEnv(2, env_id="ipd_v0", max_cycles=2, autoreset_mode="Disabled"),
    )
    twin.reset(seed=0), twins.reset(seed=0)
    for _ in range(2):
        assert env.step(0)[1] == twin.step(0)[1]
        assert envs.step(np.zeros(2, int))[1].tolist() == twins.step(np.zeros(2, int))[1].tolist()
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros(2, int))
    with pytest.raises(ValueError, match="not a state"):
        env.set_state(twin.env.get_state())
    with pytest.raises(ValueError, match="other opponents"):
        env.set_state(_state_against("grim"))
    with pytest.raises(ValueError, match="games"):
        envs.set_state(_state_of(3))
    with pytest.raises(ValueError, match="autoreset_mode must be one of"):
        SingleVectorEnv(2, env_id="ipd_v0", autoreset_mode="same_step")
    with pytest.raises(ValueError, match="render_mode must be None"):
        SingleVectorEnv(2, env_id="ipd_v0", render_mode="ansi")


def _state_against(opponent):
    env = SingleEnv("ipd_v0", opponent)
    env.reset(seed=0)
    return env.get_state()


def _state_of(games):
    envs = SingleVectorEnv(games, env_id="ipd_v0", max_cycles=2)
    envs.reset(seed=0)
    return envs.get_state()


def test_an_opponent_that_returns_nonsense():
    env = SingleEnv("ipd_v0", lambda observation: 7)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="player_1"):
        env.step(0)
    envs = SingleVectorEnv(2, env_id="ipd_v0", opponent=lambda observations: np.zeros(2))
    envs.reset(seed=0)
    with pytest.raises(TypeError, match="the opponent in seat 1 must return integers"):
        envs.step(np.zeros(2, int))


# ------------------------------------------------------------------------------------ the horizon

IPD = "social_dilemmas/ipd-v0"


def test_the_horizon_is_readable_on_every_view():
    for env in (
        sde.make_env("ipd_v0", max_cycles=7),
        sde.make_env("ipd_v0", api="aec", max_cycles=7),
        sde.make_vec_env("ipd_v0", 2, max_cycles=7),
        gymnasium.make(IPD, max_cycles=7).unwrapped,
        gymnasium.make_vec(IPD, num_envs=2, max_cycles=7),
        DictVecEnv("ipd_v0", 2, max_cycles=7),
    ):
        assert env.max_cycles == 7


def test_the_spec_tells_the_horizon():
    """And no wrapper of Gymnasium's cuts a longer one off."""
    for kwargs, most in (({}, 50), ({"max_cycles": 200}, 200), ({"max_episode_steps": 10}, 10)):
        for env in (gymnasium.make(IPD, **kwargs), gymnasium.make_vec(IPD, num_envs=2, **kwargs)):
            assert env.spec.max_episode_steps == most
            env.reset(seed=0)
            vector = hasattr(env, "num_envs")
            steps = [env.step(np.zeros(2, int) if vector else 0)[3] for _ in range(most)]
            assert [bool(np.all(step)) for step in steps] == [False] * (most - 1) + [True]
    assert SingleEnv("ipd_v0").spec is None


def test_the_shorter_horizon_holds():
    envs = gymnasium.make_vec(IPD, num_envs=2, max_episode_steps=10, max_cycles=4)
    assert envs.max_cycles == envs.spec.max_episode_steps == 4
    with pytest.raises(ValueError, match="max_episode_steps must be at least 1"):
        gymnasium.make_vec(IPD, num_envs=2, max_episode_steps=0)


def test_an_environment_is_made_again_from_its_spec():
    env = gymnasium.make(gymnasium.make(IPD, max_cycles=9).spec)
    assert env.unwrapped.max_cycles == 9


def test_time_aware_observation():
    env = TimeAwareObservation(gymnasium.make(IPD))
    env.reset(seed=0)
    observation, *_ = env.step(0)
    assert observation.shape == (6,)
