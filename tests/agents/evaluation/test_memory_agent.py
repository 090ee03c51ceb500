"""Policies of exact games that act from observations: in every seat and view, as often as they say.

Alarms: a played mean may lie Z = 4.7 errors from its exact value, two-sided 2.6e-6 if it is normal;
fewer than 40 means are compared, so that fresh seeds would raise a false alarm once in 10,000 runs.
"""

import numpy as np
import pytest
import torch

import social_dilemmas_env as sde
from agents import load_agent, load_agents
from agents.checkpoint import Checkpoint, CheckpointError, load
from agents.evaluation.agent import AgentPlayer
from agents.evaluation.cards import BUNDLED
from agents.evaluation.league import round_robin
from agents.evaluation.loading import find_checkpoint, load_policy_table, restore_agent
from agents.evaluation.memory_agent import MemoryAgent
from agents.evaluation.players import player_factory
from agents.evaluation.scoring import play_episodes
from agents.learners.exact_policy import RECIPES, exact_facts, make_bundle
from social_dilemmas_env.single_agent.env import SingleEnv

Z = 4.7
NAMES = sorted(RECIPES)
# A large board takes seconds.
EACH = [pytest.param(n, marks=[pytest.mark.slow] * n.endswith("7x7")) for n in NAMES]
LARGE = [each for each in EACH if not each.values[0].endswith("3x3")]
EPISODES = 1500


@pytest.fixture(scope="module")
def agent():
    return load_agent("bundled:exact_loqa_3x3")


def compare(players, expected, seed, env_id="coin_game_v0", **game):
    """Played means of all seats against exact ones."""
    played = play_episodes(env_id, players, EPISODES, seed, **game)["rewards"].mean(0)  # [B, N]
    error = played.std(0, ddof=1) / len(played) ** 0.5
    assert (np.abs(played.mean(0) - expected) < Z * error + 1e-9).all(), (played.mean(0), expected)


# ------------------------------------------------------------------------------------------- played


@pytest.mark.parametrize("opponent", [None, "always_defect", "tit_for_tat"])
@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith("3x3")])
def test_played_rewards_are_the_exact_ones(name, opponent):
    """50 steps, undiscounted, in the real game."""
    one = load_agent(f"bundled:{name}")
    other = AgentPlayer(one, 7)
    if opponent:
        other = sde.make_strategy(opponent, "coin_game_v0", player=1)
    expected = one.exact.finite(50).score([one.policy, opponent or one.policy])
    compare([AgentPlayer(one, 3), other], expected, 11)


@pytest.mark.parametrize("name", LARGE)
def test_larger_boards_too(name):
    one = load_agent(f"bundled:{name}")
    expected = one.exact.finite(50).score([one.policy, "always_defect"])
    defector = sde.make_strategy("always_defect", "coin_game_v0", player=1, **one.game_kwargs)
    compare([AgentPlayer(one, 3), defector], expected, 12, **one.game_kwargs)


@pytest.mark.parametrize("game", [{"view": "joint"}, {"moves": "RLDU"}, {"variant": "pola"}])
@pytest.mark.parametrize("seat", [0, 1])
def test_the_same_rules_shown_otherwise(seat, game):
    """Another view, other names of moves, both, in both seats."""
    factory = player_factory("bundled:exact_loqa_3x3", "coin_game_v0", game)
    players = [sde.make_strategy("always_defect", "coin_game_v0", player=i, **game) for i in (0, 1)]
    players[seat] = factory(seat, 5)
    one = load_agent("bundled:exact_loqa_3x3")
    expected = one.exact.finite(50).score([one.policy, "always_defect"])
    compare(players, expected if seat == 0 else expected[::-1], 13, **game)


def test_a_game_whose_seats_are_not_alike():
    """Red wins ties: an agent must know which seat it has, from a view that does not say so."""
    exact = sde.exact_game("coin_game_v0", memory="last_pickup", ties="red", symmetry="all")
    policy = exact.symmetrised(np.random.default_rng(1).dirichlet(np.ones(4) / 2, exact.num_states))
    facts = {"env_id": "coin_game_v0", "game": {"ties": "red"}, "settings": {}}
    one = MemoryAgent(exact, policy, facts)
    players = [AgentPlayer(one.seated(seat), seat) for seat in (0, 1)]
    compare(players, exact.finite(50).score([policy, policy]), 14, ties="red")


def test_a_matrix_game():
    exact = sde.exact_game("ipd_v0", memory="grudge", gamma=0.9)
    policy = np.random.default_rng(2).dirichlet([1, 1], exact.num_states)
    facts = {"env_id": "ipd_v0", "game": {}, "settings": {}}
    one = MemoryAgent(exact, policy, facts)
    steps = exact.origin.game.max_cycles
    players = [AgentPlayer(one.seated(seat), seat) for seat in (0, 1)]
    compare(players, exact.finite(steps).score([policy, policy]), 15, "ipd_v0")


def test_league_and_opponent(agent):
    league = round_robin(
        ["bundled:exact_loqa_3x3", agent, "always_defect"], "coin_game_v0", episodes=64
    )
    assert not league.forfeits
    assert abs(league.means[0, 1, 0] - 0.3457) < 0.03
    single = SingleEnv("coin_game_v0", opponent=AgentPlayer(agent.seated(1)), player=0)
    single.reset(seed=1)
    for _ in range(60):
        *_, over, cut, _ = single.step(0)
        if over or cut:
            single.reset()


