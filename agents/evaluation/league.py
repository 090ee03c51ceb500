"""A round robin: everybody plays everybody, also itself; mean rewards a step, standard errors.

    from agents.evaluation.league import round_robin

    entries = ["tit_for_tat", "bundled:loqa_coin_game_v0", my_agent, my_policy]
    league = round_robin(entries, "coin_game_v0", episodes=32)
    print(league.table())

An entry is a name (agents/evaluation/players.py), an object with `act(observations [B, ...]) ->
actions [B]` (and `reset(B)`, if it remembers anything), a PettingZoo policy,
`policy(observation) -> action`, or an object of Stable-Baselines3, with `predict`. An entry that
raises, or returns an action that the game has not, forfeits: its message is kept and the league
goes on without it.

Shapes  E entries, B episodes a pair, N players: entry i is player 0, entry j all the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from agents.evaluation.entrants import enter
from agents.evaluation.intervals import t_quantile
from agents.evaluation.pairs import Pair, Played, Roster, play_pairs

TABLE_WIDTH, CELL_WIDTH = 80, 15  # of a table, of a number with its interval


@dataclass(frozen=True)
class League:
    """The result."""

    names: list[str]  # [E]
    # [E, E, 2], mean reward a step of entry i (as player 0) and of entry j, when i meets j; NaN
    # after a forfeit.
    means: np.ndarray
    errors: np.ndarray  # [E, E, 2], standard errors, over episodes
    forfeits: dict[str, str] = field(default_factory=dict)  # name -> why
    settings: dict[str, Any] = field(default_factory=dict)  # what the result depends on
    remarks: dict[str, str] = field(default_factory=dict)  # name -> what one should know of it

    def table(self) -> str:
        """Rewards of the row's entry against the column's, as text.

        Columns have the rows' numbers.
        """
        labels = [f"{i} {name}" for i, name in enumerate(self.names, 1)]
        width = max(map(len, labels)) + 1

        # As many columns as fit, then the next ones below.
        room = max((TABLE_WIDTH - width) // CELL_WIDTH, 1)
        lines = []
        for first in range(0, len(labels), room):
            columns = range(first, min(first + room, len(labels)))
            lines.append(" " * width + "".join(f"{j + 1:>{CELL_WIDTH}d}" for j in columns))
            for i, label in enumerate(labels):
                cells = [self._cell(i, j) for j in columns]
                lines.append(f"{label:{width}s}" + "".join(cells))
            lines.append("")

        lines += [f"{name} forfeits: {why}" for name, why in self.forfeits.items()]
        lines += [f"{name} is {remark}" for name, remark in self.remarks.items()]
        return "\n".join([*lines, *self._notes()])

    def ranking(self) -> str:
        """The entries by what they earn, for leagues whose table nobody could read.

        Means over all pairs of an entry, in both seats, each counting as much as any other.
        """
        both = np.stack([self.means[..., 0], self.means[..., 1].T])
        squares = np.stack([self.errors[..., 0], self.errors[..., 1].T]) ** 2
        played = np.maximum((~np.isnan(both)).sum((0, 2)), 1)
        means = np.nansum(both, (0, 2)) / played
        halves = 1.96 * np.sqrt(np.nansum(squares, (0, 2))) / played

        # Who has forfeited has no place.
        width = max(map(len, self.names)) + 1
        order = [k for k in np.argsort(-means, kind="stable") if self.names[k] not in self.forfeits]
        lines = [f"{'entry':>{width + 5}s}{'against all':>{CELL_WIDTH + 4}s}{'itself':>10s}"]
        for place, k in enumerate(order, 1):
            cell = f"{means[k]:+7.4f} ±{halves[k]:.4f}".rjust(CELL_WIDTH + 4)
            alone = self.means[k, k].mean()
            lines.append(f"{place:4d} {self.names[k]:>{width}s}{cell}{alone:+10.4f}")
        lines += [f"{name} forfeits: {why}" for name, why in self.forfeits.items()]
        episodes, seed = (self.settings.get(name) for name in ("episodes", "seed"))
        return "\n".join(
            [
                *lines,
                "Mean reward a step against every entry and itself, in both seats; ± is the 95 %",
                f"interval over {episodes} episodes a pair; seed {seed}.",
            ]
        )

    def _cell(self, i: int, j: int) -> str:
        mean, error = self.means[i, j, 0], self.errors[i, j, 0]
        if np.isnan(mean):
            return f"{'-':>{CELL_WIDTH}s}"
        if np.isnan(error):  # one episode has no interval
            return f"{mean:+7.3f}".rjust(CELL_WIDTH)
        half = t_quantile(max(self.settings.get("episodes", 2) - 1, 1)) * error
        return f"{mean:+7.3f} ±{half:.3f}".rjust(CELL_WIDTH)

    def _notes(self) -> list[str]:
        """What the numbers are."""
        notes = ["Mean reward a step of the row's entry (player 0) against the column's."]
        if "episodes" in self.settings:
            episodes, seed = self.settings["episodes"], self.settings["seed"]
            notes.append(
                f"± is the 95 % interval of the mean over {episodes} episodes a pair; seed {seed}."
            )
        return notes

    def json(self) -> dict[str, Any]:
        """Plain values; null where a forfeit left no number."""
        return {
            "names": self.names,
            "means": _with_nulls(self.means),
            "errors": _with_nulls(self.errors),
            "forfeits": self.forfeits,
            "settings": self.settings,
            **({"remarks": self.remarks} if self.remarks else {}),
        }


def _with_nulls(x: np.ndarray) -> Any:
    """Nested lists with None for NaN, which JSON has not."""
    nothing: Any = None
    return np.where(np.isnan(x), nothing, x.astype(object)).tolist()


def round_robin(
    entries: Sequence[Any], env_id: str, *, episodes: int = 32, seed: int = 0, **game_kwargs: Any
) -> League:
    """Plays all pairs.  A trained agent is read once.

    Args:
        entries: see the module's docstring; (name, entry) gives an entry a name.
        env_id: the game.
        episodes: B, a pair.
        seed: fixes games and players.
        **game_kwargs: the game's arguments.

    Raises:
        ValueError: an unknown name among the entries, or fewer than one entry.
    """
    roster = Roster(enter(entries, env_id, game_kwargs), env_id, game_kwargs, episodes, seed)
    results: dict[Pair, Played] = {}
    for pairs in roster.chunks(roster.pairs()):
        results |= play_pairs(roster, pairs)
    return league_of(roster, results)


def league_of(roster: Roster, results: Mapping[Pair, Played]) -> League:
    """The league of a roster, all of whose pairs have been played.

    An entry has forfeited where it did in a pair whose other entry had not by then, in the order
    of the table: that does not depend on the order of play.
    """
    entrants, count = roster.entrants, len(roster.entrants)
    means, errors = np.full((2, count, count, 2), np.nan)
    forfeits: dict[str, str] = {}
    for i, j in roster.pairs():
        played = results[i, j]
        if entrants[i].name in forfeits or entrants[j].name in forfeits:
            continue
        if "forfeit" in played:
            forfeits[played["forfeit"]] = played["why"]
            continue
        means[i, j] = played["means"]
        errors[i, j] = np.nan if played["errors"] is None else played["errors"]

    # What was played before a forfeit does not count either.
    for k, entrant in enumerate(entrants):
        if entrant.name in forfeits:
            means[k], means[:, k], errors[k], errors[:, k] = np.nan, np.nan, np.nan, np.nan

    names = [entrant.name for entrant in entrants]
    remarks = {e.name: remark for e in entrants if (remark := e.remark())}
    return League(names, means, errors, forfeits, roster.settings, remarks)
