"""Players of the Coin Game on boards drawn by hand: R, B, G are players 0, 1, 2.

r, b, g are coins of their colours.
"""

import numpy as np
import pytest

from social_dilemmas_env.games.coin_boards import board_of
from social_dilemmas_env.strategies import make_strategy
from social_dilemmas_env.strategies.coin import loqa_moves, pola_moves
from tests.env.strategies.versus import answers, drawing, game_of, named, random_movers, simulate

AC, AD, TFT = "always_cooperate", "always_defect", "tit_for_tat"
BOARDS = [  # board, LOQA towards, LOQA away, POLA towards, POLA away; for R
    ("R r . / . . . / . . B", "right", "up down", "right", "left"),
    ("R . r / . . . / . . B", "left", "up down", "left", "right"),  # round the side
    ("R . . / r . . / . . B", "down", "left right", "down", "up"),
    ("R . . / . . . / r . B", "up", "left right", "up", "down"),  # round the top
    ("R . . / . r . / . . B", "right down", "left up", "down", "up"),
    ("R . . / . . B / . . r", "left up", "right down", "up", "down"),  # round the corner
    (". . . / . R . / r . B", "left down", "right up", "down", "up"),
    ("R . . . . / . . . . . / . . . . . / . . . . B / . . . r .", "left up", "down", "up", "down"),
    (
        "R . r . . / . . . . . / . . . . . / . . . . B / . . . . .",
        "right",
        "up down",
        "right",
        "left",
    ),
    (
        "R . . . / . . . . / r . . . / . . B .",
        "up down",
        "left right",
        "down",
        "up",
    ),  # half-way round
    ("R . r . / . . . B", "left right", "up down", "right", "left"),  # 2 x 4
    (
        "R . / . B / . . / r . / . .",
        "up",
        "left right",
        "up",
        "down",
    ),  # 5 x 2: two up, not three down
]


def words(text):
    return set(text.split())


@pytest.mark.parametrize("variant", ["loqa", "pola", "lola"])
@pytest.mark.parametrize(("board", "toward", "away", "pola_toward", "pola_away"), BOARDS)
def test_one_coin(variant, board, toward, away, pola_toward, pola_away):
    size = (board.count("/") + 1, len(board.split("/")[0].split()))
    theirs = board.replace("r", "b")
    for player in (0, 1):  # the same board with the colours swapped for the other player
        swap = str.maketrans("RrBb", "BbRr") if player else {}
        mine, others = board.translate(swap), theirs.translate(swap)
        for name, definition, board_, expected in (
            (AC, "loqa", mine, toward),
            (AC, "loqa", others, away),
            (AD, "loqa", mine, toward),
            (AD, "loqa", others, toward),
            (TFT, "loqa", others, away),
            (AC, "pola", mine, pola_toward),
            (AC, "pola", others, pola_away),
            (AD, "pola", mine, pola_toward),
            (AD, "pola", others, pola_toward),
            (TFT, "pola", others, pola_away),
        ):
            strategy = make_strategy(
                name,
                "coin_game_v0",
                player=player,
                variant=variant,
                grid_size=size,
                definition=definition,
            )
            assert answers(strategy, board_) == words(expected), (name, definition, board_, player)


@pytest.mark.parametrize("moves", ["LRUD", "RLDU"])
def test_action_numbers_follow_the_order_of_the_moves(moves):
    strategy = make_strategy(AD, "coin_game_v0", moves=moves)
    for board, letter in (("R b .", "R"), ("b R .", "L")):
        art = board + " / . . . / . . B"
        assert strategy.act(drawing(art)).tolist() == [moves.index(letter)]
        strategy.reset(1)


def test_ties_are_broken_uniformly():
    """Two equal moves over 20,000 games: within 4.5 standard errors of one half."""
    strategy = make_strategy(AD, "coin_game_v0")
    strategy.reset(20_000, seed=5)
    moves = strategy.act(np.repeat(drawing("R . . / . r . / . . B"), 20_000, 0))
    counts = np.bincount(moves, minlength=4)  # left, right, up, down
    assert counts[[0, 2]].sum() == 0
    assert abs(counts[1] - 10_000) < 4.5 * np.sqrt(20_000) / 2


