"""Reading a file of an episode: it may be from a stranger, so it is believed only once checked.

What is checked: the size, the names and types of all fields, the ranges of all numbers, and that
the rules of the game lead from each board to the next with just these rewards.
"""

import json
import math
import os
from collections.abc import Callable, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from social_dilemmas_env.engine.states import check_columns
from social_dilemmas_env.envs.parallel import DilemmaEnv
from social_dilemmas_env.games.game import Board, Game, is_bound
from social_dilemmas_env.games.switches import action_noise
from social_dilemmas_env.registry import spec
from social_dilemmas_env.regular_file import read_regular
from social_dilemmas_env.replay.episode import (
    FORMAT,
    Episode,
    Exact,
    Insight,
    content_digest,
)
from social_dilemmas_env.rng import check_seed

MAX_BYTES = 8 << 20  # of a file
MAX_STEPS = 10_000  # of an episode that is shown
MAX_NAME = 100  # letters of a player's name
MAX_LABEL = 300  # letters of a sentence
MAX_SIZE = 64  # of any integer among a game's arguments, but its horizon
MAX_NUMBER = 1e9  # rewards, payoffs and values lie within
MAX_JOINT = 4096  # joint actions that trembling hands are looked for in
TOLERANCE = 1e-4  # rewards and sums of probabilities are rounded in files

FIELDS: dict[str, Any] = {
    "format": str,
    "env_id": str,
    "game": dict,
    "players": list,
    "seed": int | None,
    "payoffs": list,
    "boards": list,
    "actions": list,
    "rewards": list,
    "insights": list,
    "exact": dict | None,
}

# Boards [T + 1, C], actions [T, N] and rewards [T, N].
Played = tuple[Sequence[Board], Sequence[tuple[int, ...]], Sequence[tuple[float, ...]]]

# Where the page keeps the file's text.
MARK = '<script type="application/json" id="episode">'


class ReplayError(ValueError):
    """A file that is no episode, or one that its game does not allow.  Names the file."""


def read_episode(path: str | os.PathLike[str]) -> Episode:
    """The episode in a file: match.json, or the page match.html that holds it too.

    Raises:
        ReplayError: no such file, too large, not JSON, not the format of this version, a number
            out of range, or a step that the rules do not allow.
    """
    try:
        text = read_regular(Path(path), MAX_BYTES).decode()
        return episode_of(_parsed(text))
    # One error, whatever a stranger's file may provoke.
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror or error}") from error
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        raise ReplayError(f"{path}: not a replay: {_sentence(error)}") from error
    except (RecursionError, MemoryError, AttributeError) as error:
        raise ReplayError(f"{path}: not a replay: {type(error).__name__}") from error


def _without_digest(data: Any) -> Any:
    """The content of a file, if it is what was written; files made by hand need no digest.

    Raises:
        ValueError: a bit was flipped.
    """
    if not isinstance(data, dict) or "sha256" not in data:
        return data
    content = {name: value for name, value in data.items() if name != "sha256"}
    if content_digest(content) != data["sha256"]:
        raise ValueError("its content does not match its own digest")
    return content


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _parsed(text: str) -> Any:
    """JSON, strictly: no names twice, no infinities."""
    if MARK in text:
        text = text.partition(MARK)[2].partition("</script>")[0]

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number of a replay")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a name stands twice in it")
        return dict(pairs)

    return json.loads(text, parse_constant=refuse, object_pairs_hook=once)


def episode_of(data: Any) -> Episode:
    """An episode from the content of a file.

    Raises:
        ValueError, TypeError: see `read_episode`.
    """
    data = _without_digest(data)
    _check_fields(data)
    game = _game(data)
    players = tuple(_text("a player's name", name, MAX_NAME) for name in data["players"])
    _check_length("players", players, len(game.num_actions))

    # What was played.
    steps, seats = len(data["actions"]), len(players)
    if steps > min(MAX_STEPS, game.max_cycles):
        raise ValueError(f"{steps} steps are too many")
    _check_length("boards", data["boards"], steps + 1)
    actions = tuple(_actions(row, game) for row in _rows("actions", data["actions"], seats))
    rewards = _matrix("rewards", data["rewards"], (steps, seats))
    payoffs = _row("payoffs", data["payoffs"], len(game.reward_values))
    boards = tuple(map(tuple, _rows("boards", data["boards"], len(game.sizes))))
    _check_payoffs(game, payoffs)
    _check_boards(game, boards)
    played = (boards, actions, rewards)
    if is_bound(game):
        _check_by_playing(data, game, played)
    else:
        _check_steps(game, played, payoffs)

    # What the players said of it.
    _check_length("insights", data["insights"], seats)
    insights = tuple(
        _insight(own, steps, game.num_actions[seat]) for seat, own in enumerate(data["insights"])
    )
    return Episode(
        env_id=data["env_id"],
        game_kwargs=data["game"],
        players=players,
        boards=boards,
        actions=actions,
        rewards=rewards,
        payoffs=payoffs,
        seed=None if data["seed"] is None else check_seed(data["seed"]),
        insights=insights,
        exact=_exact(data["exact"], steps, seats),
    )


