"""Makes the pictures of the README: `python tests/env/rendering/make_gallery.py [folder]`.

Uses the public interface of `social_dilemmas_env` only.  Players of matrix games copy the other's
last move, with slips; those of the Coin Game walk to a coin, player 0 to her own, player 1 to any.
"""

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import social_dilemmas_env as sde
from social_dilemmas_env.render.video import save_video

WIDTH, COLORS = 400, 255
# README shows them small: the part that says most, of a picture twice as large as usual.
# Left, top, right, bottom at the usual size: the payoff table, the board, cards.
PARTS = {
    "commons_harvest_v0": (24, 68, 616, 510),
    "clean_up_v0": (24, 68, 616, 480),
    "coin_game_v0": (22, 70, 370, 418),
    "public_goods_v0": (12, 66, 332, 340),
    "escape_room_v0": (12, 66, 628, 250),
    "govsim_commons_v0": (12, 66, 628, 250),
}
TABLE = (16, 68, 376, 340)
STEPS = {
    "escape_room_v0": 2,
    "govsim_commons_v0": 4,
    "coin_game_v0": 22,
    "public_goods_v0": 24,
    "commons_harvest_v0": 12,
}
BATTLE = [[[3, 2], [0, 0], [1, 0]], [[0, 0], [2, 3], [0, 1]]]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "matrix_game_v0": {
        "payoffs": BATTLE,
        "action_names": [["stay", "go"], ["left", "middle", "right"]],
    },
    "public_goods_v0": {"num_agents": 4},
}
FILM_STEPS, FRAMES_PER_SECOND = 30, 3


def main(folder: Path) -> None:
    """Writes the part that says most of a picture of each game, and a film of the Coin Game."""
    folder.mkdir(parents=True, exist_ok=True)
    for env_id in sde.list_envs():
        *_, last = frames(env_id, STEPS.get(env_id, 21), scale=2)
        left, top, right, bottom = (2 * x for x in PARTS.get(env_id, TABLE))
        picture = Image.fromarray(smaller(last[top:bottom, left:right])).quantize(
            COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
        picture.save(folder / f"{env_id}.png", optimize=True)
    film = [smaller(frame) for frame in frames("coin_game_v0", FILM_STEPS)]
    save_video(film, folder / "coin_game_v0.gif", FRAMES_PER_SECOND)


def smaller(frame: np.ndarray) -> np.ndarray:
    """The frame, scaled to `WIDTH` pixels."""
    height, width, _ = frame.shape
    return np.asarray(
        Image.fromarray(frame).resize(
            (WIDTH, round(height * WIDTH / width)), Image.Resampling.LANCZOS
        )
    )


def frames(env_id: str, steps: int, scale: int = 1) -> list[np.ndarray]:
    """The frames of the first steps of an episode."""
    env = sde.make_env(env_id, render_mode="rgb_array", **ARGUMENTS.get(env_id, {}))
    env.render_scale = scale
    observations, _ = env.reset(seed=3)
    chance, actions, out = random.Random(7), dict.fromkeys(env.agents, 0), [env.render()]
    for _ in range(steps):
        if env_id == "coin_game_v0":
            actions = {a: toward_coin(o, greedy=a != "player_0") for a, o in observations.items()}
        else:
            actions = copied(env, actions, chance)
        observations, *_ = env.step(actions)
        out.append(env.render())
    env.close()
    return out


def copied(env: Any, last: dict[str, int], chance: random.Random) -> dict[str, int]:
    """The next player's last move for everybody, or now and then any move."""
    agents, moves = env.agents, {}
    for agent, other in zip(agents, agents[1:] + agents[:1], strict=True):
        choices = range(env.action_space(agent).n)
        moves[agent] = (
            last[other]
            if chance.random() < 0.45 and last[other] in choices
            else chance.choice(choices)
        )
    return moves


def toward_coin(observation: np.ndarray, greedy: bool) -> int:
    """A move (left, right, up, down) that comes nearer to one's own coin, or if `greedy` to any.

    Else to and fro.
    """
    planes, height, width = observation.shape
    coins = observation[planes // 2 :].sum(0) if greedy else observation[planes // 2]
    if not coins.any():
        return 0
    (row, column), (coin_row, coin_column) = np.argwhere(observation[0])[0], np.argwhere(coins)[0]
    right, down = (coin_column - column) % width, (coin_row - row) % height
    if right:
        return 1 if right <= width // 2 else 0
    return 3 if down and down <= height // 2 else 2


if __name__ == "__main__":
    main(
        Path(sys.argv[1])
        if len(sys.argv) > 1
        else Path(__file__).parents[3] / "render_assets" / "gallery"
    )
