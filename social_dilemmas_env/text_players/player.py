"""A policy that asks a reader: somebody who is told the game in words and answers in words."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from social_dilemmas_env.registry import spec
from social_dilemmas_env.text_players.answers import parse_action
from social_dilemmas_env.text_players.words import observation_text, rules_text
from social_dilemmas_env.validation import integer

FORMAT = "social-dilemmas transcript 1"
Message = dict[str, str]  # "role": "system", "user" or "assistant"; "content"
Reader = Callable[[list[Message]], str]


@dataclass
class Episode:
    """The conversation of one game, from its beginning.

    Attributes:
        rules: the first message.
        turns: one a step.
    """

    rules: str
    turns: list[dict[str, Any]] = field(default_factory=list)

    def messages(self, last: int | None) -> list[Message]:
        """The conversation so far, or its rules and the last few turns."""
        shown = self.turns if last is None else self.turns[len(self.turns) - last :]
        told = [{"role": "system", "content": self.rules}]
        for turn in shown:
            told.append({"role": "user", "content": turn["seen"]})
            told.append({"role": "assistant", "content": f"ACTION: {turn['action']}"})
        return told


class TextPlayer:
    """A player that reads: a `Policy` of B games, each a conversation of its own.

    Args:
        env_id: the game.
        reader: a conversation (a list of messages with "role" and "content") -> an answer.
        player: the seat.
        game_kwargs: the game's arguments.
        retries: how often an answer without an action is asked for again.
        default: the action, by name or number, where none was named in the end.
        memory: how many past steps a conversation keeps; None for all.

    Raises:
        ValueError: an unknown game, seat, or default.
        TypeError: a reader that cannot be called.

    Attributes:
        episodes: the conversations, in the order in which they began.
    """

    # What a reader's network may do, and an answer may be waited for again: other errors are bugs.
    failures: tuple[type[Exception], ...] = (OSError, TimeoutError)

    def __init__(
        self,
        env_id: str,
        reader: Reader,
        player: int = 0,
        *,
        game_kwargs: dict[str, Any] | None = None,
        retries: int = 2,
        default: int | str = 0,
        memory: int | None = None,
    ) -> None:
        self.env_id, self.game_kwargs = env_id, dict(game_kwargs or {})
        self.game = spec(env_id).game(**self.game_kwargs)
        self.player = integer("player", player, 0)
        if self.player >= len(self.game.num_actions):
            raise ValueError(f"{env_id} has no player_{player}")
        if not callable(reader):
            raise TypeError(f"a reader is a function of a conversation, got {reader!r:.60}")

        self.reader, self.retries = reader, integer("retries", retries, 0)
        self.memory = None if memory is None else integer("memory", memory, 0)
        self.names = self.game.action_names[self.player]
        found = self.names.index(default) if default in self.names else parse_default(default)
        if not 0 <= found < len(self.names):
            raise ValueError(f"default must be one of {', '.join(self.names)}, got {default!r}")
        self.default = found
        self.rules = rules_text(env_id, self.player, **self.game_kwargs)
        self.episodes: list[Episode] = []
        self._now: list[Episode] = []

    def reset(self, num_games: int, seed: Any = None) -> None:
        """Begins a conversation in each game; what is random is the reader's affair."""
        self._now = [self._begin() for _ in range(integer("num_games", num_games, 1))]

    def _begin(self) -> Episode:
        episode = Episode(self.rules)
        self.episodes.append(episode)
        return episode

    def act(self, observations: Any, first: Any = None) -> np.ndarray:
        """The moves [B], one conversation after another.

        Raises:
            ValueError: observations of another game, or of another number of games.
        """
        rows = np.asarray(observations.cpu() if hasattr(observations, "cpu") else observations)
        if not self._now:
            self.reset(len(rows))
        if len(rows) != len(self._now):
            raise ValueError(f"this player is in {len(self._now)} games, got {len(rows)}: reset()")

        for i, began in enumerate([] if first is None else np.asarray(first)):
            if began and self._now[i].turns:
                self._now[i] = self._begin()
        pairs = zip(self._now, rows, strict=True)
        return np.array([self._move(episode, row) for episode, row in pairs])

    def _move(self, episode: Episode, observation: np.ndarray) -> int:
        """Asks until an action is named, or patience ends."""
        step = len(episode.turns)
        seen = f"Step {step + 1} of {self.game.max_cycles}. " + observation_text(
            self.game, observation, self.player
        )
        messages = [*episode.messages(self.memory), {"role": "user", "content": seen}]

        # Ask; after an answer without an action, say so and ask again.
        action, answers = None, []
        for _ in range(1 + self.retries):
            answers.append(self._answer(messages))
            action = parse_action(answers[-1], self.names)
            if action is not None:
                break
            again = f'That names no action. Answer "ACTION: " and one of {", ".join(self.names)}.'
            messages = [
                *messages,
                {"role": "assistant", "content": answers[-1]},
                {"role": "user", "content": again},
            ]

        # Without any, the default, which the transcript tells.
        chosen = self.default if action is None else action
        turn = {"seen": seen, "answers": answers, "action": self.names[chosen]}
        episode.turns.append({**turn, "defaulted": action is None})
        return chosen

    def _answer(self, messages: Sequence[Message]) -> str:
        """One answer; a failure of the reader's network is an empty one.

        Raises:
            TypeError: the reader returned no text.
        """
        try:
            answer = self.reader([dict(message) for message in messages])
        except self.failures as error:
            return f"({type(error).__name__})"
        if not isinstance(answer, str):
            raise TypeError(f"a reader returns a text, got {type(answer).__name__}")
        return answer

    def transcripts(self) -> list[dict[str, Any]]:
        """All conversations with at least one turn, as plain data."""
        head = {"format": FORMAT, "env_id": self.env_id, "game": self.game_kwargs}
        return [
            {**head, "player": self.player, "rules": episode.rules, "turns": episode.turns}
            for episode in self.episodes
            if episode.turns
        ]

    def transcripts_json(self) -> str:
        """The same as JSON."""
        return json.dumps(self.transcripts(), indent=1)

    def __deepcopy__(self, memo: dict[int, Any]) -> "TextPlayer":
        """A player for another environment: the reader and the list of conversations are shared."""
        twin = TextPlayer(
            self.env_id,
            self.reader,
            self.player,
            game_kwargs=self.game_kwargs,
            retries=self.retries,
            default=self.default,
            memory=self.memory,
        )
        twin.episodes = self.episodes
        return twin


def parse_default(default: Any) -> int:
    """The number of an action; -1 for what is none."""
    return default if isinstance(default, int) and not isinstance(default, bool) else -1