@pytest.mark.parametrize(
    ("board", "cooperator", "defector"),
    [
        ("R . . / . g . / . B G", "left up", "right down"),  # another's coin
        ("R . . / . r . / . B G", "right down", "right down"),
        ("RB . G / . b . / . . .", "left up", "right down"),  # players may share a cell
    ],
)
def test_three_players(board, cooperator, defector):
    for view in ("ego", "joint"):
        for name, expected in ((AC, cooperator), (AD, defector)):
            strategy = make_strategy(name, "coin_game_v0", num_agents=3, view=view)
            assert answers(strategy, board) == words(expected)
            green = make_strategy(name, "coin_game_v0", num_agents=3, view=view, player=2)
            turned = board.translate(
                str.maketrans("RBGrbg", "GRBgrb")
            )  # red becomes green, blue red, green blue
            assert answers(green, turned) == words(expected)


# One coin of each colour
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("board", "cooperator", "defector"),
    [
        ("R b . / . . . / r . B", "up", "up"),  # equally near: its own
        ("R b . / . r . / . . B", "right down", "right"),  # the nearest
        (
            "Rr b . / . . . / . . B",
            "left right up down",
            "right",
        ),  # a coin under the player is two moves away
        ("Rrb . . / . . . / . . B", "left right up down", "left right up down"),
        ("R . . / . rb . / . . B", "right down", "right down"),
    ],
)
def test_one_coin_of_each_colour(board, cooperator, defector):
    for name, expected in ((AC, cooperator), (AD, defector)):
        for view in ("ego", "joint"):
            strategy = make_strategy(name, "coin_game_v0", variant="mfos", view=view)
            assert answers(strategy, board) == words(expected)
        blue = make_strategy(name, "coin_game_v0", variant="mfos", player=1)
        assert answers(blue, board.translate(str.maketrans("RrBb", "BbRr"))) == words(expected)


def test_equally_near_coins_of_others_are_taken_in_the_order_of_the_players():
    board = ". b . / g R . / . r . / B . G"  # all at distance 1
    strategy = make_strategy(
        AD, "coin_game_v0", variant="mfos", num_agents=3, grid_size=(4, 3), definition="pola"
    )
    assert answers(strategy, board) == {"down"}
    assert answers(strategy, ". b . / g R . / . . . / Br . G") == {"up"}
    green = make_strategy(
        AD,
        "coin_game_v0",
        variant="mfos",
        num_agents=3,
        grid_size=(4, 3),
        player=2,
        definition="pola",
    )
    assert answers(green, ". b . / r G . / . . . / B . Rg") == {"left"}  # red comes after green


# Tit for tat
# --------------------------------------------------------------------------------------------------


def play(boards, **arguments):
    """Which of the boards, all with a coin one step right of the player and not its own, it goes
    for."""
    strategy = make_strategy(TFT, "coin_game_v0", definition="pola", **arguments)
    game, greedy = strategy.game, []
    for board in boards:
        action = strategy.act(drawing(board, game.num_agents, game.view, strategy.player))
        greedy.append(named(strategy, action) == {"right"})
    return greedy


def test_tit_for_tat_defects_after_a_theft_until_it_gains():
    assert play(
        [
            "R r . / . . . / . B .",  # my coin: takes it whatever its mood
            ". . . / . Rb . / B . .",  # placed by hand: neither of us took it
            "R . . / . . . / r B .",
        ]
    ) == [True, False, False]
    robbed = [
        ". . R / . B r / . . .",
        "R b . / . . B / . . .",  # blue stood where my coin was: robbed
        "R b . / . . . / . . B",  # nothing happened: still angry
        ". R b / . . B / . . .",  # I took blue's coin: satisfied
    ]
    assert play(robbed) == [False, True, True, False]
    assert play(robbed, view="joint") == [False, True, True, False]
    assert play(robbed, moves="RLDU") == [False, True, True, False]
    swap = str.maketrans("RrBb", "BbRr")
    assert play([board.translate(swap) for board in robbed], player=1) == [False, True, True, False]
    assert play([board.translate(swap) for board in robbed], player=1, view="joint") == [
        False,
        True,
        True,
        False,
    ]


def test_tit_for_tat_by_the_sign_of_its_reward():
    both = ["R r . / . . B / . . .", ". RB b / . . . / . . ."]  # both reach my coin: +1 - 2 < 0
    assert play(both)[1] is True
    assert play(both, ties="split")[1] is True  # a half each: 1/2 - 1 < 0
    assert play(both, ties="red")[1] is False  # red takes it alone: +1
    blue = [board.translate(str.maketrans("RrBb", "BbRr")) for board in both]
    assert play(blue, player=1, ties="red")[1] is True  # and so robs blue
    theirs = [". . R / B b . / . . .", "R b . / . B . / . . ."]
    assert play(theirs)[1] is False  # blue took blue's coin


