"""With FAULTS_RECORD=1 what came of the fault tests is kept; see record.py."""

import os

from tests.agents.faults import record
from tests.agents.faults.tiny_learners import TINY

REPORTS = []


def pytest_runtest_logreport(report):
    """Keeps the outcome of a test that ran, or of a set-up that failed."""
    if report.when == "call" or report.failed:
        REPORTS.append((report.nodeid, report.outcome))


def pytest_sessionfinish(session):
    """Written once, by the process that sees all."""
    if os.environ.get("FAULTS_RECORD") != "1" or hasattr(session.config, "workerinput"):
        return
    runs = record.load()
    for nodeid, outcome in REPORTS:
        record.note(runs, nodeid, outcome, TINY)
    record.save(runs)
