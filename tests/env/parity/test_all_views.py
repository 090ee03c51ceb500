"""Whatever two environments promise alike is equal bit for bit, in value and in dtype: the same
games, the same actions, through each API and each adapter."""

import gymnasium
import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from social_dilemmas_env.adapters.dict_vec_env import DictVecEnv
from social_dilemmas_env.single_agent import SingleEnv, SingleVectorEnv
from tests.env.parity.batches import numpy_of
from tests.helpers.games import GAMES, KINDS, wide

B, STEPS, SEED = 3, 9, 5
NAMES = [
    *("ipd", "ipd_pot", "ipd_noise", "imp", "rps", "stag_hunt", "chicken", "bach_stravinsky"),
    *("matrix_3p", "public_goods", "public_goods_2p", "coin", "coin_pola", "coin_lola"),
    *("coin_mfos", "coin_split", "coin_3p", "coin_3p_split"),
]


class Script:
    """A player that makes moves written down before; `moves` [STEPS, B], or [STEPS] for one."""

    def __init__(self, moves):
        self.moves, self.t = moves, 0

    def act(self, observations):
        self.t += 1
        return np.atleast_1d(self.moves[self.t - 1])


def settings(name, flat):
    env_id, arguments = GAMES[name]
    return env_id, {**arguments, "max_cycles": STEPS, "flat": flat}


def script(name):
    """Moves [STEPS, B, N]."""
    env_id, arguments = GAMES[name]
    counts = sde.spec(env_id).game(**arguments).num_actions
    rng = np.random.default_rng(1)
    return np.stack([rng.integers(n, size=(STEPS, B)) for n in counts], -1)


# Each plays the script, and gives first observations and steps: observations, rewards, truncations
# as [B, N, ...] arrays, the dtypes as they came.


def by_parallel(name, flat, moves, **view):
    """One game after the other, in float64 as Python's floats are."""
    env_id, arguments = settings(name, flat)
    games = []
    for i in range(B):
        env = sde.make_env(env_id, **arguments)
        names = env.possible_agents
        steps = [(env.reset(seed=sde.draw(SEED, i))[0],)]
        for actions in moves[:, i].tolist():
            observations, rewards, _, truncations, _ = env.step(
                dict(zip(names, actions, strict=True))
            )
            assert {type(reward) for reward in rewards.values()} == {float}
            steps.append((observations, rewards, truncations))
        games.append([[np.stack([part[a] for a in names]) for part in step] for step in steps])
    return [list(map(np.stack, zip(*parts, strict=True))) for parts in zip(*games, strict=True)]


def by_aec(name, flat, moves):
    env_id, arguments = settings(name, flat)
    games = []
    for i in range(B):
        env = sde.make_env(env_id, api="aec", **arguments)
        names = env.possible_agents
        env.reset(seed=sde.draw(SEED, i))
        steps = [[np.stack([env.observe(a) for a in names])]]
        for actions in moves[:, i].tolist():
            for action in actions:
                env.step(action)
            parts = {a: env.observe(a) for a in names}, env.rewards, env.truncations
            assert {type(reward) for reward in env.rewards.values()} == {float}
            steps.append([np.stack([part[a] for a in names]) for part in parts])
        games.append(steps)
    return [list(map(np.stack, zip(*parts, strict=True))) for parts in zip(*games, strict=True)]


def by_single(name, flat, moves):
    """Each seat in turn is the learner's."""
    env_id, arguments = settings(name, flat)
    seats = []
    for n in range(moves.shape[-1]):
        games = []
        for i in range(B):
            others = [Script(moves[:, i, m]) for m in range(moves.shape[-1]) if m != n]
            env = SingleEnv(env_id, others, n, **arguments)
            steps = [[env.reset(seed=sde.draw(SEED, i))[0]]]
            for action in moves[:, i, n].tolist():
                observation, reward, _, truncated, _ = env.step(action)
                assert type(reward) is float
                steps.append([observation, np.array(reward), np.array(truncated)])
            games.append(steps)
        seats.append(
            [list(map(np.stack, zip(*parts, strict=True))) for parts in zip(*games, strict=True)]
        )
    return by_seats(seats)


def by_single_vector(name, flat, moves):
    env_id, arguments = settings(name, flat)
    seats = []
    for n in range(moves.shape[-1]):
        others = [Script(moves[:, :, m]) for m in range(moves.shape[-1]) if m != n]
        envs = SingleVectorEnv(
            B, env_id=env_id, opponent=others, player=n, autoreset_mode="Disabled", **arguments
        )
        steps = [[envs.reset(seed=SEED)[0]]]
        for actions in moves[:, :, n]:
            observations, rewards, _, truncations, _ = envs.step(actions)
            steps.append([observations, rewards, truncations])
        seats.append(steps)
    return by_seats(seats)


def by_seats(seats):
    return [
        [np.stack(part, 1) for part in zip(*parts, strict=True)]
        for parts in zip(*seats, strict=True)
    ]


