"""The JAX backend: the same games as everywhere, as a batch and as pure functions.

Compiling takes a second a game, so most of this is slow, as are the rows "jax" of `any_route`.
"""

import pickle
import sys

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.engine.tables import fits
from tests.env.parity.batches import JAX_ROUTES, batch, moves, reset, same, singles, step
from tests.helpers.games import COMMONS, GAMES, rules

jax = pytest.importorskip("jax", reason="JAX is not installed")
jnp = jax.numpy

B = 3


def play_batch(name, route, steps, **more):
    """A batch on JAX beside single games."""
    venv, games = batch(name, B, route, **more), singles(name, range(B), 5, **more)
    actions = np.random.default_rng(6)
    np.testing.assert_array_equal(reset(venv, seed=5), games.reset())
    for _ in range(steps):
        joint = moves(venv, actions)
        same(step(venv, joint), games.step(joint))
    for i, single in enumerate(games.state()):
        state = venv.get_state()
        assert (state.game, *(part[i] for part in state[1:])) == tuple(single)


def pure(name, **more):
    """The pure functions of a game of the list."""
    env_id, arguments = GAMES[name]
    return sde.jax_env(env_id, **{**arguments, **more})


def rollout(env, seeds, actions):
    """All of B games in one compiled program: first observations, last state, every step."""

    def play(seeds, actions):
        def one_step(state, joint):
            observations, state, *rest = jax.vmap(env.step)(state, joint)
            return state, (observations, *rest)

        observations, state = jax.vmap(env.reset)(seeds)
        return observations, *jax.lax.scan(one_step, state, actions)

    return jax.jit(play)(seeds, jnp.asarray(actions))


def play_pure(name, steps, **more):
    """The pure functions, made many of and scanned, beside a batch on numpy."""
    tables = more.pop("tables", None)
    env, venv = pure(name, tables=tables, **more), batch(name, B, **more)
    draws = np.random.default_rng(6)
    actions = np.stack([moves(venv, draws) for _ in range(steps)])
    first, last, outputs = rollout(env, env.seeds(5, B), actions)

    np.testing.assert_array_equal(first, reset(venv, seed=5))
    for t, joint in enumerate(actions):
        *arrays, infos = jax.tree.map(lambda part, t=t: np.asarray(part[t]), outputs)
        expected = step(venv, joint)
        if infos and not expected[4]:  # they are there at every step
            assert not infos["_final_obs"].any()
            np.testing.assert_array_equal(infos["final_obs"], arrays[0])
            infos = {}
        same((*arrays, infos), expected)
    assert env.get_state(last) == venv.get_state()


# ------------------------------------------------------------------------------------------ parity


@pytest.mark.parametrize(("name", "route"), [("coin", "jax"), ("ipd_noise", "jax_rules")])
def test_a_batch_is_single_games(name, route):
    """A whole episode, and into the next."""
    play_batch(name, route, steps=batch(name, 1).max_cycles + 3)


