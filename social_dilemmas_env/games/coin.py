"""# Coin Game (`coin_game_v0`)

Players on a torus pick up coins; taking another's coin hurts its owner more than it pays.

## Description

    1. All players move at the same time, one cell left, right, up or down; the board wraps around.
       There is no "stay", unless `stay=True`.  With `walls=True` it does not wrap: who walks
       against a wall stays.
    2. A player standing on a coin picks it up.  Who gets it if several stand there: `ties`.
    3. Whoever picks up a coin gets +1.  If anybody but its owner does, the owner gets -2 (once).
       Other numbers: `payoffs=(gain, loss)`.
    4. With one coin (`coins=1`), a coin that was picked up comes back in the next player's colour
       (`coin_color="alternate"`) or in a random one (`"random"`); with `coins=num_agents` each
       player always has one coin of their colour on the board.
    5. It comes back on a uniform cell free of players (`coin_avoids_players=True`) or on any cell
       at all.
    6. The game is cut off, not over, after `max_cycles` steps (truncation).

Player 0 is red, player 1 blue.  Everybody earns most if each takes only coins of their own colour;
each earns more, whatever the others do, by taking every coin: it is a social dilemma because 1 - 2
< 0 < 1 (a theft pays the thief, and costs the group).

## Action Space

`Discrete(4)`: left, right, up, down (`moves="LRUD"`), or right, left, down, up (`moves="RLDU"`);
with `stay=True` `Discrete(5)`, the last being stay.

## Observation Space

`Box(0, 1, (2 * num_agents, height, width), float32)`: planes with a single 1 each.  For
`view="ego"`: myself, the next player, ..., then my coin, the next player's coin, ...; for
`view="joint"`: player 0, player 1, ..., player 0's coin, ...

`memory="pickups"` adds a plane for each player (in the same order) that tells what it picked up
last, by the cell of its 1 in reading order: 0 nothing yet, 1 own coins only, 2 another's;
`memory="last_pickup"` adds after these a plane for each that tells whether its last reward other
than 0 was a loss: 0 no, 1 yes.  The memory is empty at the start of an episode.

## Rewards

| I pick up | another picks up | reward |
|---|---|---|
| my coin | - | +1 |
| another's coin | - | +1 |
| nothing | my coin | -2 |
| my coin | my coin as well | -1 |

`ties="both"`: everyone standing on the coin gets it; `"red"`: the player with the lowest index
does; `"split"`: they share it, the +1 in equal parts, and the owner loses 2 times the share that
went to others; `"each"`: everyone gets it, and the owner loses 2 to each of the others.

What these rewards make of the game, exactly: mean rewards a step of an episode of 50 when all
cooperate (take their own coins only), all defect (take every coin), one defects and what its
victims then get; the index of a dilemma is at most 1, and at most 0 where there is none
(`benchmarks/dilemmas.py`, with its definition).  `ties="red"` and `variant="lola"` are as "split",
in the mean of all seats.

| players | board | ties | all cooperate | all defect | lone defector | its victims | index |
|---:|---|---|---:|---:|---:|---:|---:|
| 2 | 3x3 | both | .349 | 0 | .637 | -.266 | .295 |
| 2 | 3x3 | split | .349 | 0 | .557 | -.186 | .250 |
| 2 | 3x3 | both, `variant="mfos"` | .508 | .280 | .598 | .184 | .218 |
| 2 | 4x4 | both | .243 | 0 | .442 | -.169 | .277 |
| 2 | 4x4 | split | .243 | 0 | .411 | -.138 | .251 |
| 2 | 4x4 | both, `variant="mfos"` | .390 | .149 | .462 | .054 | .176 |
| 2 | 5x5 | both | .203 | 0 | .371 | -.141 | .276 |
| 2 | 5x5 | split | .203 | 0 | .345 | -.116 | .251 |
| 2 | 5x5 | both, `variant="mfos"` | .349 | .112 | .397 | .051 | .140 |
| 3 | 3x3 | both | .232 | .208 | .644 | -.191 | .029 |
| 3 | 3x3 | split | .232 | -.075 | .528 | -.133 | .152 |
| 3 | 3x3 | both, `variant="mfos"` | .405 | .217 | .565 | .183 | .301 |
| 3 | 4x4 | both | .158 | .007 | .440 | -.124 | .254 |
| 3 | 4x4 | split | .158 | -.065 | .394 | -.101 | .146 |
| 3 | 5x5 | both | .133 | .090 | .365 | -.102 | .090 |
| 3 | 5x5 | split | .133 | -.047 | .328 | -.083 | .130 |

## Starting State

Players on uniform cells, which may coincide unless `distinct_starts=True`; the coin as in rule 5,
its first colour uniform.

## Episode End

1. Termination: never.
2. Truncation: after `max_cycles` steps.

## Arguments

`variant="loqa"`, then any switch to override it: `grid_size=3` (n, or (height, width), each at
least 2), `num_agents=2`, `coins=1`, `ties`, `coin_color`, `coin_avoids_players`, `distinct_starts`,
`moves`, `stay`, `view`, `max_cycles`, `payoffs` (a pair (gain, loss), the gain at least 0, the loss
at most 0, whole numbers or fractions with a denominator of at most 1,000).  No part of a variant
are `walls=False` and `memory` (none, "last_pickup" or "pickups"), which adds to what is observed.

| variant | loqa | pola | lola | mfos | reciprocator |
|---|---|---|---|---|---|
| ties | both | both | red | both | each |
| coin_color | alternate | alternate | alternate | alternate | alternate |
| coins | 1 | 1 | 1 | one each | one each |
| coin_avoids_players | True | True | True | False | False |
| distinct_starts | False | False | True | False | False |
| moves | LRUD | RLDU | RLDU | RLDU | RLDU |
| stay | False | False | False | False | True |
| view | ego | joint | joint | ego | ego |
| max_cycles | 50 | 50 | 150 | 15 | 32 |

## Version History

* v0: first version.  Rules after Lerer and Peysakhovich 2017 (arXiv:1707.01068) as implemented by
  the authors of the papers below, whose reported numbers each variant matches: `loqa`: LOQA
  (arXiv:2405.01035; MiladInk/loqa) and Advantage Alignment (arXiv:2406.14662), also for three
  players; `pola`: POLA (arXiv:2210.10125; Silent-Zebra/POLA, JAX files) and LOLA-DiCE; `lola`: LOLA
  (arXiv:1709.04326; alshedivat/lola, `lola/envs/coin_game.py`), where red wins ties; `mfos`: M-FOS
  (arXiv:2205.01447; luchris429/Model-Free-Opponent-Shaping), inner episodes, without its three
  planes of last rewards and end of episode and without its 16th step, which only resets;
  `reciprocator`: Reciprocators (arXiv:2406.01641; johnlyzhou/reciprocator); the loss is n / (n - 1)
  for n players, so -2 for two and -1.5 for three; without its order of planes (it turns them by two
  for each player).
"""

