"""The Coin Game, move by move: cells, moves and rewards written down by hand from the rules and the
papers' code.

Each case is one joint move.  It is played twice: through `DilemmaEnv` (set_state, step), where
chance has placed the coin anew, and by the rules alone (`game.act` on Python ints), where the coin
is marked for chance."""

import re
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

import social_dilemmas_env as sde

ORDERS = {"loqa": "LRUD", "pola": "RLDU", "lola": "RLDU", "mfos": "RLDU"}
COLOURS = {"R": 0, "B": 1, "G": 2, "-": None, "*": "any"}
Cell = tuple[int, int]

RULES: dict[str, dict[str, Any]] = {
    "loqa": {},
    "pola": {"variant": "pola"},
    "lola": {"variant": "lola"},
    "mfos": {"variant": "mfos"},
    "split": {"ties": "split"},
    "random": {"coin_color": "random"},
    "anywhere": {"coin_avoids_players": False},
    "2x2": {"grid_size": 2},
    "wide": {"grid_size": (2, 5)},
    "tall": {"grid_size": (5, 2)},
    "3": {"num_agents": 3},
    "3split": {"num_agents": 3, "ties": "split"},
    "3red": {"num_agents": 3, "ties": "red"},
    "3mfos": {"num_agents": 3, "variant": "mfos"},
}

# A cell is its row and its column; `own` is the owner of the only coin, `took` has a letter for
# each coin, and of the next owner "*" says that chance chooses.
TABLE = """
title                       rules   players   coins     own  move  rewards     then      took  next
# rule 1: moves, and the torus
left and right              loqa    11 11     00        R    LR    0 0         10 12     n     R
up and down                 loqa    11 11     00        B    UD    0 0         01 21     n     B
wrap left and right         loqa    00 22     11        R    LR    0 0         02 20     n     R
wrap up and down            loqa    00 22     11        R    UD    0 0         20 02     n     R
wide: wrap left             wide    00 10     02        R    LL    0 0         04 14     n     R
wide: wrap right            wide    04 14     02        R    RR    0 0         00 10     n     R
wide: two rows, up is down  wide    01 03     00        R    UD    0 0         11 13     n     R
tall: wrap up               tall    00 01     20        R    UU    0 0         40 41     n     R
tall: wrap down             tall    40 41     20        R    DD    0 0         00 01     n     R
tall: two columns           tall    30 11     20        R    LR    0 0         31 10     n     R
2x2                         2x2     00 11     01        R    RD    -1 1        01 01     y     B
players change places       loqa    00 01     22        R    RL    0 0         01 00     n     R
leaving a coin's cell     anywhere  00 11     00        R    RU    0 0         01 01     n     R
POLA's order of moves       pola    11 11     00        R    RD    0 0         12 21     n     R
LOLA's order of moves       lola    11 11     00        R    LU    0 0         10 01     n     R
# rules 2 and 3: one taker
red takes red               loqa    00 22     01        R    RU    1 0         01 12     y     B
red takes blue              loqa    00 22     01        B    RU    1 -2        01 12     y     R
blue takes blue             loqa    22 00     01        B    UR    0 1         12 01     y     R
blue takes red              loqa    22 00     01        R    UR    -2 1        12 01     y     B
taken across the edge       loqa    00 11     02        B    LL    1 -2        02 10     y     R
# ties
both on red's coin          loqa    00 02     01        R    RL    -1 1        01 01     y     B
both on blue's coin         loqa    00 02     01        B    RL    1 -1        01 01     y     R
POLA: both on red's         pola    00 02     01        R    RL    -1 1        01 01     y     B
POLA: both on blue's        pola    00 02     01        B    RL    1 -1        01 01     y     R
LOLA: red wins its own      lola    00 02     01        R    RL    1 0         01 01     y     B
LOLA: red wins blue's       lola    00 02     01        B    RL    1 -2        01 01     y     R
LOLA: blue alone on red's   lola    20 02     01        R    RL    -2 1        21 01     y     B
split red's                 split   00 02     01        R    RL    -1/2 1/2    01 01     y     B
split blue's                split   00 02     01        B    RL    1/2 -1/2    01 01     y     R
split: alone, own           split   00 22     01        R    RU    1 0         01 12     y     B
split: alone, other's       split   00 22     01        B    RU    1 -2        01 12     y     R
# rule 4: colours
random colour               random  00 22     01        R    RU    1 0         01 12     y     *
colour stays while it lies  random  00 22     11        B    RU    0 0         01 12     n     B
# a coin each
each its own                mfos    00 22     01 21     -    RL    1 1         01 21     yy    -
each the other's            mfos    00 22     21 01     -    RL    -1 -1       01 21     yy    -
one of two                  mfos    00 22     01 10     -    RL    1 0         01 21     yn    -
the other's of two          mfos    00 22     10 01     -    RL    1 -2        01 21     ny    -
both coins on one cell      mfos    00 22     01 01     -    RL    2 -2        01 21     yy    -
both players, both coins    mfos    00 02     01 01     -    RL    0 0         01 01     yy    -
both on red's of two        mfos    00 02     01 22     -    RL    -1 1        01 01     yn    -
# three players: the -2 once, however many others take it; colours R -> B -> G -> R (LOQA's authors)
0 takes 0                   3       00 22 20  01        R    RUU   1 0 0       01 12 10  y     B
1 takes 1                   3       22 00 20  01        B    URU   0 1 0       12 01 10  y     G
2 takes 2                   3       22 20 00  01        G    UUR   0 0 1       12 10 01  y     R
0 takes 2's                 3       00 22 20  01        G    RUU   1 0 -2      01 12 10  y     R
two others take 2's         3       00 02 22  01        G    RLU   1 1 -2      01 01 12  y     R
all three on 0's            3       00 02 11  01        R    RLU   -1 1 1      01 01 01  y     B
all three on 1's            3       00 02 11  01        B    RLU   1 -1 1      01 01 01  y     G
0 and 1 on 0's              3       00 02 22  01        R    RLU   -1 1 0      01 01 12  y     B
split in three              3split  00 02 11  01        R    RLU   -1 1/3 1/3  01 01 01  y     B
split among two others      3split  00 02 22  01        G    RLU   1/2 1/2 -2  01 01 12  y     R
split with the owner        3split  00 02 22  01        R    RLU   -1/2 1/2 0  01 01 12  y     B
lowest index wins           3red    22 02 11  01        G    ULU   0 1 -2      12 01 01  y     R
lowest index wins its own   3red    22 02 11  01        B    ULU   0 1 0       12 01 01  y     G
a circle of thefts          3mfos   00 10 20  11 21 01  -    RRR   -1 -1 -1    01 11 21  yyy   -
"""


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
    next_owner: int | str | None  # "any": chance chooses


def cells(text):
    """ "01 12" -> [(0, 1), (1, 2)]."""
    return [(int(row), int(column)) for row, column in text.split()]


def case_of(line):
    """A row of the table, whose columns are two spaces or more apart."""
    title, rules, players, coins, own, move, rewards, then, took, after = re.split(r" {2,}", line)
    return Case(
        title=title,
        arguments=RULES[rules],
        players=cells(players),
        coins=cells(coins),
        owner=COLOURS[own],
        moves=move,
        rewards=[float(Fraction(reward)) for reward in rewards.split()],
        then=cells(then),
        taken=took,
        next_owner=COLOURS[after],
    )


CASES = [case_of(line) for line in TABLE.strip().splitlines()[1:] if not line.startswith("#")]


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
