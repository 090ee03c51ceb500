"""Trained agents: restored, seated beside others, scored."""

from social_dilemmas_env.deprecation import moved_names

# Public names of the module `agents.evaluation`, before it was a package.
__getattr__ = moved_names(
    __name__,
    {
        "play": "agents.evaluation.scoring.play_episodes",
        "scores": "agents.evaluation.scoring.score_agent",
        "OPPONENTS": "agents.evaluation.scoring.OPPONENTS",
    },
)
