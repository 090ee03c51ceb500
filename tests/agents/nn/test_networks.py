"""Networks of many parameter sets: derivatives, equality of their routes, initial values.

And the rollout that they play.
"""

import math

import pytest
import torch

import social_dilemmas_env as sde
from agents.execution.rollout import (
    SeatPolicy,
    explore,
    rollout,
    sample,
)
from agents.nn.adam import Adam, clip
from agents.nn.gru import gru, gru_step, tanh, tanh_
from agents.nn.networks import (
    ActorCritic,
    Gru,
    Mlp,
    Tabular,
)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_gru_derivatives():
    inputs = [normal(4, 2, 3, 12), normal(2, 4, 12, seed=1), normal(2, 1, 4, seed=2)]
    assert torch.autograd.gradcheck(gru, [x.requires_grad_() for x in inputs])


def test_gru_is_torchs_gru():
    x, recurrent, bias = normal(5, 1, 3, 12), normal(1, 4, 12, seed=1), normal(1, 1, 4, seed=2)
    theirs = torch.nn.GRU(12, 4, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.eye(12))
        theirs.weight_hh_l0.copy_(recurrent[0].T)
        theirs.bias_ih_l0.zero_(), theirs.bias_hh_l0.zero_()
        theirs.bias_hh_l0[8:] = bias.view(-1)
        assert (theirs(x[:, 0])[0] - gru(x, recurrent, bias)[:, 0]).abs().max() < 1e-12
    h = torch.zeros(1, 3, 4, dtype=torch.float64)
    for t in range(5):
        h = gru_step(x[t], h, recurrent, bias)
    assert (h - gru(x, recurrent, bias)[-1]).abs().max() < 1e-12


@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 2e-7), (torch.float64, 4e-16)])
def test_the_hyperbolic_tangent_by_a_sigmoid(dtype, error):
    x = torch.cat((torch.linspace(-12, 12, 4001, dtype=dtype), normal(3, dtype=dtype) * 100))
    assert (tanh(x) - torch.tanh(x.double())).abs().max() <= error
    assert tanh(x).abs().max() <= 1
    assert torch.equal(tanh_(x.clone()), tanh(x))


def test_the_derivative_of_the_hyperbolic_tangent():
    x = normal(50).requires_grad_()
    (found,) = torch.autograd.grad(tanh(x).sum(), x)
    assert (found - (1 - torch.tanh(x) ** 2)).abs().max() < 1e-12


