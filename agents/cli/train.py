"""`social-dilemmas train`: train a learner, or go on training."""

import argparse

from agents.cli.main import settings
from agents.registry import LEARNERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("learner", help=", ".join(LEARNERS))
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument(
        "--out", metavar="FOLDER", help="run folder; an unfinished run in it is resumed"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda")
    graphs = (
        "record a deep learner's roll-outs and updates as CUDA graphs (not yet run on a device)"
    )
    parser.add_argument("--cuda-graphs", action="store_true", help=graphs)
    words = "of the learner, the game or the loop: batch=256 grid_size=5 iterations=6000 minutes=60"
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help=words)


def run(arguments: argparse.Namespace) -> int:
    """Trains; prints the run folder."""
    from agents import train

    how = {"seed": arguments.seed, "device": arguments.device, "out": arguments.out}
    asked = settings(arguments.set)
    if arguments.cuda_graphs:
        asked["cuda_graphs"] = True
    print(train(arguments.learner, arguments.env, **how, **asked))
    return 0
