"""The agents that come with the package: whole, described, and as good as their metadata says."""

import pytest
import torch

from agents import load_agent
from agents.checkpoint import load
from agents.cli.main import main
from agents.evaluation.cards import list_bundled
from agents.evaluation.loading import ALIASES, find_checkpoint
from agents.evaluation.scoring import score_agent
from agents.learners.sb3_ppo import PpoConfig, actor_weights, restore_agent

FACTS = (
    "learner",
    "env_id",
    "game",
    "settings",
    "seed",
    "device",
    "seconds",
    "iterations",
    "scores",
    "command",
)


@pytest.mark.parametrize("name", list_bundled())
def test_metadata_and_size(name):
    facts = load(find_checkpoint(f"bundled:{name}")).facts
    assert all(key in facts for key in FACTS)
    assert facts["scores"]
    assert facts["seconds"] > 0
    assert (
        sum(
            path.stat().st_size
            for path in find_checkpoint(f"bundled:{name}").parent.glob(f"{name}.*")
        )
        < 2_000_000
    )


COMMONS = [name for name in list_bundled() if name.endswith("harvest")]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMONS)
def test_residents_earn_what_the_metadata_says(name):
    """8 fresh episodes of 1,000 steps: the mean of 32 with its half interval h is within 4 standard
    errors of theirs, sqrt(1/32 + 1/8) h sqrt(32) / 1.96 each; false alarm below 1e-4."""
    one = load_agent(f"bundled:{name}")
    found = score_agent(one, episodes=8, seed=77)
    error = one.facts["half_intervals"]["self"] / 1.96 * (1 + 32 / 8) ** 0.5
    assert abs(found["self"] - one.facts["scores"]["self"]) < 4 * error


@pytest.mark.parametrize("name", [name for name in list_bundled() if name not in COMMONS])
def test_scores_are_what_the_metadata_says(name):
    """256 fresh episodes: the mean of 256 episodes' means, each of which spreads by less than .15;
    .06 is over 5 errors."""
    one = load_agent(f"bundled:{name}")
    opponents = [key.removeprefix("vs ") for key in one.facts["scores"] if key.startswith("vs ")]
    found = score_agent(one, episodes=256, seed=77, opponents=opponents)
    for key, value in one.facts["scores"].items():
        assert abs(found[key] - value) < 0.06, key


@pytest.mark.parametrize("name", [name for name in list_bundled() if name.startswith("meta_")])
def test_adaptation_is_what_the_metadata_says(name):
    """Other games and, with noise, other tables: the mean over 40 tasks, of .3 at most in spread,
    within 3 errors."""
    one = load_agent(f"bundled:{name}")
    found, said = one.adaptation(tasks=40, seed=78), one.facts["adaptation"]
    assert len(found) == one.learner.cfg.chain + 1
    assert all(abs(a - b) < 0.15 for a, b in zip(found, said, strict=True))
    assert max(found[1:]) > found[0] + 0.3


def test_aliases_name_agents():
    assert all(target in list_bundled() for target in ALIASES.values())


def test_the_published_bars_of_the_coin_game():
    """The issue's: self-play .29, always-defect -.08, always-cooperate .33, adversarial 10 %, with
    slack."""
    found = score_agent(load_agent("bundled:loqa_3x3"), episodes=512, seed=5)
    assert found["self"] > 0.28
    assert found["vs always_cooperate"] > 0.33
    assert found["vs always_defect"] > -0.10
    assert found["adversarial"] < 0.115


def test_the_list(capsys):
    assert main(["envs", "--agents"]) == 0
    shown = capsys.readouterr().out
    assert all(f"bundled:{name}" in shown for name in list_bundled())


def test_ppos_weights_are_stable_baselines_policy(tmp_path):
    pytest.importorskip("stable_baselines3")
    from agents.checkpoint import Checkpoint
    from agents.learners.sb3_ppo import learn

    cfg = PpoConfig(steps=100, num_envs=1, horizon=50, hidden=8)
    model = learn(cfg, "coin_game_v0", {}, 0)
    facts = {"learner": "sb3_ppo", "env_id": "coin_game_v0", "game": {}, "settings": vars(cfg)}
    ours = restore_agent(Checkpoint(tmp_path, 0, facts, {"actor": actor_weights(model)}), "cpu", 0)
    observations = torch.rand(5, 4, 3, 3)
    expected = model.policy.get_distribution(observations).distribution.logits
    got = torch.log_softmax(ours.logits(observations)[0], -1)
    assert (got - expected).abs().max() < 1e-5
