"""A page a game: its docstring, and what the code says besides: quick facts, picture, anchors."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import social_dilemmas_env as sde
from generator.markdown import page, table
from social_dilemmas_env.render.video import save_video

GALLERY = Path(__file__).parents[2] / "render_assets" / "gallery"
GAMMA, FILM_STEPS, FRAMES_PER_SECOND = 0.96, 20, 3
# Who meets whom in the table of anchors, of those that a game has.
CAST = ("always_cooperate", "always_defect", "tit_for_tat", "random")
# matrix_game_v0 is any game; this one stands for it on its page.
EXAMPLES: dict[str, dict[str, Any]] = {
    "matrix_game_v0": {"payoffs": [[[3, 3], [0, 5]], [[5, 0], [1, 1]]]}
}
# The numbered rules, which stand indented in the docstring.
RULES = re.compile(r"^    1\. .*?(?=\n\n)", re.DOTALL | re.MULTILINE)
MEMORIES = {"coin_game_v0": "last_pickup"}


def pages(folder: Path) -> dict[str, str]:
    """Page name -> text: the games and their index; films are drawn beside them."""
    written = {env_id: _game(env_id, folder) for env_id in sde.list_envs()}
    rows = [
        (
            f"![{env_id}]({_picture(env_id)})",
            f"[`{env_id}`]({env_id}.md)",
            sde.spec(env_id).title,
        )
        for env_id in written
    ]
    tree = "\n".join(written)
    written["index"] = page(
        "Games",
        "Every page is the docstring of the file that holds the rules, with facts and numbers that "
        "the code computes when this site is built.",
        table(("", "id", "game"), rows),
        f"```{{toctree}}\n:hidden:\n\n{tree}\n```",
    )
    return written


def _game(env_id: str, folder: Path) -> str:
    """The page of one game."""
    kwargs = EXAMPLES.get(env_id, {})
    spec = sde.spec(env_id)
    _, _, text = spec.page.partition("\n")
    text = RULES.sub(lambda rules: dedent(rules[0]), text)
    film(env_id, kwargs, folder / f"{env_id}.gif")

    return page(
        f"{spec.title} (`{env_id}`)",
        f"![A picture of {spec.title}]({_picture(env_id)})",
        "## Quick facts",
        table(("", ""), _facts(env_id, kwargs)),
        "```python\nimport social_dilemmas_env as sde\n\n"
        f"env = sde.make_env({_call(env_id, kwargs)})\n"
        "observations, infos = env.reset(seed=0)\n```",
        text,
        "## Exact anchors",
        _anchors_if_any(env_id, kwargs),
        "## An episode",
        f"![An episode of {spec.title}]({env_id}.gif)",
    )


def _picture(env_id: str) -> str:
    """README's picture of a game; the film where there is none."""
    path = GALLERY / f"{env_id}.png"
    return f"../../../render_assets/gallery/{path.name}" if path.exists() else f"{env_id}.gif"


def _count(sizes: Sequence[int]) -> str:
    """How many boards can be written."""
    count = math.prod(sizes)
    return f"{count:,} codes" if count < 10**9 else f"more than 10^{len(str(count)) - 1}"


def _call(env_id: str, kwargs: dict[str, Any]) -> str:
    """The arguments of `make_env` as they are typed."""
    return ", ".join([f'"{env_id}"', *(f"{name}={value}" for name, value in kwargs.items())])


def _facts(env_id: str, kwargs: dict[str, Any]) -> list[tuple[str, str]]:
    """What a reader looks for first."""
    game = sde.spec(env_id).game(**kwargs)
    short, _, version = env_id.rpartition("_v")
    rewards = sorted(set(game.reward_values))
    names = sde.list_strategies(env_id, **kwargs)
    return [
        ("players", f"{len(game.num_actions)}, `player_0` to `player_{len(game.num_actions) - 1}`"),
        ("actions", ", ".join(f"`{name}`" for name in game.action_names[0])),
        ("observation", f"`{tuple(game.observation_shape)}`, float32 by default"),
        ("rewards", f"from {rewards[0]:g} to {rewards[-1]:g}"),
        ("boards", _count(game.sizes)),
        ("horizon", f"`max_cycles={game.max_cycles}`, then truncation"),
        ("PettingZoo's and Gymnasium's name", f"`social_dilemmas/{short}-v{version}`"),
        ("strategies", ", ".join(f"`{name}`" for name in names)),
    ]


def _anchors_if_any(env_id: str, kwargs: dict[str, Any]) -> str:
    """The table of anchors, or the sentence that says why there is none."""
    try:
        return anchors(env_id, kwargs)
    except ValueError as error:  # too many boards, or a player without memory cannot be told
        return f"Not computed: {error}"


def anchors(env_id: str, kwargs: dict[str, Any]) -> str:
    """Exact scores of scripted players, computed while the site is built."""
    game = sde.exact_game(env_id, memory=MEMORIES.get(env_id), gamma=GAMMA, **kwargs)
    players = len(sde.spec(env_id).game(**kwargs).num_actions)
    policies = {}
    for name in (n for n in CAST if n in sde.list_strategies(env_id, **kwargs)):
        try:
            policies[name] = game.policy(name)
        except ValueError:  # it remembers more than this game does
            continue

    # The row's player in seat 0, the column's in all others.
    rows = []
    for name, policy in policies.items():
        scores = [game.score([policy, *[other] * (players - 1)])[0] for other in policies.values()]
        best = game.best_response([None, *[policy] * (players - 1)], player=0)[1][0]
        shown = [f"{round(score, 4) + 0.0:.4f}" for score in (*scores, best)]  # no -0.0000
        rows.append((f"`{name}`", *shown))

    head = ("", *(f"`{name}`" for name in policies), "best response to it")
    memory = f", memory `{MEMORIES[env_id]}`" if env_id in MEMORIES else ""
    seats = "the other seat" if players == 2 else "all other seats"
    about = (
        f"Mean reward a step of the row's player in seat 0 against the column's in {seats}; "
        f"discounted by {GAMMA}, without end, {game.num_states:,} states{memory}. No samples: "
        "linear algebra on the rules ([how](../../exact_games.md)). The last column is what the "
        "best strategy of all earns against the row's player."
    )
    return f"{about}\n\n{table(head, rows)}"


def film(env_id: str, kwargs: dict[str, Any], path: Path) -> None:
    """A short episode, drawn once: the first strategies of the cast that differ."""
    if path.exists():
        return
    cast = ("tit_for_tat", "restrained", "greedy", "random")
    names = [name for name in cast if name in sde.list_strategies(env_id, **kwargs)]

    seats = range(len(sde.spec(env_id).game(**kwargs).num_actions))
    players = [
        sde.make_strategy(names[n % len(names)], env_id, player=n, seed=n, **kwargs) for n in seats
    ]
    film_of(env_id, kwargs, players, path)


def film_of(env_id: str, kwargs: dict[str, Any], players: Sequence[Any], path: Path) -> None:
    """The first steps of a game of these players, one a seat."""
    env = sde.make_env(env_id, render_mode="rgb_array", **kwargs)
    observations, _ = env.reset(seed=3)

    frames = [env.render()]
    while env.agents and len(frames) <= FILM_STEPS:
        actions = {
            agent: int(player.act(observations[agent][None])[0])
            for agent, player in zip(env.possible_agents, players, strict=True)
        }
        observations, *_ = env.step(actions)
        frames.append(env.render())
    env.close()
    save_video(frames, path, FRAMES_PER_SECOND)