# --------------------------------------------------------------------------------- the whole


def _check_fields(data: Any) -> None:
    """Raises ValueError unless the names and types of the fields are those of this version."""
    if not isinstance(data, dict):
        raise ValueError("it holds no object")
    if data.get("format") != FORMAT:
        raise ValueError(f"its format is {data.get('format')!r:.60}, this version reads {FORMAT!r}")

    differing = sorted(set(FIELDS) ^ set(data))
    if differing:
        raise ValueError(f"a field is missing or unknown: {differing[0]!r:.60}")
    for name, kind in FIELDS.items():
        if not isinstance(data[name], kind) or isinstance(data[name], bool):
            raise ValueError(f"its {name} is {data[name]!r:.60}")


def _game(data: dict[str, Any]) -> Game:
    """The rules, if they are small enough to be shown.

    Raises:
        ValueError, TypeError: unknown, wrong or large arguments.
    """
    entry = spec(data["env_id"])
    for name, value in data["game"].items():
        _check_size(name, value)
    return entry.game(**data["game"])


def _check_size(name: str, value: Any) -> None:
    """Looks at an argument before anything of its size is made."""
    if isinstance(value, list):
        for entry in value:
            _check_size(name, entry)
    elif isinstance(value, dict):
        raise ValueError(f"the game's {name} is an object")
    elif isinstance(value, int) and not -MAX_SIZE <= value <= MAX_SIZE and name != "max_cycles":
        raise ValueError(f"the game's {name} is too large to be shown: {value}")


def _check_length(name: str, rows: Sequence[Any], length: int) -> None:
    if len(rows) != length:
        raise ValueError(f"{name} must have {length} entries, got {len(rows)}")