@pytest.mark.parametrize(("name", "tables"), [("coin_random", None), ("ipd_noise", False)])
def test_pure_functions_are_a_batch(name, tables):
    play_pure(name, steps=12, tables=tables, max_cycles=5)


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("route", JAX_ROUTES)
def test_every_game_as_a_batch(name, route):
    """With its own horizon."""
    if name in COMMONS and route == "jax_rules":
        pytest.skip("its one engine is that of the other route")
    play_batch(name, route, steps=batch(name, 1).max_cycles + 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
@pytest.mark.parametrize("tables", [True, False])
@pytest.mark.parametrize("autoreset", ["same_step", "next_step"])
def test_every_game_as_pure_functions(name, tables, autoreset):
    if tables and not fits(rules(name)):
        pytest.skip("too large for tables")
    steps = 2 * batch(name, 1).max_cycles + 3
    play_pure(name, steps, tables=tables, autoreset=autoreset)


@pytest.mark.slow
@pytest.mark.parametrize("tables", [None, False])
@pytest.mark.parametrize("autoreset", ["same_step", "next_step"])
def test_switches(tables, autoreset):
    """Random ends, trembling hands and the clock, in both forms, where games fall out of step."""
    more = {"continuation": 0.8, "action_noise": 0.1, "observe_time": True, "max_cycles": 9}
    more |= {"autoreset": autoreset}
    env, draws = pure("coin", tables=tables, **more), np.random.default_rng(6)
    venv, twin = batch("coin", B, "jax", tables=tables, **more), batch("coin", B, **more)
    actions = np.stack([moves(venv, draws) for _ in range(30)])

    first, last, outputs = rollout(env, env.seeds(5, B), actions)
    np.testing.assert_array_equal(first, reset(venv, seed=5))
    np.testing.assert_array_equal(first, reset(twin, seed=5))
    for t, joint in enumerate(actions):
        expected = step(twin, joint)
        same(step(venv, joint), expected)
        for part, other in zip(outputs[:4], expected[:4], strict=True):
            np.testing.assert_array_equal(part[t], other)
    assert env.get_state(last) == venv.get_state() == twin.get_state()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "obs_mode"),
    [("coin_3p_2x2", "uint8"), ("coin_3p_2x2", "state"), ("clean_up_small", "uint8")],
)
def test_observation_modes_of_pure_functions(name, obs_mode):
    play_pure(name, steps=12, max_cycles=5, obs_mode=obs_mode)


@pytest.mark.slow
@pytest.mark.parametrize("autoreset", ["same_step", "next_step"])
def test_commons_whose_episodes_end_at_random(autoreset):
    """And in which hands tremble: games fall out of step."""
    more = {"continuation": 0.8, "action_noise": 0.1, "max_cycles": 9, "autoreset": autoreset}
    play_pure("harvest_small", steps=30, **more)
    venv, twin = batch("harvest_small", B, "jax", **more), batch("harvest_small", B, **more)
    draws = np.random.default_rng(6)
    np.testing.assert_array_equal(reset(venv, seed=5), reset(twin, seed=5))
    for _ in range(30):
        joint = moves(venv, draws)
        same(step(venv, joint), step(twin, joint))


def test_disabled_games_stay_over_until_the_caller_resets_them():
    env = pure("ipd", autoreset="disabled", max_cycles=2)
    actions = jnp.zeros(2, jnp.int32)
    _, state = env.reset(3)
    truncations = []
    for _ in range(3):
        _, state, _, _, truncated, info = env.step(state, actions)
        truncations.append(truncated.tolist())
        assert info == {}
    assert truncations == [[False] * 2, [True] * 2, [True] * 2]
    assert env.get_state(state).over == 1


# ---------------------------------------------------------------------------- what surrounds them


def test_a_step_is_compiled_once():
    """Through the end of an episode and a reset, too."""
    env = pure("ipd", max_cycles=3)
    step_of, (_, state) = jax.jit(env.step), jax.jit(env.reset)(env.seeds(0, 1)[0])
    for t in range(8):
        _, state, *_ = step_of(state, jnp.full(2, t % 2))
    assert step_of._cache_size() == 1


