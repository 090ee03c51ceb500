"""The learners that learn while they play, rule by rule; the tournament and its known results."""

import itertools

import pytest
import torch

import social_dilemmas_env as sde
from agents.learners.lola import tournament
from agents.learners.lola.lola_exact import lola
from agents.learners.lola.q_learners import (
    JalQ,
    NlQ,
    Phc,
    PhcConfig,
    QConfig,
    Seats,
    Transition,
    explore,
    falling,
    hill_climb,
    sample,
    wolf_phc,
)
from agents.learners.lola.tournament import (
    TOURNAMENT_LEARNERS,
    ExactPlayer,
    TournamentConfig,
    improve_exact,
    learning_tournament,
    mirrored,
    seat_groups,
)
from agents.learners.naive.naive_exact import naive
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.gradient_runs import RunConfig, run

torch.set_num_threads(1)
GAMMA = 0.9
IPD = MatrixGame(sde.payoffs("ipd_v0"), 0.96)


def seats(lanes=2, actions=2):
    return Seats(lanes, actions, GAMMA, torch.Generator().manual_seed(0))


def seen(state, action, other, reward, after):
    return Transition(
        *(torch.tensor(x) for x in (state, action, other)),
        torch.tensor(reward).double(),
        torch.tensor(after),
    )


def test_falling_rates():
    assert falling(0.01, 1e-4, 0) == pytest.approx(0.01)
    assert falling(0.01, 1e-4, 1_000_000) == pytest.approx(1 / 200)
    assert falling(5e-5, 1.0, 20_000) == pytest.approx(2.5e-5)


def test_nl_q_changes_one_cell_by_its_rule():
    learner = NlQ(seats(), QConfig(alpha=0.5, alpha_decay=0.0))
    before = learner.q.clone()
    learner.learn(seen([0, 3], [1, 0], [0, 0], [2.0, -1.0], [3, 4]))
    expected = before.clone()
    expected[0, 0, 1] += 0.5 * (2.0 + GAMMA * before[0, 3].max() - before[0, 0, 1])
    expected[1, 3, 0] += 0.5 * (-1.0 + GAMMA * before[1, 4].max() - before[1, 3, 0])
    torch.testing.assert_close(learner.q, expected)
    torch.testing.assert_close(learner.policy(), torch.softmax(expected, -1))


def test_jal_q_weighs_the_other_s_actions_by_their_counts():
    learner = JalQ(seats(1), QConfig(alpha=0.5, alpha_decay=0.0))
    before = learner.q.clone()
    learner.learn(seen([2], [1], [0], [1.0], [2]))
    # counts in state 2 are now (2, 1): the action just seen is counted first
    expected_values = (2 * before[0, 2, :, 0] + before[0, 2, :, 1]) / 3
    expected = before.clone()
    expected[0, 2, 1, 0] += 0.5 * (1.0 + GAMMA * expected_values.max() - before[0, 2, 1, 0])
    torch.testing.assert_close(learner.q, expected)
    shown = torch.softmax((2 * expected[0, 2, :, 0] + expected[0, 2, :, 1]) / 3, -1)
    torch.testing.assert_close(learner.policy()[0, 2], shown)
    torch.testing.assert_close(torch.softmax(learner.expected(torch.tensor([2])), -1)[0], shown)


def test_hill_climb_moves_to_the_best_and_stays_a_distribution():
    policy = torch.tensor([[0.5, 0.3, 0.2], [0.01, 0.0, 0.99]], dtype=torch.float64)
    found = hill_climb(policy, torch.tensor([1, 2]), torch.tensor([0.2, 0.4], dtype=torch.float64))
    torch.testing.assert_close(
        found, torch.tensor([[0.4, 0.5, 0.1], [0.0, 0.0, 1.0]], dtype=torch.float64)
    )


def test_phc_climbs_with_its_rate():
    learner = Phc(seats(1), PhcConfig(alpha=0.0001, alpha_decay=0.0, delta=0.125, delta_decay=0.0))
    best = learner.values.q[0, 4].argmax().item()
    for _ in range(3):
        learner.learn(seen([4], [0], [1], [0.0], [4]))
    assert learner.policy()[0, 4, best].item() == pytest.approx(0.875)
    assert learner.policy()[0, 0].tolist() == [0.5, 0.5]


