"""A training of a moment for every learner, for tests of faults.

A learner that is registered without a line here fails `test_every_learner.py` by name.
"""

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from agents.registry import LEARNERS
from agents.training.loop import train
from agents.training.settings import Plan, Request, make_request

GAME = "ipd_v0"
# Learners that `train` does not run, and what makes their agents instead.
LOOPLESS = {
    "sb3_ppo": "the loop is Stable-Baselines3's; one checkpoint, at the end",
    "exact_policy": "solved in one piece by linear algebra; one checkpoint, at the end",
    "exact_clone": "supervised rounds of one command; one checkpoint, at the end",
}
LOQA = {"batch": 4, "horizon": 3, "actor_hidden": 4, "critic_hidden": 4, "snapshots": 2}
GRU = {"batch": 4, "horizon": 3, "hidden": 4}
SAMPLED, EXACT, META = {"games": 2, "steps": 3}, {"runs": 2}, {"batch": 2}
TINY: dict[str, dict[str, Any]] = {
    "loqa": LOQA,
    "loqa_modelled": {**LOQA, "reward_hidden": 4},
    "loqa_proximal": {"batch": 4, "horizon": 3, "actor_hidden": 4, "critic_hidden": 4}
    | {"snapshots": 2, "thieves": 1, "outer_steps": 2},
    "advantage_alignment": LOQA,
    "ippo": {**GRU, "epochs": 2, "minibatches": 2},
    "pola_dice": {**GRU, "outer_steps": 2},
    "pola_om": {**GRU, "outer_steps": 2, "model_batches": 2},
    "lola_dice_gru": GRU,
    "naive_pg_gru": GRU,
    "naive_exact": EXACT,
    "lola_exact": EXACT,
    "look_ahead_exact": EXACT,
    "sos_exact": EXACT,
    "consensus_exact": EXACT,
    "pola_exact": {**EXACT, "outer_steps": 2, "inner_steps": 2},
    "naive_pg_tabular": SAMPLED,
    "lola_pg_tabular": SAMPLED,
    "lola_dice_tabular": SAMPLED,
    "meta_mapg": {**META, "chain": 1},
    "meta_pg": {**META, "chain": 1},
}


def config_of(name: str) -> Any:
    """The smallest sensible settings; those that a learner has not are left out."""
    base = LEARNERS[name].settings(GAME)
    known = {field.name for field in fields(base)}
    return replace(base, **{key: value for key, value in TINY[name].items() if key in known})


def request_of(name: str) -> Request:
    """What `train` is asked for."""
    return make_request(name, GAME, config=config_of(name), plan=Plan(), game={}, seed=1)


def go(name: str, out: Path, iterations: int, callbacks: tuple[object, ...] = ()) -> Path:
    """Trains to so many iterations, saving after every one."""
    os.environ["SOCIAL_DILEMMAS_TENSORBOARD"] = "0"
    plan = Plan(iterations=iterations, eval_every=0, quiet=True, save_minutes=0.0)
    how = {"config": config_of(name), "plan": plan, "game": {}, "seed": 1, "device": "cpu"}
    return train(name, GAME, out=out, callbacks=callbacks, **how)
