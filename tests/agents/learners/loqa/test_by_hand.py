"""Whole iterations of self-play against an independent account of them, number by number.

`by_hand*.py` know nothing of the learner's code. Both start from the same parameters and the same
seed; after three iterations everything that changes must agree, in float64.
"""

from dataclasses import fields, replace

import pytest
import torch

import social_dilemmas_env as sde
from agents.execution.games import make_games
from agents.learners.loqa import advantage_alignment, loqa
from agents.learners.loqa.advantage_alignment import AlignmentConfig
from agents.learners.loqa.loqa_modelled import ModelledConfig, ModelledSelfPlay
from agents.learners.loqa.self_play import SelfPlay
from tests.agents.learners.loqa.by_hand_learner import Hand, HandModelled

UPDATES, SEED = 3, 11
CLOSE = 3e-7  # relative; what the two orders of adding up give is 1e-12

# Small, and nothing at a value at which a mistake would not show.
TINY = loqa.LoqaConfig(
    batch=4,
    horizon=4,
    gamma=0.9,
    decay=0.8,
    actor_lr=3e-3,
    critic_lr=2e-2,
    ema=0.7,
    weight=0.6,
    temperature=0.8,
    payoff_shift=0.4,
    clip=0.3,
    push_every=1,
    snapshots=2,
    actor_hidden=3,
    critic_hidden=3,
)
THREE = {"num_agents": 3}
LOQA_CASES = {
    "plain": ("coin_game_v0", {}, {}),
    "three players": ("coin_game_v0", THREE, {"batch": 2}),
    "own networks": ("coin_game_v0", {}, {"shared": False}),
    "own networks, three players": ("coin_game_v0", THREE, {"batch": 2, "shared": False}),
    "present selves": ("ipd_v0", {}, {"past_selves": False, "shared": False}),
    "few copies": ("ipd_v0", {}, {"capacity": 1, "push_every": 2}),
    "runs": ("ipd_v0", {}, {"runs": 2}),
    "exploring": ("coin_game_v0", {}, {"epsilon": 0.5}),
    "resets": ("ipd_v0", {}, {"reset_every": 2}),
    "one step of resets": ("ipd_v0", {}, {"reset_every": 1, "shared": False}),
    "same draws": ("coin_game_v0", {}, {"fresh_draws": False}),
    "no clipping": ("ipd_v0", {}, {"clip": None}),
    "standardised": ("ipd_v0", {}, {"standardise": True}),
    "attached advantages": ("ipd_v0", {}, {"detach_advantage": False}),
    "attached, n steps": ("ipd_v0", {}, {"detach_advantage": False, "n_step": 2}),
    "largest Q": ("ipd_v0", {}, {"max_q": True}),
    "current reward": ("ipd_v0", {}, {"current_reward": True}),
    "stopped normaliser": ("ipd_v0", {}, {"stop_normaliser": True}),
    "shaping ends": ("ipd_v0", {}, {"shaping_until": 1}),
    "no shaping": ("ipd_v0", {}, {"weight": 0.0}),
    "one layer": ("ipd_v0", {}, {"actor_layers": 1, "critic_layers": 1}),
    "the dilemma's networks": ("ipd_v0", {}, {"actor": "tabular", "critic": "mlp"}),
    "layers without memory": ("coin_game_v0", {}, {"actor": "mlp", "critic": "mlp"}),
    "what both see alike": ("ipd_v0", {"view": "joint"}, {"shared": False}),
}
ALIGNMENT_CASES = {
    "aligned": ("coin_game_v0", {}, {"form": "aligned"}),
    "aligned, three players": ("coin_game_v0", THREE, {"form": "aligned", "batch": 2}),
    "mean": ("ipd_v0", {}, {"form": "mean", "gae_decay": 0.5}),
    "mean, three players": ("coin_game_v0", THREE, {"form": "mean", "batch": 2, "gae_decay": 0.3}),
    "loaded": ("ipd_v0", {}, {"form": "loaded", "stop_normaliser": True}),
    "shaping ends": ("ipd_v0", {}, {"form": "aligned", "shaping_until": 0}),
}
MODELLED_CASES = {
    "plain": ("coin_game_v0", {}, {}),
    "three players": ("coin_game_v0", THREE, {"batch": 2}),
    "own networks": ("ipd_v0", {}, {"shared": False}),
    "runs": ("ipd_v0", {}, {"runs": 2}),
    "largest Q": ("ipd_v0", {}, {"max_q": True}),
}


