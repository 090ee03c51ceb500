"""Filming some games of a vector environment."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.replay import BatchFilm


def filmed(steps, games=(1, 3), **options):
    """A film, and what the batch observed and paid: [T, B, N, ...]."""
    venv = sde.make_vec_env("coin_game_v0", num_envs=5, max_cycles=4, **options)
    venv.reset(seed=7)
    film = BatchFilm(venv, games, game_kwargs={"max_cycles": 4})
    rng = np.random.default_rng(0)
    paid = []
    for _ in range(steps):
        actions = rng.integers(4, size=(5, 2))
        given = actions if venv.backend == "numpy" else venv_actions(venv, actions)
        rewards = venv.step(given)[1]
        film.add(given)
        paid.append(np.array(rewards.tolist()))
    return film, np.stack(paid)


def venv_actions(venv, actions):
    torch = pytest.importorskip("torch")
    return torch.as_tensor(actions, device=venv.device)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_film_has_the_rewards_of_the_batch(backend):
    """Ten steps of episodes of four: two whole ones and half of a third, of each game."""
    film, paid = filmed(10, backend=backend)
    episodes = film.episodes()
    assert [episode.steps for episode in episodes] == [4, 4, 2] * 2
    for k, game in enumerate((1, 3)):
        rewards = np.concatenate([e.rewards for e in episodes[3 * k : 3 * k + 3]])
        assert (rewards == paid[:, game]).all()


def test_next_step_resets_take_a_step_that_is_not_filmed():
    film, paid = filmed(9, games=(2,), autoreset="next_step")
    first, second = film.episodes()
    assert (np.array(first.rewards) == paid[:4, 2]).all()
    assert (np.array(second.rewards) == paid[5:, 2]).all()


def test_a_film_does_not_change_the_batch():
    alone = sde.make_vec_env("ipd_v0", num_envs=3)
    watched = sde.make_vec_env("ipd_v0", num_envs=3)
    for venv in (alone, watched):
        venv.reset(seed=0)
    BatchFilm(watched, (0,))
    assert watched.get_state() == alone.get_state()


@pytest.mark.parametrize(
    ("games", "words"), [((), "must lie in"), ((5,), "must lie in 0 .. 4"), ((1, 1), "must differ")]
)
def test_games_that_there_are_not(games, words):
    with pytest.raises(ValueError, match=words):
        filmed(1, games=games)


def test_in_the_middle_of_an_episode_no_film_begins():
    venv = sde.make_vec_env("ipd_v0", num_envs=2)
    venv.reset(seed=0)
    venv.step(np.zeros((2, 2), np.int64))
    with pytest.raises(ValueError, match="begin a film at a reset"):
        BatchFilm(venv, (0,))


def test_resets_by_hand_are_not_followed():
    film, _ = filmed(4, autoreset="disabled")
    film.add(np.zeros((5, 2), np.int64))
    with pytest.raises(ValueError, match="reset by hand"):
        film.episodes()
