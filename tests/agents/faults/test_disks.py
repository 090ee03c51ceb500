"""Promise 8 on real file systems: a disk of 2 MB that fills up, page by page, and one that turns
read-only.  Every learner keeps its last checkpoint, and goes on to the same bits."""

import contextlib

import pytest

from agents import load_agent
from agents.cli import main as cli
from agents.tasks.result_lines import ResultLines
from agents.training.run_folder import checkpoints
from benchmarks.harness.json_files import write_json
from social_dilemmas_env.replay import read_episode
from tests.agents.faults.children import (
    UPDATES,
    in_a_child,
    same,
    status_of,
    step_of,
    tensors_of,
    whole,
)
from tests.agents.faults.mounts import filled, mount_small, permitted, set_read_only
from tests.agents.faults.tiny_learners import TINY, go

pytestmark = pytest.mark.slow
any_learner = pytest.mark.parametrize("name", TINY)


@pytest.fixture
def disk(tmp_path):
    """Where a child mounts one."""
    if not permitted(tmp_path / "disk"):
        pytest.skip("no mounts here: the limit of sizes of files stands for a full disk")
    return tmp_path / "disk"


@any_learner
def test_a_disk_that_fills_up_at_any_page(name, tmp_path, disk):
    """From not one page for the checkpoint to room for all but the last of its files."""
    tensors, _ = whole(name, tmp_path / "whole")

    def fill_and_go_on():
        mount_small(disk)
        go(name, disk / "run", 3)
        step, refused = 3, 0
        for free in range(6):
            try:
                with filled(disk, free):
                    go(name, disk / "run", UPDATES)
            except OSError as error:
                refused += len(str(error).splitlines()) == 1
            assert step_of(disk / "run") >= step
            step = step_of(disk / "run")
            assert not list(checkpoints(disk / "run").glob(".*tmp"))
        assert refused
        go(name, disk / "run", UPDATES)
        assert same(tensors, tensors_of(disk / "run"))

    assert status_of(in_a_child(fill_and_go_on)) == 0


@any_learner
def test_a_disk_that_turns_read_only(name, tmp_path, disk):
    """What is there can be read and played, and gone on with when it takes writes again."""
    tensors, _ = whole(name, tmp_path / "whole")

    def turn_and_go_on():
        mount_small(disk)
        go(name, disk / "run", 3)
        set_read_only(disk, True)
        with contextlib.suppress(OSError):
            go(name, disk / "run", UPDATES)
            raise AssertionError("it wrote")
        assert step_of(disk / "run") == 3
        load_agent(disk / "run")
        set_read_only(disk, False)
        go(name, disk / "run", UPDATES)
        assert same(tensors, tensors_of(disk / "run"))

    assert status_of(in_a_child(turn_and_go_on)) == 0


def lines_of(path):
    """Adds a line, and reads all."""
    lines = ResultLines(path)
    lines.add([({"seed": len(path.parent.name)}, {"score": [0.5] * 2000})])
    return ResultLines(path)


PLAY = ["play", "coin_game_v0", "random", "random", "--set", "max_cycles=3", "--save"]
LEAGUE = ["league", "ipd_v0", "grim", "random", "--episodes", "2", "--jobs", "1", "--save"]


@pytest.mark.parametrize("free", range(4))
def test_other_files_are_whole_or_of_before(free, disk):
    """Episodes, pages, leagues, results of benchmarks, lines."""

    def work():
        mount_small(disk)
        assert cli.main([*PLAY, str(disk / "match.json")]) == 0
        assert cli.main([*LEAGUE, str(disk / "league.json")]) == 0
        write_json(disk / "part.json", {"a": [1.5] * 3000})
        lines_of(disk / "x.jsonl")
        before = {path.name: path.read_bytes() for path in disk.iterdir()}

        with filled(disk, free):
            statuses = [cli.main([*PLAY, str(disk / name)]) for name in ("match.json", "a.html")]
            assert set(statuses) <= {0, 2}
            with contextlib.suppress(OSError):
                write_json(disk / "part.json", {"a": [2.5] * 3000})
            with contextlib.suppress(OSError):
                lines_of(disk / "x.jsonl")
        read_episode(disk / "match.json")
        for name in ("part.json", "league.json"):
            assert (disk / name).read_bytes() == before[name] or name == "part.json"
        assert {"seed": 4} in ResultLines(disk / "x.jsonl")
        assert not list(disk.glob(".*tmp"))

    assert status_of(in_a_child(work)) == 0
