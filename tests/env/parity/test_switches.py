"""A clock in observations, random ends and trembling hands: in every view, on every backend."""

import copy
import pickle

import gymnasium
import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env.games.switches import switched
from tests.helpers.games import GAMES as every_game

GAMES = {
    "coin": ("coin_game_v0", {}),
    "ipd": ("ipd_v0", {}),
    "public_goods": ("public_goods_v0", {"num_agents": 3}),
    "room": ("escape_room_v0", {}),
    "pool": ("govsim_commons_v0", {"num_agents": 2, "capacity": 8, "max_catch": 3}),
    "memory": ("coin_game_v0", {"memory": "last_pickup"}),
    "harvest": every_game["harvest_small"],
    "river": every_game["clean_up_small"],
}
SWITCHES = {
    "time": {"observe_time": True, "max_cycles": 7},
    "end": {"continuation": 0.8},
    "noise": {"action_noise": 0.3},
    "all": {"observe_time": True, "continuation": 0.9, "action_noise": 0.2, "max_cycles": 9},
}
PAIRS = [
    (name, which)
    for name in GAMES
    for which, more in SWITCHES.items()
    if not (name in ("harvest", "river") and "observe_time" in more)  # boards of arrays: no clock
]


@pytest.mark.parametrize(("name", "which"), PAIRS)
def test_batches_are_single_games(name, which):
    """Game i of a batch is the single game of its seed, through several episodes."""
    env_id, kwargs = GAMES[name]
    kwargs = {**kwargs, **SWITCHES[which]}
    venv = sde.make_vec_env(env_id, 3, **kwargs)
    singles = [sde.make_env(env_id, **kwargs) for _ in range(3)]
    observations = venv.reset(seed=3)[0]
    for i, env in enumerate(singles):
        seen = env.reset(seed=int(sde.draw(3, i)))[0]
        assert (np.stack(list(seen.values())) == observations[i]).all()

    rng = np.random.default_rng(0)
    for _ in range(25):
        actions = rng.integers(0, np.array(venv.game.num_actions), (3, venv.num_agents))
        observations, rewards, terminations, truncations, _ = venv.step(actions)
        assert not terminations.any()
        for i, env in enumerate(singles):
            moves = dict(zip(env.agents, actions[i].tolist(), strict=True))
            _, paid, _, cut, _ = env.step(moves)
            assert np.float32(list(paid.values())).tolist() == rewards[i].tolist()
            assert list(cut.values()) == truncations[i].tolist()
            if not env.agents:
                env.reset()
            assert (np.stack(list(env.observations().values())) == observations[i]).all()


@pytest.mark.parametrize("which", SWITCHES)
def test_torch_plays_the_same(which):
    torch = pytest.importorskip("torch")
    env_id, kwargs = GAMES["coin"]
    batches = [
        sde.make_vec_env(env_id, 16, backend=backend, **kwargs, **SWITCHES[which])
        for backend in ("numpy", "torch")
    ]
    first, second = (batch.reset(seed=1)[0] for batch in batches)
    rng = np.random.default_rng(0)
    for _ in range(25):
        assert (first == second.numpy()).all()
        actions = rng.integers(0, 4, (16, 2))
        first, *parts = batches[0].step(actions)
        second, *same = batches[1].step(torch.tensor(actions))
        assert all((a == b.numpy()).all() for a, b in zip(parts[:3], same[:3], strict=True))


@pytest.mark.parametrize("which", SWITCHES)
def test_they_keep_every_promise(which):
    env_id, kwargs = GAMES["coin"]
    assert sde.check_env(lambda: sde.make_env(env_id, **kwargs, **SWITCHES[which])) == []


@pytest.mark.parametrize(("name", "which"), PAIRS)
def test_rules_are_copied_and_pickled(name, which):
    env_id, kwargs = GAMES[name]
    game = sde.spec(env_id).game(**{**kwargs, **SWITCHES[which]})
    for twin in (copy.copy(game), copy.deepcopy(game), pickle.loads(pickle.dumps(game))):
        assert (twin, hash(twin), repr(twin)) == (game, hash(game), repr(game))


@pytest.mark.parametrize("env_id", sde.list_envs())
def test_every_game_has_random_ends_and_trembling_hands(env_id):
    more = {"payoffs": sde.payoffs("ipd_v0")} if env_id == "matrix_game_v0" else {}
    env = sde.make_env(env_id, continuation=0.0, action_noise=1.0, **more)
    env.reset(seed=0)
    assert all(env.step(dict.fromkeys(env.agents, 0))[3].values())


def test_switches_that_change_nothing_are_none():
    plain = sde.spec("ipd_v0").game()
    assert switched(plain, observe_time=False, continuation=1, action_noise=0) is plain


def test_games_with_other_switches_differ():
    games = [sde.spec("ipd_v0").game(**more) for more in (*SWITCHES.values(), {})]
    assert len(set(games)) == len({repr(game) for game in games}) == 5


def test_the_clock_is_seen():
    env = sde.make_env("ipd_v0", observe_time=True, max_cycles=4)
    env.reset(seed=0)
    shown = []
    while env.agents:
        seen = env.step(dict.fromkeys(env.agents, 0))[0]
        shown.append(int(seen["player_0"][5:].argmax()))
    assert shown == [1, 2, 3, 4]


def test_planes_of_the_clock():
    """51 times on boards of 9 cells are 6 planes."""
    env = sde.make_env("coin_game_v0", observe_time=True)
    assert env.observation_space("player_0").shape == (10, 3, 3)


def test_flat_observations_too():
    env = sde.make_env("coin_game_v0", observe_time=True, flat=True)
    assert env.reset(seed=0)[0]["player_0"].shape == (90,)