def _text(name: str, value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit or not value.isprintable():
        raise ValueError(f"{name} must be a line of at most {limit} letters, got {value!r:.60}")
    return value


# ------------------------------------------------------------------------------- rows of numbers


def _rows(name: str, rows: list[Any], width: int) -> list[list[Any]]:
    """Rows of the right length, of plain integers."""
    for row in rows:
        if not isinstance(row, list) or len(row) != width:
            raise ValueError(f"a row of {name} must have {width} numbers, got {row!r:.60}")
        if not all(type(x) is int for x in row):
            raise ValueError(f"{name} must be integers, got {row!r:.60}")
    return rows


def _row(name: str, row: Any, length: int) -> tuple[float, ...]:
    """Finite numbers of ordinary size."""
    if not isinstance(row, list):
        raise ValueError(f"{name} must be a list of numbers, got {row!r:.60}")
    _check_length(name, row, length)
    for x in row:
        if type(x) not in (int, float) or not abs(x) <= MAX_NUMBER:
            raise ValueError(f"{name} must hold numbers within 1e9, got {x!r:.60}")
    return tuple(map(float, row))


def _matrix(name: str, rows: Any, shape: tuple[int, int]) -> tuple[tuple[float, ...], ...]:
    if not isinstance(rows, list):
        raise ValueError(f"{name} must be a list of rows, got {rows!r:.60}")
    _check_length(name, rows, shape[0])
    return tuple(_row(name, row, shape[1]) for row in rows)


# ------------------------------------------------------------------------------------ the rules


def _actions(row: list[int], game: Game) -> tuple[int, ...]:
    for action, count in zip(row, game.num_actions, strict=True):
        if not 0 <= action < count:
            raise ValueError(f"an action must lie in 0 .. {count - 1}, got {action}")
    return tuple(row)


def _check_payoffs(game: Game, payoffs: tuple[float, ...]) -> None:
    """Raises ValueError where a payoff differs from the rules' by more than their noise."""
    room = game.reward_noise + TOLERANCE
    for payoff, value in zip(payoffs, game.reward_values, strict=True):
        if not math.isclose(payoff, value, rel_tol=1e-6, abs_tol=room):
            raise ValueError(f"a payoff is {payoff:g} where the rules say {value:g}")


def _check_boards(game: Game, boards: tuple[Board, ...]) -> None:
    if any(abs(column) > MAX_NUMBER for board in boards for column in board):
        raise ValueError("a column of a board is out of range")
    check_columns(game, list(np.array(boards, np.int64).T))


def _check_steps(game: Game, played: Played, payoffs: tuple[float, ...]) -> None:
    """Raises ValueError unless the rules lead from each board to the next, with these rewards."""
    boards, actions, rewards = played
    every = [range(count) for count in game.num_actions]
    if action_noise(game) and math.prod(game.num_actions) > MAX_JOINT:
        raise ValueError("too many joint actions to look for those of trembling hands")

    for (before, after), moves, paid in zip(pairwise(boards), actions, rewards, strict=True):
        # Hands that tremble may have done anything.
        tried = product(*every) if action_noise(game) else [moves]
        complaints = [_complaint(game, (before, after), own, (paid, payoffs)) for own in tried]
        if all(complaints):
            raise ValueError(complaints[0])


def _complaint(
    game: Game,
    boards: tuple[Board, Board],
    actions: tuple[int, ...],
    paid: tuple[tuple[float, ...], tuple[float, ...]],
) -> str:
    """Why the rules do not allow a step; "" if they do.

    Args:
        game: the rules.
        boards: before and after.
        actions: of the players.
        paid: what they got, and the payoff of each reward code.
    """
    before, after = boards
    pending, codes = game.act(before, actions)

    # Columns that wait for chance may be anything that a board may hold.
    certain = zip(pending, after, game.sizes, strict=True)
    if any(due not in (there, size) for due, there, size in certain):
        return f"the rules do not lead from board {before} to {after} by {actions}"
    rewards, payoffs = paid
    for reward, code in zip(rewards, codes, strict=True):
        if not math.isclose(reward, payoffs[code], rel_tol=1e-5, abs_tol=TOLERANCE):
            return f"a reward is {reward:g} where the rules say {payoffs[code]:g}"
    return ""


def _check_by_playing(data: dict[str, Any], game: Game, played: Played) -> None:
    """Plays again what was recorded: for rules whose chance is not told apart from their moves.

    Raises:
        ValueError: something else comes of it, or the seed is not known.
    """
    if data["seed"] is None:
        raise ValueError("an episode of this game is checked by its seed, and has none")
    boards, actions, rewards = played
    env = DilemmaEnv(data["env_id"], game)
    env.reset(seed=check_seed(data["seed"]))

    for t, board in enumerate(boards):
        if tuple(env.get_state().board) != board:
            raise ValueError(f"with this seed the board of step {t} is another one")
        if t < len(actions):
            paid = env.step(dict(zip(env.possible_agents, actions[t], strict=True)))[1]
            if not np.allclose(list(paid.values()), rewards[t], atol=TOLERANCE):
                raise ValueError(f"with this seed the rewards of step {t + 1} are others")


# ---------------------------------------------------------------------------------- the players


def _optional(read: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else read(value)


def _insight(own: Any, steps: int, num_actions: int) -> Insight:
    """What one player told of its decisions."""
    if not isinstance(own, dict) or set(own) != set(Insight._fields):
        raise ValueError(f"an insight has probabilities and values, got {own!r:.60}")

    shape = (steps, num_actions)
    chances = _optional(lambda x: _matrix("probabilities", x, shape), own["probabilities"])
    for row in chances or ():
        if min(row) < 0 or abs(sum(row) - 1) > num_actions * TOLERANCE:
            raise ValueError(f"probabilities must be positive and sum to one, got {row}")
    return Insight(chances, _optional(lambda x: _row("values", x, steps), own["values"]))


def _exact(data: Any, steps: int, seats: int) -> Exact | None:
    if data is None:
        return None
    if set(data) != set(Exact._fields):
        raise ValueError("exact has a label, values and advantages")
    label = _text("label", data["label"], MAX_LABEL)
    return Exact(label, *(_tracks(name, data[name], steps, seats) for name in Exact._fields[1:]))


def _tracks(name: str, rows: Any, steps: int, seats: int) -> tuple[tuple[float, ...] | None, ...]:
    """A row a player, or None."""
    if not isinstance(rows, list):
        raise ValueError(f"{name} must be a list, got {rows!r:.60}")
    _check_length(name, rows, seats)
    return tuple(_optional(lambda row: _row(name, row, steps), row) for row in rows)
