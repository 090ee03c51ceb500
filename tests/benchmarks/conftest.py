import pytest
from toy import CALLS, TOY

from benchmarks.harness.catalogue import catalogue


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(catalogue(), "toy", TOY)
    CALLS.clear()
    return TOY
