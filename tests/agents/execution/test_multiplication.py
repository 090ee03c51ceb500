"""Who multiplies float32 matrices: chosen by trying, put back afterwards, named in the records."""

import pytest
import torch

from agents.checkpoint import load
from agents.execution import multiplication as module
from agents.execution.multiplication import EXACT, multiplication, multiplier, rounding
from agents.training.loop import train
from agents.training.settings import Plan

SWITCH = getattr(torch.backends.mkldnn, "matmul", None)
THERE = SWITCH is not None and torch.backends.mkldnn.is_available()
needs_switch = pytest.mark.skipif(not THERE, reason="this torch has no oneDNN to choose")


class Switch:
    """Torch's switch, as far as it is asked."""

    def __init__(self):
        self.fp32_precision = "none"


def pretend(monkeypatch, error):
    """A processor on which products through oneDNN have this error."""
    switch = Switch()
    monkeypatch.setattr(module, "_switch", lambda: switch)
    monkeypatch.setattr(module, "rounding", lambda: error)
    return switch


@pytest.mark.parametrize(("route", "expected"), [("mkl", "MKL"), ("onednn", "oneDNN")])
def test_a_library_is_chosen_and_put_back(monkeypatch, route, expected):
    switch = pretend(monkeypatch, 4e-7)
    with multiplication(route):
        assert multiplier() == expected
    assert switch.fp32_precision == "none"


def test_the_switch_is_put_back_when_the_body_raises(monkeypatch):
    switch = pretend(monkeypatch, 4e-7)
    with pytest.raises(ZeroDivisionError), multiplication("onednn"):
        raise ZeroDivisionError
    assert switch.fp32_precision == "none"


@pytest.mark.parametrize("error", [4e-3, float("inf")])
def test_a_library_that_rounds_is_refused_by_name(monkeypatch, error):
    switch = pretend(monkeypatch, error)
    with pytest.raises(ValueError, match="'onednn': here it multiplies in bfloat16"):
        multiplication("onednn").__enter__()
    assert switch.fp32_precision == "none"


def test_an_older_torch_has_no_choice(monkeypatch):
    monkeypatch.setattr(module, "_switch", lambda: None)
    assert rounding() == float("inf")
    with multiplication("mkl"):
        assert multiplier() == "MKL"
    with pytest.raises(ValueError, match="cannot choose it"):
        multiplication("onednn").__enter__()


def test_another_word_is_refused_by_name():
    with pytest.raises(ValueError, match=r"matmul must be one of 'mkl', 'onednn'.*got 'mlk'"):
        Plan(matmul="mlk")
    with pytest.raises(ValueError, match="matmul must be one of"):
        multiplication("mlk").__enter__()


@needs_switch
def test_products_have_the_errors_of_float32_or_are_refused():
    a, b = torch.randn(256, 64), torch.randn(64, 96)
    exact = a.double() @ b.double()
    if rounding() <= EXACT:
        with multiplication("onednn"):
            assert (a @ b - exact).abs().max() <= EXACT * exact.abs().max()
    else:
        with pytest.raises(ValueError, match="bfloat16"):
            multiplication("onednn").__enter__()
    assert SWITCH.fp32_precision == "none"


@needs_switch
def test_a_library_that_rounds_to_bfloat16_is_noticed(monkeypatch):
    """The products of bfloat16, which a processor with AMX would give, are far above the bound."""
    product = torch.bmm
    monkeypatch.setattr(torch, "bmm", lambda a, b: product(a.bfloat16(), b.bfloat16()).float())
    assert rounding() > 100 * EXACT


@needs_switch
@pytest.mark.parametrize(("route", "name"), [("mkl", "MKL"), ("onednn", "oneDNN")])
def test_checkpoints_name_what_multiplied(tmp_path, monkeypatch, route, name):
    monkeypatch.setattr(module, "rounding", lambda: 0.0)
    plan = Plan(1, eval_every=0, quiet=True, matmul=route)
    folder = train("naive_exact", "ipd_v0", plan=plan, out=tmp_path / "run", device="cpu")
    assert load(folder / "checkpoints").facts["device"].endswith(f"1 thread, {name}")
    assert SWITCH.fp32_precision == "none"


def test_a_refused_library_leaves_no_run_behind(tmp_path, monkeypatch):
    pretend(monkeypatch, 1.0)
    plan = Plan(1, quiet=True, matmul="onednn")
    with pytest.raises(ValueError, match="use 'mkl'"):
        train("naive_exact", "ipd_v0", plan=plan, out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_a_gpu_is_named_without_what_multiplies_on_the_cpu(monkeypatch):
    monkeypatch.setattr(module, "device_name", lambda device: "NVIDIA H100")
    assert module.training_device("cuda") == "NVIDIA H100"
