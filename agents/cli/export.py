"""`social-dilemmas export`: a trained agent as one small pair of files, with its scores."""

import argparse

NOTE = "what else is to be known, such as how the run was selected"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("agent", metavar="RUN_FOLDER", help="or a checkpoint, or bundled:NAME")
    parser.add_argument("file", metavar="NAME.json", help="NAME.safetensors is written beside it")
    parser.add_argument("--player", type=int, default=0, help="whose network (default 0)")
    parser.add_argument("--run", type=int, default=0, help="of runs side by side (default 0)")
    parser.add_argument("--note", default="", help=NOTE)
    parser.add_argument(
        "--against", nargs="+", metavar="STRATEGY", help="scripted players of the scores"
    )
    parser.add_argument("--episodes", type=int, default=1024, help="games a pair (default 1024)")
    parser.add_argument("--seed", type=int, default=20261121, help="of these games")


def run(arguments: argparse.Namespace) -> int:
    """Scores and writes the agent; prints the file's name."""
    if arguments.episodes < 1:
        raise ValueError("--episodes must be at least 1")

    # Inside: torch takes a second to import, which --help need not pay.
    from agents.evaluation.export import export_agent

    path = export_agent(
        arguments.agent,
        arguments.file,
        player=arguments.player,
        run=arguments.run,
        note=arguments.note,
        opponents=arguments.against,
        episodes=arguments.episodes,
        seed=arguments.seed,
    )
    print(path)
    return 0
