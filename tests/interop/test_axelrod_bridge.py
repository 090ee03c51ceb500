"""The bridge to the Axelrod library without the library: what is missing or cannot be, in a
sentence.  With it: trainers/test_axelrod.py."""

import sys

import gymnasium
import pytest

from agents.cli.main import main
from agents.evaluation.axelrod_bridge import axelrod_tournament
from social_dilemmas_env.strategies import axelrod_player


@pytest.fixture
def missing(monkeypatch):
    axelrod_player.library_strategies.cache_clear()
    monkeypatch.setitem(sys.modules, "axelrod", None)


@pytest.mark.usefixtures("missing")
def test_a_missing_library_names_the_line_to_install():
    with pytest.raises(ModuleNotFoundError, match="pip install axelrod"):
        gymnasium.make("social_dilemmas/ipd-v0", opponent="axelrod:TitForTat")


@pytest.mark.usefixtures("missing")
def test_the_command_says_so_too(capsys):
    assert main(["league", "ipd_v0", "tit_for_tat", "always_defect", "--axelrod"]) == 2
    assert "pip install axelrod" in capsys.readouterr().err


@pytest.mark.parametrize("env_id", ["coin_game_v0", "rps_v0", "public_goods_v0"])
def test_other_games_are_refused(env_id):
    """Before the library is looked for: nobody installs it in vain."""
    with pytest.raises(ValueError, match="two players with two moves"):
        gymnasium.make(f"social_dilemmas/{env_id.replace('_v', '-v')}", opponent="axelrod:Random")


def test_only_axelrods_words_are_theirs():
    assert axelrod_player.is_axelrod_word("axelrod:TitForTat")
    assert not axelrod_player.is_axelrod_word("./axelrod.py:Agent")


def test_asymmetric_games_have_no_tournament(monkeypatch):
    monkeypatch.setitem(sys.modules, "axelrod", sys)  # any module: it is not asked
    with pytest.raises(ValueError, match="not symmetric"):
        axelrod_tournament(["random", "random"], "imp_v0")
