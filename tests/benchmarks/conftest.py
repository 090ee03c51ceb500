import pytest

from benchmarks.harness.catalogue import catalogue
from tests.benchmarks.toy import CALLS, TOY


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(catalogue(), "toy", TOY)
    CALLS.clear()
    return TOY
