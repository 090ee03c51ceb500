"""What every scripted player promises: independent games, one answer on numpy and torch, copies
that go on, clear errors."""

import copy
import pickle
import random
import re
import subprocess
import sys

import numpy as np
import pytest

from social_dilemmas_env import rng
from social_dilemmas_env.strategies import Strategy, make_strategy
from tests.env.strategies.versus import CASES, case_id, random_movers, simulate

every_case = pytest.mark.parametrize("case", CASES, ids=case_id)


def make(case, player=1, **more):
    name, env_id, arguments = case
    return make_strategy(name, env_id, player=player, **arguments, **more)


def film(case, games=24, steps=12, player=1, seed=0):
    """Observations [steps, games, ...] of one player where all players move at random."""
    _, env_id, arguments = case
    movers = random_movers(env_id, arguments)
    return np.stack(
        [seen[player] for _, _, seen in simulate(movers[0].game, movers, games, steps, seed)]
    )


def openings(steps, games):
    """A sprinkling of games that begin anew."""
    return np.random.default_rng(1).random((steps, games)) < 0.2


def play(strategy, frames, first=None):
    return np.stack(
        [strategy.act(frame, None if first is None else first[t]) for t, frame in enumerate(frames)]
    )


@every_case
def test_moves_do_not_depend_on_the_batch_size(case):
    frames = film(case)
    whole = make(case)
    whole.reset(24, seed=3)
    moves = play(whole, frames)
    for games in (1, 7):
        part = make(case)
        part.reset(games, seed=3)
        np.testing.assert_array_equal(play(part, frames[:, :games]), moves[:, :games])


@every_case
def test_moves_do_not_depend_on_the_neighbours(case):
    """Permuting the games, each with its own seed, permutes the moves."""
    frames, seeds = film(case), [rng.draw(3, i) for i in range(24)]
    order = np.random.default_rng(0).permutation(24)
    one, other, whole = make(case), make(case), make(case)
    one.reset(24, seed=seeds)
    other.reset(24, seed=[seeds[i] for i in order])
    whole.reset(24, seed=3)  # one seed for all: game i's is draw(seed, i)
    moves = play(one, frames)
    np.testing.assert_array_equal(play(other, frames[:, order]), moves[:, order])
    np.testing.assert_array_equal(play(whole, frames), moves)


@every_case
def test_torch_gives_the_same_moves(case):
    torch = pytest.importorskip("torch")
    frames = film(case)
    first = openings(*frames.shape[:2])
    on_numpy, on_torch = make(case), make(case)
    on_numpy.reset(24, seed=9)
    on_torch.reset(24, seed=9)
    for t, frame in enumerate(frames):
        expected = on_numpy.act(frame, first[t])
        dtype = (torch.float32, torch.uint8)[t % 2]
        moves = on_torch.act(torch.from_numpy(frame).to(dtype), torch.from_numpy(first[t]))
        assert isinstance(moves, torch.Tensor)
        assert moves.dtype == torch.int64
        assert moves.shape == (24,)
        np.testing.assert_array_equal(moves.numpy(), expected)


@pytest.mark.cuda
@every_case
def test_cuda_gives_the_same_moves_on_its_device(case):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    frames = film(case)
    first = openings(*frames.shape[:2])
    on_numpy, on_cuda = make(case), make(case)
    on_numpy.reset(24, seed=9)
    on_cuda.reset(24, seed=9)
    for t, frame in enumerate(frames):
        moves = on_cuda.act(torch.from_numpy(frame).cuda(), torch.from_numpy(first[t]).cuda())
        assert moves.device.type == "cuda"
        np.testing.assert_array_equal(moves.cpu().numpy(), on_numpy.act(frame, first[t]))


@every_case
def test_bytes_slices_and_read_only_arrays_do_as_well(case):
    frames = film(case, steps=6)
    expected = make(case)
    expected.reset(24)
    moves = play(expected, frames)
    assert moves.dtype == np.int64
    assert moves.shape == (6, 24)
    for variant in (
        frames.astype(np.uint8),
        frames.astype(np.float64),
        np.stack([frames, frames], 2)[:, :, 1],  # a slice of what all players observe
    ):
        variant.flags.writeable = False
        player = make(case)
        player.reset(24)
        np.testing.assert_array_equal(play(player, variant), moves)


@every_case
def test_neither_input_nor_memory_is_shared(case):
    """Garbage written into old observations and returned moves changes nothing later."""
    frames = film(case)
    calm, disturbed = make(case), make(case)
    calm.reset(24)
    disturbed.reset(24)
    for frame in frames:
        seen = frame.copy()
        moves = disturbed.act(seen)
        np.testing.assert_array_equal(seen, frame)
        np.testing.assert_array_equal(moves, calm.act(frame))
        seen[:], moves[:] = 7, 99