def test_wolf_learns_faster_when_losing():
    learner = wolf_phc(seats(2))
    learner.values.cfg = QConfig(alpha=1e-12)
    learner.values.q[:, 0] = torch.tensor([1.0, 0.0], dtype=torch.float64)
    # lane 0 plays better than its average did, lane 1 worse
    learner.pi[:, 0] = torch.tensor([[0.5, 0.5], [0.3, 0.7]], dtype=torch.float64)
    learner.average[:, 0] = torch.tensor([[0.2, 0.8], [0.9, 0.1]], dtype=torch.float64)
    learner.visits[:, 0] = 99
    learner.learn(seen([0, 0], [0, 0], [0, 0], [0.0, 0.0], [0, 0]))
    assert learner.pi[0, 0, 0].item() == pytest.approx(0.5 + 0.01)
    assert learner.pi[1, 0, 0].item() == pytest.approx(0.3 + 0.02)
    assert learner.average[0, 0, 0].item() == pytest.approx(0.2 + 0.3 / 100)


def test_exploration_and_sampling_frequencies():
    """20,000 draws, within 5 standard errors: fails once in a million seeds."""
    generator, n = torch.Generator().manual_seed(1), 20_000
    greedy = explore(torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(n, 2), 0.05, generator)
    assert abs(greedy.double().mean().item() - 0.975) < 0.0056
    drawn = sample(torch.tensor([[0.2, 0.5, 0.3]], dtype=torch.float64).expand(n, 3), generator)
    assert ((torch.bincount(drawn) / n - torch.tensor([0.2, 0.5, 0.3])).abs() < 0.018).all()
    assert sample(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), generator).tolist() == [1, 0]


@pytest.mark.parametrize("make", [NlQ, Phc])
def test_learners_find_the_better_action_of_a_bandit(make):
    """Action 1 pays 1, action 0 nothing, whatever the other does: a few thousand steps suffice.

    Not so for WoLF-PHC with the authors' rates: it gives up an action for good before its values
    are known.
    """
    learner = (
        Phc(seats(8), PhcConfig(delta=1e-3, delta_decay=1e-3)) if make is Phc else NlQ(seats(8))
    )
    state = torch.zeros(8, dtype=torch.long)
    for _ in range(3000):
        action = learner.act(state)
        learner.learn(Transition(state, action, action * 0, action.double(), state))
    assert (learner.policy()[:, 0, 1] > 0.5).all()
    assert learner.policy()[:, 0, 1].mean() > 0.65


def test_lanes_are_independent():
    learner = NlQ(seats(3), QConfig(alpha=0.5))
    before = learner.q.clone()
    learner.learn(seen([0, 0, 0], [0, 0, 0], [0, 0, 0], [float("inf"), 0.0, 1.0], [1, 1, 1]))
    assert not torch.isfinite(learner.q[0]).all()
    assert torch.isfinite(learner.q[1:]).all()
    assert not torch.equal(learner.q[1], before[1])


@pytest.mark.parametrize("seat", [0, 1])
def test_exact_players_take_the_exact_learner_s_step_from_either_seat(seat):
    game = MatrixGame(sde.payoffs("imp_v0"), 0.9)
    player = ExactPlayer(seats(3), torch.full((3,), seat), game, lola)
    own, other = player.theta.clone(), torch.randn(3, 5, dtype=torch.float64)
    player.improve(other, lr=0.5)
    pair = (own, other) if seat == 0 else (other, own)
    expected = own + 0.5 * lola(torch.stack(pair, 1), game)[:, seat]
    torch.testing.assert_close(player.theta, expected)


def test_tournament_of_exact_learners_is_the_loop_of_exact_learners():
    """Improvement does not depend on what was played: the policies are those of gradient_runs."""
    cfg = TournamentConfig(runs=3)
    pairs, groups = seat_groups(IPD, ("NL-Ex", "LOLA-Ex"), cfg)
    start = torch.empty(len(pairs) * 3 * 2, 5, dtype=torch.float64)
    for group in groups:
        start[group.own] = group.learner.theta
    for _ in range(4):
        improve_exact(IPD, groups, cfg)
    end = torch.empty_like(start)
    for group in groups:
        end[group.own] = group.learner.theta
    learners = (naive, lola)
    for k, (i, j) in enumerate(pairs):
        tables = slice(6 * k, 6 * k + 6)
        history = run(
            IPD, (learners[i], learners[j]), RunConfig(steps=4), theta=start[tables].view(3, 2, 5)
        )
        torch.testing.assert_close(end[tables].view(3, 2, 5), history.theta, rtol=1e-6, atol=1e-6)


