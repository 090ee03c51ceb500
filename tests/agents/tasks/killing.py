"""Tasks that kill their worker once, and trainings that are worth killing."""

import os
import signal
from functools import partial

from agents.training.loop import train
from agents.training.sweep import plan_sweep
from tests.agents.training.tiny import TINY

# Saved at every update, so that a kill finds something to go on from.
SETTINGS = {**TINY, "eval_episodes": 4, "save_minutes": 0.0}
FACTS = ("state", "scores", "iterations")


def small_sweep(seeds=2, iterations=4, **grid):
    """Runs of LOQA on small networks."""
    return plan_sweep(
        "loqa",
        "coin_game_v0",
        seeds=range(seeds),
        grid=grid,
        common={**SETTINGS, "iterations": iterations},
        device="cpu",
    )


def facts(pairs):
    """What must be equal wherever a sweep is computed, by run."""
    return {str(run): {name: result[name] for name in FACTS} for run, result in pairs}


class KillAt:
    """A callback that ends the process, half-way between two updates, as if by the system."""

    def __init__(self, iteration):
        self.iteration = iteration

    def on_update(self, run, metrics):
        if run.iteration == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


def killed_once(function, folder, task):
    """`function(task)`, but the first worker at it is killed during its third update."""
    marker = folder / f"{task}.killed"
    if not marker.exists():
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()
        request = task.request()
        asked = {"config": request.config, "plan": request.plan, "game": request.game}
        asked |= {"seed": task.seed, "device": "cpu", "out": folder / str(task)}
        train(task.learner, task.env_id, callbacks=[KillAt(3)], **asked)
    return function(task)


def killing(executor, folder):
    """An executor whose workers are killed once with each task."""
    return lambda function, tasks: executor(partial(killed_once, function, folder), tasks)
