"""Trainings of a moment: small networks, few games, no bar."""

from agents import train
from agents.checkpoint import load
from agents.training.settings import split_settings

TINY = {
    "batch": 8,
    "horizon": 6,
    "actor_hidden": 8,
    "critic_hidden": 8,
    "push_every": 3,
    "snapshots": 4,
    "quiet": True,
}
CASES = {
    "loqa": ("loqa", "coin_game_v0", {}),
    "no past selves": ("loqa", "coin_game_v0", {"past_selves": False}),
    "capacity": ("loqa", "coin_game_v0", {"capacity": 2}),
    "two networks": ("loqa", "coin_game_v0", {"shared": False}),
    "leak": ("loqa", "coin_game_v0", {"detach_advantage": False}),
    "three players": (
        "loqa",
        "coin_game_v0",
        {"num_agents": 3, "grid_size": 2, "actor_layers": 1, "runs": 2},
    ),
    "ipd": ("loqa", "ipd_v0", {"runs": 3}),
    "ipd mlp": ("loqa", "ipd_v0", {"actor": "mlp", "past_selves": True, "max_q": True, "batch": 4}),
    "ipd gru": (
        "loqa",
        "ipd_v0",
        {"actor": "gru", "critic": "gru", "epsilon": 0.0, "fresh_draws": False},
    ),
    "modelled": ("loqa_modelled", "coin_game_v0", {"num_agents": 3, "grid_size": 2}),
    "modelled ipd": ("loqa_modelled", "ipd_v0", {"shared": False, "runs": 2}),
    "aligned": ("advantage_alignment", "coin_game_v0", {"form": "aligned"}),
    "mean": ("advantage_alignment", "coin_game_v0", {"form": "mean", "num_agents": 3}),
}


def run(case, out, iterations, *, seed=1, callbacks=(), **more):
    """Trains a case to so many iterations; the run folder."""
    learner, env_id, settings = CASES[case]
    flat = {**TINY, "eval_every": 0, "iterations": iterations, **settings, **more}
    return train_flat(learner, env_id, out, flat, seed=seed, callbacks=callbacks)


def train_flat(learner, env_id, out, flat, **how):
    """`train` with one flat list of settings."""
    config, plan, game = split_settings(learner, env_id, flat)
    return train(learner, env_id, config=config, plan=plan, game=game, out=out, device="cpu", **how)


def tensors(folder):
    """Of the last checkpoint."""
    return load(folder / "checkpoints").tensors
