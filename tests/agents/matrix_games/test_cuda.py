"""Learners of matrix games on a CUDA device: exact ones give the CPU's numbers, others run."""

from functools import partial

import pytest
import torch

import social_dilemmas_env as sde
from agents.learners.exact_table import exact_learner
from agents.learners.lola.lola_dice import LolaDiceConfig, lola_dice
from agents.learners.lola.lola_pg import LolaPg
from agents.learners.lola.tournament import TournamentConfig, learning_tournament
from agents.learners.naive.naive_pg import NaivePg
from agents.learners.pola.pola_exact import PolaConfig, pola
from agents.matrix_games.closed_form import MatrixGame
from agents.matrix_games.gradient_runs import RunConfig, run
from agents.matrix_games.opponent_models import CountModel, modelling
from agents.matrix_games.parametrisations import PARAMETRISATIONS
from agents.matrix_games.sampled import SampleConfig, SampledGame

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def game_on(device, **kwargs):
    return MatrixGame(sde.payoffs("ipd_v0"), 0.96, device, **kwargs)


@pytest.mark.parametrize("name", ["naive", "lola", "look_ahead", "sos", "consensus"])
def test_exact_learners_agree_with_the_cpu(name):
    learner, cfg = exact_learner(name), RunConfig(runs=16, steps=5)
    on_cpu, on_gpu = (run(game_on(device), learner, cfg) for device in ("cpu", "cuda"))
    assert on_gpu.theta.is_cuda
    torch.testing.assert_close(on_gpu.theta.cpu(), on_cpu.theta, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", PARAMETRISATIONS)
def test_pola_agrees_with_the_cpu(name):
    parametrisation = PARAMETRISATIONS[name]()
    theta, cfg = parametrisation.initial(4), PolaConfig(lr_in=0.3, outer_steps=10)
    on_cpu, on_gpu = (
        pola(theta.to(d), game_on(d, parametrisation=parametrisation), cfg) for d in ("cpu", "cuda")
    )
    torch.testing.assert_close(on_gpu.cpu(), on_cpu, rtol=1e-8, atol=1e-8)


def test_learners_from_samples_run_on_the_device():
    sampled = SampledGame(game_on("cuda"), SampleConfig(games=16, steps=20))
    dice = partial(lola_dice, cfg=LolaDiceConfig())
    for learner in (NaivePg(), LolaPg(), dice, modelling(dice, CountModel(sampled))):
        history = run(sampled, learner, RunConfig(runs=3, steps=2, lr=0.1))
        assert history.theta.is_cuda
        assert torch.isfinite(history.values).all()
        assert not history.stopped


def test_the_round_robin_runs_on_the_device():
    rewards = learning_tournament(
        game_on("cuda"), cfg=TournamentConfig(runs=2, episodes=2, steps=5)
    )
    assert len(rewards) == 21
    assert all(torch.isfinite(r).all() for r in rewards.values())
