"""Promises 8 and 9 of the commands: a league, a sweep, a solution, an episode, a replay and a
benchmark are killed and interrupted at random moments, and their workers too; no file is ever half
written, and the same command goes on to what an undisturbed one gives."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.cli import main as cli
from benchmarks.harness import command as benchmarks
from tests.agents.faults.children import computed, in_a_child, status_of, tell
from tests.agents.robustness.stranger_files import write_replay

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes that share what is loaded"),
]
ROOT = Path(__file__).parents[3]
TRIES = 12
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
LEAGUE = "league ipd_v0 grim random tit_for_tat always_defect win_stay_lose_shift --episodes 300"
SWEEP = "sweep naive_exact ipd_v0 --seeds 3 --iterations 6 --save-minutes 0 --runs 2 --quiet"
ORDERS = "run lola_orders --set steps=40 --runs 500"
# Name -> (who runs it, its words; {} is the folder, the file that is compared).
COMMANDS = {
    "league": (cli.main, f"{LEAGUE} --jobs 1 --save {{}}/league.json", "league.json"),
    "sweep": (cli.main, f"{SWEEP} --jobs 1 --out {{}}/sweep", "sweep/summary.json"),
    "replay": (cli.main, "replay {}/match.json --save {}/page.html", "page.html"),
    "play": (cli.main, "play coin_game_v0 random random --save {}/own.json", "own.json"),
    "solve": (cli.main, "solve ipd_v0 lola --updates 20 --runs 2 --out {}/x.npz", None),
    "benchmark": (
        benchmarks.main,
        f"{ORDERS} --jobs 1 --out {{}}/results",
        "results/lola_orders.json",
    ),
}
TIMES = ("seconds", "seconds_by_cell", "versions", "command")


def run(name, folder):
    """The command, as a process that ends with its status."""
    main, words, _ = COMMANDS[name]
    return in_a_child(lambda: sys.exit(main(words.replace("{}", str(folder)).split())))


def result(name, folder):
    """What the command has written, without times."""
    file = COMMANDS[name][2]
    if file is None:
        return None
    text = (folder / file).read_text()
    if not file.endswith("json"):
        return text
    found = json.loads(text)
    return {key: value for key, value in found.items() if key not in TIMES}


def prepared(folder):
    folder.mkdir()
    write_replay(folder)
    return folder


def check_whole(folder):
    """Every file of JSON is one; what is written beside its place goes with the next try."""
    for path in folder.rglob("*.json"):
        if not path.name.startswith("."):
            json.loads(path.read_text())


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_that_are_killed_and_interrupted(name, tmp_path):
    before = computed()
    assert status_of(run(name, prepared(tmp_path / "whole"))) == 0
    seconds = computed() - before
    expected = result(name, tmp_path / "whole")

    folder = prepared(tmp_path / "disturbed")
    draws = random.Random(name)
    for k in range(TRIES):
        pid = run(name, folder)
        time.sleep(draws.uniform(0, 1.5 * seconds))
        number = SIGNALS[k % len(SIGNALS)]
        tell(pid, number)
        assert status_of(pid) in (0, 128 + number, -number, 131)
        check_whole(folder)

    assert status_of(run(name, folder)) == 0
    assert result(name, folder) == expected


def children_of(pid):
    """The processes that a process has started."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_benchmark_whose_workers_are_killed(tmp_path):
    """Three of them, at random moments: their parts are computed again."""
    words = f"{ORDERS} --jobs 2 --retries 9 --out {tmp_path}/killed".split()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    draws, killed = random.Random(7), 0
    while killed < 3 and process.poll() is None:
        time.sleep(draws.uniform(0.5, 2))
        workers = children_of(process.pid)[1:]  # the first one tracks resources
        if workers:
            tell(draws.choice(workers), signal.SIGKILL)
            killed += 1
    _, error = process.communicate()
    assert process.returncode == 0, error
    assert "Traceback" not in error

    main, words, file = COMMANDS["benchmark"]
    assert main(words.replace("{}", str(tmp_path / "alone")).split()) == 0
    rows = [
        json.loads((tmp_path / where).read_text())["rows"]
        for where in ("killed/lola_orders.json", f"alone/{file}")
    ]
    assert rows[0] == rows[1]
