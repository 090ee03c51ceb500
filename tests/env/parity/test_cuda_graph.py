"""K steps with a policy in one go give what `step` gives.

Recorded as a CUDA graph where there is a GPU.
"""

import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded

from social_dilemmas_env.vector.cuda_graph import capture
from tests.env.parity.batches import batch, cuda, no_cuda
from tests.helpers.games import GAMES

HORIZON = {"max_cycles": 10}
DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=[pytest.mark.cuda, pytest.mark.skipif(no_cuda, reason="no CUDA device")]
    ),
]


def policy(venv):
    """Some function of what is seen, in range for every player."""
    limits = torch.tensor(venv.game.num_actions, device=venv.device)

    def act(observations):
        flat = observations.reshape(venv.num_envs, venv.num_agents, -1).to(torch.int64)
        weights = torch.arange(3, 3 + flat.shape[-1], device=venv.device)
        return (flat * weights).sum(-1) % limits

    return act


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("num_steps", [1, 5, 10, 20])
@pytest.mark.parametrize("obs_mode", ["float32", "uint8", "state"])
@pytest.mark.parametrize("name", ["coin", "coin_3p", "coin_random", "ipd_noise", "matrix_3p"])
def test_a_run_is_as_many_steps(name, obs_mode, num_steps, device):
    options = {"obs_mode": obs_mode, "device": device, **HORIZON}
    stepped, captured = batch(name, 6, "torch", **options), batch(name, 6, "torch", **options)
    observations, _ = stepped.reset(seed=1)
    captured.reset(seed=1)
    act, run = policy(stepped), capture(captured, policy(captured), num_steps)
    for _ in range(-(-30 // num_steps)):
        rollout = run()
        for k in range(num_steps):
            assert torch.equal(rollout.observations[k], observations)
            actions = act(observations)
            observations, rewards, _, truncations, infos = stepped.step(actions)
            assert torch.equal(rollout.actions[k], actions)
            assert torch.equal(rollout.rewards[k], rewards)
            assert torch.equal(rollout.truncations[k], truncations)
            if (k + 1) % run.segment == 0:
                last = infos["final_obs"] if infos else observations
                assert torch.equal(rollout.final_observations[k // run.segment], last)
        assert captured.get_state() == stepped.get_state()


def test_runs_steps_and_resets_alternate():
    venv, twin = batch("coin", 6, "torch", **HORIZON), batch("coin", 6, "torch", **HORIZON)
    venv.reset(seed=1), twin.reset(seed=1)
    act, run = policy(venv), capture(venv, policy(venv), 5)

    def step_twin(times):
        for _ in range(times):
            twin.step(act(twin.observe_now()))

    run(), step_twin(5)
    for _ in range(5):
        venv.step(act(venv.observe_now()))
    step_twin(5)
    run(), run(), step_twin(10)
    assert venv.get_state() == twin.get_state()
    venv.reset(), twin.reset()
    run(), step_twin(5)
    assert venv.get_state() == twin.get_state()
    venv.step(act(venv.observe_now()))
    with pytest.raises(ValueError, match="must begin at a multiple of 5 steps"):
        run()
    twin.reset(seed=4)
    venv.set_state(twin.get_state())
    run(), step_twin(5)
    assert venv.get_state() == twin.get_state()


def test_games_that_stop_at_the_end():
    """autoreset="disabled": after the last step they are over until they are reset, as with
    `step`."""
    venv, twin = (batch("coin", 6, "torch", autoreset="disabled", **HORIZON) for _ in range(2))
    venv.reset(seed=1)
    run = capture(venv, policy(venv), 5)
    for seed in (1, 2):
        venv.reset(seed=seed)
        observations, _ = twin.reset(seed=seed)
        for _ in range(2):
            rollout = run()
            for k in range(5):
                assert torch.equal(rollout.observations[k], observations)
                observations, rewards, *_ = twin.step(policy(venv)(observations))
                assert torch.equal(rollout.rewards[k], rewards)
            assert torch.equal(rollout.final_observations[0], observations)
            assert venv.get_state() == twin.get_state()
        with pytest.raises(ValueError, match="must begin at a multiple"):
            run()
        with pytest.raises(ResetNeeded):
            venv.step(torch.zeros((6, 2), dtype=torch.int64))


def test_a_policy_with_a_memory_begins_anew():
    venv = batch("coin", 6, "torch", **HORIZON)
    venv.reset(seed=1)
    called = []

    def act(observations):
        called.append(1)
        return torch.full((6, 2), (len(called) - 1) % 4)

    run = capture(venv, act, 5, begin=called.clear)
    for _ in range(2):
        assert run().actions[:, 0, 0].tolist() == [0, 1, 2, 3, 0]


def test_the_same_tensors_every_time():
    venv = batch("coin", 6, "torch", **HORIZON)
    venv.reset(seed=1)
    run = capture(venv, policy(venv), 10)
    first, second = run(), run()
    assert all(a is b for a, b in zip(first, second, strict=True))


def test_an_action_out_of_range_with_validate():
    venv = batch("coin", 6, "torch", validate=True, **HORIZON)
    venv.reset(seed=1)
    before = venv.get_state()
    offset = torch.zeros((), dtype=torch.int64)
    run = capture(venv, lambda observations: policy(venv)(observations) + offset, 5)
    offset += 4
    with pytest.raises((ValueError, IndexError)):
        run()
    assert venv.get_state() == before


def test_bad_calls():
    venv = batch("coin", 6, "torch", **HORIZON)
    with pytest.raises(ResetNeeded):
        capture(venv, policy(venv), 5)
    venv.reset(seed=0)
    for num_steps, error in ((3, ValueError), (15, ValueError), (0, ValueError), (2.5, TypeError)):
        with pytest.raises(error, match="num_steps"):
            capture(venv, policy(venv), num_steps)
    with pytest.raises(RuntimeError, match="a CUDA graph needs a batch on CUDA"):
        capture(venv, policy(venv), 5, graph=True)
    with pytest.raises(TypeError, match='backend="torch"'):
        capture(batch("coin", 6), policy(venv), 5)
    with pytest.raises(ValueError, match='autoreset="same_step"'):
        capture(batch("coin", 6, "torch", autoreset="next_step"), policy(venv), 5)
    with pytest.raises(ValueError, match="at most 10, one episode; got 20"):
        capture(batch("coin", 6, "torch", autoreset="disabled", **HORIZON), policy(venv), 20)
    for wrong, error in (
        (lambda o: torch.zeros(6, 2), TypeError),
        (lambda o: torch.zeros(2, 6, dtype=torch.int64), ValueError),
    ):
        with pytest.raises(error, match="actions"):
            capture(venv, wrong, 5)
    venv.reset(options={"reset_mask": np.arange(6) == 1})
    venv.step(torch.zeros((6, 2), dtype=torch.int64))


@pytest.mark.parametrize("name", ["coin", "coin_3p", "coin_random", "ipd", "coin_7p"])
def test_the_static_step_looks_at_no_values(name):
    """On the meta device tensors have no values: looking at one, as a graph must not, is an error
    there."""
    venv = batch(name, 6, "torch", static=True, **HORIZON)
    venv.reset(seed=0)
    engine = venv.engine
    for key, value in list(vars(engine).items()):
        if isinstance(value, torch.Tensor):
            setattr(engine, key, value.to("meta"))
    engine.xp.device = torch.device("meta")
    encoded = tuple(column.to("meta") for column in venv.running.encoded)
    key = tuple(column.to("meta") for column in venv.running.key)
    actions = torch.zeros((6, venv.num_agents), dtype=torch.int64, device="meta")

    for t in (3, torch.zeros((), dtype=torch.int64, device="meta")):
        encoded, rewards = engine.play(encoded, actions, key, t, None)
        assert rewards.shape == (6, venv.num_agents)
    first = torch.zeros((), dtype=torch.int64, device="meta")
    for chance_draw in engine.chance_draws(key, first, 3):
        encoded, _ = engine.move(encoded, actions, chance_draw, None)

    encoded = engine.start(key)
    out = torch.empty((6, venv.num_agents * engine.numbers), device="meta")
    assert engine.observe(encoded, out).shape == out.shape
    assert engine.observation_ids(encoded).shape == (6, venv.num_agents)


@cuda
@pytest.mark.parametrize("name", list(GAMES))
def test_every_game_is_recorded(name):
    venv, twin = batch(name, 64, "cuda", max_cycles=6), batch(name, 64, max_cycles=6)
    venv.reset(seed=3), twin.reset(seed=3)
    run = capture(venv, policy(venv), 6)
    for _ in range(3):
        rollout = run()
        for actions, rewards in zip(rollout.actions, rollout.rewards, strict=True):
            np.testing.assert_array_equal(
                rewards.cpu().numpy(), twin.step(actions.cpu().numpy())[1]
            )
        assert venv.get_state() == twin.get_state()