class DoubleGames:
    """The learner's games, with observations and rewards in float64."""

    def __init__(self, venv):
        self._venv = venv
        self.possible_agents = venv.possible_agents
        self.single_action_space, self.num_envs = venv.single_action_space, venv.num_envs
        self.observation_table = venv.observation_table.double()

    def reset(self, seed):
        return self._venv.reset(seed=seed)

    def step(self, actions):
        obs_ids, rewards, *rest = self._venv.step(actions)
        return obs_ids, rewards.double(), *rest


@pytest.fixture(autouse=True)
def _float64():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def ours(kind, cfg, loss, env_id, game):
    venv = make_games(env_id, game, cfg.runs * cfg.batch, cfg.horizon, "cpu")
    return kind(cfg, DoubleGames(venv), loss, SEED)


def firsts(learner):
    return [player.theta.clone() for player in learner.player_states]


def same(name, found, expected):
    error = (found - expected).norm() / expected.norm().clamp(min=1e-12)
    assert error < CLOSE, f"{name}: relative error {error:.1e}"


def compare(learner, hand):
    """Everything that an iteration changes, after each of three."""
    for update in range(UPDATES):
        shown, expected = learner.update(), hand.update()
        assert shown.keys() == expected.keys()
        for name, value in expected.items():
            assert shown[name].item() == pytest.approx(value.item(), rel=CLOSE, abs=1e-9), name
        for i, (mine, theirs) in enumerate(zip(learner.player_states, hand.selves, strict=True)):
            where = f"update {update + 1}, network {i}"
            same(f"θ, {where}", mine.theta, theirs.theta)
            same(f"target, {where}", mine.target, theirs.target)
            for name in ("actor_adam", "critic_adam"):
                same(f"{name}, {where}", getattr(mine, name).first, getattr(theirs, name).m)
                same(f"{name}², {where}", getattr(mine, name).second, getattr(theirs, name).v)
            assert len(mine.past) == len(theirs.past)
            for one, other in zip(mine.past, theirs.past, strict=True):
                same(f"a past self, {where}", one, other)


@pytest.mark.parametrize("case", LOQA_CASES)
def test_loqa_learns_what_its_formulas_say(case):
    env_id, game, changes = LOQA_CASES[case]
    cfg = replace(TINY, **changes)
    learner = ours(SelfPlay, cfg, loqa.loss, env_id, game)
    compare(learner, Hand(cfg, env_id, game, SEED, firsts(learner)))


@pytest.mark.parametrize("case", ALIGNMENT_CASES)
def test_advantage_alignment_learns_what_its_formulas_say(case):
    env_id, game, changes = ALIGNMENT_CASES[case]
    cfg = AlignmentConfig(**{**vars(TINY), **changes})
    learner = ours(SelfPlay, cfg, advantage_alignment.loss, env_id, game)
    compare(learner, Hand(cfg, env_id, game, SEED, firsts(learner)))


@pytest.mark.parametrize("case", MODELLED_CASES)
def test_models_of_others_learn_what_their_formulas_say(case):
    env_id, game, changes = MODELLED_CASES[case]
    cfg = ModelledConfig(**{**vars(TINY), "model_lr": 4e-3, "reward_hidden": 3, **changes})
    learner = ours(ModelledSelfPlay, cfg, loqa.loss, env_id, game)
    models = [(model.theta.clone(), model.reward_model.clone()) for model in learner.models]
    hand = HandModelled(cfg, env_id, game, SEED, firsts(learner), models)
    compare(learner, hand)
    for mine, theirs in zip(learner.models, hand.models, strict=True):
        same("π̂ and Q̂", mine.theta, theirs.theta)
        same("their average", mine.target, theirs.target)
        same("r̂", mine.reward_model, theirs.reward)


def test_every_setting_is_varied():
    """No number of the losses is left at one value in all cases."""
    cases = (LOQA_CASES, ALIGNMENT_CASES, MODELLED_CASES)
    varied = {name for each in cases for *_, changes in each.values() for name in changes}
    changed = {f.name for f in fields(TINY) if getattr(TINY, f.name) != f.default}
    assert {f.name for f in fields(TINY)} - varied - changed == {"entropy", "zero_critic"}


def test_networks_of_several_players_begin_apart():
    """Else a mistake about whose network it is would not show."""
    learner = ours(SelfPlay, replace(TINY, shared=False), loqa.loss, "ipd_v0", {})
    first, second = firsts(learner)
    assert (first - second).norm() > 0.1
    assert sde.payoffs("ipd_v0").shape == (2, 2, 2)
