"""`social-dilemmas play`: strategies, agents and people; on the screen, as text or into a file."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import social_dilemmas_env as sde
from agents.cli.saving import check_name, is_record, open_film, save_episode
from agents.cli.words import add_set, parse_settings
from agents.match.board import Board
from agents.match.human import GameStopped, Screen, final_text
from agents.match.match import HUMAN, Match
from agents.match.terminal import Terminal
from agents.progress import ProgressBar
from social_dilemmas_env.extras import explained, need_found
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
        "FILE.py:NAME, or human: you, with keys that are shown",
    )

    # How it is shown.
    parser.add_argument(
        "--render",
        choices=("human", "ansi"),
        help="watch it in a window, or as text; with a human: play there (by default in a window "
        "where there is a display)",
    )
    parser.add_argument(
        "--save",
        metavar="FILE",
        help="record it: .html is a page with everything to look at, .json the episode "
        "(social-dilemmas replay), .gif or .mp4 a film, .png a picture of the last step",
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
    people = HUMAN in arguments.players
    if arguments.save:
        check_name(arguments.save)
    if arguments.save and arguments.render and not people and not is_record(arguments.save):
        raise ValueError("--save records what --render would show: give one of them")
    if arguments.episodes < 1 or arguments.fps < 1:
        raise ValueError("--episodes and --fps must be at least 1")
    if arguments.episodes > 1 and (people or is_record(arguments.save)):
        raise ValueError("a person plays one episode, and a file holds one: leave --episodes at 1")
    if arguments.render == "human":
        check_display()

    # The game.  The window goes also when something fails.
    game_kwargs = parse_settings(arguments.set)
    if people:
        return play_with_people(arguments, game_kwargs)
    env = make_game(arguments, game_kwargs, render_mode_of(arguments))
    try:
        return play_and_print(env, arguments, game_kwargs)
    finally:
        env.close()


def render_mode_of(arguments: argparse.Namespace) -> RenderMode | None:
    """How the environment draws, without people."""
    if arguments.save and not is_record(arguments.save):
        return "rgb_array"
    mode: RenderMode | None = arguments.render
    return mode


def make_game(
    arguments: argparse.Namespace, game_kwargs: dict[str, Any], render_mode: RenderMode | None
) -> Any:
    """The environment, with the names of the players.

    Raises:
        ValueError: a wrong number of players.
    """
    env = sde.make_env(arguments.env, render_mode=render_mode, **game_kwargs)
    seats, names = len(env.possible_agents), arguments.players
    if len(names) != seats:
        raise ValueError(f"{arguments.env} has {seats} players, got {len(names)} names")

    env.metadata["render_fps"] = arguments.fps
    env.render_scale = arguments.scale
    env.player_names = tuple(names)
    return env


def play_and_print(env: Any, arguments: argparse.Namespace, game_kwargs: dict[str, Any]) -> int:
    """Plays all episodes, showing or recording them."""
    match = Match(env, arguments.players, game_kwargs, arguments.seed)
    totals, steps = [0.0] * len(match.words), 0
    most = arguments.episodes * env.max_cycles
    watched = arguments.render is not None
    bar = ProgressBar("playing", most, shown=False if watched else None, transient=True)
    record = is_record(arguments.save)

    # Episode by episode; each step is shown or filmed as it comes.
    with open_film(None if record else arguments.save, arguments.fps) as film, bar:
        for episode in range(arguments.episodes):
            seed = arguments.seed if episode == 0 else None  # later ones go on from there
            for rewards in match.play(seed, telling=record):
                steps += 1
                paid = zip(totals, rewards.values(), strict=True)
                totals = [total + reward for total, reward in paid]
                if arguments.render == "ansi":
                    print(env.render(), end="\n\n")
                if film:
                    film.add(env.render())
                bar.advance()

    # What was asked to be kept.
    if record:
        print(save_match(match, arguments))
    elif arguments.save:
        single = arguments.save.lower().endswith(".png")
        what = "a picture of the last step" if single else f"{steps} frames"
        print(f"saved {what} to {arguments.save}")
    print_means(match, totals, (arguments.episodes, steps))
    return 0


def print_means(match: Match, totals: Sequence[float], played: tuple[int, int]) -> None:
    """A line a player, and what one should know of some.

    Args:
        match: who played.
        totals: each player's sum of rewards.
        played: episodes, and steps of all of them.
    """
    episodes, steps = played
    for agent, name, total in zip(match.env.possible_agents, match.words, totals, strict=True):
        each = f"{total / steps:+.3f} a step, {total / episodes:+.1f} an episode"
        print(f"{agent}  {name:24s} {each}")
    for name, remark in match.remarks().items():
        print(f"({name} is {remark})")


def save_match(match: Match, arguments: argparse.Namespace) -> str:
    """Writes what was played, with the exact advantages where there are any; a sentence of it."""
    episode = match.recorder.episode()
    if is_record(arguments.save):
        try:
            # Inside: it needs scipy, which playing without a record does not.
            from agents.match.advantage import exact_of

            episode = replace(episode, exact=exact_of(episode, match.players))
        except ImportError as error:
            print(f"no exact advantages: {explained(error)}", file=sys.stderr)
    return save_episode(episode, arguments.save, arguments.fps, arguments.scale)


# --------------------------------------------------------------------------------------- people


def play_with_people(arguments: argparse.Namespace, game_kwargs: dict[str, Any]) -> int:
    """One episode with a person in it, at their pace."""
    in_window = arguments.render == "human" or (arguments.render is None and window_possible())
    # "ansi" draws nothing until it is asked; the screen asks the scenes of the environment.
    env = make_game(arguments, game_kwargs, "ansi")
    screen: Screen = Board(arguments.scale) if in_window else Terminal()
    match = Match(env, arguments.players, game_kwargs, arguments.seed, screen=screen)

    totals, steps, stopped = [0.0] * len(match.words), 0, ""
    try:
        for rewards in match.play(arguments.seed, telling=is_record(arguments.save)):
            steps += 1
            totals = [a + b for a, b in zip(totals, rewards.values(), strict=True)]
        screen.finish(env.scene(), final_text(totals, match.words))
    except GameStopped as reason:
        stopped = f"stopped after {steps} of {env.max_cycles} steps: {reason}"
    finally:
        screen.close()

    # What was played stays, whyever it ended.
    if stopped:
        print(f"\nsocial-dilemmas play: {stopped}", file=sys.stderr)
    if not steps:
        return 2
    if arguments.save:
        print(save_match(match, arguments))
    print_means(match, totals, (1, steps))
    return 0


def window_possible() -> bool:
    """Whether a person can be shown a window here."""
    try:
        need_found("pygame", "render")
    except ImportError:
        return False
    # Inside: see check_display.
    from social_dilemmas_env.render.window import has_display

    return has_display()


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
