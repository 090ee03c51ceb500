"""Recording one game while it is played.

recorder = EpisodeRecorder(env, ("human", "tit_for_tat"), game_kwargs={"grid_size": 5})
observations, _ = env.reset(seed=0)
recorder.begin(seed=0)
... = env.step(actions)
recorder.add(actions, rewards)
episode = recorder.episode()
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.games.flat import shaped
from social_dilemmas_env.games.game import Board, Game
from social_dilemmas_env.registry import spec
from social_dilemmas_env.replay.episode import Episode, Insight, plain_arguments

Told = Mapping[int, tuple[Any, float | None]]  # seat -> (probabilities [A] or None, value or None)


class EpisodeRecorder:
    """Keeps what an environment plays; the environment is only read.

    Args:
        env: the environment.
        players: their names.
        game_kwargs: the arguments that the environment was made with.

    Raises:
        ValueError: arguments of other rules, or a wrong number of names.
        TypeError: an argument that cannot be written as JSON.
    """

    def __init__(
        self,
        env: DilemmaEnv,
        players: Sequence[str] | None = None,
        game_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.env = env
        self.players = tuple(env.possible_agents if players is None else players)
        if len(self.players) != len(env.possible_agents):
            raise ValueError(
                f"there are {len(env.possible_agents)} players, got {len(self.players)} names"
            )
        self.env_id: str = env.metadata["name"]
        self.game_kwargs = arguments_of(env.game, self.env_id, game_kwargs or {})
        self.begin()

    def begin(self, seed: int | None = None) -> None:
        """Forgets what was played; call it after each `env.reset`.

        Args:
            seed: what the environment was reset with, for the record.
        """
        self.seed = seed
        self._boards: list[Board] = []
        self._moves: list[tuple[tuple[int, ...], tuple[float, ...]]] = []
        self._told: list[Told] = []

        # An environment that was not reset yet has no board.
        if self.env.agents:
            self._boards.append(self._board())
            self._payoffs = tuple(map(float, self.env.payoffs))

    def _board(self) -> Board:
        return tuple(int(column) for column in self.env.get_state().board)

    def add(
        self, actions: Mapping[str, int], rewards: Mapping[str, float], told: Told | None = None
    ) -> None:
        """Takes in a step that was made.

        Args:
            actions: as given to `env.step`.
            rewards: what it returned.
            told: what players said of their decision.

        Raises:
            ValueError: no episode was begun.
        """
        if not self._boards:
            raise ValueError("call begin() after env.reset(), before the first step")
        agents = self.env.possible_agents
        paid = tuple(float(rewards[agent]) for agent in agents)
        self._moves.append((tuple(int(actions[agent]) for agent in agents), paid))
        self._boards.append(self._board())
        self._told.append({} if told is None else told)

    def episode(self) -> Episode:
        """What was played so far.

        Raises:
            ValueError: no episode was begun.
        """
        if not self._boards:
            raise ValueError("no episode was begun")
        return Episode(
            env_id=self.env_id,
            game_kwargs=self.game_kwargs,
            players=self.players,
            boards=tuple(self._boards),
            actions=tuple(actions for actions, _ in self._moves),
            rewards=tuple(rewards for _, rewards in self._moves),
            payoffs=self._payoffs,
            seed=self.seed,
            insights=tuple(self._insight(seat) for seat in range(len(self.players))),
        )

    def _insight(self, seat: int) -> Insight:
        """What a player told at every step; nothing of what it did not always tell."""
        nothing: tuple[Any, float | None] = (None, None)
        told = [step.get(seat, nothing) for step in self._told]
        chances = [_numbers(row) for row, _ in told if row is not None]
        values = [float(value) for _, value in told if value is not None]
        whole = len(told) > 0
        return Insight(
            tuple(chances) if whole and len(chances) == len(told) else None,
            tuple(values) if whole and len(values) == len(told) else None,
        )


def _numbers(row: Any) -> tuple[float, ...]:
    return tuple(float(x) for x in np.asarray(row))


def arguments_of(game: Game, env_id: str, game_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that make these rules, as JSON has them; the horizon may have been set later.

    Raises:
        ValueError: they make other rules.
        TypeError: an argument that cannot be written as JSON.
    """
    entry = spec(env_id)
    plain = plain_arguments(game_kwargs)
    made: Any = entry.game(**plain)
    if made.max_cycles != game.max_cycles and "max_cycles" in entry.keywords:
        plain["max_cycles"] = game.max_cycles
        made = entry.game(**plain)

    if repr(game) not in (repr(made), repr(shaped(made, True))):
        raise ValueError(
            f"game_kwargs {plain} make {made!r}, and the environment plays {game!r}: give the "
            "arguments that it was made with"
        )
    return plain
