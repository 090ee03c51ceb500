"""`social-dilemmas play`: a game between strategies, on the screen, in the terminal or into a
file.
"""

import argparse
from contextlib import nullcontext
from typing import Any

import social_dilemmas_env as sde
from agents.cli.main import progress, settings
from agents.evaluation.players import Single, play_episode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("env", help="a game (social-dilemmas envs)")
    parser.add_argument(
        "players",
        nargs="+",
        metavar="PLAYER",
        help="one strategy for each player, e.g. tit_for_tat",
    )
    parser.add_argument(
        "--render", choices=("human", "ansi"), help="watch it in a window, or as text"
    )
    parser.add_argument("--save", metavar="FILE.gif|.mp4", help="record it")
    parser.add_argument("--episodes", type=int, default=1, help="how many episodes (default 1)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the game and of the strategies (default 0)"
    )
    parser.add_argument(
        "--fps", type=int, default=4, help="steps a second in the window or file (default 4)"
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="arguments of the game, e.g. grid_size=5",
    )


def run(arguments: argparse.Namespace) -> int:
    """Plays and prints the mean rewards."""
    if arguments.save and arguments.render:
        raise ValueError("--save records what --render would show: give one of them")
    if arguments.episodes < 1 or arguments.fps < 1:
        raise ValueError("--episodes and --fps must be at least 1")
    game_kwargs = settings(arguments.set)
    env = sde.make_env(
        arguments.env,
        render_mode="rgb_array" if arguments.save else arguments.render,
        **game_kwargs,
    )
    if len(arguments.players) != len(env.possible_agents):
        raise ValueError(
            f"{arguments.env} has {len(env.possible_agents)} players, got {len(arguments.players)} names"
        )
    env.metadata["render_fps"] = arguments.fps
    env.player_names = tuple(arguments.players)
    try:
        totals = play(env, arguments, game_kwargs)
    finally:
        env.close()
    steps = arguments.episodes * env.max_cycles
    for agent, name, total in zip(env.possible_agents, arguments.players, totals, strict=True):
        print(
            f"{agent}  {name:24s} {total / steps:+.3f} a step, {total / arguments.episodes:+.1f} an episode"
        )
    return 0


def play(env: Any, arguments: argparse.Namespace, game_kwargs: dict[str, Any]) -> list[float]:
    """Plays all episodes, showing or recording them.  Returns each player's sum of rewards."""
    policies = [
        Single(name, arguments.env, i, sde.draw(arguments.seed, i), game_kwargs)
        for i, name in enumerate(arguments.players)
    ]
    totals = [0.0] * len(policies)
    advance = (
        progress("playing", arguments.episodes * env.max_cycles)
        if arguments.render is None
        else lambda: None
    )
    with film(arguments.save, arguments.fps) as recorder:
        for episode in range(arguments.episodes):
            for rewards in play_episode(env, policies, arguments.seed if episode == 0 else None):
                totals = [
                    total + reward for total, reward in zip(totals, rewards.values(), strict=True)
                ]
                if arguments.render == "ansi":
                    print(env.render(), end="\n\n")
                if recorder:
                    recorder.add(env.render())
                advance()
    if arguments.save:
        print(f"saved {arguments.episodes * env.max_cycles} frames to {arguments.save}")
    return totals


def film(path: str | None, fps: int) -> Any:
    """A recorder of frames; complains of a wrong file name before anything is played."""
    if path is None:
        return nullcontext()
    from social_dilemmas_env.render.video import Recorder

    return Recorder(path, fps)
