"""On a CPU the games of a learner are numpy's, and nothing that it plays or learns is different."""

import pytest
import torch

import social_dilemmas_env as sde
from agents.learners.ippo.games import TensorGames, make_games
from agents.learners.ippo.ippo import IppoConfig
from agents.learners.ippo.learner import Ippo, make_ippo

TINY = IppoConfig(horizon=8, batch=3, epochs=1, minibatches=2, hidden=4, layers=1)
HOW = {"obs_mode": "uint8", "autoreset": "disabled", "max_cycles": 8}


@pytest.mark.parametrize(
    ("env_id", "game"),
    [("commons_harvest_v0", {}), ("clean_up_v0", {}), ("coin_game_v0", {"continuation": 0.5})],
)
def test_numpy_and_torch_play_the_same_games_bit_for_bit(env_id, game):
    """Ends on the way included: those games begin anew through a mask."""
    torch_games = sde.make_vec_env(env_id, 3, "torch", device="cpu", **HOW, **game)
    other = Ippo(TINY, torch_games, 5)
    ours = make_ippo(TINY, env_id, game, 5, "cpu")
    assert isinstance(ours.venv, TensorGames)

    for one, two in zip(ours._play(), other._play(), strict=True):
        assert one.dtype == two.dtype
        assert torch.equal(one, two)
    ours.update()
    other.update()
    assert torch.equal(ours.theta, other.theta)


def test_elsewhere_they_are_torchs(monkeypatch):
    asked = []
    monkeypatch.setattr(sde, "make_vec_env", lambda *args, **kwargs: asked.append((args, kwargs)))
    make_games("ipd_v0", 4, "meta", max_cycles=8)
    ((args, kwargs),) = asked
    assert args == ("ipd_v0", 4, "torch")
    assert kwargs == {"device": "meta", **HOW}


def test_bad_actions_are_refused_as_the_batch_refuses_them():
    games = make_games("ipd_v0", 2, "cpu", max_cycles=8)
    games.reset(seed=1)
    with pytest.raises(ValueError, match="shape"):
        games.step(torch.zeros(3, 2, dtype=torch.int64))
    with pytest.raises(TypeError, match="integers"):
        games.step(torch.zeros(2, 2))
