"""Filming a chosen few games of a vector environment.

    venv = sde.make_vec_env("coin_game_v0", num_envs=4096)
    venv.reset(seed=0)
    film = BatchFilm(venv, games=(0, 7))
    for _ in range(100):
        ... = venv.step(actions)
        film.add(actions)
    for episode in film.episodes():
        ...

A batch keeps no boards for this, and none are copied step by step: game i of a batch is the single
game with its seed, so the actions of the chosen games and one state are enough to play it again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.games.game import State
from social_dilemmas_env.replay.episode import Episode
from social_dilemmas_env.replay.recorder import EpisodeRecorder, arguments_of
from social_dilemmas_env.validation import integer
from social_dilemmas_env.vector.base import BatchEnv


class BatchFilm:
    """The actions of some games of a batch, and the state that they began from.

    Args:
        venv: a vector environment that was reset; it is read once, now.
        games: which of its games, at least one.
        players: their names.
        game_kwargs: the arguments that the environment was made with.

    Raises:
        ValueError: no such game, none at all, one twice, one in the middle of an episode, or
            arguments of other rules.
        gymnasium.error.ResetNeeded: the environment was not reset yet.
    """

    def __init__(
        self,
        venv: BatchEnv,
        games: Sequence[int],
        players: Sequence[str] | None = None,
        game_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.games = tuple(integer("games", game, 0) for game in games)
        if not self.games or max(self.games) >= venv.num_envs:
            raise ValueError(f"games must lie in 0 .. {venv.num_envs - 1}, got {list(games)}")
        if len(set(self.games)) != len(self.games):
            raise ValueError(f"games must differ, got {list(games)}")

        # Where the games are now, which has to be a start.
        self.env_id, self.autoreset = venv.env_id, venv.options.autoreset
        self.game_kwargs = arguments_of(venv.game, venv.env_id, game_kwargs or {})
        self.players = tuple(venv.possible_agents if players is None else players)
        self._agents = venv.possible_agents
        state = venv.get_state()
        self._starts = [_state_of(state, game) for game in self.games]
        for game, start in zip(self.games, self._starts, strict=True):
            if start.t:
                raise ValueError(
                    f"game {game} is at step {start.t} of an episode: begin a film at a reset"
                )
        self._game, self._actions = venv.game, list[np.ndarray]()

    def add(self, actions: Any) -> None:
        """Takes in the actions [B, N] of a step, numpy or torch; those of the chosen games."""
        chosen = actions[list(self.games)]
        # A tensor is copied to the host by itself; a copy of an array's rows is one already.
        self._actions.append(chosen.cpu().numpy() if hasattr(chosen, "cpu") else chosen)

    def episodes(self) -> list[Episode]:
        """All that was filmed, game after game, also an episode that is not over.

        The last one of a game is left out if nothing was played in it.
        """
        found = []
        for k, start in enumerate(self._starts):
            moves = [step[k] for step in self._actions]
            found += self._episodes_of(start, moves)
        return found

    def _episodes_of(self, start: State, moves: list[np.ndarray]) -> list[Episode]:
        """One game, played again."""
        env = DilemmaEnv(self.env_id, self._game)
        env.set_state(start)
        recorder = EpisodeRecorder(env, self.players, self.game_kwargs)
        if start.episode == 0:  # later ones are no first episode of any seed
            recorder.begin(start.seed)

        found = []
        for row in moves:
            if not env.agents:
                # The reset takes a step of its own, or none.
                self._restart(env, recorder)
                if self.autoreset == "next_step":
                    continue
            actions = dict(zip(self._agents, map(int, row), strict=True))
            _, rewards, *_ = env.step(actions)
            recorder.add(actions, rewards)
            if not env.agents:
                found.append(recorder.episode())
        unfinished = env.agents and env.get_state().t > 0
        return [*found, recorder.episode()] if unfinished else found

    def _restart(self, env: DilemmaEnv, recorder: EpisodeRecorder) -> None:
        """The next episode of a game, which its own draws begin."""
        if self.autoreset == "disabled":
            raise ValueError(
                "this environment was reset by hand, which a film cannot follow: begin another "
                "BatchFilm after each reset"
            )
        env.reset()
        recorder.begin()


def _state_of(state: State, game: int) -> State:
    """One game's part of the state of a batch."""
    fields = (state.seed, state.episode, state.t, state.board, state.over)
    seed, episode, t, board, over = (field[game] for field in fields)
    return State(state.game, seed, episode, t, list(board), over)