@every_case
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_copies_and_pickles_go_on_in_the_middle_of_a_game(case, library):
    frames = film(case)
    if library == "torch":
        frames = pytest.importorskip("torch").from_numpy(frames)
    player = make(case)
    player.reset(24, seed=5)
    for frame in frames[:5]:
        player.act(frame)
    twins = [
        copy.deepcopy(player),
        *(pickle.loads(pickle.dumps(player, protocol)) for protocol in (2, 5)),
    ]
    rest = [player.act(frame) for frame in frames[5:]]
    for twin in twins:
        assert all(
            (twin.act(frame) == moves).all() for frame, moves in zip(frames[5:], rest, strict=True)
        )


def test_a_copy_is_independent():
    player = make(("grim", "ipd_v0", {}))
    player.reset(1)
    player.act(np.eye(5, dtype=np.float32)[[0]])
    twin = copy.deepcopy(player)
    assert twin.act(np.eye(5, dtype=np.float32)[[2]]).tolist() == [1]  # betrayed
    assert player.act(np.eye(5, dtype=np.float32)[[1]]).tolist() == [0]


DRAWS_NOTHING = [
    case
    for case in CASES
    if case[0] in ("tit_for_tat", "grim", "pavlov")
    and (case[1] != "coin_game_v0" or "definition" in case[2])
]


@pytest.mark.parametrize("case", DRAWS_NOTHING, ids=case_id)
def test_first_is_like_a_game_of_its_own(case):
    """After `first`, a player that draws nothing moves as one that was just reset."""
    frames = film(case)
    old, new = make(case), make(case)
    old.reset(24)
    play(old, frames[:5])
    new.reset(24)
    everything = np.ones(24, bool)
    np.testing.assert_array_equal(old.act(frames[5], everything), new.act(frames[5], everything))
    np.testing.assert_array_equal(play(old, frames[6:]), play(new, frames[6:]))


# Seeds
# --------------------------------------------------------------------------------------------------

RANDOM = ("random", "rps_v0", {})


def sequence(player, games=50, steps=20):
    frame = np.eye(10, dtype=np.float32)[np.zeros(games, int)]
    return np.stack([player.act(frame) for _ in range(steps)])


def test_the_same_seed_gives_the_same_moves_and_another_seed_others():
    def moves(seed, player=1):
        strategy = make(RANDOM, player)
        strategy.reset(50, seed=seed)
        return sequence(strategy)

    np.testing.assert_array_equal(moves(4), moves(4))
    for different in (moves(5), moves(4, player=0)):
        agreement = (moves(4) == different).mean()
        assert abs(agreement - 1 / 3) < 0.07  # 1,000 moves: 4.7 standard errors


def test_reset_without_a_seed_goes_on_and_with_one_starts_over():
    player = make(RANDOM, seed=8)
    player.reset(50)
    one = sequence(player)
    player.reset(50)
    two = sequence(player)
    assert 0.2 < (one == two).mean() < 0.5
    player.reset(50, seed=8)
    np.testing.assert_array_equal(sequence(player), one)
    player.reset(50)
    np.testing.assert_array_equal(sequence(player), two)
    fresh = make(RANDOM, seed=8)  # without reset, as by reset
    np.testing.assert_array_equal(sequence(fresh), one)


def test_random_moves_are_uniform_and_independent():
    player = make(RANDOM)
    player.reset(400, seed=1)
    moves = sequence(player, 400, 100)
    counts = np.bincount(moves.ravel(), minlength=3)
    assert (
        (counts - 40_000 / 3) ** 2 / (40_000 / 3)
    ).sum() < 18.4  # chi-square, 2 degrees of freedom: 1e-4
    pairs = np.bincount((moves[1:] * 3 + moves[:-1]).ravel(), minlength=9)
    assert ((pairs - 39_600 / 9) ** 2 / (39_600 / 9)).sum() < 31.8  # 8 degrees of freedom: 1e-4
    neighbours = np.bincount((moves[:, 1:] * 3 + moves[:, :-1]).ravel(), minlength=9)
    assert ((neighbours - 39_900 / 9) ** 2 / (39_900 / 9)).sum() < 31.8


def test_moves_are_independent_of_the_draws_of_a_game_with_the_same_seed():
    """The coin's first cell (a draw of the game) says nothing about the first random move."""
    games = 9000
    frames = film(("random", "coin_game_v0", {}), games=games, steps=1, seed=6)[0]
    player = make(("random", "coin_game_v0", {}))
    player.reset(games, seed=6)
    cell = frames[:, 2:].reshape(games, 2, 9).sum(1).argmax(-1)
    counts = np.bincount(cell * 4 + player.act(frames), minlength=36).reshape(9, 4)
    expected = counts.sum(1, keepdims=True) * counts.sum(0) / games
    assert (
        (counts - expected) ** 2 / expected
    ).sum() < 58.6  # chi-square, 24 degrees of freedom: 1e-4


def test_the_callers_random_state_is_left_alone():
    torch = pytest.importorskip("torch")

    def states():
        return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

    before = states()
    sequence(make(RANDOM))
    with pytest.raises(ValueError):
        make(RANDOM).act(np.zeros((2, 3)))
    assert states() == before


