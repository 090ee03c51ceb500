"""`info_metrics=True`: at the end of an episode infos hold the field's metrics, the same in every
API, backend and adapter, and those of `social_dilemmas_env.metrics`."""

import gymnasium
import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from social_dilemmas_env import metrics, social_metrics
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.engine.episode_metrics import metric_names
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv
from tests.env.parity.batches import ROUTES, numpy_of
from tests.env.parity.test_all_views import Script
from tests.helpers.games import GAMES, rules, wide

B, STEPS, SEED = 3, 6, 5
NAMES = ["ipd", "stag_hunt", "chicken", "rps", "public_goods", "coin", "coin_lola", "coin_mfos"]
NAMES += ["coin_3p", "coin_split", "coin_7p", "govsim_2p", "harvest_small"]
COMMONS = ("govsim_2p", "harvest_small")
named = pytest.mark.parametrize("name", wide(NAMES, ("ipd", "public_goods", "coin", *COMMONS)))


def settings(name):
    env_id, arguments = GAMES[name]
    return env_id, {**arguments, "max_cycles": STEPS, "info_metrics": True}


def script(name, steps=STEPS):
    counts = rules(name).num_actions
    rng = np.random.default_rng(2)
    return np.stack([rng.integers(n, size=(steps, B)) for n in counts], -1)


def expected(name):
    """From whole trajectories: name -> [B, N]."""
    env_id, arguments = settings(name)
    del arguments["info_metrics"]
    games, moves = [], script(name)
    for i in range(B):
        env = sde.make_env(env_id, **arguments)
        env.reset(seed=sde.draw(SEED, i))
        boards, total = [env.get_state().board], 0
        for actions in moves[:, i].tolist():
            _, rewards, *_ = env.step(dict(zip(env.possible_agents, actions, strict=True)))
            boards.append(env.get_state().board)
            total += np.array(list(rewards.values()))
        parts = {"return": total, "cooperation_rate": metrics.cooperation_rate(moves[:, i])}
        if name.startswith("coin"):
            own, other = metrics.coin_pickups(env.game, np.array(boards)[:, None])
            parts |= {"own_coins": own.sum((0, 1)), "stolen_coins": other.sum((0, 1))}
        parts |= social_parts(name, total, np.array(boards), moves[:, i])
        games.append({key: parts[key] for key in metric_names(env.game)})
    return {key: np.stack([game[key] for game in games]) for key in games[0]}


def social_parts(name, returns, boards, moves):
    """Of a commons, from its boards [T + 1, columns] and moves [T, N]; nothing of other games."""
    if name not in COMMONS:
        return {}
    same, n = np.ones(len(returns)), len(returns)
    cooldown, away = boards[:-1, 2 * n : 3 * n], boards[:-1, 3 * n : 4 * n]
    counts = (
        {"survival": same * social_metrics.survival_time(boards[:, 0])}
        if name.startswith("govsim")
        else {"zaps": ((cooldown == 0) & (away == 0) & (moves == 7)).sum(0)}
    )
    equal = social_metrics.equality(returns)
    return {**counts, "collective_return": same * returns.sum(), "equality": same * equal}


def same(got, name):
    truth = expected(name)
    assert got.keys() == truth.keys()
    for key, value in truth.items():
        np.testing.assert_allclose(numpy_of(got[key]), value, rtol=1e-6, atol=1e-6, err_msg=key)


def test_which_games_have_which():
    assert metric_names(rules("ipd")) == ("return", "cooperation_rate")
    assert metric_names(rules("chicken")) == ("return", "cooperation_rate")
    assert metric_names(rules("rps")) == ("return",)
    assert metric_names(rules("coin")) == ("return", "own_coins", "stolen_coins")
    social = ("collective_return", "equality")
    assert metric_names(rules("govsim_2p")) == ("return", "survival", *social)
    assert metric_names(rules("harvest_small")) == ("return", "zaps", *social)
    assert metric_names(rules("clean_up")) == ("return", "zaps", *social)
    peaceful = sde.make_env("commons_harvest_v0", zap=False).game
    assert metric_names(peaceful) == ("return", *social)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_commons_that_dies_and_one_that_nobody_uses(backend):
    """Survival, and equality where nobody earned anything, in a game beside one that goes on."""
    venv = sde.make_vec_env(
        "govsim_commons_v0",
        2,
        backend,
        num_agents=2,
        capacity=8,
        max_catch=8,
        max_cycles=3,
        info_metrics=True,
    )
    venv.reset(seed=0)
    for _ in range(3):
        infos = venv.step(venv.engine.xp.column([[8, 0], [0, 0]]))[-1]
    found = {name: numpy_of(values).tolist() for name, values in infos["metrics"].items()}
    assert found["survival"] == [[0, 0], [3, 3]]
    assert found["equality"] == [[0.5, 0.5], [1, 1]]
    assert found["collective_return"] == [[8, 8], [0, 0]]


