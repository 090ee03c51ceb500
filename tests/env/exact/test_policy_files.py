"""Policies as files: what is written is read, and what is no policy of this game is refused."""

import os
import zipfile

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.exact import load_policy, save_policy


@pytest.fixture(scope="module")
def game():
    return sde.exact_game("coin_game_v0", memory="last_pickup")


def uniform(game):
    return np.full((game.num_states, 4), 0.25)


def test_what_is_saved_is_loaded(game, tmp_path):
    tft = game.policy("tit_for_tat")
    save_policy(tmp_path / "tft.npz", "tit_for_tat", game)
    assert (load_policy(tmp_path / "tft.npz", game) == tft).all()
    finite = game.finite(10)
    assert (load_policy(str(tmp_path / "tft.npz"), finite, player=1) == tft).all()


@pytest.mark.parametrize("env_id", ["public_goods_v0", "ipd_v0"])
def test_games_whose_columns_are_fewer_than_their_states(env_id, tmp_path):
    game = sde.exact_game(env_id)
    save_policy(tmp_path / "all.npz", "tit_for_tat" if env_id == "ipd_v0" else "random", game)
    load_policy(tmp_path / "all.npz", game)


def test_rows_may_come_in_any_order_where_states_are_named(game, tmp_path):
    table = np.random.default_rng(0).dirichlet(np.ones(4), game.num_states)
    states = np.stack(list(game.columns.values()), 1)
    mixed = np.random.default_rng(1).permutation(game.num_states)
    np.savez(tmp_path / "mixed.npz", probabilities=table[mixed], states=states[mixed])
    assert np.allclose(load_policy(tmp_path / "mixed.npz", game), table)


def test_probabilities_alone_are_enough(game, tmp_path):
    np.savez(tmp_path / "plain.npz", probabilities=uniform(game).astype(np.float32))
    assert (load_policy(tmp_path / "plain.npz", game) == 0.25).all()


def skewed(game):
    table = uniform(game)
    table[7, 0] = 0.5
    return table


REFUSED = {  # what a file holds: what is said of it
    "another shape": (lambda g: {"probabilities": np.full((9, 4), 0.25)}, r"shape \[1152, 4\]"),
    "rows": (lambda g: {"probabilities": skewed(g)}, "state 7 sums to 1.25"),
    "negative": (lambda g: {"probabilities": uniform(g) * -1}, "must hold probabilities"),
    "not a number": (lambda g: {"probabilities": uniform(g) * np.nan}, "must hold probabilities"),
    "another name": (lambda g: {"policy": uniform(g)}, "named 'probabilities', and holds policy"),
    "text": (lambda g: {"probabilities": np.array(["half"])}, "must be numbers"),
    "complex": (lambda g: {"probabilities": uniform(g) * 1j}, "must be numbers"),
    "objects": (lambda g: {"probabilities": uniform(g).astype(object)}, "plain arrays"),
    "other states": (
        lambda g: {"probabilities": uniform(g), "states": np.zeros((1152, 8), int)},
        "other states",
    ),
    "fewer states": (
        lambda g: {"probabilities": uniform(g), "states": np.zeros((3, 8), int)},
        r"integers of shape \[1152, 8\]",
    ),
    "other columns": (
        lambda g: {
            "probabilities": uniform(g),
            "states": np.stack(list(g.columns.values()), 1),
            "columns": np.array(["coin"]),
        },
        "for states of coin",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_policy_is_refused_in_a_sentence(what, game, tmp_path):
    arrays, sentence = REFUSED[what]
    np.savez(tmp_path / "bad.npz", **arrays(game))
    with pytest.raises(ValueError, match=sentence) as raised:
        load_policy(tmp_path / "bad.npz", game)
    assert "bad.npz" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_files_that_are_no_npz_are_refused(game, tmp_path):
    with pytest.raises(FileNotFoundError, match="no file"):
        load_policy(tmp_path / "none.npz", game)
    np.save(tmp_path / "plain.npy", uniform(game))
    with pytest.raises(ValueError, match="is no npz"):
        load_policy(tmp_path / "plain.npy", game)


def test_a_damaged_file_is_refused(game, tmp_path):
    path = tmp_path / "cut.npz"
    save_policy(path, "tit_for_tat", game)
    data = bytearray(path.read_bytes())
    data[200:230] = bytes(30)
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"cut\.npz cannot be read"):
        load_policy(path, game)


def test_a_pickle_is_never_run(game, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.savez(tmp_path / "trap.npz", probabilities=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match="plain arrays of numbers"):
        load_policy(tmp_path / "trap.npz", game)
    assert not (tmp_path / "sprung").exists()


def test_a_wrong_policy_is_not_written(game, tmp_path):
    with pytest.raises(ValueError, match="sum to one"):
        save_policy(tmp_path / "no.npz", skewed(game), game)
    assert not (tmp_path / "no.npz").exists()


def test_a_table_that_swells_is_not_read(game, tmp_path):
    """A file of a hundred kilobytes that would take a hundred megabytes."""
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, probabilities=np.zeros((13_000_000, 1)))
    assert path.stat().st_size < 200_000
    with pytest.raises(ValueError, match=r"bomb\.npz.*more than a table of this game has"):
        load_policy(path, game)


def test_a_member_that_is_no_array_is_refused(game, tmp_path):
    with zipfile.ZipFile(tmp_path / "odd.npz", "w") as file:
        file.writestr("probabilities.npy", b"no array at all")
    with pytest.raises(ValueError, match=r"odd\.npz cannot be read as plain arrays"):
        load_policy(tmp_path / "odd.npz", game)


def test_a_name_that_stands_twice_is_refused(game, tmp_path):
    path = tmp_path / "twice.npz"
    save_policy(path, "tit_for_tat", game)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
        file.writestr("probabilities.npy", file.read("probabilities.npy"))
    with pytest.raises(ValueError, match="a name stands twice"):
        load_policy(path, game)


def test_one_number_is_no_table(game, tmp_path):
    np.savez(tmp_path / "one.npz", probabilities=np.array(0.5), states=np.zeros((1152, 8), int))
    with pytest.raises(ValueError, match="one row a probability row"):
        load_policy(tmp_path / "one.npz", game)


def test_a_pipe_is_not_waited_for(game, tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(FileNotFoundError, match=r"no file .*pipe\.npz"):
        load_policy(tmp_path / "pipe.npz", game)
