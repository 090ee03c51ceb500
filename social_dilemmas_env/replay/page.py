"""An episode as one page of HTML that needs nothing else: no network, no other file.

The page holds the file's text (`checks.MARK`), what it shows of it in words, a style and a script.
Whatever comes from the episode is data: it is escaped here, and the script writes it as text only.
"""

import json
from html import escape
from pathlib import Path
from typing import Any

from social_dilemmas_env.games.coin_rules import CoinGame
from social_dilemmas_env.registry import spec
from social_dilemmas_env.render.describe import (
    action_symbols,
    has_payoff_table,
    last_pickups,
    pickup_text,
    title,
)
from social_dilemmas_env.render.palette import player_color, player_shape
from social_dilemmas_env.render.scene import Scene
from social_dilemmas_env.render.text import scene_text
from social_dilemmas_env.replay.checks import MARK
from social_dilemmas_env.replay.episode import Episode, episode_json

PARTS = Path(__file__).parent


def replay_page(episode: Episode) -> str:
    """The page.

    Raises:
        ValueError: nothing was played.
    """
    if not episode.steps:
        raise ValueError("there is no step to show")
    scenes = episode.scenes()
    names = " and ".join(scenes[0].names)
    parts = {
        "TITLE": escape(f"{title(scenes[0])}: {names}"),
        "STYLE": (PARTS / "page.css").read_text(),
        "EPISODE": f"{MARK}{_in_script(episode_json(episode))}</script>",
        "SHOWN": _in_script(json.dumps(_shown(episode, scenes), separators=(",", ":"))),
        "SCRIPT": (PARTS / "page.js").read_text(),
    }

    # In one pass: what is filled in is not looked at again.
    pieces = (PARTS / "page.html").read_text().split("%%")
    return "".join(parts[piece] if k % 2 else piece for k, piece in enumerate(pieces))


def _in_script(text: str) -> str:
    """JSON that no parser of HTML takes for the end of its element."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _shown(episode: Episode, scenes: list[Scene]) -> dict[str, Any]:
    """What the page says in words and colours."""
    scene, game = scenes[0], scenes[0].game
    seats = range(len(scene.names))
    about = " ".join(f"{name}={value}" for name, value in episode.game_kwargs.items())

    return {
        "title": title(scene),
        "about": f"{episode.env_id} {about}".strip()[:200],
        "page": _summary(episode.env_id),
        "names": list(scene.names),
        "colors": [_hex(player_color(seat)) for seat in seats],
        "shapes": [player_shape(seat) for seat in seats],
        "actions": [list(names) for names in game.action_names],
        "symbols": [list(action_symbols(names)) for names in game.action_names],
        "horizon": game.max_cycles,
        **_picture(scenes),
    }


def _summary(env_id: str) -> str:
    """The sentence under the title of the game's page."""
    paragraphs = spec(env_id).page.split("\n\n")
    return " ".join(paragraphs[1].split())[:300] if len(paragraphs) > 1 else ""


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def _picture(scenes: list[Scene]) -> dict[str, Any]:
    """What the page draws: a board, a payoff table, or the lines of the text view."""
    # The Coin Game's board, with what was picked up in each step.
    game = scenes[0].game
    if isinstance(game, CoinGame):
        return {
            "kind": "coin",
            "height": game.height,
            "width": game.width,
            "coins": game.coins,
            "pickups": [
                [
                    {"owner": p.owner, "cell": p.cell, "takers": p.takers}
                    | {"text": pickup_text(scene, p)}
                    for p in last_pickups(scene)
                ]
                for scene in scenes
            ],
        }
    if has_payoff_table(game):
        return {"kind": "table"}
    return {"kind": "text", "texts": [scene_text(scene) for scene in scenes]}