def test_a_clock_in_the_board_changes_no_metric():
    env = sde.make_env("govsim_commons_v0", observe_time=True, max_cycles=2, info_metrics=True)
    env.reset(seed=0)
    for _ in range(2):
        infos = env.step(dict.fromkeys(env.possible_agents, 20))[-1]
    assert infos["player_0"]["metrics"]["survival"] == 0


@named
def test_one_game(name):
    env_id, arguments = settings(name)
    moves, games = script(name), []
    for i in range(B):
        env, aec = sde.make_env(env_id, **arguments), sde.make_env(env_id, api="aec", **arguments)
        for each in (env, aec):
            each.reset(seed=sde.draw(SEED, i))
        for t, actions in enumerate(moves[:, i].tolist()):
            infos = env.step(dict(zip(env.possible_agents, actions, strict=True)))[-1]
            for action in actions:
                aec.step(action)
            assert aec.infos == infos
            assert all(bool(info) == (t == STEPS - 1) for info in infos.values())
        of_players = [info["metrics"] for info in infos.values()]
        assert {type(value) for value in of_players[0].values()} == {float}
        games.append({key: [own[key] for own in of_players] for key in of_players[0]})
    same({key: np.array([game[key] for game in games]) for key in games[0]}, name)


@named
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("autoreset", ["same_step", "next_step", "disabled"])
def test_many_games(name, route, autoreset):
    env_id, arguments = settings(name)
    venv = sde.make_vec_env(env_id, B, autoreset=autoreset, **ROUTES[route], **arguments)
    moves = script(name)
    for _ in range(2):
        venv.reset(seed=SEED)  # a second time: what was before is forgotten
        for t, actions in enumerate(moves):
            given = torch.as_tensor(actions) if venv.backend == "torch" else actions
            infos = venv.step(given)[-1]
            assert ("metrics" in infos) == (t == STEPS - 1)
        assert infos["_metrics"].all()
        same(infos["metrics"], name)


