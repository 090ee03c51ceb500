"""Learners whose roll-outs and updates are recorded and replayed: CUDA graphs on a device, tapes on
the CPU (tape.py)."""

import json
from dataclasses import replace

import pytest
import torch
from torch.utils._pytree import tree_leaves, tree_map

from agents import load_agent, train
from agents.checkpoint import load
from agents.cli.main import main
from agents.execution.cuda_graphs import Graphs
from agents.execution.direct import Direct
from agents.execution.rollout import choose_actions
from agents.nn.networks import ActorCritic
from agents.nn.symmetry import Classes, UpToSymmetry
from agents.registry import LEARNERS
from agents.training import loop as training
from tests.agents.execution.tape import NotForAGraph, Tape, Tapes
from tests.helpers.games import wide

torch.set_num_threads(1)
SELF_PLAY = {
    "batch": 8,
    "horizon": 3,
    "actor_hidden": 8,
    "critic_hidden": 8,
    "push_every": 2,
    "snapshots": 4,
}
POLA = {"batch": 6, "horizon": 3, "hidden": 4, "outer_steps": 2}
CASES = {
    "coin": ("loqa", "coin_game_v0", {}),
    "two networks": (
        "loqa",
        "coin_game_v0",
        {"shared": False, "detach_advantage": False, "shaping_until": 1},
    ),
    "ipd": ("loqa", "ipd_v0", {"runs": 3}),
    "ipd mlp": ("loqa", "ipd_v0", {"actor": "mlp", "past_selves": True, "max_q": True, "runs": 2}),
    "loaded": ("advantage_alignment", "coin_game_v0", {}),
    "aligned": ("advantage_alignment", "ipd_v0", {"form": "aligned"}),
    "mean": (
        "advantage_alignment",
        "coin_game_v0",
        {"form": "mean", "num_agents": 3, "grid_size": 2},
    ),
    "modelled": ("loqa_modelled", "coin_game_v0", {"num_agents": 3, "grid_size": 2}),
    "modelled ipd": ("loqa_modelled", "ipd_v0", {"shared": False, "runs": 2}),
    "naive": ("naive_pg_gru", "ipd_v0", {"outer_steps": 1}),
    "lola": ("lola_dice_gru", "coin_game_v0", {"outer_steps": 1, "variant": "pola"}),
    "pola": ("pola_dice", "ipd_v0", {"contribution_factor": 1.33, "runs": 2}),
    "pola, dice": (
        "pola_dice",
        "ipd_v0",
        {"estimator": "dice", "reverse_kl": True, "layers": 2, "payoff_noise": 0.5},
    ),
    "pola, ratios": ("pola_dice", "coin_game_v0", {"inner_steps": 2, "reuse_inner": True}),
    "pola, tables": ("pola_dice", "ipd_v0", {"actor": "tabular"}),
    "pola, mirror": (
        "pola_dice",
        "coin_game_v0",
        {"look_ahead": "mirror", "inner_steps": 1, "actor": "tabular", "symmetry": "all"},
    ),
    "pola, proximal": (
        "pola_dice",
        "coin_game_v0",
        {"outer": "proximal", "epochs": 2, "inner_steps": 1, "target_gain": 0.1},
    ),
    "models": ("pola_om", "coin_game_v0", {"inner_steps": 2, "model_batches": 2}),
}


# Each its own code; the others are variants.
KINDS = ("coin", "ipd mlp", "two networks", "aligned", "modelled", "lola", "pola, dice", "models")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setenv("SOCIAL_DILEMMAS_TENSORBOARD", "0")


def settings_of(case):
    name, env_id, changes = CASES[case]
    return name, env_id, {**(SELF_PLAY if name.startswith(("loqa", "adv")) else POLA), **changes}


