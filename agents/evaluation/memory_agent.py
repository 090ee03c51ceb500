"""An agent that plays a policy of an exact game: a table over boards and a finite memory.

    agent = load_agent("bundled:exact_loqa_3x3")
    probabilities, hidden = agent.probabilities(observations)      # [B, A], [1, B, 2]

It acts from observations alone.  The table belongs to a game that `exact_game` enumerates; which
board an observation shows, what is remembered after it and which row that is are read from that
game's own tables (social_dilemmas_env/exact/tracking.py).  A table of one board for all its mirror
images (symmetry="all") is enough: on the others moves are renamed.

`hidden` is what it remembers, the last board and the memory; 0 means that nothing was seen yet.

Shapes  B games, S states, A actions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from typing_extensions import override

import social_dilemmas_env as sde
from agents.evaluation.agent import AgentPlayer, Hidden, TrainedAgent
from social_dilemmas_env.exact.tracking import StateTracker
from social_dilemmas_env.games.game import encode

if TYPE_CHECKING:
    from social_dilemmas_env.exact import ExactGame
    from social_dilemmas_env.exact.origin import Origin

FREE = {"view", "moves", "max_cycles"}  # how the same rules may be shown, called and cut off


class MemoryAgent(TrainedAgent):
    """A policy table with its automaton.

    Args:
        game: the exact game.
        policy: [S, A], indexed by what a seat sees; any seat plays it.
        facts: what its checkpoint says of it.
        seed: of its random choices.
        device: where it answers.
        player: the seat it takes.
        game_kwargs: arguments of the game that is played, where it shows the same rules otherwise.

    Raises:
        ValueError: a policy of another shape or that is none, a player who does not see the board.

    Attributes:
        exact: the exact game.
        policy: [S, A].
        player: the seat it has in mind.
    """

    finite_memory = True

    def __init__(
        self,
        game: ExactGame,
        policy: Any,
        facts: dict[str, Any],
        seed: int = 0,
        device: str = "cpu",
        *,
        player: int = 0,
        game_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(facts, seed)
        self.exact, self.policy = game, game.check(np.asarray(policy), 0)
        self.player, self._seed, self._device = player, seed, device
        self.game_kwargs = dict(self.game_kwargs if game_kwargs is None else game_kwargs)
        rules, self._shown = self._rules()
        self._tracker = StateTracker(game, player, rules)

        # By state and by the names that moves have in the exact game.
        self._rows = game.by_state(self.policy, player)
        now, then = (getattr(g, "action_names", None) for g in (rules, game.origin.game))
        names = None if now is None or then is None else (now[player], then[player])
        self._moves = None if names is None else [names[1].index(name) for name in names[0]]

    def _rules(self) -> tuple[Any, int | None]:
        """The game that is played, and how many numbers of an observation show its board.

        It follows the past by itself: where observations show that too, after the board, the rest
        is not read.
        """
        boards = {name: x for name, x in self.game_kwargs.items() if name != "memory"}
        rules = sde.spec(self.env_id).game(**boards)
        shows_past = self.game_kwargs.get("memory") is not None
        return rules, math.prod(rules.observation_shape) if shows_past else None

    @override
    def seated(self, player: int, game_kwargs: Mapping[str, Any] | None = None) -> MemoryAgent:
        """The same policy in another seat, or of a game that shows the same rules otherwise.

        Args:
            player: which player it is.
            game_kwargs: the game's arguments; None for those it was made for.

        Raises:
            ValueError: other rules.
        """
        wanted = self.game_kwargs if game_kwargs is None else game_kwargs
        rules = sde.spec(self.env_id).game(**wanted)
        own = self.exact.origin.game
        for field in fields(own):  # type: ignore[arg-type]
            then, now = getattr(own, field.name), getattr(rules, field.name)
            if field.name not in FREE and then != now:
                raise ValueError(
                    f"this agent plays {self.env_id} with {field.name} {then}, this game has {now}"
                )

        return MemoryAgent(
            self.exact,
            self.policy,
            self.facts,
            self._seed,
            self._device,
            player=player,
            game_kwargs=wanted,
        )

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        before = None if hidden is None else hidden[0].cpu().numpy()
        seen = observations.cpu().numpy()
        if self._shown is not None:
            seen = seen.reshape(len(seen), -1)[:, : self._shown]
        remembered = self._tracker.follow(before, seen)
        chances = self.chances_at(remembered)

        logits = torch.as_tensor(chances, dtype=torch.float32, device=self._device).log()
        return logits, torch.as_tensor(remembered, device=self._device)[None]

    def chances_at(self, remembered: np.ndarray) -> np.ndarray:
        """Probabilities of moves as the game calls them.

        Args:
            remembered: [B, 2], 1 + the code of the last board, and the memory; see `StateTracker`.

        Returns:
            [B, A].
        """
        states, elements = self._tracker.states(remembered)
        chances = np.take_along_axis(self._rows[states], self._tracker.renamed(elements), 1)
        return chances if self._moves is None else chances[:, self._moves]

    def policy_in(self, other: Origin) -> np.ndarray:
        """Its policy in an exact game of the same rules and memory, whatever the symmetry.

        Args:
            other: `origin` of a game of `exact_game`; `game.policy(agent)` gives it.

        Returns:
            [S', A], indexed by what a seat sees.

        Raises:
            ValueError: other rules, or another memory.
        """
        own = self.exact.origin
        if own.env_id != other.env_id:
            raise ValueError(f"this agent plays {own.env_id}, the exact game is {other.env_id}")
        here = self.seated(0, own.kwargs)
        self.seated(0, other.kwargs)  # other rules are refused

        same = (own.memory.columns, own.memory.sizes) == (other.memory.columns, other.memory.sizes)
        if not same:
            raise ValueError(
                f"this agent remembers {', '.join(own.memory.columns) or 'nothing'}: build the "
                f"exact game with memory={self.facts['settings'].get('memory')!r}"
            )

        # Each of its states as the tracker would remember it.
        board = tuple(column[other.product.board] for column in other.boards.board)
        code = np.asarray(encode(board, own.game.sizes)) + 1
        return here.chances_at(np.stack([code, other.product.memory], -1))


def table_player(game: ExactGame, policy: Any, player: int = 0, seed: int = 0) -> AgentPlayer:
    """A policy of an exact game as a player of the real one, which acts from observations.

    Args:
        game: of `exact_game`.
        policy: [S, A], indexed by what a seat sees.
        player: the seat it takes.
        seed: of its choices.
    """
    facts = {"env_id": game.origin.env_id, "game": dict(game.origin.kwargs)}
    return AgentPlayer(MemoryAgent(game, policy, facts, seed, player=player), seed)
