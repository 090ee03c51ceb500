"""gymnax's and JaxMARL's calls give the games of `jax_env`; the examples in JAX learn."""

import numpy as np
import pytest

import social_dilemmas_env as sde

jax = pytest.importorskip("jax", reason="JAX is not installed")
jnp = jax.numpy

from examples import jax_ippo, jax_lola  # noqa: E402
from social_dilemmas_env.adapters.jax_trainers import GymnaxEnv, JaxMARLEnv  # noqa: E402

GAME = {"max_cycles": 3}


def always_defect(key, observation):
    return jnp.ones((), jnp.int32)


@pytest.fixture(scope="module")
def steps():
    """Four steps of the same game by three sets of calls, all players defecting but the first."""
    key, env = jax.random.key(4), sde.jax_env("ipd_v0", **GAME)
    single, many = GymnaxEnv("ipd_v0", always_defect, **GAME), JaxMARLEnv("ipd_v0", **GAME)

    @jax.jit
    def play(key):
        states = [env.reset(key)[1], single.reset(key)[1], many.reset(key)[1]]
        rows = []
        for t in range(4):
            mine = jnp.asarray(t % 2)
            seen, states[0], rewards, _, ended, info = env.step(states[0], jnp.stack([mine, 1]))
            one = single.step(key, states[1], mine, single.default_params)
            both = many.step(key, states[2], {"player_0": mine, "player_1": 1})
            states[1], states[2] = one[1], both[1]
            rows.append(((seen, rewards, ended, info["final_obs"]), one, both))
        return rows

    return jax.tree.map(np.asarray, play(key))


def test_gymnax(steps):
    for (seen, rewards, ended, final), one, _ in steps:
        np.testing.assert_array_equal(one[0], seen[0])
        assert (one[2], one[3]) == (rewards[0], ended[0])
        np.testing.assert_array_equal(one[4]["final_obs"], final[0])


def test_jaxmarl(steps):
    for (seen, rewards, ended, _), _, both in steps:
        for n, agent in enumerate(("player_0", "player_1")):
            np.testing.assert_array_equal(both[0][agent], seen[n])
            assert (both[2][agent], both[3][agent]) == (rewards[n], ended[n])
        assert both[3]["__all__"] == ended.all()
    assert [bool(both[3]["__all__"]) for _, _, both in steps] == [False, False, True, False]


def test_jaxmarl_goes_on_from_a_given_state():
    env = JaxMARLEnv("ipd_v0", max_cycles=1)
    _, state = env.reset(jax.random.key(0))
    _, other = env.reset(jax.random.key(1))
    actions = dict.fromkeys(env.agents, jnp.zeros((), jnp.int32))
    _, after, *_ = env.step(jax.random.key(0), state, actions, reset_state=other)
    assert env.env.get_state(after) == env.env.get_state(other)


def test_spaces():
    single, many = GymnaxEnv("rps_v0", always_defect, player=1), JaxMARLEnv("rps_v0")
    assert single.num_actions == single.action_space().n == many.action_space("player_1").n == 3
    assert single.observation_space().shape == many.observation_space("player_0").shape == (10,)
    assert (single.name, many.num_agents) == ("rps_v0", 2)
    _, state = many.reset(jax.random.key(0))
    assert many.get_avail_actions(state)["player_0"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("make", [JaxMARLEnv, lambda *a, **k: GymnaxEnv(*a, always_defect, **k)])
def test_games_restart_in_the_step_in_which_they_end(make):
    with pytest.raises(ValueError, match="needs autoreset='same_step'"):
        make("ipd_v0", autoreset="disabled")


def test_there_is_no_such_player():
    with pytest.raises(ValueError, match=r"player must lie in 0 \.\. 1"):
        GymnaxEnv("ipd_v0", always_defect, player=2)


@pytest.mark.slow
def test_independent_ppo_learns_to_defect():
    _, curves = jax_ippo.train(sde.jax_env("ipd_v0"), jax_ippo.Config(), updates=40)
    assert curves["action 1"][0] < 0.6
    assert curves["action 1"][-1] > 0.95


@pytest.mark.slow
def test_independent_ppo_takes_every_coin():
    """And its reward stays what it was: what one gains, the other loses."""
    _, curves = jax_ippo.train(sde.jax_env("coin_game_v0"), jax_ippo.Config(), updates=100)
    assert curves["picked"][-1] > 2 * curves["picked"][0]
    assert abs(curves["reward"][-1]) < 0.05


@pytest.mark.slow
def test_exact_lola_reciprocates():
    """Players who do not look ahead end at 0 everywhere."""
    cooperate = np.mean([jax_lola.train(500, seed) for seed in range(5)], axis=(0, 1))
    assert cooperate[1] > 0.8  # after CC
    assert cooperate[1] - cooperate[2] > 0.3  # after having been exploited


@pytest.mark.slow
def test_a_sampled_lola_update_is_the_exact_one_but_for_noise():
    """The cosine is .93 with these games, all of whose draws are fixed."""
    assert jax_lola.cosine(*jax_lola.sampled_update(8192)) > 0.8
