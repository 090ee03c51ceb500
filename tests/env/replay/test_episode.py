"""Recording, and the file of an episode."""

import json

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import render
from social_dilemmas_env.replay import EpisodeRecorder, ReplayError, episode_json, read_episode
from tests.env.replay.recordings import recorded

PAYOFFS = np.array([[[1.0, 2.0], [0.0, 3.0]], [[3.0, 0.0], [1.0, 1.0]]])
GAMES = [
    ("coin_game_v0", {}),
    ("coin_game_v0", {"variant": "lola", "grid_size": [2, 3], "max_cycles": 12}),
    ("coin_game_v0", {"variant": "mfos"}),
    ("coin_game_v0", {"num_agents": 3, "ties": "split", "coins": 3}),
    ("ipd_v0", {"payoff_noise": 0.5}),
    ("rps_v0", {"max_cycles": 3, "action_noise": 0.5}),
    ("coin_game_v0", {"action_noise": 0.2, "observe_time": True}),
    ("commons_harvest_v0", {"max_cycles": 5}),
    ("public_goods_v0", {}),
    ("matrix_game_v0", {"payoffs": PAYOFFS}),
]


@pytest.mark.parametrize(("env_id", "game_kwargs"), GAMES)
def test_what_is_written_is_read(env_id, game_kwargs, tmp_path):
    """Every game's own steps pass the check of its rules."""
    episode = recorded(env_id, **game_kwargs)
    path = tmp_path / "match.json"
    path.write_text(episode_json(episode))
    assert read_episode(path) == episode


def test_games_on_arrays_are_played_again_from_their_seed(tmp_path):
    data = json.loads(episode_json(recorded("commons_harvest_v0", max_cycles=5)))
    del data["sha256"]
    path = tmp_path / "match.json"
    path.write_text(json.dumps({**data, "seed": 1}))
    with pytest.raises(ReplayError, match="with this seed the board of step 0 is another one"):
        read_episode(path)
    path.write_text(json.dumps({**data, "seed": None}))
    with pytest.raises(ReplayError, match="is checked by its seed, and has none"):
        read_episode(path)


def test_numbers_are_rounded_once(tmp_path):
    path = tmp_path / "match.json"
    path.write_text(episode_json(recorded(telling=True)))
    again = read_episode(path)
    assert episode_json(again) == path.read_text()


def test_the_scenes_are_those_of_the_game():
    env = sde.make_env("coin_game_v0", render_mode="ansi")
    recorder = EpisodeRecorder(env)
    env.reset(seed=3)
    recorder.begin(3)
    texts = [env.render()]
    while env.agents:
        actions = {"player_0": env.get_state().t % 4, "player_1": 2}
        recorder.add(actions, env.step(actions)[1])
        texts.append(env.render())
    assert [render.text(scene) for scene in recorder.episode().scenes()] == texts


def test_what_a_player_did_not_always_tell_is_left_out():
    env = sde.make_env("ipd_v0", max_cycles=2)
    recorder = EpisodeRecorder(env, game_kwargs={"max_cycles": 2})
    env.reset(seed=0)
    recorder.begin()
    for told in ({0: ([0.5, 0.5], 1.0)}, {0: ([0.5, 0.5], None)}):
        actions = {"player_0": 0, "player_1": 1}
        recorder.add(actions, env.step(actions)[1], told)
    first, second = recorder.episode().insights
    assert first.probabilities == ((0.5, 0.5),) * 2
    assert (first.values, second.probabilities, second.values) == (None, None, None)


def test_a_horizon_that_was_set_later_is_kept():
    env = sde.make_env("ipd_v0")
    env.max_cycles = 7
    assert EpisodeRecorder(env).game_kwargs == {"max_cycles": 7}


def test_other_arguments_than_those_of_the_environment_are_refused():
    with pytest.raises(ValueError, match="give the arguments that it was made with"):
        EpisodeRecorder(sde.make_env("coin_game_v0", grid_size=5))


def test_a_wrong_number_of_names_is_refused():
    with pytest.raises(ValueError, match="there are 2 players, got 1 names"):
        EpisodeRecorder(sde.make_env("ipd_v0"), players=("me",))


def test_a_step_before_the_beginning_is_refused():
    recorder = EpisodeRecorder(sde.make_env("ipd_v0"))
    with pytest.raises(ValueError, match="call begin"):
        recorder.add({"player_0": 0, "player_1": 0}, {"player_0": 0.0, "player_1": 0.0})
    with pytest.raises(ValueError, match="no episode was begun"):
        recorder.episode()


def test_the_file_is_json_that_any_reader_has():
    data = json.loads(episode_json(recorded(steps=4)))
    assert data["format"] == "social-dilemmas episode 1"
    assert len(data["boards"]) == 5
    assert len(data["actions"]) == 4
