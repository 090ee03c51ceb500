"""What an update costs beside the same with one thing changed: the variants, and the command."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

from agents.nn import gru as cells
from agents.nn import networks
from benchmarks.throughput import updates
from benchmarks.throughput.updates import AS_IT_IS, Products, main, measure, step_by_step, table

TINY = ["batch=4", "snapshots=2", "horizon=3", "actor_hidden=4", "critic_hidden=4"]
SHAPES = {"steps": 4, "sets": 2, "games": 3, "size": 5}


def cell_inputs(steps, sets, games, size):
    generator = torch.Generator().manual_seed(0)
    sizes = ((steps, sets, games, 3 * size), (sets, size, 3 * size), (sets, 1, size))
    return [
        torch.randn(each, generator=generator, dtype=torch.float64).requires_grad_()
        for each in sizes
    ]


def test_step_by_step_is_the_same_function_with_the_same_derivatives():
    inputs, found = cell_inputs(**SHAPES), []
    for function in (cells.gru, step_by_step):
        hidden = function(*inputs)
        first = torch.autograd.grad((hidden**2).sum(), inputs, create_graph=True)
        second = torch.autograd.grad(sum((x**2).sum() for x in first), inputs)
        found.append((hidden, *first, *second))
    for ours, plain in zip(*found, strict=True):
        assert torch.allclose(ours, plain, rtol=1e-10, atol=1e-12)


def test_products_have_the_shapes_of_the_gru_and_are_for_one_derivative():
    inputs = cell_inputs(**SHAPES)
    hidden = Products.apply(*inputs)
    assert hidden.shape == cells.gru(*inputs).shape
    first = torch.autograd.grad((hidden**2).sum(), inputs, create_graph=True)
    assert [x.shape for x in first] == [x.shape for x in inputs]
    with pytest.raises(RuntimeError, match="differentiate twice"):
        first[1].sum().backward()
    x, recurrent, bias = inputs
    assert updates.product_step(x[0], hidden[0], recurrent, bias).shape == hidden[0].shape


@dataclass(frozen=True)
class Config:
    runs: int = 3


def recorded(log):
    """A request of learners that write down who updates with which GRU."""

    def make(config, env_id, game, seed, device):
        who = (config.runs, seed)
        return SimpleNamespace(update=lambda: log.append((who, networks.gru)))

    spec = SimpleNamespace(make=make)
    return SimpleNamespace(spec=spec, config=Config(), env_id="x", game={}, seed=7)


def test_variants_take_turns_and_the_first_does_not_count():
    log = []
    seconds = measure(recorded(log), ["step_by_step", "one_by_one"], updates=2)
    assert {name: len(turns) for name, turns in seconds.items()} == {
        AS_IT_IS: 2,
        "step_by_step": 2,
        "one_by_one": 2,
    }
    alone = [((1, seed), cells.gru) for seed in (7, 8, 9)]
    assert log == 3 * [((3, 7), cells.gru), ((3, 7), step_by_step), *alone]
    assert networks.gru is cells.gru


def test_a_variant_that_fails_leaves_the_gru_as_it_was():
    def update():
        raise RuntimeError("out of memory")

    request = recorded([])
    request.spec.make = lambda *_: SimpleNamespace(update=update)
    with pytest.raises(RuntimeError, match="out of memory"):
        measure(request, ["products"], updates=1)
    with pytest.raises(RuntimeError), updates.VARIANTS["torch_tanh"]():
        assert cells.tanh is torch.tanh
        update()
    assert cells.tanh is not torch.tanh


def test_the_table_has_medians_ranges_and_ratios():
    found = table({AS_IT_IS: [1.0, 2.0, 6.0], "onednn": [4.0, 1.0]})
    assert [line.split() for line in found] == [
        ["as_it_is", "2.0000", "(1.0000", "to", "6.0000;", "3)", "x", "1.00"],
        ["onednn", "2.5000", "(1.0000", "to", "4.0000;", "2)", "x", "1.25"],
    ]


def test_the_command(capsys):
    words = ["loqa", "coin_game_v0", "--updates", "1", "--set", *TINY]
    assert main([*words, "--beside", "step_by_step", "products", "torch_tanh"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title.startswith("loqa coin_game_v0 batch=4 ")
    assert all(word in title for word in ("core-seconds", "cpu: ", "torch ", "commit"))
    names = [line.split()[0] for line in lines]
    assert names == [AS_IT_IS, "step_by_step", "products", "torch_tanh"]
    assert all("; 1)  x " in line for line in lines)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("loka ipd_v0", "did you mean 'loqa'"),
        ("loqa ipd_v0 --updates 0", "--updates must be at least 1"),
        ("loqa ipd_v0 --beside one_by_one", "--set runs=8"),
        ("ippo coin_game_v0 --beside one_by_one", "--set runs=8"),
        ("sb3_ppo coin_game_v0", "sb3_ppo"),
        ("loqa ipd_v0 --set batch=None", "batch must be int"),
        ("loqa ipd_v0 --set bach=2", "did you mean 'batch'"),
    ],
)
def test_mistakes_end_in_one_sentence(capsys, words, message):
    assert main(words.split()) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not said.out


def test_an_unknown_variant_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["loqa", "ipd_v0", "--beside", "faster"])
    assert "one_by_one" in capsys.readouterr().err
