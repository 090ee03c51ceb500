"""Games of players who walk, from tables of two halves: the same games as by the rules."""

from dataclasses import dataclass

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.engine import walker_tables as halves
from social_dilemmas_env.engine.numpy_walkers import NumpyWalkers
from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.games.game import decode, encode, num_walkers
from social_dilemmas_env.vector.numpy_env import NumpyBatch
from social_dilemmas_env.vector.options import Options
from tests.env.parity.batches import same, step
from tests.helpers.games import COIN_GAMES, GAMES, rules

# Arguments of the Coin Game whose boards are played in halves.
SWITCHES = {
    "5x5": {"grid_size": 5},
    "three players": {"num_agents": 3},
    "walls, shares, two choices": {
        "grid_size": (5, 6),
        "coin_color": "random",
        "ties": "split",
        "walls": True,
    },
    "random ends": {
        "grid_size": 5,
        "view": "joint",
        "stay": True,
        "continuation": 0.8,
        "action_noise": 0.2,
    },
    "memory": {"grid_size": 4, "memory": "last_pickup", "ties": "red"},
    "two coins": {"grid_size": (3, 4), "coins": 2, "ties": "each"},
}


def pair(num_envs, **game):
    """The same batch in halves and by the rules."""
    venvs = [sde.make_vec_env("coin_game_v0", num_envs, tables=t, **game) for t in (None, False)]
    assert isinstance(venvs[0].engine, NumpyWalkers)
    return venvs


def play_both(venvs, steps):
    """Steps, resets of some games and exchanges of states, with the same outputs."""
    ours, theirs = venvs
    draws = np.random.default_rng(1)
    np.testing.assert_array_equal(ours.reset(seed=3)[0], theirs.reset(seed=3)[0])
    for t in range(steps):
        shape, count = (ours.num_envs, ours.num_agents), ours.game.num_actions[0]
        joint = draws.integers(count, size=shape)
        same(step(ours, joint), step(theirs, joint))
        if t % 11 == 7:
            mask = draws.random(ours.num_envs) < 0.3
            seen = [venv.reset(options={"reset_mask": mask})[0] for venv in venvs]
            np.testing.assert_array_equal(*seen)
        if t % 20 == 9:
            ours.set_state(theirs.get_state())
    assert ours.get_state() == theirs.get_state()


@pytest.mark.parametrize("switches", SWITCHES)
def test_halves_play_as_the_rules(switches):
    play_both(pair(29, max_cycles=17, **SWITCHES[switches]), steps=45)


def test_large_batches_play_as_the_rules():
    """Whose words are made on the lanes that need them."""
    play_both(pair(700, grid_size=5, coin_color="random", max_cycles=9), steps=12)


@pytest.mark.parametrize("obs_mode", ["uint8", "state"])
def test_observations_of_every_mode(obs_mode):
    play_both(pair(5, grid_size=5, max_cycles=9, obs_mode=obs_mode), steps=12)


def test_rewards_of_every_type():
    """float64 ones are the single game's."""
    game = sde.spec("coin_game_v0").game(grid_size=5, payoffs=(1 / 3, -0.7), ties="split")
    batches = [
        NumpyBatch("coin_game_v0", game, Options(9, exact_rewards=True, tables=t))
        for t in (None, False)
    ]
    play_both(batches, steps=20)
    assert batches[0].step(np.zeros((9, 2), int))[1].dtype == np.float64


# ------------------------------------------------------------------------------------------ tables


@pytest.mark.parametrize("switches", SWITCHES)
def test_tables_say_what_the_rules_say(switches):
    """Of any board: so the first columns do go by themselves, and the rest sees where they are."""
    given = {"continuation": None, "action_noise": 0.0} | SWITCHES[switches]
    game = sde.spec("coin_game_v0").game(**given)
    table, n = halves.walker_tables(game), num_walkers(game)
    draws = np.random.default_rng(2)
    place, rest = (
        draws.integers(table.num_places, size=500),
        draws.integers(table.num_rests, size=500),
    )
    joint = draws.integers(np.prod(game.num_actions), size=500)
    board = (*decode(place, game.sizes[:n]), *decode(rest, game.sizes[n:]))
    after, codes = game.act(board, decode(joint, game.num_actions))

    after_place = table.next_place[place * np.prod(game.num_actions) + joint]
    np.testing.assert_array_equal(after_place, encode(after[:n], game.sizes[:n]))
    entry = after_place * table.num_rests + rest
    np.testing.assert_array_equal(table.rewards[table.events[entry]], np.stack(codes, -1))
    marked = sum((c == size) * 1 for c, size in zip(after, game.sizes, strict=True)) > 0
    np.testing.assert_array_equal(table.next_rest[entry] >= table.num_rests, marked)
    quiet = table.events[entry] == 0
    np.testing.assert_array_equal(table.next_rest[entry[quiet]], rest[quiet])
    assert table.events[entry].any() and quiet.any()
    with pytest.raises(ValueError, match="read-only"):
        table.events[0] = 1


def test_which_games_are_played_in_halves():
    """Not what has tables of a handy size, nobody who walks, or too much of anything."""
    chosen = {name for name in COIN_GAMES if halves.in_halves(rules(name))}
    assert {"coin_5x5", "coin_3p"} <= chosen
    assert not {"coin", "coin_2x2", "coin_7p"} & chosen
    assert not any(halves.in_halves(rules(name)) for name in set(GAMES) - set(COIN_GAMES))


@pytest.mark.parametrize(
    "game",
    [
        {"grid_size": 13},  # places
        {"grid_size": 5, "coins": 2, "coin_avoids_players": False},  # what chance may do
        {"grid_size": 5, "observe_time": True, "max_cycles": 500},  # rests
        {"grid_size": 5, "payoffs": (1, -0.999)},  # what a move may pay
    ],
)
def test_too_much_for_halves(game):
    assert not halves.in_halves(sde.spec("coin_game_v0").game(**game))


def test_too_many_events(monkeypatch):
    monkeypatch.setattr(halves, "MAX_EVENTS", 3)
    game = sde.spec("coin_game_v0").game(grid_size=5)
    assert halves.walker_tables.__wrapped__(game) is None


@dataclass(frozen=True, repr=False)
class Entangled(CoinGame):
    """A Coin Game in which what one sees of a coin depends on where one stands."""

    def features(self, view):
        *others, coin = super().features(view)
        return [*others, coin + (view[0] == view[2])]


def test_observations_of_both_halves_are_made_by_the_rules():
    game = Entangled(height=5, width=5, max_cycles=9)
    assert halves.one_positions(game) is None
    batches = [NumpyBatch("coin_game_v0", game, Options(9, tables=t)) for t in (None, False)]
    assert batches[0].engine.ready is None
    play_both(batches, steps=12)
