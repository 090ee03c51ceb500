"""Independent PPO in pure JAX: everything, games and learners, is one compiled program.

    pip install -e ".[jax]"
    python examples/jax_ippo.py                       # Coin Game: both learn to take every coin
    python examples/jax_ippo.py --env ipd_v0 --updates 60

Two players, a network each, learn at once and each for itself, and so learn to defect: in the Coin
Game they come to pick up the other's coins as often as their own.  One file, to be copied and
changed; nothing but JAX and the games.
"""

import argparse
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import social_dilemmas_env as sde

Array = jax.Array
Params = dict[str, Array]


class Config(NamedTuple):
    """Settings, those of a small PPO; B games of T steps, an update after each episode."""

    num_envs: int = 256
    gamma: float = 0.96
    lam: float = 0.95  # of generalised advantage estimation
    clip: float = 0.2
    epochs: int = 4  # passes over the steps of a rollout, whole
    lr: float = 3e-3
    entropy: float = 0.01
    hidden: int = 64


class Steps(NamedTuple):
    """A rollout: [T, N, B, ...] each."""

    seen: Array
    action: Array
    log_prob: Array
    value: Array
    reward: Array


def init(key: Array, inputs: int, hidden: int, actions: int) -> Params:
    """A network with one hidden layer, which gives logits and a value."""
    one, two = jax.random.split(key)
    return {
        "w1": jax.random.normal(one, (inputs, hidden)) / jnp.sqrt(2.0),  # few inputs are 1
        "b1": jnp.zeros(hidden),
        "w2": jax.random.normal(two, (hidden, actions + 1)) * 0.01,
        "b2": jnp.zeros(actions + 1),
    }


def network(params: Params, seen: Array) -> tuple[Array, Array]:
    """Log-probabilities [..., A] and values [...]."""
    hidden = jnp.tanh(seen @ params["w1"] + params["b1"])
    out = hidden @ params["w2"] + params["b2"]
    return jax.nn.log_softmax(out[..., :-1]), out[..., -1]


def of_action(log_probs: Array, action: Array) -> Array:
    """The log-probability of the action that was taken."""
    return jnp.take_along_axis(log_probs, action[..., None], -1)[..., 0]


def rollout(env: Any, params: Params, state: Any, observations: Array, keys: Array) -> Any:
    """An episode of all games: (state, observations), steps."""

    def step(carry: Any, key: Array) -> Any:
        state, observations = carry
        seen = observations.reshape(*observations.shape[:2], -1).swapaxes(0, 1)  # [N, B, F]
        log_probs, value = jax.vmap(network)(params, seen)
        action = jax.random.categorical(key, log_probs)
        observations, state, reward, *_ = jax.vmap(env.step)(state, action.T)
        taken = Steps(seen, action, of_action(log_probs, action), value, reward.T)
        return (state, observations), taken

    return jax.lax.scan(step, (state, observations), keys)


def advantages(steps: Steps, config: Config) -> Array:
    """Generalised advantage estimation [T, N, B]; the horizon ends the sum."""

    def back(later: Any, now: Any) -> Any:
        advantage, next_value = later
        reward, value = now
        delta = reward + config.gamma * next_value - value
        advantage = delta + config.gamma * config.lam * advantage
        return (advantage, value), advantage

    # What comes after the horizon is guessed to be as the last value: the game is only cut off.
    last = jnp.zeros_like(steps.value[0]), steps.value[-1]
    return jax.lax.scan(back, last, (steps.reward, steps.value), reverse=True)[1]


def loss(params: Params, steps: Steps, advantage: Array, config: Config) -> Array:
    """PPO's loss of one player, on steps [T, B, ...]."""
    log_probs, value = network(params, steps.seen)
    ratio = jnp.exp(of_action(log_probs, steps.action) - steps.log_prob)
    scaled = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

    clipped = jnp.clip(ratio, 1 - config.clip, 1 + config.clip)
    gain = jnp.minimum(ratio * scaled, clipped * scaled).mean()
    error = jnp.square(value - (advantage + steps.value)).mean()
    entropy = -(jnp.exp(log_probs) * log_probs).sum(-1).mean()
    return 0.5 * error - gain - config.entropy * entropy


def adam(params: Params, grads: Params, moments: Any, count: Array, lr: float) -> Any:
    """A step of Adam (Kingma and Ba 2015)."""
    first, second = moments
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)

    def moved(p: Array, m: Array, v: Array) -> Array:
        return p - lr * (m / (1 - 0.9**count)) / (jnp.sqrt(v / (1 - 0.999**count)) + 1e-8)

    return jax.tree.map(moved, params, first, second), (first, second)


def train(env: Any, config: Config, updates: int, seed: int = 0) -> tuple[Params, dict[str, Array]]:
    """Trains both players; what they did is in the returned curves, [updates] each."""
    inputs = int(jnp.prod(jnp.array(env.game.observation_shape)))
    actions, seats = env.game.num_actions[0], env.num_agents

    def update(carry: Any, key: Array) -> Any:
        params, moments, count, state, observations = carry
        keys = jax.random.split(key, env.max_cycles)
        (state, observations), steps = rollout(env, params, state, observations, keys)
        advantage = advantages(steps, config)

        # Each player's own loss, on its own steps.
        gradient = jax.vmap(jax.grad(partial(loss, config=config)), in_axes=(0, 1, 1))

        def epoch(learner: Any, _: None) -> Any:
            params, moments, count = learner
            grads = gradient(params, steps, advantage)
            params, moments = adam(params, grads, moments, count + 1, config.lr)
            return (params, moments, count + 1), None

        learner = (params, moments, count)
        learner, _ = jax.lax.scan(epoch, learner, None, config.epochs)
        curve = {
            "reward": steps.reward.mean(),  # of a player, a step
            "picked": (steps.reward > 0).mean(),  # Coin Game: coins, own and others'
            "action 1": (steps.action == 1).mean(),  # matrix games: defection
        }
        return (*learner, state, observations), curve

    @jax.jit
    def run(key: Array) -> Any:
        one, two, three = jax.random.split(key, 3)
        params = jax.vmap(partial(init, inputs=inputs, hidden=config.hidden, actions=actions))(
            jax.random.split(one, seats)
        )
        zeros = jax.tree.map(jnp.zeros_like, params)
        observations, state = jax.vmap(env.reset)(jax.random.split(two, config.num_envs))
        begin = (params, (zeros, zeros), jnp.zeros(()), state, observations)
        (params, *_), curves = jax.lax.scan(update, begin, jax.random.split(three, updates))
        return params, curves

    trained: tuple[Params, dict[str, Array]] = run(jax.random.key(seed))
    return trained


def main() -> None:
    """Trains and prints ten moments of it."""
    parser = argparse.ArgumentParser(description="Independent PPO in pure JAX")
    parser.add_argument("--env", default="coin_game_v0", help="see sde.list_envs()")
    parser.add_argument("--updates", type=int, default=200, help="of 4 epochs each")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    _, curves = train(sde.jax_env(arguments.env), Config(), arguments.updates, arguments.seed)
    for i in range(0, arguments.updates, max(arguments.updates // 10, 1)):
        row = ", ".join(f"{name} {curve[i]:+.3f}" for name, curve in curves.items())
        print(f"update {i}: {row}")


if __name__ == "__main__":
    main()
