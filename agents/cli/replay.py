"""`social-dilemmas replay`: an episode of a file again, in any mode."""

import argparse

from agents.cli.play import check_display
from agents.cli.saving import check_name, save_episode
from social_dilemmas_env import render
from social_dilemmas_env.replay import Episode, read_episode
from social_dilemmas_env.validation import integer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("file", help="match.json, or match.html that holds it")
    parser.add_argument(
        "--render",
        choices=("human", "ansi"),
        help="in a window, or as text (the default without --save)",
    )
    parser.add_argument(
        "--save", metavar="FILE", help=".html, .json, .gif, .mp4, or .png of the last step"
    )
    parser.add_argument("--step", type=int, help="show the moment after so many steps alone")
    parser.add_argument("--scale", type=int, default=1, help="of pictures, 1 to 8 (default 1)")
    parser.add_argument(
        "--fps", type=int, default=4, help="steps a second in the window or file (default 4)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Shows it, saves it, or both."""
    for name in ("scale", "fps"):
        integer(f"--{name}", getattr(arguments, name), 1)
    if arguments.save:
        check_name(arguments.save)
    episode = read_episode(arguments.file)
    if arguments.step is not None and not 0 <= arguments.step <= episode.steps:
        raise ValueError(
            f"--step must lie in 0 .. {episode.steps}, which is what the file holds, "
            f"got {arguments.step}"
        )

    # Text is what works everywhere.
    if arguments.render == "human":
        check_display()
        show_window(episode, arguments)
    elif arguments.render == "ansi" or not arguments.save:
        show_text(episode, arguments.step)
    if arguments.save:
        print(save_episode(episode, arguments.save, arguments.fps, arguments.scale))
    return 0


def show_text(episode: Episode, step: int | None) -> None:
    """All moments, or one, as text."""
    for t, scene in enumerate(episode.scenes()):
        if step in (None, t):
            print(render.text(scene), end="\n\n")


def show_window(episode: Episode, arguments: argparse.Namespace) -> None:
    """All moments, or one, in a window; until they are over or it is closed."""
    window = render.Window(arguments.fps, arguments.scale)
    try:
        for t, scene in enumerate(episode.scenes()):
            if arguments.step in (None, t):
                window.show(scene)
    finally:
        window.close()
