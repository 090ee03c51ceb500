"""The end of a run says what was skipped, in words."""

from types import SimpleNamespace

from tests.conftest import counted, skipped


def report(reason):
    return SimpleNamespace(longrepr=("test_x.py", 3, f"Skipped: {reason}"))


def test_reasons_are_counted():
    reports = [report("no CUDA device"), report("needs torchrl"), report("no CUDA device")]
    assert skipped(reports) == ["    2  no CUDA device", "    1  needs torchrl"]


def test_nothing_skipped_says_nothing():
    assert skipped([]) == []


def test_numbers_that_tests_record_are_added():
    reports = [
        SimpleNamespace(user_properties=[("blocks", 2), ("imports", 0)]),
        SimpleNamespace(user_properties=[("blocks", 3)]),
        SimpleNamespace(),
    ]
    assert counted(reports) == ["5 blocks"]