@pytest.mark.parametrize("autoreset", ["same_step", "next_step", "disabled"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_games_that_are_not_in_step(autoreset, backend):
    """Each counts its own steps; the step that a game waits for its reset does not count."""
    venv = sde.make_vec_env(
        "ipd_v0", 2, backend, autoreset=autoreset, max_cycles=4, info_metrics=True
    )
    xp = venv.engine.xp
    cooperate, defect = xp.column([[0, 0]] * 2), xp.column([[1, 1]] * 2)
    second = xp.column([0, 1]) > 0
    venv.reset(seed=0)
    venv.step(cooperate), venv.step(defect)
    venv.reset(options={"reset_mask": second})
    venv.step(defect)
    infos = venv.step(defect)[-1]
    assert infos["_metrics"].tolist() == [True, False]
    assert infos["metrics"]["cooperation_rate"].tolist() == [[0.25, 0.25], [0.0, 0.0]]
    assert infos["metrics"]["return"].tolist() == [[-7.0, -7.0], [0.0, 0.0]]
    if autoreset == "disabled":
        venv.reset(options={"reset_mask": ~second})
    venv.step(cooperate)
    infos = venv.step(cooperate)[-1]
    assert infos["_metrics"].tolist() == [False, True]
    assert infos["metrics"]["cooperation_rate"].tolist() == [[0.0, 0.0], [0.5, 0.5]]


@named
@pytest.mark.parametrize("mode", ["SameStep", "NextStep", "Disabled"])
def test_one_learner(name, mode):
    """One game, and many as Gymnasium's own vector puts single games together."""
    env_id, arguments = settings(name)
    moves, n = script(name), 1
    many = script(name)
    others = [Script(many[:, :, m]) for m in range(many.shape[-1]) if m != n]
    envs = SingleVectorEnv(
        B, env_id=env_id, opponent=others, player=n, autoreset_mode=mode, **arguments
    )
    envs.reset(seed=SEED)
    for actions in moves[:, :, n]:
        infos = envs.step(actions)[-1]
    found = infos["final_info"] if mode == "SameStep" else infos
    assert found["_metrics"].all()
    truth = expected(name)
    for i in range(B):
        alone = [Script(moves[:, i, m]) for m in range(moves.shape[-1]) if m != n]
        env = SingleEnv(env_id, alone, n, **arguments)
        env.reset(seed=sde.draw(SEED, i))
        for action in moves[:, i, n].tolist():
            info = env.step(action)[-1]
        for key, value in truth.items():
            assert info["metrics"][key] == pytest.approx(value[i, n])
            assert found["metrics"][key][i] == info["metrics"][key]
            assert found["metrics"][f"_{key}"][i]


def test_gymnasiums_own_vector_gives_the_same():
    kwargs = {"opponent": "tit_for_tat", "max_cycles": 3, "info_metrics": True}
    name = "social_dilemmas/coin_game-v0"
    theirs = gymnasium.make_vec(name, num_envs=2, vectorization_mode="sync", **kwargs)
    ours = gymnasium.make_vec(name, num_envs=2, **kwargs)
    theirs.reset(seed=[3, 4]), ours.reset(seed=[3, 4])
    for t in range(3):
        first, second = (envs.step(np.array([t, 1]))[-1] for envs in (theirs, ours))
    assert first.keys() == second.keys() == {"metrics", "_metrics"}
    for key, value in first["metrics"].items():
        np.testing.assert_array_equal(second["metrics"][key], value)


@named
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_dicts(name, backend):
    env_id, arguments = settings(name)
    env = DictVecEnv(env_id, B, backend, **arguments)
    env.reset(SEED)
    for actions in script(name):
        given = torch.as_tensor(actions) if backend == "torch" else actions
        infos = env.step({a: given[:, n] for n, a in enumerate(env.agents)})[-1]
    rows = [infos[agent]["metrics"] for agent in env.agents]
    same({key: np.stack([numpy_of(row[key]) for row in rows], 1) for key in rows[0]}, name)


@named
def test_sb3(name):
    pytest.importorskip("stable_baselines3")
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    env_id, arguments = settings(name)
    env = SB3VecEnv(env_id, B, **arguments)
    env.seed(SEED)
    env.reset()
    for actions in script(name):
        infos = env.step(actions.reshape(-1))[-1]
    keys = infos[0]["metrics"]
    same({k: np.array([i["metrics"][k] for i in infos]).reshape(B, -1) for k in keys}, name)
    assert infos[1]["episode"]["r"] == pytest.approx(infos[1]["metrics"]["return"])


@named
def test_torchrl(name):
    pytest.importorskip("torchrl")
    from torchrl.envs import check_env_specs

    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    env_id, arguments = settings(name)
    env = TorchRLEnv(env_id, B, seed=SEED, **arguments)
    now = env.reset()
    for actions in script(name):
        assert not now["player", "metrics", "return"].any()
        now["player", "action"] = torch.as_tensor(actions)
        now = env.step(now)["next"]
    same({key: now["player", "metrics", key] for key in metric_names(env.batch.game)}, name)
    check_env_specs(env)


def test_off_by_default_and_checked():
    env = sde.make_env("ipd_v0", max_cycles=1)
    env.reset(seed=0)
    assert env.step({"player_0": 0, "player_1": 0})[-1] == {"player_0": {}, "player_1": {}}
    for make in (sde.make_env, lambda *a, **k: sde.make_vec_env(*a, 2, **k)):
        with pytest.raises(TypeError, match="info_metrics must be True or False"):
            make("ipd_v0", info_metrics=1)


def test_steps_before_a_state_was_set_are_not_counted():
    for env, actions in (
        (sde.make_env("ipd_v0", max_cycles=4, info_metrics=True), {"player_0": 0, "player_1": 1}),
        (sde.make_vec_env("ipd_v0", 1, max_cycles=4, info_metrics=True), np.array([[0, 1]])),
    ):
        env.reset(seed=0)
        env.step(actions), env.step(actions)
        env.set_state(env.get_state())
        env.step(actions)
        infos = env.step(actions)[-1]
        found = infos["player_0"]["metrics"] if "player_0" in infos else infos["metrics"]
        assert np.ravel(found["return"])[0] == -6
