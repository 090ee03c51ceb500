"""Models of others: fitted to their play, used in place of their policies."""

import pytest
import torch

import social_dilemmas_env as sde
from agents.exact.learners import with_settings
from agents.exact.markov_game import MarkovGame, Play
from agents.exact.models import ModelConfig, Models, imagined
from agents.exact.solve import gradients, solve
from tests.agents.exact_games.small import random_policies, small_game

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def play():
    game = small_game(2)
    return Play(MarkovGame(game), random_policies(3, game))


def fit(play, fits, seed=1):
    return Models(play.game.parametrisation, ModelConfig(fits, 0.1), seed).fit(play)


def test_a_model_comes_to_what_it_sees(play):
    found = fit(play, 600)
    torch.testing.assert_close(found, play.policies, atol=0.02, rtol=0)


def test_a_step_climbs_the_likelihood_of_endless_play(play):
    """By its own sum over states: before and after."""
    visits = torch.stack([play.game.visits_as_seen(play.visits, seat) for seat in (0, 1)], 1)

    def likelihood(models):
        return (visits[..., None] * play.policies * models.log()).sum((-1, -2))

    assert (likelihood(fit(play, 3)) > likelihood(fit(play, 2))).all()


def test_what_is_never_visited_stays_as_it_was():
    """In the prisoner's dilemma of two defectors nobody sees what follows cooperation."""
    game = sde.exact_game("ipd_v0", gamma=0.9)
    policies = torch.zeros(1, 2, 5, 2, dtype=torch.float64)
    policies[..., 1] = 1.0
    play = Play(MarkovGame(game), policies)
    before, after = fit(play, 0), fit(play, 50)
    unseen = [1, 2, 3]  # CC, CD, DC
    torch.testing.assert_close(after[:, :, unseen], before[:, :, unseen])
    assert (after[:, :, [0, 4], 1] > 0.9).all()


def test_a_player_knows_itself(play):
    models = fit(play, 1)
    for seat in (0, 1):
        seen = imagined(play, seat, models).policies
        assert torch.equal(seen[:, seat], play.policies[:, seat])
        assert torch.equal(seen[:, 1 - seat], models[:, 1 - seat])
    assert imagined(play, 0, None) is play


@pytest.mark.parametrize("learner", ["pola", "lola", "loqa"])
def test_models_that_are_right_change_nothing(play, learner):
    cfg = with_settings(learner)
    known, modelled = (gradients(play, 2, cfg, models) for models in (None, play.policies))
    for one, other in zip(known, modelled, strict=True):
        torch.testing.assert_close(one, other)


def test_pola_with_models_cooperates():
    """On 3x3, seeds 0 to 3; the optimum is .347."""
    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)
    _, curves = solve("pola_om", game, runs=4, updates=60)
    assert curves[-1].min() > 0.3


def test_no_steps_are_no_models():
    game = sde.exact_game("ipd_v0", gamma=0.9)
    one, other = (solve(name, game, updates=3, model_fits=0) for name in ("pola", "pola_om"))
    assert torch.equal(one.policies, other.policies)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"model_fits": -1}, "model_fits must be"), ({"model_lr": 0.0}, "model_lr must be positive")],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**settings)
