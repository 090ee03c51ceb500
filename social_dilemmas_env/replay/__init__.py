"""Episodes as files, to look at again: recorded, checked, shown as a page.

    recorder = EpisodeRecorder(env, players=("human", "tit_for_tat"))     # one game
    film = BatchFilm(venv, games=(0, 7))                                  # a chosen few of many
    path.write_text(episode_json(episode))                                # the file "match.json"
    episode = read_episode("match.json")                                  # whole and possible, or
                                                                          # one ReplayError
    path.write_text(replay_page(episode))                                 # "match.html": no network

The format is described in docs/how-to/replay.md.
"""

from social_dilemmas_env.replay.batch import BatchFilm
from social_dilemmas_env.replay.checks import ReplayError, read_episode
from social_dilemmas_env.replay.episode import Episode, Exact, Insight, episode_json
from social_dilemmas_env.replay.page import replay_page
from social_dilemmas_env.replay.recorder import EpisodeRecorder

__all__ = [
    "BatchFilm",
    "Episode",
    "EpisodeRecorder",
    "Exact",
    "Insight",
    "ReplayError",
    "episode_json",
    "read_episode",
    "replay_page",
]
