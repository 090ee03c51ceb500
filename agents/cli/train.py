"""`social-dilemmas train`: train a learner, or go on training."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import override

from agents.cli.words import add_set, options_as_settings, parse_settings
from agents.registry import LEARNERS, current_name
from social_dilemmas_env.extras import explained
from social_dilemmas_env.validation import nearest

EXAMPLES = """
examples:
  social-dilemmas train loqa --help
  social-dilemmas train loqa coin_game_v0 --batch 256 --iterations 6000
  social-dilemmas train lola_exact ipd_v0 --set runs=100 gamma=0.9
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("-h", "--help", action=HelpAction)
    parser.set_defaults(options=[])  # options that are none of these are settings

    # Whom to train in what.
    parser.add_argument("learner", help="see below; its settings: train LEARNER --help")
    parser.add_argument("env", help="a game (social-dilemmas envs)")

    # Where and how; all else is a setting.
    parser.add_argument(
        "--out", metavar="FOLDER", help="run folder; an unfinished run in it is resumed"
    )
    parser.add_argument("--seed", type=int, default=0, help="fixes everything (default 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    parser.add_argument(
        "--show", action="store_true", help="print the settings that would be used, and stop"
    )
    parser.add_argument(
        "--cuda-graphs",
        action="store_true",
        help="record a deep learner's roll-outs and updates as CUDA graphs "
        "(not yet run on a device)",
    )
    add_set(parser, "settings of the learner, the game or the loop; also as --name value")


class HelpAction(argparse.Action):
    """`--help`: the learners; after a learner's name its settings."""

    def __init__(self, option_strings: Sequence[str], dest: str, **_: Any) -> None:
        text = "show this, or all settings of the learner named before it"
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=text)

    @override
    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        # argparse has read the words before this one.
        learner = getattr(namespace, "learner", None)

        # Inside: it imports every learner, which only this needs.
        from agents.cli.train_help import list_learners, show_settings

        if learner is None:
            parser.epilog = f"learners:\n{list_learners()}\n{EXAMPLES}"
            parser.print_help()
        else:
            try:
                show_settings(learner, getattr(namespace, "env", None))
            except ImportError as error:
                parser.error(str(explained(error, "the list of settings")))
            except ValueError as error:
                parser.error(str(error))
        parser.exit()


def run(arguments: argparse.Namespace) -> int:
    """Trains; prints the run folder."""
    learner = current_name(arguments.learner)
    if learner not in LEARNERS:
        raise ValueError(f"there is no learner {learner!r}; {nearest(learner, LEARNERS)}")
    if learner != arguments.learner:
        print(f"the learner {arguments.learner!r} is now {learner!r}", file=sys.stderr)

    # Inside: torch takes a second to import, and a mistake in the words needs none.
    from agents.cli.train_help import show_used
    from agents.training.loop import train
    from agents.training.settings import make_request, split_settings

    words = [*arguments.set, *options_as_settings(arguments.options)]
    config, plan, game = split_settings(learner, arguments.env, parse_settings(words))
    if arguments.cuda_graphs:
        plan = replace(plan, cuda_graphs=True)

    # The folder goes by the name that was typed: an unfinished run is found again.
    out = arguments.out or f"runs/{arguments.learner}-{arguments.env}-{arguments.seed}"
    if arguments.show:
        request = make_request(
            learner, arguments.env, config=config, plan=plan, game=game, seed=arguments.seed
        )
        show_used(request, f"device {arguments.device}", out)
        return 0

    try:
        folder = train(
            learner,
            arguments.env,
            config=config,
            plan=plan,
            game=game,
            seed=arguments.seed,
            device=arguments.device,
            out=out,
        )
    except SystemExit:
        print(f"stopped; {describe_saved(Path(out))}", file=sys.stderr)
        raise
    print(folder)
    return 0


def describe_saved(folder: Path) -> str:
    """What a training that was told to stop has left, and how to go on."""
    from agents.training.run_folder import checkpoints  # inside: it imports torch

    steps = sorted(int(path.stem.rpartition("-")[2]) for path in checkpoints(folder).glob("*.json"))
    saved = f"update {steps[-1]} is saved in {folder}" if steps else f"nothing is saved in {folder}"
    return f"{saved}; the same command goes on from there, bit for bit"