from dataclasses import fields, replace
from typing import Any

from social_dilemmas_env.games.coin_arguments import board_sides, check_coin_game, payoff_pair
from social_dilemmas_env.games.coin_memory import CoinGameWithMemory
from social_dilemmas_env.games.coin_rules import GAIN, CoinGame
from social_dilemmas_env.modes import (
    COIN_MEMORIES,
    CoinColor,
    CoinMemory,
    Moves,
    Ties,
    Variant,
    View,
)
from social_dilemmas_env.validation import integer, one_of

LOQA = CoinGame()
VARIANTS = {
    "loqa": LOQA,
    "pola": replace(LOQA, moves="RLDU", view="joint"),
    "lola": replace(
        LOQA, moves="RLDU", view="joint", ties="red", distinct_starts=True, max_cycles=150
    ),
    "mfos": replace(LOQA, moves="RLDU", coins=2, coin_avoids_players=False, max_cycles=15),
    "reciprocator": replace(
        LOQA,
        moves="RLDU",
        stay=True,
        coins=2,
        ties="each",
        coin_avoids_players=False,
        max_cycles=32,
    ),
}


def coin_game(
    *,
    variant: Variant = "loqa",
    grid_size: int | tuple[int, int] = 3,
    num_agents: int = 2,
    coins: int | None = None,
    ties: Ties | None = None,
    coin_color: CoinColor | None = None,
    coin_avoids_players: bool | None = None,
    distinct_starts: bool | None = None,
    moves: Moves | None = None,
    view: View | None = None,
    max_cycles: int | None = None,
    payoffs: tuple[float, float] | None = None,
    stay: bool | None = None,
    walls: bool = False,
    memory: CoinMemory | None = None,
) -> CoinGame:
    """Checks the arguments and returns the rules; None takes the variant's value.

    `memory=None` shows none.

    Raises:
        ValueError: an unknown variant or switch, a board too small for the rules.
        TypeError: a size that is not an integer.
    """
    # The board.
    base = VARIANTS[one_of("variant", variant, tuple(VARIANTS))]
    height, width = board_sides(grid_size)
    num_agents = integer("num_agents", num_agents, 2)

    # The variant's switches, but for those that are given.
    switches = {
        "coins": num_agents if base.coins > 1 and coins is None else coins,
        "ties": ties,
        "coin_color": coin_color,
        "coin_avoids_players": coin_avoids_players,
        "distinct_starts": distinct_starts,
        "moves": moves,
        "view": view,
        "max_cycles": max_cycles,
        "payoffs": None if payoffs is None else payoff_pair(payoffs),
        "stay": stay,
        "walls": walls,
    }
    # Its loss goes by the number of players.
    if variant == "reciprocator" and payoffs is None:
        switches["payoffs"] = (GAIN, -num_agents / (num_agents - 1))
    # Only what is given, numbers checked.
    given: dict[str, Any] = {name: value for name, value in switches.items() if value is not None}
    for name, least in (("coins", 1), ("max_cycles", 1)):
        if name in given:
            given[name] = integer(name, given[name], least)

    game = replace(base, height=height, width=width, num_agents=num_agents, **given)
    # A memory makes a larger board of it.
    if memory is not None:
        same = {field.name: getattr(game, field.name) for field in fields(game)}
        one_of("memory", memory, COIN_MEMORIES)
        game = CoinGameWithMemory(**same, memory=memory)
    check_coin_game(game)
    return game
