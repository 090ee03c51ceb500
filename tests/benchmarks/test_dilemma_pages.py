"""The exact values on the games' pages are those of the committed results."""

import json
import re

import pytest

import social_dilemmas_env as sde
from benchmarks.harness.options import RESULTS

ORDER = ("all cooperate", "all defect", "lone defector", "its victims", "index")
STORED = json.loads((RESULTS / "dilemmas.json").read_text())
VALUES = {row["name"]: row["ours"] for row in STORED["rows"]}
TIES = {"both": "ties both", "split": "ties split", 'both, `variant="mfos"`': "mfos"}


def values(game):
    return pytest.approx([VALUES[f"{game}: {name}"] for name in ORDER], abs=6e-4)


def table(env_id):
    """The rows of the page's table with an index."""
    lines = sde.spec(env_id).page.splitlines()
    first = next(k for k, line in enumerate(lines) if "| index |" in line)
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_coin_game():
    rows = table("coin_game_v0")
    games = set()
    for players, board, ties, *numbers in rows:
        game = f"coins, {players} players, {board}, {TIES[ties]}"
        assert [float(number) for number in numbers] == values(game), game
        games.add(game)
    known = {name.partition(": ")[0] for name in VALUES if name.startswith("coins")}
    assert games == {game for game in known if not game.endswith(("red", "lola"))}


@pytest.mark.parametrize("players", [2, 3])
def test_rules_that_are_left_out_are_as_split(players):
    """To the digits of the page, on 3x3."""
    split = f"coins, {players} players, 3x3, ties split"
    for rules in ("ties red", "lola"):
        found = [VALUES[f"coins, {players} players, 3x3, {rules}: {name}"] for name in ORDER]
        assert found == values(split)


def test_public_goods():
    for players, *numbers in table("public_goods_v0"):
        game = f"public goods, {players} players"
        assert [float(number) for number in numbers] == values(game), game


@pytest.mark.parametrize(
    ("env_id", "game"),
    [
        ("ipd_v0", "prisoner's dilemma"),
        ("chicken_v0", "chicken"),
        ("stag_hunt_v0", "stag hunt"),
    ],
)
def test_matrix_games(env_id, game):
    sentence = re.search(r"^A step: (.*?)\(", sde.spec(env_id).page, re.M | re.S)[1]
    assert [float(x) for x in re.findall(r"-?\d*\.?\d+", sentence)] == values(game)
