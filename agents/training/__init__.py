"""Training: what is asked for, the loop, the run folder, what happens meanwhile."""

from social_dilemmas_env.deprecation import moved_names

# Public names of the module `agents.training`, before it was a package.
__getattr__ = moved_names(
    __name__,
    {
        "train": "agents.training.loop.train",
        "Plan": "agents.training.settings.Plan",
        "LOG_EVERY": "agents.training.reporting.LOG_EVERY",
        "TrainingError": "agents.errors.TrainingError",
        "device_name": "agents.execution.device.device_name",
        "nearest": "social_dilemmas_env.validation.nearest",
    },
)
