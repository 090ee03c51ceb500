"""The law of the games: what scripted players earn here, and in the engine (`tests/oracle`).

The same players, by the same observations.  Each comparison is of two means, with a bound of 4.5
standard errors: false alarm 7e-6 each.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import social_dilemmas_env as sde

FILES = sorted((Path(__file__).parents[2] / "oracle" / "law").glob("*.json"))
EPISODES, BOUND = 1024, 4.5


def played(env_id, names, steps, every):
    """Apples earned [episodes], and what is left, and dirty cells, every so many steps
    [episodes, steps / every]."""
    venv = sde.make_vec_env(env_id, EPISODES, obs_mode="uint8", max_cycles=steps + 1)
    seen, _ = venv.reset(seed=0)
    players = [sde.make_strategy(name, env_id, player=i) for i, name in enumerate(names)]
    for player in players:
        player.reset(EPISODES, seed=7)

    earned, left, dirty = np.zeros(EPISODES), [], []
    ripe = {"commons_harvest_v0": 4, "clean_up_v0": 1}[env_id]
    parts = [name for name, *_ in venv.game.parts]
    for t in range(steps):
        actions = np.stack([p.act(seen[:, i]) for i, p in enumerate(players)], 1)
        seen, rewards, *_ = venv.step(actions)
        earned += rewards.sum(1)
        if (t + 1) % every == 0:
            board = dict(zip(parts, venv.running.encoded, strict=True))
            left.append((board["apple"] == ripe).sum(0))
            dirty.append(board.get("dirt", np.zeros((1, EPISODES))).sum(0))
    return earned, np.stack(left, 1), np.stack(dirty, 1)


def score(ours, theirs):
    """Distance of two means in standard errors of their difference; 0 where both never vary."""
    error = (ours.var(0) / len(ours) + theirs.var(0) / len(theirs)) ** 0.5
    distance = abs(ours.mean(0) - theirs.mean(0))
    return np.where(distance == 0, 0, distance / np.maximum(error, 1e-9))


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_players_earn_and_leave(path):
    engine = json.loads(path.read_text())
    earned, left, dirty = played(*(engine[name] for name in ("game", "players", "steps", "every")))
    theirs = np.array(engine["rewards"]).sum(1)
    assert score(earned, theirs) < BOUND
    last = slice(-1, None)  # the curve's points go together: its end is enough
    assert (score(left[:, last], np.array(engine["apples_left"])[:, last]) < BOUND).all()
    if "dirt" in engine:
        assert (score(dirty[:, last], np.array(engine["dirt"])[:, last]) < BOUND).all()


def test_files_are_there():
    kinds = {tuple(path.stem.split(".")[:2]) for path in FILES}
    assert kinds >= {("commons_harvest_v0", kind) for kind in ("greedy", "random", "restrained")}
    assert kinds >= {("clean_up_v0", kind) for kind in ("random", "mixed", "alternating")}
