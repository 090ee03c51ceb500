"""The Coin Game, move by move: positions, moves and payments written down by hand from the rules
and the papers' code.

Each case is one joint move.  Cells are (row, column).  It is played twice: through `DilemmaEnv`
(set_state, step), where chance has placed the coin anew, and by the rules alone (`game.act` on
Python ints), where the coin is marked for chance."""

from typing import Any, NamedTuple

import pytest

import social_dilemmas_env as sde

RED, BLUE, GREEN = 0, 1, 2
ORDERS = {"loqa": "LRUD", "pola": "RLDU", "lola": "RLDU", "mfos": "RLDU"}
Cell = tuple[int, int]


class Case(NamedTuple):
    title: str
    arguments: dict[str, Any]
    players: list[Cell]
    coins: list[Cell]
    owner: int | None  # of the only coin
    moves: str  # one letter a player
    rewards: list[float]
    then: list[Cell]  # where the players are afterwards
    taken: str  # one letter a coin: "y" if it was picked up
    next_owner: int | str | None = None  # "any": chance chooses


LOQA: dict[str, Any] = {}
POLA, LOLA, MFOS = {"variant": "pola"}, {"variant": "lola"}, {"variant": "mfos"}
SPLIT = {"ties": "split"}
RANDOM = {"coin_color": "random"}
THREE = {"num_agents": 3}
THREE_SPLIT = {"num_agents": 3, "ties": "split"}
THREE_RED = {"num_agents": 3, "ties": "red"}
WIDE, TALL = {"grid_size": (2, 5)}, {"grid_size": (5, 2)}