def learner(case, compute=None, device="cpu"):
    name, env_id, changes = settings_of(case)
    base = LEARNERS[name].settings(env_id)
    cfg = replace(base, **{n: x for n, x in changes.items() if hasattr(base, n)})
    one = LEARNERS[name].make(
        cfg, env_id, {n: x for n, x in changes.items() if not hasattr(base, n)}, 3, device
    )
    one.compute = compute or one.compute
    return one


@pytest.mark.parametrize("case", wide(CASES, KINDS))
def test_replayed_updates_are_the_same_bit_for_bit(case):
    compute = Tapes()
    one, two = learner(case), learner(case, compute)
    for _ in range(3):
        expected, found = one.update(), two.update()
        assert {n: x.item() for n, x in expected.items()} == {n: x.item() for n, x in found.items()}
    old, new = (each.state() | each.frozen() for each in (one, two))
    assert old.keys() == new.keys()
    assert all(torch.equal(old[n], new[n]) for n in old)
    recorded = len(compute.known)
    two.update()
    assert len(compute.known) == recorded > 1


@pytest.mark.parametrize("case", ["two networks", "modelled ipd", "pola", "models"])
def test_runs_go_on_with_or_without_graphs(case, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "Graphs", Tapes)
    name, env_id, settings = settings_of(case)

    def run(out, iterations, **more):
        how = {
            "seed": 1,
            "device": "cpu",
            "quiet": True,
            "eval_every": 0,
            "iterations": iterations,
            **settings,
            **more,
        }
        return train(name, env_id, out=tmp_path / out, **how)

    whole = run("whole", 4)
    run("parts", 1, cuda_graphs=True), run("parts", 2)
    parts = run("parts", 4, cuda_graphs=True)
    one, two = (load(folder / "checkpoints").tensors for folder in (whole, parts))
    assert one.keys() == two.keys()
    assert all(torch.equal(one[n], two[n]) for n in one)
    assert (whole / "run.json").read_text() == (parts / "run.json").read_text()
    assert "cuda_graphs" not in json.dumps(json.loads((parts / "run.json").read_text()))
    assert load_agent(parts).env_id == env_id


class Noted(Direct):
    """Calls, and remembers with what."""

    attached = False

    def __init__(self):
        self.calls, self.played = [], []

    def __call__(self, function, *arguments):
        self.calls.append((function, arguments))
        return function(*arguments)

    def rollout(self, venv, seed, players, uniforms):
        self.played.append((players, uniforms))
        return super().rollout(venv, seed, players, uniforms)


def network_to_meta(net):
    found = replace(net, table=net.table.to("meta"))
    if not isinstance(net, UpToSymmetry):
        return found
    classes = Classes(*(x if x is None else x.to("meta") for x in vars(net.classes).values()))
    return replace(found, inner=network_to_meta(net.inner), classes=classes)


def to_meta(x):
    """To the device without values: what meets a tensor of another device there, or is looked at,
    is an error."""
    if isinstance(x, ActorCritic):
        return ActorCritic(*(network_to_meta(net) for net in (x.actor, x.critic)))
    return x.detach().to("meta") if isinstance(x, torch.Tensor) else x


@pytest.mark.parametrize("case", wide(CASES, KINDS))
def test_everything_recorded_stays_on_its_device(case):
    one = learner(case, Noted())
    one.update()
    one.net, one.device = to_meta(one.net), torch.device("meta")
    assert one.compute.calls
    for function, arguments in one.compute.calls:
        found = function(*tree_map(to_meta, arguments))
        tensors = [x for x in tree_leaves(found) if isinstance(x, torch.Tensor)]
        assert tensors
        assert all(x.is_meta for x in tensors)
    for players, uniforms in tree_map(to_meta, one.compute.played):
        seats = players.seats(uniforms.shape[2], uniforms.shape[1])
        obs_ids = uniforms[0, 0].long()
        for t in range(2):
            chosen = choose_actions(seats, obs_ids, t, uniforms[:, t], players.epsilon)
            assert all(x.is_meta for x in chosen)


