import pytest

from agents.tasks import executors
from benchmarks.harness.catalogue import catalogue
from tests.benchmarks.toy import CALLS, TOY


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(catalogue(), "toy", TOY)
    monkeypatch.setattr(executors, "count_cores", lambda: 1)  # others would not know it
    CALLS.clear()
    return TOY
