"""Scores of exact games against play in the environments themselves."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from tests.env.exact.games import coin, some_policies

STEPS = 50
DEVIATIONS = 6  # two sided 2e-9; with the few comparisons here a false alarm in 10^7 runs


def played(env_id, names, games, **kwargs):
    """Mean reward a step of scripted players in each game, [B, N]."""
    venv = sde.make_vec_env(
        env_id, num_envs=games, backend="numpy", max_cycles=STEPS, autoreset="disabled", **kwargs
    )
    players = [
        sde.make_strategy(name, env_id, player=n, seed=n, **kwargs) for n, name in enumerate(names)
    ]
    seen, _ = venv.reset(seed=1)
    total = np.zeros((games, len(names)))
    for _ in range(STEPS):
        actions = np.stack([p.act(seen[:, n]) for n, p in enumerate(players)], -1)
        seen, rewards, *_ = venv.step(actions)
        total += rewards
    return total / STEPS


def check(samples, expected):
    error = samples.std(0, ddof=1) / np.sqrt(len(samples))
    assert np.abs(samples.mean(0) - expected) == pytest.approx(0, abs=DEVIATIONS * error.max())
    assert error.max() < 0.01  # so that the comparison means something


CASES = [
    (["tit_for_tat", "always_defect"], {}),
    (["tit_for_tat", "random"], {"variant": "pola"}),
    (["always_cooperate", "tit_for_tat"], {"variant": "lola"}),
    (["always_defect", "random"], {"variant": "mfos"}),
    (["tit_for_tat", "random"], {"coin_color": "random", "ties": "split"}),
    (["tit_for_tat", "random", "always_defect"], {"num_agents": 3, "grid_size": 2}),
]


@pytest.mark.parametrize(("names", "kwargs"), CASES, ids=str)
def test_scripted_players(names, kwargs):
    game = coin(**kwargs).finite(STEPS)
    check(played("coin_game_v0", names, 2000, **kwargs), game.score(names))


@pytest.mark.parametrize("names", [["grim", "random"], ["pavlov", "extort2"]])
def test_scripted_prisoners(names):
    game = sde.exact_game("ipd_v0", memory="grudge").finite(STEPS)
    check(played("ipd_v0", names, 2000), game.score(names))


def play_tables(policies, games, seed=0):
    """Plays policies of the exact game in coin_game_v0; the memory is kept from boards alone."""
    game, rng = coin(), np.random.default_rng(seed)
    columns = np.stack(list(game.columns.values()), -1)
    index = {tuple(row): s for s, row in enumerate(columns.tolist())}
    venv = sde.make_vec_env(
        "coin_game_v0",
        num_envs=games,
        backend="numpy",
        max_cycles=STEPS,
        autoreset="disabled",
        obs_mode="state",
    )
    venv.reset(seed=seed)

    def board():
        return np.array(venv.get_state().board).T

    before, total = board(), np.zeros((games, 2))
    pickup, hurt = np.zeros((2, games), int), np.zeros((2, games), int)
    for _ in range(STEPS):
        actions = []
        for me in (0, 1):
            row = seen_by(me, before, pickup, hurt)
            cumulated = policies[me][[index[tuple(r)] for r in row.tolist()]].cumsum(1)
            actions.append((rng.random((games, 1)) > cumulated[:, :-1]).sum(1))
        _, rewards, *_ = venv.step(np.stack(actions, 1))
        total += rewards
        after = board()
        for i in (0, 1):
            took = after[i] == before[2]
            pickup[i] = np.where(took, np.where(before[3] == i, 1, 2), pickup[i])
        hurt = np.where(rewards.T < 0, 1, np.where(rewards.T > 0, 0, hurt))
        before = after
    return total / STEPS


def seen_by(me, board, pickup, hurt):
    """Rows of the columns that seat `me` sees, its own cell moved to 0."""

    def relative(cell):
        return (cell // 3 - board[me] // 3) % 3 * 3 + (cell % 3 - board[me] % 3) % 3

    order = [me, 1 - me]
    cells = [relative(board[i]) for i in order]
    owner = (board[3] - me) % 2
    return np.stack([*cells, relative(board[2]), owner, *pickup[order], *hurt[order]], -1)


def test_policies_that_read_the_memory():
    """Random tables on 1,152 states, and a best response to one of them."""
    game = coin().finite(STEPS)
    policies = some_policies(game)
    check(play_tables(policies, 1000), game.score(policies))

    response, _ = coin().best_response([None, policies[1]])
    pair = [response, policies[1]]
    check(play_tables(pair, 1000, seed=5), game.score(pair))


@pytest.mark.slow
def test_a_million_steps():
    """As above, 20,000 games of 50 steps."""
    game = coin().finite(STEPS)
    policies = some_policies(game, seed=9)
    check(play_tables(policies, 20_000), game.score(policies))
