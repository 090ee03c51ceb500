"""docs/exact_games.md: its programs run, its numbers of states are right, its times are kept."""

import re
import time
from pathlib import Path

import pytest

import social_dilemmas_env as sde

PAGE = (Path(__file__).parents[3] / "docs" / "exact_games.md").read_text(encoding="utf-8")


def test_the_programs_run(capsys):
    names = {}
    for program in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(program, names)
    assert names["score"] == pytest.approx([0.347166, 0.347166], abs=1e-6)
    assert names["third"].any()
    assert capsys.readouterr().out.startswith("epsilon-Nash against every strategy")


@pytest.mark.parametrize(
    ("symmetry", "states"), [(None, 10_368), ("translations", 1152), ("all", 180)]
)
def test_numbers_of_states(symmetry, states):
    game = sde.exact_game("coin_game_v0", memory="last_pickup", symmetry=symmetry)
    assert game.num_states == states
    assert f"{states:,}" in PAGE


def test_a_board_that_is_refused():
    with pytest.raises(ValueError, match="too large to enumerate"):
        sde.exact_game("coin_game_v0", memory="last_pickup", symmetry=None, grid_size=7)


@pytest.mark.parametrize(("grid_size", "seconds"), [(3, 0.5), (5, 3), (7, 15)])
def test_time_to_build(grid_size, seconds):
    """Ten times what it takes on one core, or more."""
    begin = time.process_time()
    sde.exact_game("coin_game_v0", memory="last_pickup", grid_size=grid_size)
    assert time.process_time() - begin < seconds
