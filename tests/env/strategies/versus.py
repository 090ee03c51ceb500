"""Hand-written positions for scripted players: histories of C and D, and boards of the Coin Game
drawn in letters."""

import numpy as np

from social_dilemmas_env import rng, spec
from social_dilemmas_env.engine.tables import observations
from social_dilemmas_env.games.game import encode
from social_dilemmas_env.strategies import make_strategy

LETTERS = "RBGY"  # players 0, 1, 2, 3; their coins in lower case
CASES = [  # every strategy in every kind of game: (name, env_id, arguments)
    *[
        (name, env_id, {})
        for env_id in ("ipd_v0", "chicken_v0")
        for name in (
            "always_cooperate",
            "always_defect",
            "extort2",
            "generous_tit_for_tat",
            "grim",
            "pavlov",
            "random",
            "tit_for_tat",
        )
    ],
    ("memory_one", "ipd_v0", {"probabilities": (0.5, 0.9, 0.1, 0.6, 0.3)}),
    ("memory_one", "imp_v0", {"probabilities": (0.5, 0.9, 0.1, 0.6, 0.3), "view": "joint"}),
    ("grim", "ipd_v0", {"view": "joint"}),
    ("tit_for_tat", "public_goods_v0", {}),
    ("grim", "public_goods_v0", {"num_agents": 3}),
    ("random", "rps_v0", {}),
    ("constant", "rps_v0", {"action": 2}),
    *[
        (name, "coin_game_v0", arguments)
        for name in ("always_cooperate", "always_defect", "tit_for_tat")
        for arguments in (
            {},
            {"variant": "pola", "definition": "pola", "grid_size": (3, 4)},
            {"variant": "mfos", "num_agents": 3},
            {"num_agents": 3, "ties": "split", "coin_color": "random", "grid_size": 4},
        )
    ],
    ("random", "coin_game_v0", {}),
]


def case_id(case):
    name, env_id, arguments = case
    return "-".join([name, env_id, *(f"{k}={v}" for k, v in arguments.items())]).replace(" ", "")


def game_of(env_id, arguments):
    """The rules; the arguments of the player are left out."""
    known = spec(env_id).keywords
    return spec(env_id).game(**{k: v for k, v in arguments.items() if k in known})


def one_hot(positions, size, dtype=np.float32):
    """[B, size] with a one at each position."""
    return np.eye(size, dtype=dtype)[np.asarray(positions)]


def ones_at(*positions, size=5):
    return one_hot(positions, size)


def history(name, opponent, env_id="ipd_v0", player=0, **arguments):
    """What a player answers to the moves of the other, for example "CDDC" -> "CCDD"."""
    strategy = make_strategy(name, env_id, player=player, **arguments)
    strategy.reset(1)
    moves, own_first = [], player == 0 or arguments.get("view") != "joint"
    position = 0
    for other in opponent:
        own = int(strategy.act(one_hot([position], 5))[0])
        moves.append("CD"[own])
        pair = (own, "CD".index(other)) if own_first else ("CD".index(other), own)
        position = 1 + 2 * pair[0] + pair[1]
    return "".join(moves)


def drawing(art, num_agents=2, view="ego", player=0):
    """Observation [1, 2 N, height, width] of a board in letters, for example "R .

    B / . B . / . . .".
    """
    rows = [row.split() for row in art.split("/")]
    planes = np.zeros((1, 2 * num_agents, len(rows), len(rows[0])), np.float32)
    shift = player if view == "ego" else 0
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            for letter in cell.strip("."):
                owner = (LETTERS.index(letter.upper()) - shift) % num_agents
                planes[0, owner + num_agents * letter.islower(), r, c] = 1
    return planes


def answers(strategy, art, games=256):
    """All the moves, by name, that the player makes on a board."""
    game = strategy.game
    strategy.reset(games, seed=1)
    observation = drawing(art, game.num_agents, game.view, strategy.player)
    return named(strategy, strategy.act(np.repeat(observation, games, 0)))


def named(strategy, actions):
    names = strategy.game.action_names[strategy.player]
    return {names[action] for action in actions}


def simulate(game, movers, games, steps, seed):
    """Before each step of a batch, straight from the rules: the board, the last rewards, what every
    player sees."""
    key = rng.key(rng.draw(seed, np.arange(games)), 0)

    def draw_at(t):
        return lambda stream, n: rng.bounded(rng.word(key, t * game.streams + stream), n)

    players = range(len(game.num_actions))
    board = game.chance(game.start(draw_at(0)), draw_at(0))
    rewards = [np.zeros(games) for _ in players]
    for t in range(steps):
        seen = [
            observations(game, encode(game.view_of(board, i), game.view_sizes)) for i in players
        ]
        yield board, rewards, seen
        board, codes = game.act(board, [mover.act(seen[i]) for i, mover in enumerate(movers)])
        board = game.chance(board, draw_at(t + 1))
        rewards = [np.array(game.reward_values)[code] for code in codes]


def random_movers(env_id, arguments):
    """A random player for every seat."""
    known = spec(env_id).keywords
    arguments = {k: v for k, v in arguments.items() if k in known}
    players = range(len(game_of(env_id, arguments).num_actions))
    return [make_strategy("random", env_id, player=i, **arguments) for i in players]
