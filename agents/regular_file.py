"""See `social_dilemmas_env.regular_file`, where replays are read too."""

from social_dilemmas_env.regular_file import read_regular

__all__ = ["read_regular"]