def test_players_do_not_import_torch():
    code = (
        "import sys, numpy as np, social_dilemmas_env.strategies as s, social_dilemmas_env.metrics;"
        "s.make_strategy('tit_for_tat', 'coin_game_v0').act(np.zeros((2, 4, 3, 3)));"
        "assert 'torch' not in sys.modules and 'pygame' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Errors
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, (0,), "num_games must be at least 1"),
        (TypeError, (2.0,), "num_games must be an integer"),
        (ValueError, (2, -1), r"seed must lie in \[0, 2\^63\)"),
        (TypeError, (2, 0.5), "seed must be an integer"),
        (TypeError, (2, "ab"), "seed must be an integer"),
        (ValueError, (2, [1, 2, 3]), "an integer or 2 of them, one a game; got 3"),
        (TypeError, (2, [1, 2.5]), "seed must be an integer"),
    ],
)
def test_a_bad_reset_changes_nothing(error, arguments, message):
    player, twin = make(RANDOM), make(RANDOM)
    sequence(player, 5, 3), sequence(twin, 5, 3)
    with pytest.raises(error, match=message):
        player.reset(*arguments)
    np.testing.assert_array_equal(sequence(player, 5), sequence(twin, 5))


def test_seeds_for_each_game_fit_only_as_many_games():
    player = make(RANDOM)
    player.reset(2, seed=[1, 2])
    player.reset(2)
    with pytest.raises(ValueError, match="the last seeds were for 2 games: 3 games need a seed"):
        player.reset(3)


@pytest.mark.parametrize(
    ("error", "observations_", "first", "message"),
    [
        (
            ValueError,
            np.zeros((3, 4, 3, 3)),
            None,
            r"in 2 games must have shape \[2, 4, 3, 3\], got \(3, 4, 3, 3\)",
        ),
        (ValueError, np.zeros((4, 3, 3)), None, r"\[2, 4, 3, 3\], got \(4, 3, 3\)"),
        (ValueError, np.zeros((2, 2, 4, 3, 3)), None, "observations of one player"),
        (ValueError, np.zeros((2, 35)), None, "must have shape"),
        (ValueError, np.zeros(()), None, "must have"),
        (TypeError, [[0.0] * 36] * 2, None, "a numpy array or a torch tensor, got list"),
        (TypeError, {"player_1": 0}, None, "got dict"),
        (TypeError, None, None, "got NoneType"),
        (
            ValueError,
            np.zeros((2, 4, 3, 3)),
            np.zeros(3, bool),
            r"first must be bool of shape \[2\], got bool of \(3,\)",
        ),
        (ValueError, np.zeros((2, 4, 3, 3)), np.zeros(2), "first must be bool"),
        (TypeError, np.zeros((2, 4, 3, 3)), [True, False], "first must be an array"),
    ],
)
def test_bad_observations_change_nothing(error, observations_, first, message):
    case = ("tit_for_tat", "coin_game_v0", {})
    frames = film(case, games=2)
    player, twin = make(case), make(case)
    for p in (player, twin):
        p.reset(2)
        play(p, frames[:4])
    with pytest.raises(error, match=message):
        player.act(observations_, first)
    np.testing.assert_array_equal(play(player, frames[4:]), play(twin, frames[4:]))


def test_memory_stays_with_its_library():
    torch = pytest.importorskip("torch")
    player = make(RANDOM)
    frame = np.eye(10, dtype=np.float32)[[0, 0]]
    moves = player.act(frame)
    with pytest.raises(TypeError, match=r"has memory on .*ndarray.*reset\(\)"):
        player.act(torch.from_numpy(frame))
    with pytest.raises(TypeError, match="first must be an array of the same library"):
        player.act(frame, torch.zeros(2, dtype=torch.bool))
    player.reset(2, seed=0)
    assert player.act(torch.from_numpy(frame)).tolist() == moves.tolist()


def test_the_first_observations_reset_to_their_number():
    player = make(RANDOM)
    assert player.num_games is None
    with pytest.raises(ValueError, match=r"\[B, 10\], got \(0, 10\)"):
        player.act(np.zeros((0, 10)))
    player.act(np.zeros((3, 10)))
    assert player.num_games == 3
    with pytest.raises(ValueError, match="in 3 games"):
        player.act(np.zeros((4, 10)))


def test_whatever_resets_and_acts_is_a_strategy():
    """A player needs no name, and no base class."""

    class Own:
        def reset(self, num_games, seed=None):
            pass

        def act(self, observations, first=None):
            return np.zeros(len(observations), int)

    class NoPlayer:
        def act(self, observations, first=None):
            return np.zeros(len(observations), int)

    assert isinstance(Own(), Strategy)
    assert not isinstance(NoPlayer(), Strategy)


@every_case
def test_players_are_strategies(case):
    player = make(case)
    assert isinstance(player, Strategy)
    assert player.name == case[0]
    assert player.player == 1
    if case[0] != "constant":
        assert re.search(r"\((19|20)\d\d\)|arXiv:\d{4}\.\d{5}", type(player).__doc__), "no source"
