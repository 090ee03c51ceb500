"""What is timed: each maker returns a function that plays a number of steps in all games.

Random actions, rewards, the observations of all players and automatic resets are inside;
compilation and set-up are not.
"""

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import social_dilemmas_env as sde
from social_dilemmas_env.engine.tables import observation_ids, observations, tables

Loop = Callable[[int], None]  # plays so many steps


def numpy_loop(env_id: str, num_envs: int, actions: Any = np.int64, **options: Any) -> Loop:
    """The numpy batch, with actions drawn by numpy's generator."""
    venv, rng = sde.make_vec_env(env_id, num_envs, **options), np.random.default_rng(0)
    venv.reset(seed=0)
    shape, count = (num_envs, venv.num_agents), venv.game.num_actions[0]

    def run(steps: int) -> None:
        for _ in range(steps):
            venv.step(rng.integers(count, size=shape, dtype=actions))

    return run


def torch_loop(env_id: str, num_envs: int, device: str = "cpu", **options: Any) -> Loop:
    """The torch batch, with actions drawn by a generator of its own."""
    import torch

    venv = sde.make_vec_env(env_id, num_envs, "torch", device, **options)
    rng = torch.Generator(device).manual_seed(0)
    venv.reset(seed=0)
    shape, count = (num_envs, venv.num_agents), venv.game.num_actions[0]

    def run(steps: int) -> None:
        for _ in range(steps):
            venv.step(torch.randint(count, shape, generator=rng, device=device))

    return run


def jax_loop(env_id: str, num_envs: int, **options: Any) -> Loop:
    """The batch on JAX, with actions drawn by numpy's generator."""
    import jax

    venv, rng = sde.make_vec_env(env_id, num_envs, "jax", **options), np.random.default_rng(0)
    shape, count = (num_envs, venv.num_agents), venv.game.num_actions[0]
    venv.reset(seed=0)

    def run(steps: int) -> None:
        for _ in range(steps):
            outputs = venv.step(rng.integers(count, size=shape, dtype=np.int32))
        jax.block_until_ready(outputs)

    return run


def pure_jax_loop(env_id: str, num_envs: int, **options: Any) -> Loop:
    """The pure functions on JAX in one compiled loop, which keeps the last observations.

    Actions are bits of JAX's generator: its `randint` takes as long as a step.
    """
    import jax

    env = sde.jax_env(env_id, **options)
    shape, count = (num_envs, env.num_agents), env.game.num_actions[0]
    observations, state = jax.jit(jax.vmap(env.reset))(env.seeds(0, num_envs))

    @jax.jit
    def play(steps: Any, carry: Any) -> Any:
        def one_step(_: Any, carry: Any) -> Any:
            state, _, key, paid = carry
            key, now = jax.random.split(key)
            actions = (jax.random.bits(now, shape, "uint8") % count).astype("int32")
            observations, state, rewards, *_ = jax.vmap(env.step)(state, actions)
            return state, observations, key, paid + rewards

        return jax.lax.fori_loop(0, steps, one_step, carry)

    # The carry stays on the device from call to call.
    paid = jax.numpy.zeros(shape)
    kept = [(state, observations, jax.random.key(0), paid)]

    def run(steps: int) -> None:
        kept[0] = jax.block_until_ready(play(steps, kept[0]))

    return run