def test_the_callers_64_bits_change_nothing():
    """Neither values nor types, and they are what they were afterwards."""
    env = pure("ipd_noise")
    results = []
    for allowed in (False, True):
        with jax.enable_x64(allowed):
            assert jax.config.jax_enable_x64 is allowed
            _, state = jax.jit(env.reset)(7)
            results.append(jax.jit(env.step)(state, jnp.array([0, 1], jnp.int32)))
            assert jax.config.jax_enable_x64 is allowed
    for one, two in zip(*map(jax.tree.leaves, results), strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_array_equal(one, two)


def test_seeds_and_keys():
    """Integers up to 63 bits, traced ones, and JAX's keys, old and new."""
    env = pure("ipd")

    def seed_of(key):
        return env.get_state(env.reset(key)[1]).seed

    assert seed_of(2**63 - 1) == 2**63 - 1
    assert seed_of(np.int64(2**40)) == 2**40
    assert seed_of(jnp.uint32(2**32 - 1)) == 2**32 - 1
    assert seed_of(jax.random.key(5)) == seed_of(jax.random.PRNGKey(5))
    many = jax.vmap(lambda key: env.reset(key)[1])(jax.random.split(jax.random.key(0), 4))
    assert len(set(env.get_state(many).seed)) == 4


def test_states_move_between_a_batch_and_pure_functions():
    env, venv = pure("coin"), batch("coin", B)
    reset(venv, seed=2)
    step(venv, np.ones((B, 2), int))
    state = venv.get_state()
    assert env.get_state(env.set_state(state)) == state
    one = sde.State(state.game, *(field[1] for field in state[1:]))
    assert env.get_state(env.set_state(one)) == one


def test_a_batch_on_a_device_survives_a_pickle():
    venv = batch("ipd", B, "jax", device=jax.devices("cpu")[0])
    reset(venv, seed=0)
    twin = pickle.loads(pickle.dumps(venv))
    assert twin.device == venv.device
    joint = np.ones((B, 2), int)
    same(step(twin, joint), step(venv, joint))


def test_outputs_are_on_the_device():
    venv = batch("ipd", B, "jax")
    outputs = [venv.reset(seed=0)[0], *venv.step(jnp.zeros((B, 2), int))[:4]]
    assert all(isinstance(part, jax.Array) for part in outputs)
    assert {part.device for part in outputs} == {venv.device}


# ---------------------------------------------------------------------------------------- bad input


def make_batch(**options):
    return sde.make_vec_env("ipd_v0", B, backend="jax", **options)


BIG = {"num_agents": 7, "grid_size": 4, "obs_mode": "state"}
BAD = {
    "no device": (lambda: make_batch(device="abacus"), ValueError, "device must be"),
    "a number": (lambda: make_batch(device=1), ValueError, "device must be"),
    "too many": (lambda: make_batch(device="cpu:64"), RuntimeError, "there are 1 cpu devices"),
    "no TPU": (lambda: make_batch(device="tpu"), RuntimeError, 'use device="cpu"'),
    "static": (lambda: make_batch(static=True), ValueError, 'option of backend="torch"'),
    "ids of 64 bits": (lambda: sde.jax_env("coin_game_v0", **BIG), ValueError, "jax_enable_x64"),
    "ids of a commons": (
        lambda: sde.jax_env("commons_harvest_v0", obs_mode="state"),
        ValueError,
        'too many views for observation ids; "uint8"',
    ),
    "too many commons": (
        lambda: sde.make_vec_env("commons_harvest_v0", 1_239_887, backend="jax"),
        ValueError,
        "num_envs must be at most 1239886 for this map .* got 1239887",
    ),
    "negative seed": (lambda: pure("ipd").reset(-1), ValueError, "seed must lie in"),
    "fractional seed": (lambda: pure("ipd").reset(0.5), TypeError, "seed must be an integer"),
    "many keys": (lambda: pure("ipd").reset(jnp.zeros((3, 2), jnp.uint32)), TypeError, "vmap"),
    "float key": (lambda: pure("ipd").reset(jnp.float32(3)), TypeError, "an integer or a"),
    "a batch of actions": (
        lambda: pure("ipd").step(pure("ipd").reset(0)[1], jnp.zeros((B, 2), int)),
        ValueError,
        r"must have shape \[N\] = \(2,\)",
    ),
    "unknown keyword": (lambda: sde.jax_env("ipd_v0", horizon=3), TypeError, "horizon"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()


def test_a_batch_is_not_stepped_while_tracing():
    venv = batch("ipd", B, "jax")
    reset(venv, seed=0)
    before = venv.get_state()
    with pytest.raises(TypeError, match="jax_env"):
        jax.jit(venv.step)(jnp.zeros((B, 2), int))
    with pytest.raises(TypeError, match="must be a JAX array, got list"):
        venv.step([[0, 0]] * B)
    assert venv.get_state() == before


@pytest.mark.parametrize("make", [make_batch, lambda: sde.jax_env("ipd_v0")])
def test_jax_is_too_old_or_missing(make, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(jax, "__version__", "0.4.30")
        with pytest.raises(ImportError, match=r"needs JAX 0\.8 or newer, found 0\.4\.30: pip"):
            make()
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r'backend="jax" needs jax: pip install -e "\.\[jax\]"'):
        make()
