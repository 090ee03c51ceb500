"""Best responses against every strategy that there is, on games of three steps."""

import itertools

import numpy as np
import pytest

import social_dilemmas_env as sde
from social_dilemmas_env import registry
from tests.env.exact.games import ipd, some_policies

STEPS = 3


class Weather:
    """Two farmers, wet or dry; wet pays who sows; what comes next is chance after a harvest."""

    num_actions = (2, 2)
    action_names = (("rest", "sow"),) * 2
    columns = ("weather",)
    sizes = view_sizes = observation_shape = (3,)
    reward_values = (-1.0, 0.0, 0.5, 2.0)
    reward_noise = 0.0
    streams = 1
    max_cycles = STEPS

    def start(self, draw):
        return (draw(0, 2),)

    def act(self, board, actions):
        (weather,) = board
        both = actions[0] * actions[1]
        any_ = actions[0] + actions[1] - both
        rewards = [a * (3 * (weather == 0) + 2 * (weather == 2)) + 1 - a for a in actions]
        return (weather + any_ * (3 - weather),), [r * (1 - both) for r in rewards]

    def chances(self, board):
        return (1 + 2 * (board[0] == 3),)

    def chance(self, board, draw):
        return (board[0] + (board[0] == 3) * (draw(0, self.chances(board)[0]) - board[0]),)

    def view_of(self, board, player):
        return board

    def features(self, view):
        return [view[0]]


@pytest.fixture(scope="module")
def weather():
    """An exact game of somebody's own rules."""
    sde.register("weather_v0", lambda: Weather())
    try:
        yield sde.exact_game("weather_v0", gamma=0.9)
    finally:
        registry._SPECS.pop("weather_v0")


def leads(game):
    """[S + P, S]: what each landing place becomes."""
    return np.concatenate([np.eye(game.num_states), game.chance.toarray()])


def dense_value(game, policies, discount):
    """Score of policies [T, S, A] of both players, by pushing the distribution forward."""
    where, total, weight = game.start, np.zeros(2), 0.0
    outcome = leads(game)[game.successors]  # [S, J, S]
    for t in range(STEPS):
        own = [p[t] if p.ndim == 3 else p for p in policies]
        joint = np.einsum("sa,sb->sab", own[0][game.seen[0]], own[1][game.seen[1]])
        joint = joint.reshape(game.num_states, -1)
        total = total + discount**t * np.einsum("s,sj,sjn->n", where, joint, game.rewards)
        weight += discount**t
        where = np.einsum("s,sj,sjt->t", where, joint, outcome)
    return total / weight


@pytest.mark.parametrize("discount", [1.0, 0.8])
@pytest.mark.parametrize("player", [0, 1])
def test_no_deterministic_policy_is_better(weather, player, discount):
    """All 2^9 time-dependent policies of three states and three steps."""
    policies = some_policies(weather, seed=3)
    best = -np.inf
    for choice in itertools.product((0, 1), repeat=STEPS * weather.num_states):
        table = np.eye(2)[np.array(choice).reshape(STEPS, -1)]
        policies[player] = table
        best = max(best, dense_value(weather, policies, discount)[player])
    response, score = weather.finite(STEPS, discount).best_response(policies, player)
    assert score[player] == pytest.approx(best, abs=1e-12)
    policies[player] = response
    assert dense_value(weather, policies, discount) == pytest.approx(score, abs=1e-12)


def best_of_all_histories(game, policies, player, discount):
    """The value of the best strategy that remembers everything, by a tree of histories."""
    outcome = leads(game)[game.successors]
    other = policies[1 - player][game.seen[1 - player]]

    def value(state, t):
        # Nothing is shared between histories that meet in a state.
        if t == STEPS:
            return 0.0
        options = []
        for own in range(2):
            total = 0.0
            for theirs in range(2):
                j = own * 2 + theirs if player == 0 else theirs * 2 + own
                now = game.rewards[state, j, player]
                later = sum(
                    outcome[state, j, s] * value(s, t + 1)
                    for s in np.flatnonzero(outcome[state, j])
                )
                total += other[state, theirs] * (now + discount * later)
            options.append(total)
        return max(options)

    total = sum(game.start[s] * value(s, 0) for s in np.flatnonzero(game.start))
    return total / sum(discount**t for t in range(STEPS))


@pytest.mark.parametrize("player", [0, 1])
@pytest.mark.parametrize("name", ["weather", "ipd", "grudge"])
def test_no_strategy_with_any_memory_is_better(name, player, weather):
    game = weather if name == "weather" else ipd(memory=None if name == "ipd" else "grudge")
    policies = some_policies(game, seed=5)
    _, score = game.finite(STEPS).best_response(policies, player)
    expected = best_of_all_histories(game, policies, player, 1.0)
    assert score[player] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("player", [0, 1])
def test_discounted_best_response_is_the_limit_of_long_games(weather, player):
    """Value iteration to the end of float64, written here."""
    policies = some_policies(weather, seed=7)
    outcome = leads(weather)[weather.successors]
    other = policies[1 - player][weather.seen[1 - player]]
    values = np.zeros(weather.num_states)
    for _ in range(400):
        q = weather.rewards[..., player] + weather.gamma * outcome @ values
        q = q.reshape(-1, 2, 2)
        q = q if player == 0 else q.swapaxes(1, 2)
        values = np.einsum("sab,sb->sa", q, other).max(1)
    _, score = weather.best_response(policies, player)
    expected = (1 - weather.gamma) * weather.start @ values
    assert score[player] == pytest.approx(expected, abs=1e-10)


def test_noisy_payoffs_are_paid_on_average():
    quiet, noisy = ipd(), ipd(payoff_noise=0.5)
    assert noisy.score(["random"] * 2) == pytest.approx(quiet.score(["random"] * 2))
