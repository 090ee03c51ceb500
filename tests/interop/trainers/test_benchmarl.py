"""BenchMARL: our task, two algorithms."""

import pytest
import torch

from tests.interop.trainers.learned import DEFECTS, library

pytestmark = pytest.mark.slow
torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def _library():
    library("benchmarl")


def task(**config):
    from social_dilemmas_env.adapters.benchmarl import SocialDilemmaTask

    return SocialDilemmaTask("GAME", config)


def settings(folder, frames):
    from benchmarl.experiment import ExperimentConfig

    cfg = ExperimentConfig.get_from_yaml()
    cfg.sampling_device = cfg.train_device = cfg.buffer_device = "cpu"
    cfg.max_n_frames, cfg.exploration_anneal_frames = frames, frames // 2
    cfg.on_policy_collected_frames_per_batch = cfg.off_policy_collected_frames_per_batch = 1600
    cfg.on_policy_n_envs_per_worker = cfg.off_policy_n_envs_per_worker = 32
    cfg.on_policy_n_minibatch_iters, cfg.on_policy_minibatch_size = 5, 800
    cfg.off_policy_n_optimizer_steps, cfg.off_policy_train_batch_size = 50, 128
    cfg.off_policy_memory_size, cfg.gamma, cfg.lr = 20_000, 0.96, 3e-3
    cfg.evaluation = cfg.render = cfg.create_json = False
    cfg.loggers, cfg.save_folder = [], str(folder)
    return cfg


def mean_rewards(name, chosen, frames, folder):
    """Of each batch of frames that was learned from."""
    import benchmarl.algorithms
    from benchmarl.experiment import Callback, Experiment
    from benchmarl.models.mlp import MlpConfig

    means = []

    class Track(Callback):
        def on_batch_collected(self, batch):
            means.append(batch["next", "player", "reward"].mean().item())

    algorithm = getattr(benchmarl.algorithms, f"{name}Config").get_from_yaml()
    Experiment(
        task=chosen,
        algorithm_config=algorithm,
        model_config=MlpConfig.get_from_yaml(),
        critic_model_config=MlpConfig.get_from_yaml(),
        seed=0,
        config=settings(folder, frames),
        callbacks=[Track()],
    ).run()
    return means


@pytest.mark.parametrize("name", ["Ippo", "Mappo"])
def test_ppo_defects_in_the_dilemma(name, tmp_path):
    means = mean_rewards(name, task(env_id="ipd_v0"), 40_000, tmp_path)
    assert means[0] > -1.65
    assert means[-1] < DEFECTS


def test_flat_observations_of_the_coin_game_are_taken(tmp_path):
    assert mean_rewards("Ippo", task(env_id="coin_game_v0", flat=True), 3200, tmp_path)