CASES = [
    # --- rule 1: moves, and the torus
    Case(
        "left and right",
        LOQA,
        [(1, 1), (1, 1)],
        [(0, 0)],
        RED,
        "LR",
        [0, 0],
        [(1, 0), (1, 2)],
        "n",
        RED,
    ),
    Case(
        "up and down",
        LOQA,
        [(1, 1), (1, 1)],
        [(0, 0)],
        BLUE,
        "UD",
        [0, 0],
        [(0, 1), (2, 1)],
        "n",
        BLUE,
    ),
    Case(
        "wrap left and right",
        LOQA,
        [(0, 0), (2, 2)],
        [(1, 1)],
        RED,
        "LR",
        [0, 0],
        [(0, 2), (2, 0)],
        "n",
        RED,
    ),
    Case(
        "wrap up and down",
        LOQA,
        [(0, 0), (2, 2)],
        [(1, 1)],
        RED,
        "UD",
        [0, 0],
        [(2, 0), (0, 2)],
        "n",
        RED,
    ),
    Case(
        "wide: wrap left",
        WIDE,
        [(0, 0), (1, 0)],
        [(0, 2)],
        RED,
        "LL",
        [0, 0],
        [(0, 4), (1, 4)],
        "n",
        RED,
    ),
    Case(
        "wide: wrap right",
        WIDE,
        [(0, 4), (1, 4)],
        [(0, 2)],
        RED,
        "RR",
        [0, 0],
        [(0, 0), (1, 0)],
        "n",
        RED,
    ),
    Case(
        "wide: two rows, up is down",
        WIDE,
        [(0, 1), (0, 3)],
        [(0, 0)],
        RED,
        "UD",
        [0, 0],
        [(1, 1), (1, 3)],
        "n",
        RED,
    ),
    Case(
        "tall: wrap up",
        TALL,
        [(0, 0), (0, 1)],
        [(2, 0)],
        RED,
        "UU",
        [0, 0],
        [(4, 0), (4, 1)],
        "n",
        RED,
    ),
    Case(
        "tall: wrap down",
        TALL,
        [(4, 0), (4, 1)],
        [(2, 0)],
        RED,
        "DD",
        [0, 0],
        [(0, 0), (0, 1)],
        "n",
        RED,
    ),
    Case(
        "tall: two columns",
        TALL,
        [(3, 0), (1, 1)],
        [(2, 0)],
        RED,
        "LR",
        [0, 0],
        [(3, 1), (1, 0)],
        "n",
        RED,
    ),
    Case(
        "2x2",
        {"grid_size": 2},
        [(0, 0), (1, 1)],
        [(0, 1)],
        RED,
        "RD",
        [-1, 1],
        [(0, 1), (0, 1)],
        "y",
        BLUE,
    ),  # down from row 1 is row 0
    Case(
        "players change places",
        LOQA,
        [(0, 0), (0, 1)],
        [(2, 2)],
        RED,
        "RL",
        [0, 0],
        [(0, 1), (0, 0)],
        "n",
        RED,
    ),
    Case(
        "leaving a coin's cell takes nothing",
        LOQA,
        [(0, 0), (1, 1)],
        [(0, 0)],
        RED,
        "RU",
        [0, 0],
        [(0, 1), (0, 1)],
        "n",
        RED,
    ),
    Case(
        "POLA's order of moves",
        POLA,
        [(1, 1), (1, 1)],
        [(0, 0)],
        RED,
        "RD",
        [0, 0],
        [(1, 2), (2, 1)],
        "n",
        RED,
    ),
    Case(
        "LOLA's order of moves",
        LOLA,
        [(1, 1), (1, 1)],
        [(0, 0)],
        RED,
        "LU",
        [0, 0],
        [(1, 0), (0, 1)],
        "n",
        RED,
    ),
    # --- rules 2 and 3: one taker
    Case(
        "red takes red",
        LOQA,
        [(0, 0), (2, 2)],
        [(0, 1)],
        RED,
        "RU",
        [1, 0],
        [(0, 1), (1, 2)],
        "y",
        BLUE,
    ),
    Case(
        "red takes blue",
        LOQA,
        [(0, 0), (2, 2)],
        [(0, 1)],
        BLUE,
        "RU",
        [1, -2],
        [(0, 1), (1, 2)],
        "y",
        RED,
    ),
    Case(
        "blue takes blue",
        LOQA,
        [(2, 2), (0, 0)],
        [(0, 1)],
        BLUE,
        "UR",
        [0, 1],
        [(1, 2), (0, 1)],
        "y",
        RED,
    ),
    Case(
        "blue takes red",
        LOQA,
        [(2, 2), (0, 0)],
        [(0, 1)],
        RED,
        "UR",
        [-2, 1],
        [(1, 2), (0, 1)],
        "y",
        BLUE,
    ),
    Case(
        "taken across the edge",
        LOQA,
        [(0, 0), (1, 1)],
        [(0, 2)],
        BLUE,
        "LL",
        [1, -2],
        [(0, 2), (1, 0)],
        "y",
        RED,
    ),
    # --- ties
    Case(
        "both on red's coin",
        LOQA,
        [(0, 0), (0, 2)],
        [(0, 1)],
        RED,
        "RL",
        [-1, 1],
        [(0, 1), (0, 1)],
        "y",
        BLUE,
    ),
    Case(
        "both on blue's coin",
        LOQA,
        [(0, 0), (0, 2)],
        [(0, 1)],
        BLUE,
        "RL",
        [1, -1],
        [(0, 1), (0, 1)],
        "y",
        RED,
    ),
    Case(
        "POLA: both on red's",
        POLA,
        [(0, 0), (0, 2)],
        [(0, 1)],
        RED,
        "RL",
        [-1, 1],
        [(0, 1), (0, 1)],
        "y",
        BLUE,
    ),
    Case(
        "POLA: both on blue's",
        POLA,
        [(0, 0), (0, 2)],
        [(0, 1)],
        BLUE,
        "RL",
        [1, -1],
        [(0, 1), (0, 1)],
        "y",
        RED,
    ),
    Case(
        "LOLA: red wins its own",
        LOLA,
        [(0, 0), (0, 2)],
        [(0, 1)],
        RED,
        "RL",
        [1, 0],
        [(0, 1), (0, 1)],
        "y",
        BLUE,
    ),
    Case(
        "LOLA: red wins blue's",
        LOLA,
        [(0, 0), (0, 2)],
        [(0, 1)],
        BLUE,
        "RL",
        [1, -2],
        [(0, 1), (0, 1)],
        "y",
        RED,
    ),
    Case(
        "LOLA: blue alone on red's",
        LOLA,
        [(2, 0), (0, 2)],
        [(0, 1)],
        RED,
        "RL",
        [-2, 1],
        [(2, 1), (0, 1)],
        "y",
        BLUE,
    ),
    Case(
        "split red's",
        SPLIT,
        [(0, 0), (0, 2)],
        [(0, 1)],
        RED,
        "RL",
        [-0.5, 0.5],
        [(0, 1), (0, 1)],
        "y",
        BLUE,
    ),
    Case(
        "split blue's",
        SPLIT,
        [(0, 0), (0, 2)],
        [(0, 1)],
        BLUE,
        "RL",
        [0.5, -0.5],
        [(0, 1), (0, 1)],
        "y",
        RED,
    ),
    Case(
        "split: alone, own",
        SPLIT,
        [(0, 0), (2, 2)],
        [(0, 1)],
        RED,
        "RU",
        [1, 0],
        [(0, 1), (1, 2)],
        "y",
        BLUE,
    ),
    Case(
        "split: alone, other's",
        SPLIT,
        [(0, 0), (2, 2)],
        [(0, 1)],
        BLUE,
        "RU",
        [1, -2],
        [(0, 1), (1, 2)],
        "y",
        RED,
    ),
    # --- rule 4: colours
    Case(
        "random colour",
        RANDOM,
        [(0, 0), (2, 2)],
        [(0, 1)],
        RED,
        "RU",
        [1, 0],
        [(0, 1), (1, 2)],
        "y",
        "any",
    ),
    Case(
        "colour stays while it lies",
        RANDOM,
        [(0, 0), (2, 2)],
        [(1, 1)],
        BLUE,
        "RU",
        [0, 0],
        [(0, 1), (1, 2)],
        "n",
        BLUE,
    ),
    # --- a coin each
    Case(
        "each its own",
        MFOS,
        [(0, 0), (2, 2)],
        [(0, 1), (2, 1)],
        None,
        "RL",
        [1, 1],
        [(0, 1), (2, 1)],
        "yy",
    ),
    Case(
        "each the other's",
        MFOS,
        [(0, 0), (2, 2)],
        [(2, 1), (0, 1)],
        None,
        "RL",
        [-1, -1],
        [(0, 1), (2, 1)],
        "yy",
    ),
    Case(
        "one of two",
        MFOS,
        [(0, 0), (2, 2)],
        [(0, 1), (1, 0)],
        None,
        "RL",
        [1, 0],
        [(0, 1), (2, 1)],
        "yn",
    ),
    Case(
        "the other's of two",
        MFOS,
        [(0, 0), (2, 2)],
        [(1, 0), (0, 1)],
        None,
        "RL",
        [1, -2],
        [(0, 1), (2, 1)],
        "ny",
    ),
    Case(
        "both coins on one cell",
        MFOS,
        [(0, 0), (2, 2)],
        [(0, 1), (0, 1)],
        None,
        "RL",
        [2, -2],
        [(0, 1), (2, 1)],
        "yy",
    ),
    Case(
        "both players, both coins",
        MFOS,
        [(0, 0), (0, 2)],
        [(0, 1), (0, 1)],
        None,
        "RL",
        [0, 0],
        [(0, 1), (0, 1)],
        "yy",
    ),
    Case(
        "both players on red's of two",
        MFOS,
        [(0, 0), (0, 2)],
        [(0, 1), (2, 2)],
        None,
        "RL",
        [-1, 1],
        [(0, 1), (0, 1)],
        "yn",
    ),
    # --- three players (LOQA's authors: the -2 once, however many others take it; colours 0 -> 1 -> 2 -> 0)
    Case(
        "0 takes 0",
        THREE,
        [(0, 0), (2, 2), (2, 0)],
        [(0, 1)],
        RED,
        "RUU",
        [1, 0, 0],
        [(0, 1), (1, 2), (1, 0)],
        "y",
        BLUE,
    ),
    Case(
        "1 takes 1",
        THREE,
        [(2, 2), (0, 0), (2, 0)],
        [(0, 1)],
        BLUE,
        "URU",
        [0, 1, 0],
        [(1, 2), (0, 1), (1, 0)],
        "y",
        GREEN,
    ),
    Case(
        "2 takes 2",
        THREE,
        [(2, 2), (2, 0), (0, 0)],
        [(0, 1)],
        GREEN,
        "UUR",
        [0, 0, 1],
        [(1, 2), (1, 0), (0, 1)],
        "y",
        RED,
    ),
    Case(
        "0 takes 2's",
        THREE,
        [(0, 0), (2, 2), (2, 0)],
        [(0, 1)],
        GREEN,
        "RUU",
        [1, 0, -2],
        [(0, 1), (1, 2), (1, 0)],
        "y",
        RED,
    ),
    Case(
        "two others take 2's",
        THREE,
        [(0, 0), (0, 2), (2, 2)],
        [(0, 1)],
        GREEN,
        "RLU",
        [1, 1, -2],
        [(0, 1), (0, 1), (1, 2)],
        "y",
        0,
    ),
    Case(
        "all three on 0's",
        THREE,
        [(0, 0), (0, 2), (1, 1)],
        [(0, 1)],
        RED,
        "RLU",
        [-1, 1, 1],
        [(0, 1)] * 3,
        "y",
        BLUE,
    ),
    Case(
        "all three on 1's",
        THREE,
        [(0, 0), (0, 2), (1, 1)],
        [(0, 1)],
        BLUE,
        "RLU",
        [1, -1, 1],
        [(0, 1)] * 3,
        "y",
        GREEN,
    ),
    Case(
        "0 and 1 on 0's",
        THREE,
        [(0, 0), (0, 2), (2, 2)],
        [(0, 1)],
        RED,
        "RLU",
        [-1, 1, 0],
        [(0, 1), (0, 1), (1, 2)],
        "y",
        BLUE,
    ),
    Case(
        "split in three",
        THREE_SPLIT,
        [(0, 0), (0, 2), (1, 1)],
        [(0, 1)],
        RED,
        "RLU",
        [1 / 3 - 4 / 3, 1 / 3, 1 / 3],
        [(0, 1)] * 3,
        "y",
        1,
    ),
    Case(
        "split among two others",
        THREE_SPLIT,
        [(0, 0), (0, 2), (2, 2)],
        [(0, 1)],
        GREEN,
        "RLU",
        [0.5, 0.5, -2],
        [(0, 1), (0, 1), (1, 2)],
        "y",
        0,
    ),
    Case(
        "split with the owner",
        THREE_SPLIT,
        [(0, 0), (0, 2), (2, 2)],
        [(0, 1)],
        RED,
        "RLU",
        [-0.5, 0.5, 0],
        [(0, 1), (0, 1), (1, 2)],
        "y",
        1,
    ),
    Case(
        "lowest index wins",
        THREE_RED,
        [(2, 2), (0, 2), (1, 1)],
        [(0, 1)],
        GREEN,
        "ULU",
        [0, 1, -2],
        [(1, 2), (0, 1), (0, 1)],
        "y",
        0,
    ),
    Case(
        "lowest index wins its own",
        THREE_RED,
        [(2, 2), (0, 2), (1, 1)],
        [(0, 1)],
        BLUE,
        "ULU",
        [0, 1, 0],
        [(1, 2), (0, 1), (0, 1)],
        "y",
        2,
    ),
    Case(
        "three coins, a circle of thefts",
        {"variant": "mfos", "num_agents": 3},
        [(0, 0), (1, 0), (2, 0)],
        [(1, 1), (2, 1), (0, 1)],  # 0 finds 2's coin, 1 finds 0's, 2 finds 1's
        None,
        "RRR",
        [-1, -1, -1],
        [(0, 1), (1, 1), (2, 1)],
        "yyy",
    ),
]


