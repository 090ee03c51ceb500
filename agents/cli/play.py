"""`social-dilemmas play`: a game between strategies, on the screen, as text or into a file."""

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import social_dilemmas_env as sde
from agents.cli.words import add_set, parse_settings
from agents.evaluation.players import SinglePlayer, play_episode, remark_on
from agents.progress import ProgressBar
from social_dilemmas_env.modes import RenderMode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    # Who plays what.
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument(
        "players",
        nargs="+",
        metavar="PLAYER",
        help="one for each player: a strategy such as tit_for_tat, bundled:NAME, a run folder, "
        "or FILE.py:NAME",
    )

    # How it is shown.
    parser.add_argument(
        "--render", choices=("human", "ansi"), help="watch it in a window, or as text"
    )
    parser.add_argument(
        "--save",
        metavar="FILE",
        help="record it: .gif or .mp4, or .png for a picture of the last step",
    )
    parser.add_argument(
        "--scale", type=int, default=1, help="of pictures and the window, 1 to 8 (default 1)"
    )

    # How long, and by which chance.
    parser.add_argument("--episodes", type=int, default=1, help="how many episodes (default 1)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the game and of the strategies (default 0)"
    )
    parser.add_argument(
        "--fps", type=int, default=4, help="steps a second in the window or file (default 4)"
    )
    add_set(parser, "arguments of the game, e.g. grid_size=5")


def run(arguments: argparse.Namespace) -> int:
    """Plays and prints the mean rewards."""
    if arguments.save and arguments.render:
        raise ValueError("--save records what --render would show: give one of them")
    if arguments.episodes < 1 or arguments.fps < 1:
        raise ValueError("--episodes and --fps must be at least 1")
    if arguments.render == "human":
        check_display()

    # The game.
    game_kwargs = parse_settings(arguments.set)
    render_mode: RenderMode | None = "rgb_array" if arguments.save else arguments.render
    env = sde.make_env(arguments.env, render_mode=render_mode, **game_kwargs)
    seats, names = len(env.possible_agents), arguments.players
    if len(names) != seats:
        raise ValueError(f"{arguments.env} has {seats} players, got {len(names)} names")
    env.metadata["render_fps"] = arguments.fps
    env.render_scale = arguments.scale
    env.player_names = tuple(names)

    # The games.  The window goes also when something fails.
    try:
        totals, remarks = play_all(env, arguments, game_kwargs)
    finally:
        env.close()

    steps = arguments.episodes * env.max_cycles
    for agent, name, total in zip(env.possible_agents, names, totals, strict=True):
        each = f"{total / steps:+.3f} a step, {total / arguments.episodes:+.1f} an episode"
        print(f"{agent}  {name:24s} {each}")
    for name, remark in remarks.items():
        print(f"({name} is {remark})")
    return 0


def play_all(
    env: Any, arguments: argparse.Namespace, game_kwargs: dict[str, Any]
) -> tuple[list[float], dict[str, str]]:
    """Plays all episodes, showing or recording them.

    Returns:
        Each player's sum of rewards; and by name what one should know of some of them.
    """
    policies = [
        SinglePlayer(name, arguments.env, i, sde.draw(arguments.seed, i), game_kwargs)
        for i, name in enumerate(arguments.players)
    ]
    totals = [0.0] * len(policies)
    frames = arguments.episodes * env.max_cycles
    watched = arguments.render is not None
    bar = ProgressBar("playing", frames, shown=False if watched else None, transient=True)

    with open_film(arguments.save, arguments.fps) as film, bar:
        for episode in range(arguments.episodes):
            seed = arguments.seed if episode == 0 else None  # later ones go on from there
            for rewards in play_episode(env, policies, seed):
                paid = zip(totals, rewards.values(), strict=True)
                totals = [total + reward for total, reward in paid]
                if arguments.render == "ansi":
                    print(env.render(), end="\n\n")
                if film:
                    film.add(env.render())
                bar.advance()

    if arguments.save:
        single = arguments.save.lower().endswith(".png")
        what = "a picture of the last step" if single else f"{frames} frames"
        print(f"saved {what} to {arguments.save}")

    remarks = {
        name: remark_on(policy.player)
        for name, policy in zip(arguments.players, policies, strict=True)
        if remark_on(policy.player)
    }
    return totals, remarks


def check_display() -> None:
    """Looks for a display before a game is played for nobody.

    pygame falls back to a driver that draws nowhere, and says nothing.

    Raises:
        ValueError: there is none; the sentence names what works without.
    """
    # Inside: it draws with pygame, which playing without a window does not need.
    from social_dilemmas_env.render.window import has_display

    if not has_display():
        raise ValueError(
            "--render human needs a display, and there is none here: --save FILE.gif records the "
            "game, --save FILE.png draws its last step, --render ansi shows it as text"
        )


def open_film(path: str | None, fps: int) -> Any:
    """A recorder of frames; complains of a wrong file name before anything is played."""
    if path is None:
        return nullcontext()
    # Inside: it draws with pygame, which playing without a film does not need.
    from social_dilemmas_env.render.video import LastFrame, Recorder

    suffix = Path(path).suffix.lower()
    if suffix not in (".gif", ".mp4", ".png"):
        raise ValueError(
            "--save writes a film, .gif or .mp4, or a picture of the last step, .png (pictures are "
            f"made of pixels: no .svg, no .pdf), got {path!r}"
        )
    return LastFrame(path) if suffix == ".png" else Recorder(path, fps)
