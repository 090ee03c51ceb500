"""The "ansi" mode: two scenes in full, and what every text holds."""

from social_dilemmas_env import render
from tests.env.rendering.scenes import (
    ipd_scene,
    played,
    renamed,
    theft_scene,
)
from tests.helpers.games import any_game

IPD = """\
Iterated prisoner's dilemma (ipd_v0)   step 4 of 50

payoffs: 0 tit_for_tat down, 1 alternator across
            cooperate    defect
cooperate      -1, -1     -3, 0
defect         [0, -3]   -2, -2

   player       move       reward  score   mean
0  tit_for_tat  defect          0     -6  -1.50
1  alternator   cooperate      -3     -6  -1.50

   history (steps 1-4)
0  tit_for_tat  CCDD
1  alternator   CDDC"""

COIN = """\
Coin Game (coin_game_v0)   step 1 of 50

+-----+-----+-----+
|     |     |  0  |
+-----+-----+-----+
|     |     |  1  |
+-----+-----+-----+
| (1) |     |     |
+-----+-----+-----+
0: player 0; (0): a coin of player 0; the board wraps around

last step: blue took red's coin
own coins: 0 of 1 (0%)

   player  move  reward  score  mean  own coins
0  red     down      -2     -2    -2     0 of 0
1  blue    left      +1      1     1     0 of 1"""


def test_a_prisoners_dilemma_in_full():
    assert render.text(ipd_scene((0, 0), (0, 1), (1, 1), (1, 0))) == IPD


def test_a_theft_in_full():
    assert render.text(theft_scene()) == COIN


@any_game
def test_every_text_is_plain_and_names_the_game_the_step_and_all_players(name):
    env = played(name, 5)
    text = env.render()
    assert text == render.text(env.scene())
    assert text.isprintable() or {c for c in text if not c.isprintable()} == {
        "\n"
    }  # no escape sequences
    assert text.isascii()
    assert env.metadata["name"] in text
    assert f"step {min(5, env.max_cycles)} of {env.max_cycles}" in text
    assert all(agent in text for agent in env.possible_agents)
    assert all(line == line.rstrip() for line in text.split("\n"))


def test_two_players_and_a_coin_on_one_cell_are_all_shown():
    scene = theft_scene()._replace(board=(4, 4, 4, 1))
    assert "|0,1(1)|" in render.text(scene)


def test_the_past_is_cut_at_what_is_remembered_and_says_so():
    env = played("coin_lola", 100)
    text = env.render()
    assert "last 64 steps" in text
    assert "mean of 64" in text
    assert "history (steps 37-100)" in render.text(
        played("ipd", 50).scene()._replace(t=100, history=played_history())
    )


def played_history():
    """64 moves."""
    return (ipd_scene((0, 1)).history * 64)[:64]


def test_players_of_one_name_stay_apart():
    text = render.text(renamed(theft_scene(), "greedy"))
    assert "greedy (1) took greedy (0)'s coin" in text


def test_actions_without_initials_of_their_own_are_numbers():
    text = render.text(played("matrix_1p", 1).scene())
    assert text.splitlines()[-1].split()[-1] in "012"