def cell(game, where):
    return where[0] * game.width + where[1]


def board_of(game, players, coins, owner):
    return [cell(game, where) for where in (*players, *coins)] + ([] if owner is None else [owner])


def actions_of(case):
    order = ORDERS[case.arguments.get("variant", "loqa")]
    return [order.index(letter) for letter in case.moves]


named = pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)


@named
def test_by_the_rules(case):
    """Players move and are paid.

    What was picked up is marked: a cell one past the last, an owner one past the last.
    """
    game = sde.spec("coin_game_v0").game(**case.arguments)
    board, codes = game.act(
        tuple(board_of(game, case.players, case.coins, case.owner)), actions_of(case)
    )
    coins = [
        game.cells if taken == "y" else cell(game, where)
        for where, taken in zip(case.coins, case.taken, strict=True)
    ]
    owner = (
        []
        if case.owner is None
        else [game.num_agents if case.next_owner == "any" else case.next_owner]
    )
    assert list(board) == [*[cell(game, where) for where in case.then], *coins, *owner]
    assert [game.reward_values[code] for code in codes] == pytest.approx(case.rewards, abs=1e-12)


@named
def test_by_the_environment(case):
    """The same, and chance has placed the coin on a cell it may have; over several seeds."""
    env = sde.make_env("coin_game_v0", **case.arguments)
    game = env.game
    for seed in range(5):
        env.reset(seed=seed)
        env.set_state(
            env.get_state()._replace(board=board_of(game, case.players, case.coins, case.owner))
        )
        rewards = env.step(dict(zip(env.possible_agents, actions_of(case), strict=True)))[1]
        assert list(rewards.values()) == pytest.approx(case.rewards, abs=1e-12)
        assert all(type(reward) is float for reward in rewards.values())
        board, n = env.get_state().board, game.num_agents
        assert board[:n] == [cell(game, where) for where in case.then]
        for coin, before, taken in zip(board[n:], case.coins, case.taken, strict=False):
            if taken == "n":
                assert coin == cell(game, before)
            elif game.coin_avoids_players:
                assert coin not in board[:n]
        if case.owner is not None:
            assert board[-1] in (range(n) if case.next_owner == "any" else [case.next_owner])


def test_the_cases_are_what_they_say():
    """The orders of moves used here are those of the variants, and no case is written down
    twice."""
    for variant, order in ORDERS.items():
        assert sde.spec("coin_game_v0").game(variant=variant).moves == order
    assert len({case.title for case in CASES}) == len(CASES) >= 50
