"""Episodes to test with."""

import numpy as np

import social_dilemmas_env as sde
from social_dilemmas_env.replay import Episode, EpisodeRecorder


def recorded(env_id="coin_game_v0", steps=None, *, telling=False, seed=0, **game_kwargs) -> Episode:
    """An episode of random moves; with `telling` both players say something of every move."""
    env = sde.make_env(env_id, **game_kwargs)
    recorder = EpisodeRecorder(env, game_kwargs=game_kwargs)
    env.reset(seed=seed)
    recorder.begin(seed)
    rng = np.random.default_rng(seed)

    for _ in range(env.max_cycles if steps is None else steps):
        counts = [env.action_space(agent).n for agent in env.agents]
        actions = {agent: int(rng.integers(n)) for agent, n in zip(env.agents, counts, strict=True)}
        told = {i: (rng.dirichlet(np.ones(n)), float(rng.normal())) for i, n in enumerate(counts)}
        rewards = env.step(actions)[1]
        recorder.add(actions, rewards, told if telling else None)
    return recorder.episode()
