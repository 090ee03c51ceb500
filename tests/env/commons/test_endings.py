"""Episodes that end at random, as Melting Pot's: the same in every API, and truncation."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games.commons.game import CommonsGame
from tests.env.parity.batches import numpy_of, reset, step
from tests.helpers.games import SMALL_COMMONS

OPTIONS = {"map": SMALL_COMMONS, "num_agents": 2, "ending": "melting_pot", "max_cycles": 20}
B = 40


@pytest.fixture
def soon(monkeypatch):
    """Episodes may end at t = 5, 8, 11, ..., which lets a test be short."""
    monkeypatch.setattr(CommonsGame, "first_end", 5)
    monkeypatch.setattr(CommonsGame, "between_ends", 3)


def lengths_one_by_one(episodes):
    """[episodes, B]: how long the episodes of the single games are."""
    found = []
    for i in range(B):
        env = sde.make_env("commons_harvest_v0", **OPTIONS)
        env.reset(seed=sde.draw(3, i))
        found.append([])
        for _ in range(episodes):
            steps = 0
            while env.agents:
                *_, terminations, truncations, _ = env.step(dict.fromkeys(env.agents, 0))
                steps += 1
            assert not any(terminations.values())
            assert all(truncations.values())
            found[-1].append(steps)
            env.reset()
    return np.array(found).T


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("autoreset", ["same_step", "next_step", "disabled"])
def test_batches_end_where_single_games_do(soon, backend, autoreset):
    venv = sde.make_vec_env(
        "commons_harvest_v0", B, backend=backend, autoreset=autoreset, **OPTIONS
    )
    reset(venv, seed=3)
    ends, extra = np.zeros((3, B), int), {"same_step": 0, "next_step": 1, "disabled": 0}[autoreset]
    number, since = np.zeros(B, int), np.zeros(B, int)
    while (number < 3).any():
        _, _, terminations, truncations, _ = step(venv, np.zeros((B, 2), np.int64))
        since += 1
        done = truncations[:, 0]
        assert not terminations.any()
        lanes = np.flatnonzero(done & (number < 3))
        ends[number[lanes], lanes] = since[lanes]
        number, since = number + done, np.where(done, -extra, since)
        if autoreset == "disabled" and done.any():
            mask = done if backend == "numpy" else venv.engine.xp.column(done * 1) > 0
            venv.reset(options={"reset_mask": mask})
    np.testing.assert_array_equal(ends, lengths_one_by_one(3))
    assert set(ends.reshape(-1).tolist()) <= {5, 8, 11, 14, 17, 20}


def test_where_an_episode_may_end():
    """Melting Pot's engine, its probability set to 1, ends after 1,099 steps."""
    game = sde.spec("commons_harvest_v0").game(ending="melting_pot")
    steps = np.arange(5001)
    assert steps[game.may_end(steps)].tolist() == list(range(1099, 5001, 100))
    assert game.max_cycles == 5000
    assert not sde.spec("commons_harvest_v0").game().may_end(steps).any()


def test_how_often():
    """15 in a hundred of 40,000: five standard errors, false alarm 6e-7."""
    venv = sde.make_vec_env("commons_harvest_v0", 2, **OPTIONS)
    key = tuple(np.arange(40_000, dtype=np.uint32) * k for k in (7919, 2))
    key = key[0], key[1] | 1
    ended = venv.game.ends(1099, venv.engine.draw(key, 1099))
    assert abs(ended.mean() - 0.15) < 5 * (0.15 * 0.85 / 40_000) ** 0.5


def test_states_of_ended_games(soon):
    """They are taken back, and refused where an episode cannot have ended."""
    env = sde.make_env("commons_harvest_v0", **OPTIONS)
    env.reset(seed=1)
    while env.agents:
        env.step(dict.fromkeys(env.agents, 0))
    state = env.get_state()
    env.reset()
    env.set_state(state)
    assert env.agents == []
    with pytest.raises(ValueError, match="over must be 1 at t = 20 and 0 before"):
        env.set_state(state._replace(t=6))


def test_the_batch_goes_back_to_one_clock(soon):
    """Where nobody ended, all games are in step again."""
    venv = sde.make_vec_env("commons_harvest_v0", 1, **OPTIONS)
    venv.reset(seed=0)
    for _ in range(60):
        venv.step(np.zeros((1, 2), np.int64))
        assert isinstance(venv.clock, int)
    assert numpy_of(venv.observe_now()).shape == (1, 2, 9, 11, 11)
