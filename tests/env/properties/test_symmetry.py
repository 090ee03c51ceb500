"""What the Coin Game must not care about: who is called red, where the origin lies, which way is
up."""

from hypothesis import given
from hypothesis import strategies as st

from social_dilemmas_env.games.coin_rules import GAIN, LOSS
from tests.env.properties.coin_boards import (
    coin_games,
    fast,
    few_outcomes,
    moved,
    outcomes,
    positions,
    rotated,
    words,
)


def rewards(game, codes):
    return [game.reward_values[code] for code in codes]


@fast
@given(st.one_of(positions(ties="both"), positions(ties="split")), st.integers(1, 3))
def test_players_are_equal(position, k):
    """Rotating the players and the colours rotates what happens to them.

    For two players this is the swap.
    """
    game, board, actions = position
    k = k % game.num_agents
    after, codes = game.act(board, actions)
    turned, turned_codes = game.act(rotated(game, board, k), actions[k:] + actions[:k])
    assert turned == rotated(game, after, k)
    assert turned_codes == codes[k:] + codes[:k]
    if few_outcomes(game, after):
        assert outcomes(game, turned) == sorted(
            rotated(game, end, k) for end in outcomes(game, after)
        )


@fast
@given(positions(max_players=2, ties="red"))
def test_red_wins_ties_and_nothing_else(position):
    """With ties="red" the swap changes only who gets a coin that both reach."""
    game, board, actions = position
    after, codes = game.act(board, actions)
    swapped, swapped_codes = game.act(rotated(game, board, 1), actions[::-1])
    assert swapped == rotated(game, after, 1)
    met = after[0] == after[1] and after[0] in board[2 : 2 + game.coins]
    assert swapped_codes == codes[::-1] or met


@fast
@given(positions(), st.integers(0, 4), st.integers(0, 4))
def test_the_torus_has_no_origin(position, rows, columns):
    game, board, actions = position

    def shift(row, column):
        return row + rows, column + columns

    after, codes = game.act(board, actions)
    shifted, shifted_codes = game.act(moved(game, board, shift), actions)
    assert shifted == moved(game, after, shift)
    assert shifted_codes == codes
    if few_outcomes(game, after):
        assert outcomes(game, shifted) == sorted(
            moved(game, end, shift) for end in outcomes(game, after)
        )


@fast
@given(positions(), st.sampled_from(["LR", "UD"]))
def test_mirrors(position, axis):
    """Mirrored boards and moves give mirrored boards and the same payments."""
    game, board, actions = position

    def flip(row, column):
        return (row, -1 - column) if axis == "LR" else (-1 - row, column)

    swap = {axis[0]: axis[1], axis[1]: axis[0]}
    mirrored = [game.moves.index(swap.get(game.moves[a], game.moves[a])) for a in actions]
    after, codes = game.act(board, actions)
    assert game.act(moved(game, board, flip), mirrored) == (moved(game, after, flip), codes)


@fast
@given(positions())
def test_moves_can_be_taken_back(position):
    """Left undoes right and up undoes down; every move is to one of the (up to) four neighbours."""
    game, board, actions = position
    back = {"L": "R", "R": "L", "U": "D", "D": "U"}
    for cell, action in zip(board, actions, strict=False):
        there = game.move(cell, action)
        assert game.move(there, game.moves.index(back[game.moves[action]])) == cell
        (row, column), (to_row, to_column) = divmod(cell, game.width), divmod(there, game.width)
        steps = (
            abs(to_row - row) in (1, game.height - 1),
            abs(to_column - column) in (1, game.width - 1),
        )
        assert steps in ((True, False), (False, True))
        assert there != cell


@fast
@given(positions(max_players=2, coins=1))
def test_sum_of_two_players_rewards(position):
    """A pick-up is worth +1, 0 or -1 to both together; without one nobody is paid."""
    game, board, actions = position
    after, codes = game.act(board, actions)
    earned, coin, owner = rewards(game, codes), board[2], board[3]
    standing = [cell == coin for cell in after[:2]]
    if not any(standing):
        assert earned == [0, 0]
    elif game.ties == "red":
        assert sum(earned) == (1 if owner == standing.index(True) else -1)
    elif all(standing):
        assert sum(earned) == 0
    else:
        assert sum(earned) == (1 if standing[owner] else -1)


@fast
@given(positions())
def test_sum_of_everybodys_rewards(position):
    """Coins handed out minus 2 for each robbed owner (or the shares stolen).

    nobody's reward leaves its range.
    """
    game, board, actions = position
    after, codes = game.act(board, actions)
    n, total = game.num_agents, 0.0
    for c, coin in enumerate(board[n : n + game.coins]):
        owner = board[-1] if game.coins == 1 else c
        takers = [i for i in range(n) if after[i] == coin]
        if game.ties == "red":
            takers = takers[:1]
        stolen = [i for i in takers if i != owner]
        if game.ties == "split":
            total += bool(takers) * GAIN + (LOSS * len(stolen) / len(takers) if takers else 0)
        else:
            total += GAIN * len(takers) + LOSS * bool(stolen)
    assert abs(sum(rewards(game, codes)) - total) < 1e-9
    assert all(LOSS <= reward <= GAIN * game.coins for reward in rewards(game, codes))
    assert all(isinstance(code, int) and 0 <= code < len(game.reward_values) for code in codes)


@fast
@given(positions(coin_avoids_players=True), st.integers(0, 2**40))
def test_a_placed_coin_is_never_under_a_player(position, seed):
    game, board, actions = position
    after, _ = game.act(board, actions)
    end, n = game.chance(after, words(seed)), game.num_agents
    for before, marked, coin in zip(board[n:], after[n:], end[n : n + game.coins], strict=False):
        if marked == game.cells:
            assert coin not in end[:n]
        else:
            assert coin == before == marked
            assert before not in end[:n]


@fast
@given(coin_games(), st.integers(0, 2**40))
def test_starts(game, seed):
    """Every column in its range, players apart if they must be, coins apart from players if they
    must be."""
    board, n = game.chance(game.start(words(seed)), words(seed)), game.num_agents
    assert all(0 <= column < size for column, size in zip(board, game.sizes, strict=True))
    if game.distinct_starts:
        assert len(set(board[:n])) == n
    if game.coin_avoids_players:
        assert not set(board[:n]) & set(board[n : n + game.coins])


@fast
@given(positions(), st.integers(0, 2**40))
def test_chance_leaves_a_board_without_marks_alone(position, seed):
    game, board, _ = position
    assert tuple(game.chance(board, words(seed))) == board
    assert set(game.chances(board)) == {1}


@fast
@given(positions())
def test_chance_reaches_every_cell_it_may(position):
    """The outcomes of a pick-up are all free cells, each once (times all colours, where they are
    random)."""
    game, board, actions = position
    after, _ = game.act(board, actions)
    n = game.num_agents
    if game.coins > 1 or after[n] < game.cells:
        return
    free = set(range(game.cells)) - (set(after[:n]) if game.coin_avoids_players else set())
    owners = range(n) if game.coin_color == "random" else [(board[-1] + 1) % n]
    assert outcomes(game, after) == sorted(
        (*after[:n], cell, owner) for cell in free for owner in owners
    )