def bare_loop(num_envs: int, dtype: str, *, joint: bool = False, **game_kwargs: Any) -> Loop:
    """The ceiling: table look-ups in arrays made once, numpy's generator, no checks.

    Actions are drawn for each player and joined, as from a user; with `joint=True` as one joint
    action.
    """
    # The rules' tables: state x joint action -> next state or pending respawn, and rewards.
    game = sde.spec("coin_game_v0").game(**game_kwargs)
    table, rng = tables(game), np.random.default_rng(0)
    span, states, moves = table.span, table.num_states, game.num_actions[0]
    after, outcomes = table.next_code.astype(np.int16), table.outcomes.astype(np.int16)
    rewards = np.array(game.reward_values, np.float32)[table.rewards]
    ids, kind = observation_ids(game, np.arange(states)), np.dtype(dtype).type
    rows = observations(game, ids, kind).reshape(states, -1)

    # Arrays made once.
    state, entry = np.zeros(num_envs, np.int64), np.empty(num_envs, np.int64)
    next_code, reward = np.empty(num_envs, np.int16), np.empty((num_envs, 2), np.float32)
    observed = np.empty((num_envs, rows.shape[1]), dtype)

    def run(steps: int) -> None:
        for t in range(steps):
            if t % game.max_cycles == 0:
                state[...] = outcomes[rng.integers(len(outcomes), size=num_envs)]

            # Act.
            np.multiply(state, moves**2, out=entry)
            if joint:
                np.add(entry, rng.integers(moves**2, size=num_envs), out=entry)
            else:
                actions = rng.integers(moves, size=(num_envs, 2))
                np.add(entry, actions[:, 0] * moves + actions[:, 1], out=entry)
            np.take(after, entry, out=next_code, mode="clip")
            np.take(rewards, entry, axis=0, out=reward, mode="clip")

            # Respawn coins where one was picked up, and observe.
            lanes = np.flatnonzero(next_code >= states)
            state[...] = next_code
            chance = rng.integers(span, size=len(lanes))
            state[lanes] = outcomes[(state[lanes] - states) * span + chance]
            np.take(rows, state, axis=0, out=observed, mode="clip")

    return run


def single_loop(env: Any) -> Loop:
    """One game of any parallel PettingZoo environment, with actions of Python's generator."""
    import random

    rng = random.Random(0)
    counts = {agent: int(env.action_space(agent).n) for agent in env.possible_agents}
    env.reset(seed=0)

    def run(steps: int) -> None:
        for _ in range(steps):
            if not env.agents:
                env.reset()
            env.step({agent: int(rng.random() * n) for agent, n in counts.items()})

    return run


def rps_v2() -> Any:
    """PettingZoo's own smallest parallel game."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("pettingzoo.classic.rps_v2").parallel_env()


def peer_loop(path: str, num_envs: int) -> Loop:
    """Another project's environment.

    `path` is "module:function", and function(num_envs) returns a `Loop`. The module is found as by
    `import` (set PYTHONPATH to a local copy of the project).  The loop plays `steps` steps in all
    games, random actions and automatic resets included, and returns when everything has been
    computed.  For example:

        def pola(num_envs):                              # my_peers.py
            run = jax.jit(many_steps, static_argnums=1)  # a scan over vmap(env.step)
            def loop(steps):
                jax.block_until_ready(run(state, steps))
            return loop
    """
    loop: Loop = find_peer(path)(num_envs)
    return loop


def find_peer(path: str) -> Callable[[int], Loop]:
    """The function of "module:function".

    Raises:
        ValueError: it is written otherwise, or is not there.
    """
    module, _, function = path.partition(":")
    if not (module and function):
        raise ValueError(f"--peer is module:function, got {path!r}")
    try:
        found: Callable[[int], Loop] = getattr(importlib.import_module(module), function)
    except ImportError as error:
        raise ValueError(f"--peer {path}: {error} (is it on PYTHONPATH?)") from None
    except AttributeError:
        raise ValueError(f"--peer {path}: {module} has no {function!r}") from None
    return found


def steps_per_second(
    loops: dict[str, Loop], num_envs: int, seconds: float, chunk: int = 50
) -> dict[str, list[float]]:
    """Env-steps per second of process CPU time, several measurements of each loop, taken in turn.

    `chunk` steps at least are played at a time (whole episodes); each measurement takes about
    `seconds` / 5.
    """
    # How many steps take `seconds` / 5.
    sizes = {}
    for name, loop in loops.items():
        loop(chunk)  # fills caches, finishes compilation
        start = time.process_time()
        loop(chunk)
        once = max(time.process_time() - start, 1e-6)
        sizes[name] = chunk * max(1, round(seconds / 5 / once))

    # In turn: what slows the machine slows all of them.
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(5):
        for name, loop in loops.items():
            start = time.process_time()
            loop(sizes[name])
            spent = max(time.process_time() - start, 1e-6)
            rates[name].append(num_envs * sizes[name] / spent)
    return rates