def test_every_learner_meets_every_learner():
    names = tuple(TOURNAMENT_LEARNERS)
    pairs, groups = seat_groups(IPD, names, TournamentConfig(runs=2))
    assert len(pairs) == 21
    assert pairs == list(itertools.combinations_with_replacement(range(6), 2))
    assert [len(group.own) for group in groups] == [14] * 6
    assert torch.equal(torch.cat([g.own for g in groups]).sort().values, torch.arange(84))
    assert all(torch.equal(g.own // 2, g.other // 2) and (g.own != g.other).all() for g in groups)


def test_round_robin_shapes_seeds_and_range():
    cfg = TournamentConfig(runs=2, episodes=3, steps=10, seed=1)
    first, same = learning_tournament(IPD, cfg=cfg), learning_tournament(IPD, cfg=cfg)
    assert set(first) == set(itertools.combinations_with_replacement(TOURNAMENT_LEARNERS, 2))
    for pair, rewards in first.items():
        assert rewards.shape == (3, 2, 2)
        assert torch.equal(rewards, same[pair])
        assert (rewards >= -3).all()
        assert (rewards <= 0).all()
    zero = learning_tournament(MatrixGame(sde.payoffs("imp_v0"), 0.9), ("NL-Q", "PHC"), cfg)
    assert all(rewards.sum(-1).abs().max() < 1e-12 for rewards in zero.values())


def test_rewards_and_states_reach_the_right_seat(monkeypatch):
    """Two fixed players: 0 always cooperates, 1 always defects; each sees its own words."""
    log = {}

    class Fixed:
        def __init__(self, action):
            self.action = action

        def act(self, state):
            return torch.full_like(state, self.action)

        def learn(self, seen):
            log[self.action] = seen

        def policy(self):
            return torch.full((3, 5, 2), 0.5, dtype=torch.float64)

    monkeypatch.setattr(
        tournament, "TOURNAMENT_LEARNERS", {"C": lambda *_: Fixed(0), "D": lambda *_: Fixed(1)}
    )
    rewards = learning_tournament(IPD, ("C", "D"), TournamentConfig(runs=1, episodes=1, steps=2))
    assert {pair: r[0, 0].tolist() for pair, r in rewards.items()} == {
        ("C", "C"): [-1.0, -1.0],
        ("C", "D"): [-3.0, 0.0],
        ("D", "D"): [-2.0, -2.0],
    }
    # lanes of C: both seats of (C, C), seat 0 of (C, D)
    assert log[0].state.tolist() == [1, 1, 2]
    assert log[0].other_action.tolist() == [0, 0, 1]
    assert log[0].reward.tolist() == [-1.0, -1.0, -3.0]
    assert log[1].state.tolist() == [3, 4, 4]
    assert log[1].next_state.tolist() == [3, 4, 4]


def test_released_perspective_shows_player_0_s_words_to_both(monkeypatch):
    log = []

    class Spy(NlQ):
        def act(self, state):
            return torch.tensor([0, 1])

        def learn(self, seen):
            log.append(seen)

    monkeypatch.setattr(tournament, "TOURNAMENT_LEARNERS", {"spy": lambda s, seat, game: Spy(s)})
    for perspective, after in (("own", [2, 3]), ("released", [2, 2])):
        learning_tournament(
            IPD, ("spy",), TournamentConfig(runs=1, episodes=1, steps=1, perspective=perspective)
        )
        assert log[-1].next_state.tolist() == after


def test_mirrored_is_right_for_tit_for_tat_and_wrong_in_general():
    logits = torch.tensor(
        [[9.0, 9.0, -9.0, 9.0, -9.0], [1.0, 2.0, 3.0, 4.0, 5.0]], dtype=torch.float64
    )
    found = mirrored(logits, (2, 3))
    assert found[0].tolist() == logits[0].tolist()  # p(CD) + p(DC) = 1
    assert found[1].tolist() == [1.0, 2.0, -4.0, -3.0, 5.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: learning_tournament(MatrixGame(sde.payoffs("rps_v0"), 0.9)), "2 actions, not 3"),
        (
            lambda: learning_tournament(IPD, ("NL-Ex", "LOLA")),
            "no tournament learner 'LOLA'; there are NL-Q",
        ),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.slow
def test_exact_learners_in_both_perspectives():
    """Reference section 9.

    Sd of one run up to .7, 100 runs: margins of .2 are about 3 sd (one false alarm in 300).
    """
    expected = {
        "own": {("NL-Ex", "NL-Ex"): (-2.0, -2.0), ("LOLA-Ex", "LOLA-Ex"): (-1.04, -1.04)},
        "released": {
            ("NL-Ex", "NL-Ex"): (-1.74, -1.74),
            ("NL-Ex", "LOLA-Ex"): (-2.39, -1.05),
            ("LOLA-Ex", "LOLA-Ex"): (-1.13, -1.19),
        },
    }
    for perspective, table in expected.items():
        cfg = TournamentConfig(runs=100, episodes=200, perspective=perspective)
        found = learning_tournament(IPD, ("NL-Ex", "LOLA-Ex"), cfg)
        for pair, rewards in table.items():
            assert found[pair][-20:].mean((0, 1)).tolist() == pytest.approx(list(rewards), abs=0.2)
