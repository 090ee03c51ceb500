"""What is measured of an update's parts."""

import pytest

from agents.interruption import between_parts
from agents.training import parts
from agents.training.parts import longest_part, main


class Clock:
    """An update of parts of 1, 4 and 2 seconds."""

    now = 0.0

    def update(self):
        for seconds in (1.0, 4.0):
            self.now += seconds
            between_parts()
        self.now += 2.0


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(parts.time, "process_time", lambda: made.now)
    spec = parts.LEARNERS["naive_exact"].__class__(
        "x", "x", lambda env_id: None, lambda *_: made, lambda *_: None
    )
    monkeypatch.setattr(parts, "LEARNERS", {"x": spec})
    return made


def test_the_longest_part_and_the_whole(clock):
    assert longest_part("x", "ipd_v0") == (4.0, 7.0)
    assert longest_part("x", "ipd_v0", updates=3) == (4.0, 7.0)


def test_the_command(clock, capsys):
    main(["x"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["x", "coin_game_v0"], ["x", "ipd_v0"]]
    assert "4.00 s, update   7.00 s" in lines[0]


def test_learners_without_a_loop_are_passed_over(capsys):
    main(["exact_policy", "naive_exact"])
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("naive_exact            ipd_v0")
