"""Pairs of a league side by side: the bits of each pair by itself."""

import numpy as np
import pytest
import torch

from agents import load_agent
from agents.evaluation import agent_groups, pairs
from agents.evaluation.agent import Agent
from agents.evaluation.entrants import enter
from agents.evaluation.league import league_of
from agents.evaluation.pairs import Roster, play_pair, play_pairs

NETWORKS = ["bundled:loqa_3x3", "bundled:loqa_3x3_seed43"]
LEAGUES = {
    "coin": ("coin_game_v0", {}, [*NETWORKS, "bundled:sb3_ppo_3x3", "tit_for_tat", "random"]),
    "memory": ("coin_game_v0", {}, ["bundled:exact_loqa_3x3", NETWORKS[0]]),
    "matrix": ("ipd_v0", {}, ["bundled:loqa_ipd", "bundled:meta_mapg_ipd", "grim", "random"]),
    "three": ("coin_game_v0", {"num_agents": 3}, ["random", "always_defect", "tit_for_tat"]),
}


class Right:
    """A user's."""

    def act(self, observations):
        return np.ones(len(observations), int)


def make_roster(entries, env_id="coin_game_v0", game=None, episodes=3):
    return Roster(enter(entries, env_id, game or {}), env_id, game or {}, episodes, seed=5)


@pytest.mark.parametrize("name", LEAGUES)
def test_together_is_as_alone(name):
    env_id, game, entries = LEAGUES[name]
    roster = make_roster(entries, env_id, game, episodes=5)
    (chunk,) = roster.chunks(roster.pairs())
    assert all(map(roster.is_grouped, chunk))
    together = play_pairs(roster, chunk)
    assert roster.watched
    assert not roster.refused
    assert together == {pair: play_pair(roster, pair) for pair in chunk}


def test_a_pair_does_not_depend_on_its_chunk():
    roster = make_roster([*NETWORKS, "random"])
    whole = play_pairs(roster, roster.pairs())
    parts = [play_pairs(roster, [pair]) for pair in roster.pairs()]
    assert whole == {pair: played for part in parts for pair, played in part.items()}


def test_chunks_hold_each_pair_once_and_so_many_games(monkeypatch):
    monkeypatch.setattr(pairs, "GAMES", 12)
    roster = make_roster(["random", "tit_for_tat", Right()], episodes=5)
    chunks = roster.chunks(roster.pairs())
    assert sorted(pair for chunk in chunks for pair in chunk) == roster.pairs()
    assert max(map(len, chunks)) == 2
    assert {len({roster.is_grouped(pair) for pair in chunk}) for chunk in chunks} == {1}


def test_strangers_play_alone():
    roster = make_roster(["random", Right(), 5])
    grouped = [pair for pair in roster.pairs() if roster.is_grouped(pair)]
    assert grouped == [(0, 0)]


def test_agents_that_compute_other_bits_side_by_side_play_alone(monkeypatch):
    real = Agent.beside

    def beside(self, others):
        twin = real(self, others)
        twin.theta = {name: x * (1 + 1e-6) for name, x in twin.theta.items()}
        return twin

    monkeypatch.setattr(Agent, "beside", beside)
    roster = make_roster(NETWORKS)
    played = play_pairs(roster, roster.pairs())
    assert {kind[0] for kind in roster.refused} == {"network"}
    assert not any(map(roster.is_grouped, roster.pairs()))
    assert played == {pair: play_pair(roster, pair) for pair in roster.pairs()}


def test_a_group_is_watched_once(monkeypatch):
    watched = []
    real = agent_groups.AgentGroup.__init__

    def init(self, *words):
        real(self, *words)
        watched.append(bool(self.watched))

    monkeypatch.setattr(agent_groups.AgentGroup, "__init__", init)
    roster = make_roster(NETWORKS)
    play_pairs(roster, roster.pairs())
    play_pairs(roster, roster.pairs())
    assert watched == [True, True, False, False]


def test_several_agents_as_one():
    agents = [load_agent(name) for name in NETWORKS]
    both = agents[0].beside(agents[1:])
    seen = torch.eye(36)[:8].view(8, 4, 3, 3)
    chances, hidden = both.probabilities(seen)
    assert hidden.shape[0] == both.sets == 2
    for k, agent in enumerate(agents):
        assert torch.equal(chances[4 * k : 4 * k + 4], agent.probabilities(seen[4 * k :][:4])[0])
    assert agents[0].sets == 1
    assert agents[0].architecture == agents[1].architecture


def test_who_has_forfeited_does_not_depend_on_the_order_of_play():
    """b fails only against a, which had failed against itself before: b stays."""
    roster = make_roster([("a", Right()), ("b", Right())])
    fine = {"means": [0.0, 0.0], "errors": [0.0, 0.0]}
    results = {
        (1, 1): fine,
        (1, 0): {"forfeit": "b", "why": "a was odd"},
        (0, 1): {"forfeit": "b", "why": "a was odd"},
        (0, 0): {"forfeit": "a", "why": "odd"},
    }
    league = league_of(roster, results)
    assert league.forfeits == {"a": "odd"}
    assert league.means[1, 1, 0] == 0.0
