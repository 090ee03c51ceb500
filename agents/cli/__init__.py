"""The command `social-dilemmas`: a module for each of its commands, and main.py."""

from social_dilemmas_env.deprecation import moved_names

# Public names of the module `agents.cli`, before it was a package.
# (`agents.cli.main` is the module main.py now; the function is `agents.cli.main.main`.)
__getattr__ = moved_names(
    __name__,
    {
        "COMMANDS": "agents.cli.main.COMMANDS",
        "parser_of": "agents.cli.main.make_parser",
        "settings": "agents.cli.words.parse_settings",
        "progress": "agents.cli.words.progress",
    },
)