def test_results_are_new_and_arguments_stay():
    compute, x, y = Tapes(), torch.arange(3.0), torch.ones(3)
    first = compute(lambda a, b, times: (a, (a * b * times).sum(), None), x, y.requires_grad_(), 2)
    second = compute(next(iter(compute.known))[0], y, y, 2)
    assert torch.equal(first[0], x)
    assert first[1] == 6
    assert second[1] == 6
    assert second[2] is None
    assert torch.equal(second[0], y)
    assert len(compute.known) == 1
    assert not second[0].requires_grad
    first[0].zero_()
    assert torch.equal(x, torch.arange(3.0))
    assert torch.equal(compute(next(iter(compute.known))[0], x, y, 2)[0], x)


def test_shapes_types_and_flags_are_recorded_apart():
    compute = Tapes()

    def function(x, flag):
        return x + 1 if flag else x

    for x, flag in (
        (torch.zeros(2), True),
        (torch.zeros(2), 1),
        (torch.zeros(2), False),
        (torch.zeros(2).double(), True),
    ):
        assert compute(function, x, flag).sum() == (2 if flag else 0)
    assert len(compute.known) == 4


IMPURE = {
    "looks at a value": lambda x: x * x.sum().item(),
    "branches": lambda x: x if x.sum() > 0 else -x,
    "draws": lambda x: x + torch.rand(3),
    "host data": lambda x: x + torch.tensor([1.0, 2.0, 3.0]),
    "shape from values": lambda x: x.nonzero().sum(),
    "mask": lambda x: x[x > 0].sum(),
    "moves": lambda x: torch.zeros_like(x, device="meta"),
}


@pytest.mark.parametrize("name", IMPURE)
def test_what_a_graph_cannot_hold_is_refused(name):
    with pytest.raises(NotForAGraph):
        Tapes()(IMPURE[name], torch.ones(3))


def test_a_tape_runs_no_python():
    """What a function reads from elsewhere is what was there when it was recorded: as in a CUDA
    graph."""
    held = [torch.ones(2), 1]
    compute, out = Tapes(), torch.zeros(2)

    def function(x):
        return held[0] * x + held[1]

    assert compute(function, out).tolist() == [1, 1]
    held[:] = torch.zeros(2), 5
    assert compute(function, out + 3).tolist() == [4, 4]
    empty = torch.empty(2)
    assert Tape(lambda: torch.empty_like(empty)).replay() is None


def test_an_argument_that_keeps_changing_is_an_error():
    compute = Tapes()

    def function(x, number):
        return x + number

    with pytest.raises(
        RuntimeError, match="recorded 64 times: an argument that is no tensor keeps changing"
    ):
        for number in range(100):
            compute(function, torch.zeros(1), number)


def test_bad_input_is_one_sentence_and_leaves_nothing(tmp_path, capsys):
    with pytest.raises(ValueError, match="cuda_graphs needs a CUDA device; this run is on cpu"):
        train("loqa", "ipd_v0", device="cpu", out=tmp_path / "x", cuda_graphs=True)
    with pytest.raises(ValueError, match=r"cuda_graphs is for loqa, .*pola_om.*, not sos"):
        train("sos", "ipd_v0", device="cpu", out=tmp_path / "x", cuda_graphs=True)
    words = [
        "train",
        "pola_dice",
        "ipd_v0",
        "--device",
        "cpu",
        "--cuda-graphs",
        "--out",
        str(tmp_path / "x"),
    ]
    assert main(words) == 2
    assert "needs a CUDA device" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("case", CASES)
def test_graphs_and_single_steps_agree_on_a_device(case):
    """Sums may be taken in another order: metrics of two updates agree to 1e-3.

    The games of the first are the same.
    """
    one, two = learner(case, device="cuda"), learner(case, Graphs("cuda"), device="cuda")
    for update in range(2):
        expected, found = ({n: x.item() for n, x in each.update().items()} for each in (one, two))
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-4)
        assert update or found["reward"] == expected["reward"]
