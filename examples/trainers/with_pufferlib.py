"""PufferLib: its emulation of PettingZoo's parallel environments plays our games.

    pip install -r examples/trainers/requirements/pufferlib.txt -e .
    python examples/trainers/with_pufferlib.py    # half a minute

The pinned fork, `pufferlib-core`, installs without downloading; `pufferlib` itself builds with a
graphics library.  A batch of its own kind (`PufferEnv` on `make_vec_env`) is a hundred times faster
than emulation.
"""

from pinned import pinned

with pinned("pufferlib"):
    import numpy as np
    import pufferlib.emulation
    import pufferlib.vector
    import torch
    from actor_critic import Ppo

    import social_dilemmas_env as sde


def emulated(env_id, games):
    """A vector environment of PufferLib."""

    def make(buf=None, seed=0, **_):
        creator = lambda: sde.make_env(env_id)  # noqa: E731
        return pufferlib.emulation.PettingZooPufferEnv(env_creator=creator, buf=buf, seed=seed)

    return pufferlib.vector.make(make, num_envs=games, backend=pufferlib.vector.Serial, seed=0)


def both_seats():
    """Mean rewards of each iteration of PPO in all seats of 16 dilemmas."""
    env = emulated("ipd_v0", 16)
    return Ppo((5,), 2).learn(
        lambda: np.array(env.reset(seed=0)[0]),
        lambda actions: tuple(np.array(part) for part in env.step(actions)[:4]),
    )


def main():
    """PPO in both seats."""
    torch.set_num_threads(1)
    print(f"both seats: {both_seats()[-1]:+.2f} a step (both defect: -2)")


if __name__ == "__main__":
    main()