TABLE = normal(7, 5, dtype=torch.float32)
NETS = {
    "tabular": Tabular(TABLE, 3),
    "mlp": Mlp(TABLE, 3, (6, 4)),
    "mlp time": Mlp(TABLE, 3, (6,), time=True),
    "gru": Gru(TABLE, 3, 4, 2),
    "gru 1": Gru(TABLE, 3, 4, 1),
    "gru time": Gru(TABLE, 3, 4, 2, time=True),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("games", [1, 9])
def test_step_by_step_equals_all_at_once_and_sets_do_not_mix(name, games):
    net = NETS[name]
    model = ActorCritic(net, net)
    theta = model.initial(3, torch.Generator().manual_seed(0)) + 0.1 * normal(
        3, model.size, dtype=torch.float32
    )
    params = model.unpack(theta, "actor")
    obs_ids = torch.randint(7, (6, 3, games), generator=torch.Generator().manual_seed(1))
    together = net(params, obs_ids)
    assert together.shape == (6, 3, games, 3)
    step = net.stepper(params, games, 6)
    assert (torch.stack([step(obs_ids[t], t) for t in range(6)]) - together).abs().max() < 1e-5
    for k in range(3):
        alone = net(model.unpack(theta[k : k + 1], "actor"), obs_ids[:, k : k + 1])
        assert (alone[:, 0] - together[:, k]).abs().max() < 1e-5


def test_initial_values_and_layout():
    """Sizes of the authors' checkpoints: 120,580 and 31,684 numbers at 3x3."""
    table = torch.zeros(10, 36)
    model = ActorCritic(Gru(table, 4, 128, 2), Gru(table, 4, 64, 2, time=True))
    assert model.size == 120_580 + 31_684
    theta = model.initial(1, torch.Generator().manual_seed(0))
    actor = model.unpack(theta, "actor")
    gate = actor["recurrent"][0, :, :128]
    assert (gate @ gate.T - torch.eye(128)).abs().max() < 1e-5
    assert all(
        not actor[n].any() for n in ("bias0", "bias1", "gates_bias", "candidate_bias", "out_bias")
    )
    for name, fan_in in (("dense0", 36), ("gates", 128)):
        assert actor[name].std().item() == pytest.approx(fan_in**-0.5, rel=0.05)
        assert actor[name].abs().max() < 2.3 * fan_in**-0.5
    assert torch.equal(theta, model.initial(1, torch.Generator().manual_seed(0)))


def test_adam_is_torchs_adam():
    theta = torch.nn.Parameter(normal(2, 5))
    mine, adam, theirs = (
        theta.detach().clone(),
        Adam.of(theta.detach()),
        torch.optim.Adam([theta], lr=0.01),
    )
    for k in range(5):
        theta.grad = normal(2, 5, seed=k)
        theirs.step()
        mine = adam.step(mine, theta.grad, 0.01)
    assert (mine - theta).abs().max() < 1e-12


def test_clip_is_per_set():
    grad = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    assert clip(grad, 1.0).tolist() == [
        [pytest.approx(0.6), pytest.approx(0.8)],
        [pytest.approx(0.3), pytest.approx(0.4)],
    ]
    assert clip(grad, None) is grad


def test_sample_inverts_the_distribution():
    logits = torch.log(torch.tensor([[0.2, 0.5, 0.3]])).expand(5, 3)
    assert sample(logits, torch.tensor([0.0, 0.19, 0.21, 0.69, 0.71])).tolist() == [0, 0, 1, 1, 2]
    assert sample(torch.tensor([[0.0, -torch.inf]]), torch.tensor([1 - 2**-24])).item() == 0
    counts = torch.bincount(
        sample(
            logits[:1].expand(20_000, 3),
            torch.rand(20_000, generator=torch.Generator().manual_seed(0)),
        )
    )
    expected = 20_000 * torch.tensor([0.2, 0.5, 0.3])
    assert ((counts - expected) ** 2 / expected).sum() < 27.6  # chi², 2 degrees: p = 1e-6


def test_explore():
    uniforms = torch.rand(40_000, generator=torch.Generator().manual_seed(0))
    changed = explore(torch.zeros(40_000, dtype=torch.long), 4, 0.2, uniforms)
    share = (changed > 0).double().mean().item()  # .2 x 3/4
    assert abs(share - 0.15) < 5 * math.sqrt(0.15 * 0.85 / 40_000)


@pytest.mark.parametrize("env_id", ["coin_game_v0", "ipd_v0"])
def test_rollout_is_the_games_own_history(env_id):
    """The recorded actions, replayed, give the recorded observations and rewards.

    Sampled by the recorded logits.
    """
    venv = sde.make_vec_env(
        env_id, num_envs=6, backend="torch", obs_mode="state", autoreset="disabled", max_cycles=7
    )
    first, _ = venv.reset(seed=3)
    net = Tabular(venv.observation_table, int(venv.single_action_space.n))
    seats = []
    for sets, seed in ((1, 0), (3, 1)):
        params = {
            "zero_table": normal(sets, *net.shapes()["zero_table"], seed=seed, dtype=torch.float32)
        }
        seats.append(SeatPolicy(net.stepper(params, 6 // sets, 7), sets))
    uniforms = torch.rand(1, 7, 6, 2, generator=torch.Generator().manual_seed(0))
    games = rollout(venv, first, seats, uniforms)
    assert torch.equal(sample(games.logits, uniforms[0]), games.actions)
    obs_ids, _ = venv.reset(seed=3)
    for t in range(7):
        assert torch.equal(obs_ids.long(), games.obs_ids[t])
        obs_ids, rewards, *_ = venv.step(games.actions[t])
        assert torch.equal(rewards, games.rewards[t])
    assert torch.equal(obs_ids.long(), games.obs_ids[7])
