"""Ray Tune looks for LOQA's learning rate: `train` is a function like any other.

pip install -e ".[agents]" "ray[tune]"; python examples/ray_tune.py
"""

from pathlib import Path

from ray import tune

from agents import Plan, load_agents, train
from agents.evaluation.scoring import score_agent
from agents.learners.loqa.loqa import LoqaConfig


def objective(trial):
    """Trains once; reports the mean reward a step against itself and an always-defector."""
    config, plan = LoqaConfig(actor_lr=trial["actor_lr"], batch=32), Plan(20, quiet=True)
    folder = train("loqa", "coin_game_v0", config=config, plan=plan, out=Path.cwd() / "run")
    scores = score_agent(load_agents(folder), opponents=("always_defect",))
    tune.report({"reward": scores["self"] + scores["vs always_defect"]})


if __name__ == "__main__":
    space = {"actor_lr": tune.loguniform(1e-4, 1e-2)}
    how = tune.TuneConfig(metric="reward", mode="max", num_samples=2)
    found = tune.Tuner(objective, param_space=space, tune_config=how)
    print(found.fit().get_best_result().config)
