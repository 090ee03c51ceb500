"""Both spatial commons beside naive ones that were written from their pages (`naive.py`): the same
moves, and whatever chance decides must be allowed."""

import pytest

from social_dilemmas_env import make_env
from tests.env.commons.boards import part, places
from tests.env.commons.naive import NaiveCleanUp, NaiveHarvest, Player, Seen
from tests.helpers.games import SMALL_COMMONS, SMALL_RIVER, Dice

COUNTS = {**{n: n for n in range(4)}, 4: "ripe", 5: "eaten"}

CASES = {
    "harvest": ("commons_harvest_v0", NaiveHarvest, SMALL_COMMONS, {}),
    "harvest, no beams": ("commons_harvest_v0", NaiveHarvest, SMALL_COMMONS, {"zap": False}),
    "clean up": ("clean_up_v0", NaiveCleanUp, SMALL_RIVER, {"num_agents": 2}),
    "clean up, no shots": (
        "clean_up_v0",
        NaiveCleanUp,
        SMALL_RIVER,
        {"num_agents": 2, "zap": False},
    ),
}


def seen(env, naive, rewards=()):
    """The board, in the words of the naive games."""
    cells = [divmod(cell, env.game.lattice.width) for cell in env.game.apple_cells]
    apples = part(env, "apple")
    if isinstance(naive, NaiveHarvest):
        things = {"apples": {c: COUNTS[a] for c, a in zip(cells, apples, strict=True)}}
    else:
        things = {
            "apples": {c for c, a in zip(cells, apples, strict=True) if a},
            "dirt": {c for c, d in zip(naive.river, part(env, "dirt"), strict=True) if d},
        }
    return Seen(places(env), part(env, "facing"), [int(r) for r in rewards], things)


def begin(env, naive):
    """Rule 10."""
    start = seen(env, naive)
    assert len(set(start.where)) == len(start.where)
    assert {naive.letter(cell) for cell in start.where} <= {"P", "Q"}
    pairs = zip(start.where, start.facings, strict=True)
    naive.players = [Player(c, f, dict.fromkeys(naive.pause, 0)) for c, f in pairs]
    assert start.things["apples"] == naive.apples
    assert start.things.get("dirt", set()) == getattr(naive, "dirt", set())


def same_views(env, naive):
    """What each player sees, as classes of cells."""
    for observation, player in zip(env.observations().values(), naive.players, strict=True):
        assert (observation.sum(0) == 1).all()
        assert observation.argmax(0).tolist() == naive.view(player)


@pytest.mark.parametrize("steps", [750, pytest.param(6_000, marks=pytest.mark.wide)])
@pytest.mark.parametrize("case", CASES)
def test_both_agree(case, steps):
    env_id, naive_class, text, arguments = CASES[case]
    env = make_env(env_id, **{"map": text, "num_agents": 3, "max_cycles": 150, **arguments})
    names, dice, eaten, gone = env.game.action_names[0], Dice(5), 0, 0
    for t in range(steps):
        if t % 150 == 0:
            env.reset(seed=t)
            naive = naive_class(text, arguments.get("zap", True))
            begin(env, naive)
            same_views(env, naive)

        actions = dice.actions(env)
        rewards = list(env.step(actions)[1].values())
        naive.step([names[a] for a in actions.values()], seen(env, naive, rewards))
        same_views(env, naive)
        eaten, gone = eaten + sum(rewards), gone + places(env).count(None)

    # Something was seen.
    assert eaten > 20
    assert (gone > 50) == env.game.zap