def by_batch_of(**options):
    def by(name, flat, moves):
        env_id, arguments = settings(name, flat)
        venv = sde.make_vec_env(env_id, B, autoreset="disabled", **options, **arguments)
        steps = [[numpy_of(venv.reset(seed=SEED)[0])]]
        for actions in moves:
            given = torch.as_tensor(actions) if venv.backend == "torch" else actions
            observations, rewards, _, truncations, _ = venv.step(given)
            steps.append([numpy_of(part) for part in (observations, rewards, truncations)])
        return steps

    return by


def by_dicts(backend):
    def by(name, flat, moves):
        env_id, arguments = settings(name, flat)
        env = DictVecEnv(env_id, B, backend, **arguments)
        names = env.possible_agents
        steps = [[columns(env.reset(SEED)[0])]]
        for actions in moves:
            given = torch.as_tensor(actions) if backend == "torch" else actions
            observations, rewards, _, truncations, infos = env.step(
                {a: given[:, n] for n, a in enumerate(names)}
            )
            ended = truncations["player_0"].any()
            last = {a: infos[a]["final_obs"] for a in names} if ended else observations
            steps.append([columns(part) for part in (last, rewards, truncations)])
        return steps

    return by


def columns(part):
    return np.stack([numpy_of(value) for value in part.values()], 1)


def by_sb3(name, flat, moves):
    pytest.importorskip("stable_baselines3")
    from social_dilemmas_env.adapters.sb3 import SB3VecEnv

    env_id, arguments = settings(name, flat)
    env = SB3VecEnv(env_id, B, **arguments)
    players = moves.shape[-1]
    env.seed(SEED)
    steps = [[env.reset()]]
    for actions in moves:
        observations, rewards, dones, infos = env.step(actions.reshape(-1))
        last = np.stack([i["terminal_observation"] for i in infos]) if dones.all() else observations
        steps.append([last, rewards, dones])
    return [[p.reshape(B, players, *p.shape[1:]) for p in parts] for parts in steps]


def by_torchrl(name, flat, moves):
    pytest.importorskip("torchrl")
    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    env_id, arguments = settings(name, flat)
    env = TorchRLEnv(env_id, B, seed=SEED, **arguments)
    now = env.reset()
    steps = [[now["player", "observation"].numpy()]]
    for actions in moves:
        now["player", "action"] = torch.as_tensor(actions)
        now = env.step(now)["next"]
        ends = now["truncated"].numpy().repeat(moves.shape[-1], 1)
        parts = now["player", "observation"], now["player", "reward"][..., 0]
        steps.append([*(part.numpy() for part in parts), ends])
    return steps


WAYS = {
    # way -> how it plays, and the dtype of the rewards that it documents
    "parallel": (by_parallel, np.float64),
    "aec": (by_aec, np.float64),
    "single": (by_single, np.float64),
    "single vector": (by_single_vector, np.float64),
    "numpy": (by_batch_of(), np.float32),
    "numpy, rules": (by_batch_of(tables=False), np.float32),
    "torch": (by_batch_of(backend="torch"), np.float32),
    "torch, rules": (by_batch_of(backend="torch", tables=False), np.float32),
    "torch, static": (by_batch_of(backend="torch", static=True), np.float32),
    "dict, numpy": (by_dicts("numpy"), np.float32),
    "dict, torch": (by_dicts("torch"), np.float32),
    "sb3": (by_sb3, np.float32),
    "torchrl": (by_torchrl, np.float32),
}
REFERENCE = {}


def reference(name):
    if name not in REFERENCE:
        REFERENCE[name] = by_parallel(name, False, script(name))
    return REFERENCE[name]


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", wide(NAMES, KINDS))
@pytest.mark.parametrize("way", WAYS)
def test_the_same_bits_everywhere(way, name, flat):
    plays, dtype = WAYS[way]
    moves = script(name)
    if way in ("sb3", "torchrl") and name == "matrix_3p":
        pytest.skip("rows share one action space")
    for t, (got, expected) in enumerate(
        zip(plays(name, flat, moves), reference(name), strict=True)
    ):
        # Observations.
        assert got[0].dtype == np.float32, t
        shape = (B, moves.shape[-1], -1) if flat else expected[0].shape
        np.testing.assert_array_equal(got[0], expected[0].reshape(shape), strict=True)
        if not t:
            continue

        # Rewards, and the end.
        assert got[1].dtype == dtype, t
        np.testing.assert_array_equal(got[1], expected[1].astype(dtype), strict=True)
        np.testing.assert_array_equal(got[2], expected[2], strict=True)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_rewards_of_the_vector_are_those_of_the_single_game_in_every_mode(mode):
    """1.33 and noisy payoffs are no float32 numbers; Gymnasium's own vector keeps them."""
    for name in ("ipd_pot", "ipd_noise"):
        env_id, arguments = settings(name, False)
        kwargs = {"opponent": "always_defect", **arguments, "max_cycles": 4}
        name = f"social_dilemmas/{env_id.replace('_v', '-v')}"
        ours = gymnasium.make_vec(name, num_envs=2, autoreset_mode=mode, **kwargs)
        alone = gymnasium.make(name, **kwargs)
        ours.reset(seed=[3, 4])
        alone.reset(seed=3)
        for t in range(4):
            rewards = ours.step(np.array([t % 2, 0]))[1]
            assert rewards.dtype == np.float64
            assert rewards[0] == alone.step(t % 2)[1]
