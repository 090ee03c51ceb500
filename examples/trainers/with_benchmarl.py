"""BenchMARL: our games as its task, independent and multi-agent PPO.

pip install -r examples/trainers/requirements/benchmarl.txt -e .
python examples/trainers/with_benchmarl.py    # a minute
"""

import tempfile

from pinned import pinned

with pinned("benchmarl"):
    import benchmarl.algorithms
    import torch
    from benchmarl.experiment import Callback, Experiment, ExperimentConfig
    from benchmarl.models.mlp import MlpConfig

    from social_dilemmas_env.adapters.benchmarl import SocialDilemmaTask


def settings(folder, frames):
    """Small, on the CPU, without logs."""
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


class Track(Callback):
    """Keeps the mean reward of each batch."""

    def __init__(self):
        super().__init__()
        self.means = []

    def on_batch_collected(self, batch):
        self.means.append(batch["next", "player", "reward"].mean().item())


def mean_rewards(name, folder, frames=40_000, task=None):
    """Of each batch of frames; `name` is Ippo or Mappo, `task` the arguments of the game."""
    track = Track()
    Experiment(
        task=SocialDilemmaTask("GAME", task or {"env_id": "ipd_v0"}),
        algorithm_config=getattr(benchmarl.algorithms, f"{name}Config").get_from_yaml(),
        model_config=MlpConfig.get_from_yaml(),
        critic_model_config=MlpConfig.get_from_yaml(),
        seed=0,
        config=settings(folder, frames),
        callbacks=[track],
    ).run()
    return track.means


def main():
    """Both."""
    torch.set_num_threads(1)
    for name in ("Ippo", "Mappo"):
        means = mean_rewards(name, tempfile.mkdtemp())
        print(f"{name:6s} {means[0]:+.2f} a step at first, {means[-1]:+.2f} at last (defect: -2)")


if __name__ == "__main__":
    main()
