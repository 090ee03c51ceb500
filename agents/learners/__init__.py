"""The learners: a folder for each family; the list of them all is agents/registry.py."""

from social_dilemmas_env.deprecation import moved_names

# Public names of the module `agents.learners`, before it was a package.
_NAMES = ("LEARNERS", "LearnerSpec", "Learners", "register")
__getattr__ = moved_names(__name__, {name: f"agents.registry.{name}" for name in _NAMES})
