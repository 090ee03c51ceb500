"""BenchMARL: a task of a few lines on our batched environment, three algorithms."""

import pytest
import torch

from tests.interop.trainers.learned import DEFECTS, library

pytestmark = pytest.mark.slow
torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def _library():
    library("benchmarl")


def task(env_id):
    from benchmarl.environments.common import TaskClass

    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

    class SocialDilemma(TaskClass):
        def get_env_fun(self, num_envs, continuous_actions, seed, device):
            return lambda: TorchRLEnv(env_id, num_envs, device=device, seed=seed)

        def supports_continuous_actions(self):
            return False

        def supports_discrete_actions(self):
            return True

        def max_steps(self, env):
            return env.batch.max_cycles

        def group_map(self, env):
            return env.group_map

        def has_render(self, env):
            return False

        def observation_spec(self, env):
            return env.full_observation_spec_unbatched

        def action_spec(self, env):
            return env.full_action_spec_unbatched

        def state_spec(self, env):
            return None

        info_spec = action_mask_spec = state_spec

        @staticmethod
        def env_name():
            return "social_dilemmas"

    return SocialDilemma("GAME", {})


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


@pytest.mark.parametrize(("name", "frames"), [("Ippo", 40_000), ("Mappo", 40_000)])
def test_ppo_defects_in_the_dilemma(name, frames, tmp_path):
    import benchmarl.algorithms
    from benchmarl.experiment import Callback, Experiment
    from benchmarl.models.mlp import MlpConfig

    means = []

    class Track(Callback):
        def on_batch_collected(self, batch):
            means.append(batch["next", "player", "reward"].mean().item())

    algorithm = getattr(benchmarl.algorithms, f"{name}Config").get_from_yaml()
    Experiment(
        task=task("ipd_v0"),
        algorithm_config=algorithm,
        model_config=MlpConfig.get_from_yaml(),
        critic_model_config=MlpConfig.get_from_yaml(),
        seed=0,
        config=settings(tmp_path, frames),
        callbacks=[Track()],
    ).run()
    assert means[0] > -1.65
    assert means[-1] < DEFECTS
