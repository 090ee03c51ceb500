"""The trained residents of the commons play wherever players do, in any seat, and eat."""

import numpy as np
import pytest

import social_dilemmas_env as sde
from agents.cli.main import main
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.loading import list_bundled, load_agent, load_agents
from agents.evaluation.scoring import play_episodes
from social_dilemmas_env.single_agent.env import SingleEnv

HARVEST = "commons_harvest_v0"
RESIDENTS = [f"bundled:{name}" for name in list_bundled() if name.endswith("harvest")]
FEW = ["--set", "max_cycles=4"]


def test_there_are_some():
    assert {"bundled:ippo_harvest", "bundled:ippo_aligned_harvest"} <= set(RESIDENTS)


@pytest.mark.parametrize("name", RESIDENTS)
def test_as_opponents_they_fill_the_other_seats(name):
    env = SingleEnv(HARVEST, opponent=name, player=3, max_cycles=4)
    env.reset(seed=1)
    for _ in range(4):
        *_, truncated, _ = env.step(1)
    assert truncated


@pytest.mark.parametrize("name", RESIDENTS)
def test_one_network_plays_all_seats(name):
    agents = load_agents(name)
    assert len(agents) == 7
    assert all((agent.theta["dense0"] == agents[0].theta["dense0"]).all() for agent in agents)


def test_they_are_played_from_the_command_line(capsys, tmp_path):
    picture = tmp_path / "match.png"
    names = [*RESIDENTS[:1] * 6, "greedy"]
    assert main(["play", HARVEST, *names, *FEW, "--save", str(picture)]) == 0
    assert picture.stat().st_size > 1000
    assert "ippo" in capsys.readouterr().out


def test_schellings_diagram_has_them(capsys):
    words = ["--defector", RESIDENTS[0], "--episodes", "7", *FEW]
    assert main(["schelling", HARVEST, *words]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + 8 + 1


def test_a_game_that_they_cannot_read_is_refused():
    with pytest.raises(ValueError, match="plays commons_harvest_v0, not clean_up_v0"):
        SingleEnv("clean_up_v0", opponent=RESIDENTS[0])
    with pytest.raises(ValueError, match="its observations have 1089 numbers"):
        load_agent(RESIDENTS[0]).probabilities(np.zeros((2, 9, 11, 10), np.float32))


@pytest.mark.parametrize("name", RESIDENTS)
def test_they_eat_more_than_random_players(name):
    """60 steps of 4 games from one start: about 30 apples a game against 9; greedy ones eat 60."""
    eaten = {}
    for who in ("random", name):
        strategies = [sde.make_strategy("random", HARVEST, player=i) for i in range(7)]
        players = strategies if who == "random" else [AgentPlayer(a) for a in load_agents(who)]
        games = play_episodes(HARVEST, players, 4, 2, keep_observations=False, max_cycles=60)
        eaten[who] = games["rewards"].sum() / 4
    assert eaten[name] > 1.5 * eaten["random"]