# --------------------------------------------------------------------------- table and observations


def test_each_row_is_the_row_of_its_state(agent):
    """Without symmetry every board is a state of its own: another road to the same table."""
    for symmetry in ("translations", None):
        full = sde.exact_game("coin_game_v0", memory="last_pickup", symmetry=symmetry)
        policy = full.policy(agent)
        assert policy.shape == (full.num_states, 4)
        score = full.score([policy, policy])
        assert score == pytest.approx(agent.exact.score([agent.policy, agent.policy]), abs=1e-9)
    assert agent.exact.policy(agent) == pytest.approx(agent.policy, abs=1e-12)


def test_permuting_the_games_permutes_the_moves(agent):
    venv = sde.make_vec_env("coin_game_v0", num_envs=32)
    order = torch.randperm(32, generator=torch.Generator().manual_seed(0))
    seen = [venv.reset(seed=3)[0][:, 0].copy()]
    rng = np.random.default_rng(0)
    seen += [venv.step(rng.integers(0, 4, (32, 2)))[0][:, 0].copy() for _ in range(20)]

    hidden = mixed = None
    for observations in seen:
        chances, hidden = agent.probabilities(observations, hidden)
        permuted, mixed = agent.probabilities(observations[order.numpy()], mixed)
        assert torch.equal(permuted, chances[order])
        assert torch.equal(mixed, hidden[:, order])


def test_zero_means_nothing_seen_yet(agent):
    """What `AgentPlayer` does where an episode begins."""
    seen = sde.make_vec_env("coin_game_v0", num_envs=8).reset(seed=3)[0][:, 0]
    first, after = agent.probabilities(seen)
    again, same = agent.probabilities(seen, torch.zeros_like(after))
    assert torch.equal(first, again)
    assert torch.equal(after, same)


# ---------------------------------------------------------------------------------------- bad input


def refused(match, call, error=ValueError):
    with pytest.raises(error, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_other_games_are_refused(agent):
    for env_id, game in (
        ("coin_game_v0", {"grid_size": 5}),
        ("coin_game_v0", {"ties": "red"}),
        ("coin_game_v0", {"num_agents": 3}),
        ("ipd_v0", {}),
    ):
        refused("plays coin", lambda e=env_id, g=game: player_factory(
            "bundled:exact_loqa_3x3", e, g
        ))  # fmt: skip
    refused("no observation", lambda: agent.probabilities(np.ones((2, 4, 3, 3))))
    refused("have 36 numbers", lambda: agent.probabilities(np.zeros((2, 4, 5, 5))))
    refused("coin_game_v0", lambda: sde.exact_game("ipd_v0").policy(agent))
    refused("remembers", lambda: sde.exact_game("coin_game_v0").policy(agent))
    refused("remembers", lambda: load_policy_table("bundled:exact_loqa_3x3"))


def test_what_cannot_follow_is_refused(agent):
    """A game that began anew without a word."""
    venv = sde.make_vec_env("coin_game_v0", num_envs=64)
    one, two = (venv.reset(seed=seed)[0][:, 0].copy() for seed in (1, 2))
    _, hidden = agent.probabilities(one)
    refused("cannot follow", lambda: agent.probabilities(two, hidden))
    refused("64 games are remembered", lambda: agent.probabilities(two[:3], hidden))


def test_boards_that_a_player_does_not_see():
    exact = sde.exact_game("public_goods_v0", num_agents=3)
    policy = np.ones((exact.num_states, 2)) / 2
    facts = {"env_id": "public_goods_v0", "game": {"num_agents": 3}, "settings": {}}
    refused("does not see the whole board", lambda: MemoryAgent(exact, policy, facts))


def test_damaged_tables(agent):
    saved = load(find_checkpoint("bundled:exact_loqa_3x3"))

    def restored(tensors):
        return restore_agent(Checkpoint(saved.path, saved.step, saved.facts, tensors))

    policy = saved.tensors["policy"]
    refused("'policy'", lambda: restored({}), CheckpointError)
    refused("'policy'", lambda: restored({"policy": policy[:5]}), CheckpointError)
    refused("sum to one", lambda: restored({"policy": policy * 2}), CheckpointError)


# ------------------------------------------------------------------------------------------ bundled


@pytest.mark.parametrize("name", EACH)
def test_the_certificate_is_that_of_the_table(name):
    one = load_agents(f"bundled:{name}")[1]
    assert one.player == 1
    found = exact_facts(one.exact, one.policy, ("always_cooperate", "always_defect", "tit_for_tat"))
    said = one.facts["exact"]
    assert found["epsilon"] == pytest.approx(said["epsilon"], abs=2e-6)
    assert found["epsilon"] < 0.003
    assert found["scores"] == pytest.approx(said["scores"], abs=2e-6)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks:UserWarning")
def test_the_command_makes_the_bundled_file(tmp_path):
    path = make_bundle("exact_loqa_3x3", tmp_path / "x.json")
    made, kept = load(path), load(BUNDLED / "exact_loqa_3x3.json")
    assert made.tensors["policy"].numpy() == pytest.approx(kept.tensors["policy"].numpy(), abs=1e-4)
    assert made.facts["settings"] == kept.facts["settings"]
    refused("no recipe", lambda: make_bundle("exact_lola_3x3", tmp_path / "y.json"))
    refused("NAME.json", lambda: make_bundle("exact_loqa_3x3", tmp_path / "y"))
