"""LOLA in pure JAX, exact and sampled: our games differentiate through policies.

    pip install -e ".[jax]"
    python examples/jax_lola.py                   # prisoner's dilemma: reciprocity emerges
    python examples/jax_lola.py --sampled 4096    # one update from sampled games, beside the exact

Each player differentiates through the other's next naive step (Foerster et al., "Learning with
Opponent-Learning Awareness", arXiv:1709.04326): V_1(theta_1, theta_2 + alpha dV_2/dtheta_2).  With
`--sampled` values are estimated from games of `jax_env`, by DiCE (arXiv:1802.05098), whose
derivatives of every order are those of the value.
"""

import argparse
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

import social_dilemmas_env as sde

Array = jax.Array
GAMMA, LOOKAHEAD, LR = 0.96, 0.3, 0.2
STATES = 5  # start, CC, CD, DC, DD: own action first


def exact_values(logits: Array) -> Array:
    """Discounted values [2] of memory-one players in the prisoner's dilemma.

    Args:
        logits: [2, 5], of cooperation, in what each player sees.
    """
    cooperate = jax.nn.sigmoid(logits)
    p, q = cooperate[0], cooperate[1][jnp.array([0, 1, 3, 2, 4])]  # the other sees it reversed
    joint = jnp.stack([p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)], -1)  # [state, CC..DD]
    tables = jnp.asarray(sde.payoffs("ipd_v0"), jnp.float32).reshape(4, 2)

    # Occupancies of CC, CD, DC, DD: d = joint[start] + gamma d P.
    occupancy = jnp.linalg.solve(jnp.eye(4) - GAMMA * joint[1:].T, joint[0])
    return occupancy @ tables


def sampled_values(logits: Array, env: Any, keys: Array) -> Array:
    """Their DiCE estimates from B games of `jax_env`: right in value and in every derivative."""

    def game(key: Array) -> Array:
        one, two = jax.random.split(key)
        seen, state = env.reset(one)

        def step(carry: Any, key: Array) -> Any:
            state, seen, log_prob = carry
            logit = (logits * seen).sum(-1)  # one-hot observations
            action = (jax.random.uniform(key, (2,)) > jax.nn.sigmoid(logit)).astype(jnp.int32)
            log_prob += jax.nn.log_sigmoid(jnp.where(action == 0, logit, -logit)).sum()
            seen, state, rewards, *_ = env.step(state, action)
            magic = jnp.exp(log_prob - jax.lax.stop_gradient(log_prob))
            return (state, seen, log_prob), magic * rewards

        begin = (state, seen, jnp.zeros(()))
        _, paid = jax.lax.scan(step, begin, jax.random.split(two, env.max_cycles))
        discount = GAMMA ** jnp.arange(env.max_cycles)
        return discount @ paid

    return jax.vmap(game)(keys).mean(0)


def lola_update(logits: Array, values: Any) -> Array:
    """Both players' LOLA updates, from `values`: logits [2, 5] -> [2]."""

    def after_the_others_step(own: Array, player: int) -> Array:
        """My value once the other has taken a naive step, which I shape."""
        joint = logits.at[player].set(own)
        step = jax.grad(lambda both: values(both)[1 - player])(joint)[1 - player]
        return values(joint.at[1 - player].add(LOOKAHEAD * step))[player]

    gradients = [jax.grad(after_the_others_step)(logits[n], n) for n in range(2)]
    return logits + LR * jnp.stack(gradients)


def train(updates: int, seed: int = 0) -> Array:
    """Plays LOLA against LOLA; probabilities of cooperation [2, 5] at the end."""

    @jax.jit
    def run(logits: Array) -> Array:
        def update(logits: Array, _: None) -> tuple[Array, None]:
            return lola_update(logits, exact_values), None

        return jax.nn.sigmoid(jax.lax.scan(update, logits, None, updates)[0])

    return run(jax.random.normal(jax.random.key(seed), (2, STATES)))


def sampled_update(num_envs: int, seed: int = 0) -> tuple[Array, Array]:
    """One update [2, 5] from B games of 150 steps, and the exact one that it estimates."""
    env = sde.jax_env("ipd_v0", max_cycles=150)
    one, two = jax.random.split(jax.random.key(seed))
    logits = jax.random.normal(one, (2, STATES))
    values = partial(sampled_values, env=env, keys=jax.random.split(two, num_envs))
    step = jax.jit(lambda logits: lola_update(logits, values) - logits)
    return step(logits), lola_update(logits, exact_values) - logits


def cosine(a: Array, b: Array) -> float:
    """Of the angle between two arrays."""
    return float((a * b).sum() / jnp.sqrt((a * a).sum() * (b * b).sum()))


def main() -> None:
    """Trains and prints what the players do after each joint action."""
    parser = argparse.ArgumentParser(description="LOLA in pure JAX, exact and sampled")
    parser.add_argument("--updates", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sampled", type=int, metavar="GAMES", help="one update from games")
    arguments = parser.parse_args()

    if arguments.sampled:
        estimate, exact = sampled_update(arguments.sampled, arguments.seed)
        angle = cosine(estimate, exact)
        print(f"cosine of the sampled update and the exact one: {angle:.3f}")
        return
    cooperate = train(arguments.updates, arguments.seed)
    print("P(cooperate) at the start and after CC, CD, DC, DD (own action first)")
    for n, row in enumerate(cooperate.tolist()):
        print(f"player {n}: " + " ".join(f"{p:.2f}" for p in row))


if __name__ == "__main__":
    main()