def test_lengths_of_episodes_are_geometric():
    """Mean 1 / (1 - .8) = 5, by 6 standard errors of 4,000 lengths: a false alarm in 10^8 runs."""
    venv = sde.make_vec_env("ipd_v0", 400, continuation=0.8, max_cycles=1_000)
    venv.reset(seed=0)
    actions, ends, steps = np.zeros((400, 2), int), 0, 0
    while ends < 4_000:
        ends += int(venv.step(actions)[3][:, 0].sum())
        steps += 400
    spread = np.sqrt(0.8) / 0.2 / np.sqrt(4_000)
    assert abs(steps / ends - 5) < 6 * spread + 400 / ends


def test_hands_tremble_as_often_as_they_should():
    """Half of the slips of .4 change an action; 6 standard errors of 20,000 moves."""
    venv = sde.make_vec_env("ipd_v0", 400, action_noise=0.4, info_metrics=True, max_cycles=25)
    venv.reset(seed=0)
    for _ in range(25):
        infos = venv.step(np.zeros((400, 2), int))[4]
    rate = infos["metrics"]["cooperation_rate"].mean()
    assert abs(rate - 0.8) < 6 * np.sqrt(0.8 * 0.2 / 20_000)


def test_pictures_tell_what_was_played():
    env = sde.make_env("ipd_v0", action_noise=1.0, render_mode="ansi")
    env.reset(seed=3)
    for _ in range(20):
        before = env.get_state()
        env.step(dict.fromkeys(env.agents, 0))
        move = env.scene().history[-1]
        assert move.rewards == tuple(sde.payoffs("ipd_v0")[move.actions].tolist()), (
            "the actions shown are those that were paid"
        )
        assert before.t + 1 == env.get_state().t


def test_single_learners_too():
    env = gymnasium.make("social_dilemmas/ipd-v0", opponent="tit_for_tat", continuation=0.5)
    lengths = []
    for seed in range(30):
        env.reset(seed=seed)
        for t in range(1, 51):
            if env.step(0)[3]:
                lengths.append(t)
                break
    assert 1 in lengths and max(lengths) < 25


def test_states_go_on():
    env = sde.make_env("coin_game_v0", **SWITCHES["all"])
    env.reset(seed=5)
    env.step(dict.fromkeys(env.agents, 1))
    if not env.agents:
        env.reset()
    twin = sde.make_env("coin_game_v0", **SWITCHES["all"])
    twin.set_state(env.get_state())
    for _ in range(10):
        if not env.agents:
            env.reset(), twin.reset()
        pair = [e.step(dict.fromkeys(e.agents, 2)) for e in (env, twin)]
        assert pair[0][1:4] == pair[1][1:4]


def test_a_clock_that_is_wrong_is_refused():
    env = sde.make_env("ipd_v0", observe_time=True)
    env.reset(seed=0)
    state = env.get_state()
    with pytest.raises(ValueError, match="another time"):
        env.set_state(state._replace(board=[*state.board[:-1], 3]))


@pytest.mark.parametrize(
    ("kwargs", "error", "words"),
    [
        ({"continuation": 1.5}, ValueError, "continuation must be None or lie between 0 and 1"),
        ({"continuation": "often"}, TypeError, "continuation"),
        ({"action_noise": -0.1}, ValueError, "action_noise must lie between 0 and 1"),
        ({"observe_time": 1}, TypeError, "observe_time"),
        ({"continuaton": 0.5}, TypeError, "did you mean 'continuation'"),
    ],
)
def test_bad_switches(kwargs, error, words):
    with pytest.raises(error, match=words):
        sde.make_env("ipd_v0", **kwargs)


def test_switches_that_contradict_each_other():
    with pytest.raises(ValueError, match="contradict"):
        sde.make_env("commons_harvest_v0", ending="melting_pot", continuation=0.9)


def test_boards_of_arrays_have_no_clock():
    with pytest.raises(ValueError, match="observe_time is not to be had"):
        sde.make_env("commons_harvest_v0", observe_time=True)


def test_graphs_need_certain_ends():
    torch_env = pytest.importorskip("social_dilemmas_env.vector.cuda_graph")
    venv = sde.make_vec_env("ipd_v0", 4, backend="torch", continuation=0.9)
    venv.reset(seed=0)
    with pytest.raises(ValueError, match="without action_noise"):
        torch_env.capture(venv, lambda seen: seen, num_steps=50)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", ["coin", "ipd", "harvest"])
def test_a_horizon_that_is_set_leaves_the_switches(name, flat):
    env_id, kwargs = GAMES[name]
    more = {**kwargs, "continuation": 0.9, "action_noise": 0.2}
    env = sde.make_env(env_id, flat=flat, **more)
    env.max_cycles = 3
    made = sde.make_env(env_id, flat=flat, **{**more, "max_cycles": 3})
    assert (env.game, repr(env.game)) == (made.game, repr(made.game))
    assert env.game.observation_shape == made.game.observation_shape


def test_a_horizon_is_fixed_where_it_is_seen():
    env = sde.make_env("ipd_v0", observe_time=True)
    with pytest.raises(ValueError, match="max_cycles is fixed where players see the clock"):
        env.max_cycles = 3
    assert env.max_cycles == 50


def test_the_horizon_is_set_turn_by_turn_too():
    aec = sde.make_env("ipd_v0", api="aec")
    aec.max_cycles = 2
    aec.reset(seed=0)
    turns = 0
    for _ in aec.agent_iter():
        aec.step(None if aec.last()[3] else 0)
        turns += 1
    assert (aec.max_cycles, turns) == (2, 6)  # two rounds, and everybody leaves