def test_tit_for_tat_among_many_defects_after_anyone_took_its_coin():
    boards = ["R . . / . r G / B . .", "R b . / . G . / B . .", "R b . / . . G / . B ."]
    assert play(boards, num_agents=3) == [False, True, True]
    boards = ["R . . / . b G / B . .", "R g . / . G . / B . .", "R g . / . . G / . B ."]
    assert play(boards, num_agents=3) == [False, False, False]


def test_tit_for_tat_forgets_where_an_episode_begins():
    strategy = make_strategy(TFT, "coin_game_v0", definition="pola")
    strategy.reset(3)
    robbed = [drawing(". . R / . B r / . . ."), drawing("R b . / . . B / . . .")]
    before, after = (np.repeat(board, 3, 0) for board in robbed)
    strategy.act(before)
    # Game 1 begins anew: that blue stands where my coin was in the last episode means nothing.
    assert strategy.act(after, np.array([False, True, False])).tolist() == [1, 0, 1]
    still = np.repeat(drawing("R b . / . . . / . . B"), 3, 0)
    assert strategy.act(still).tolist() == [1, 0, 1]
    assert strategy.act(still, np.array([True, False, False])).tolist() == [0, 0, 1]
    strategy.reset(3)
    assert strategy.act(still).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"view": "joint", "moves": "RLDU"},
        {"ties": "red", "distinct_starts": True},
        {"ties": "split", "num_agents": 3, "coin_color": "random"},
        {"variant": "mfos"},
        {"variant": "mfos", "ties": "red", "num_agents": 3, "view": "joint"},
        {"grid_size": (2, 3)},
    ],
    ids=str,
)
def test_tit_for_tat_infers_its_rewards_exactly(arguments):
    """In play among random movers it does what a cooperator or a defector does, according to its
    true rewards."""
    game, games = game_of("coin_game_v0", arguments), 400
    me = game.num_agents - 1

    def make(name, **own):
        return make_strategy(name, "coin_game_v0", player=me, **arguments, **own)

    movers = random_movers("coin_game_v0", arguments)
    tft, cooperator, defector = (make(name, definition="pola") for name in (TFT, AC, AD))
    defecting = np.zeros(games, bool)
    met = set()
    for board, rewards, seen in simulate(game, movers, games, 40, seed=2):
        decoded = board_of(game, seen[me], me)
        assert all(
            (column == seen_column).all()
            for column, seen_column in zip(board, decoded, strict=True)
        )
        defecting = np.where(rewards[me] < 0, True, np.where(rewards[me] > 0, False, defecting))
        expected = np.where(defecting, defector.act(seen[me]), cooperator.act(seen[me]))
        np.testing.assert_array_equal(tft.act(seen[me]), expected)
        met |= set(defecting.tolist())
    assert met == {True, False}


def test_the_definitions_differ_on_a_narrow_torus():
    """From distance 1 on width 3 the opposite move leads to distance 1 again.

    LOQA's cooperator goes aside instead.
    """
    game = game_of("coin_game_v0", {})
    differing = [
        (row, column)
        for row in range(3)
        for column in range(3)
        if not set(pola_moves(game, row, column, 1)) <= set(loqa_moves(game, row, column, 1))
    ]
    assert differing == [(0, 1), (0, 2), (1, 0), (2, 0)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("grim", {}), ("pavlov", {}), ("memory_one", {"probabilities": [0] * 5})],
)
def test_players_of_matrix_games_do_not_play_the_coin_game(name, arguments):
    with pytest.raises(ValueError, match="is not defined for this coin_game_v0"):
        make_strategy(name, "coin_game_v0", **arguments)


def test_bad_arguments():
    with pytest.raises(ValueError, match="definition must be one of 'loqa', 'pola'; got 'lola'"):
        make_strategy(AC, "coin_game_v0", definition="lola")
    with pytest.raises(TypeError, match="did you mean 'definition'"):
        make_strategy(AC, "coin_game_v0", definitoin="pola")
    with pytest.raises(TypeError, match="did you mean 'grid_size'"):
        make_strategy(AC, "coin_game_v0", grid_sise=4)
    with pytest.raises(ValueError, match="too small"):
        make_strategy(AC, "coin_game_v0", grid_size=2, num_agents=4)
