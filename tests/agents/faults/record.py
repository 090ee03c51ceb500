"""What came of the slow fault tests, learner by learner: `runs.json`, written by pytest itself.

    FAULTS_RECORD=1 python -m pytest -m slow tests/agents/faults/test_faults.py -k LEARNER

A test that passed counts as its tries without a failure, one that failed as a failure.  The table
of learners (table.py) shows them; a learner without an entry says so.
"""

import json
import re
from pathlib import Path

RUNS = Path(__file__).with_name("runs.json")
# Test -> how many tries it makes of one learner.
TRIES = {
    "test_thirty_kills_change_nothing": 30,
    "test_signals_at_random_moments_change_nothing": 10,
    "test_a_full_disk_is_an_error_and_loses_nothing": 1,
    "test_a_place_that_is_no_folder_is_an_error": 3,
}
KILLS = "test_thirty_kills_change_nothing"
NODE = re.compile(r"test_faults\.py::(\w+)\[(.*)\]$")


def load(path=RUNS):
    """Learner -> test with its parameters -> "passed" or "failed"."""
    return json.loads(path.read_text()) if path.exists() else {}


def note(runs, nodeid, outcome, learners):
    """Takes one report into `runs`; of other tests nothing."""
    found = NODE.search(nodeid)
    if not found or found[1] not in TRIES:
        return
    # pytest puts the parameters of several decorators in one word, the learner's among them.
    words = found[2].split("-")
    (name,) = (word for word in words if word in learners)
    own = "-".join(word for word in words if word != name)
    runs.setdefault(name, {})[f"{found[1]}[{own}]"] = outcome


def save(runs, path=RUNS):
    """One line a learner."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(runs[name], sort_keys=True)}" for name in sorted(runs)
    ]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def said(tests):
    """Of one learner, for the table: kills, other faults, failures."""
    if not tests:
        return "not run"
    kills = others = failures = 0
    for word, outcome in tests.items():
        tries = TRIES[word.partition("[")[0]]
        failures += outcome != "passed"
        if word.startswith(KILLS):
            kills += tries
        else:
            others += tries
    return f"{kills} kills, {others} other faults: {failures or 'no'} failures"
