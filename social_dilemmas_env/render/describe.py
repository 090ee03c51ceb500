"""What a scene tells, in numbers and words; pictures and text both show it."""

from typing import NamedTuple

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import caption, decode
from social_dilemmas_env.games.matrix import MatrixGame
from social_dilemmas_env.games.public_goods import PublicGoods
from social_dilemmas_env.registry import spec
from social_dilemmas_env.render.scene import Move, Scene

TABLE_LIMIT = 6  # a payoff table with more rows or columns is not shown


class Pickup(NamedTuple):
    """A coin that was picked up: whose it was, where it lay, and who got it."""

    owner: int
    cell: int
    takers: tuple[int, ...]


def display_name(scene: Scene, player: int) -> str:
    """A player's name, with the number where another has the same name."""
    name = scene.names[player]
    return name if scene.names.count(name) == 1 else f"{name} ({player})"


def title(scene: Scene) -> str:
    """The game's name in words, or its id if it is not registered."""
    try:
        return spec(scene.env_id).title
    except ValueError:
        return scene.env_id


def step_text(scene: Scene) -> str:
    """How far the episode is."""
    return f"step {scene.t} of {scene.game.max_cycles}"


def format_number(value: float, signed: bool = False) -> str:
    """A short decimal: whole numbers whole, others with up to two places.

    At most eight characters long, its sign included.
    """
    value = round(value, 9) + 0.0  # no rounding errors of sums, no -0
    sign, size = "+" if signed and value > 0 else "", abs(value)

    if size >= 1e5 or 0 < size < 0.01:
        return f"{sign}{value:.2g}"
    if value == round(value):
        return f"{sign}{value:.0f}"
    places = 2 if size < 100 else 1 if size < 1000 else 0
    return f"{sign}{value:.{places}f}"


def with_minus_signs(text: str) -> str:
    """The text with real minus signs before digits."""
    return "".join(
        "−" if c == "-" and text[i + 1 : i + 2].isdigit() else c for i, c in enumerate(text)
    )


def action_symbols(names: tuple[str, ...]) -> tuple[str, ...]:
    """A mark for each action: its first letter, or its first two, where these differ; else numbers.

    C and D alone mean cooperate and defect in every game: "dove" is Do.
    """
    for length in (1, 2):
        marks = tuple(name[:length].capitalize() for name in names)
        differ = len(set(marks)) == len(names) and all(mark.strip() for mark in marks)
        if differ and not any(map(_misleads, marks, names)):
            return marks
    return tuple(str(action) for action in range(len(names)))


def _misleads(mark: str, name: str) -> bool:
    meaning = {"C": "cooperate", "D": "defect"}.get(mark)
    return meaning is not None and name.lower() not in (meaning, mark.lower())


def has_payoff_table(game: object) -> bool:
    """Whether a payoff table of this game can be shown: two players with few actions."""
    if not isinstance(game, MatrixGame) or len(game.num_actions) != 2:
        return False
    return max(game.num_actions) <= TABLE_LIMIT


def last_actions(scene: Scene) -> tuple[int, ...] | None:
    """What the players last did, or None at the start."""
    if scene.history:
        return scene.history[-1].actions

    # After `set_state` there is no history, but some boards remember.
    game, board = scene.game, scene.board
    if isinstance(game, MatrixGame) and board[0] > 0:
        return decode(board[0] - 1, game.num_actions)
    if isinstance(game, PublicGoods) and board[0] > 0:
        return tuple(last - 1 for last in board)
    return None


def last_rewards(scene: Scene) -> tuple[float, ...] | None:
    """What the players last got, or None if nothing is known of it."""
    return scene.history[-1].rewards if scene.history else None


def mean_rewards(scene: Scene) -> tuple[float | None, ...]:
    """Each player's mean reward over the remembered moves; None without any."""
    moves, players = scene.history, range(len(scene.names))
    if not moves:
        return (None,) * len(players)
    return tuple(sum(move.rewards[i] for move in moves) / len(moves) for i in players)


def mean_label(scene: Scene) -> str:
    """What `mean_rewards` are called: of the whole episode, or of the moves still remembered."""
    return "mean" if len(scene.history) == scene.t else f"mean of {len(scene.history)}"


def history_note(scene: Scene) -> str:
    """What to add to a count over the remembered moves: nothing if they are the whole episode."""
    count = len(scene.history)
    if count in (0, scene.t):
        return ""
    return f", last {count} steps" if count > 1 else ", last step"


def no_moves_text(scene: Scene) -> str:
    """What to say when there is no last move: a new episode, or one continued from a state."""
    return "no moves yet" if scene.t == 0 else "no moves remembered"


def history_span(scene: Scene) -> str:
    """Which steps the history covers, for example "steps 1-12"."""
    if not scene.history:
        return no_moves_text(scene)
    first = scene.t - len(scene.history) + 1
    return f"step {first}" if first == scene.t else f"steps {first}–{scene.t}"


def summary_text(scene: Scene) -> str:
    """What the game says of its board, if anything, and the last joint action."""
    spoken = caption(scene.game, scene.board)
    return ". ".join([*([spoken] if spoken else []), last_move_text(scene)])


def last_move_text(scene: Scene) -> str:
    """The last joint action in a few words, for games of many players with the same actions."""
    actions = last_actions(scene)
    if actions is None:
        return no_moves_text(scene).capitalize()
    names = scene.game.action_names
    if len(set(names)) > 1 or len(names[0]) > 3 or names[0][0].isdigit():
        return "Last step: " + ", ".join(names[i][a] for i, a in enumerate(actions))
    return "Last step: " + ", ".join(
        f"{actions.count(a)} {name}" for a, name in enumerate(names[0])
    )


def pickups(game: CoinGame, move: Move) -> list[Pickup]:
    """The coins picked up by a joint move."""
    n = game.num_agents

    # Where the players went.
    cells = [
        game.move(cell, action) for cell, action in zip(move.board[:n], move.actions, strict=True)
    ]

    # Who came to a coin.  A lone coin's owner is the board's last column.
    result = []
    for index, coin in enumerate(move.board[n : n + game.coins]):
        took = game.takers([int(cell == coin) for cell in cells])
        if any(took):
            owner = move.board[n + 1] if game.coins == 1 else index
            takers = tuple(player for player, share in enumerate(took) if share)
            result.append(Pickup(owner, coin, takers))
    return result


def last_pickups(scene: Scene) -> list[Pickup]:
    """The coins picked up in the last step of a Coin Game."""
    if scene.history and isinstance(scene.game, CoinGame):
        return pickups(scene.game, scene.history[-1])
    return []


def coin_counts(scene: Scene) -> list[list[int]]:
    """[taker][owner] -> coins picked up in the remembered moves of a Coin Game."""
    n = len(scene.names)
    counts = [[0] * n for _ in range(n)]
    for move in scene.history:
        for pickup in pickups(scene.game, move):  # type: ignore[arg-type]
            for taker in pickup.takers:
                counts[taker][pickup.owner] += 1
    return counts


def own_coins(counts: list[list[int]]) -> tuple[int, int]:
    """Coins taken by their owners, and all coins taken."""
    return sum(row[i] for i, row in enumerate(counts)), sum(map(sum, counts))


def pickup_text(scene: Scene, pickup: Pickup) -> str:
    """For example "player_1 took player_0's coin"."""
    takers = " and ".join(display_name(scene, i) for i in pickup.takers)
    if pickup.takers == (pickup.owner,):
        return f"{takers} took their own coin"
    return f"{takers} took {display_name(scene, pickup.owner)}'s coin"
