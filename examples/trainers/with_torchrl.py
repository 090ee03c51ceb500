"""TorchRL: its multi-agent PPO tutorial on our batched environment.

pip install -r examples/trainers/requirements/torchrl.txt -e .
python examples/trainers/with_torchrl.py      # a minute
"""

from pinned import pinned

with pinned("torchrl"):
    import torch
    from tensordict.nn import TensorDictModule
    from torch import nn
    from torchrl import collectors
    from torchrl.modules import MultiAgentMLP, ProbabilisticActor
    from torchrl.objectives import ClipPPOLoss, ValueEstimators

    from social_dilemmas_env.adapters.torchrl import TorchRLEnv

PLAYER = "player"
KINDS = {"MAPPO": {"shared": True, "central": True}, "IPPO": {"shared": False, "central": False}}


def networks(env, *, shared, central):
    """A policy for each player, and critics that may see everybody."""
    players = len(env.group_map[PLAYER])
    size = env.observation_spec[PLAYER, "observation"].shape[-1]
    count = env.full_action_spec[env.action_key].space.n

    def mlp(outputs, everybody):
        how = {"depth": 2, "num_cells": 64, "activation_class": nn.Tanh}
        return MultiAgentMLP(
            size, outputs, players, centralised=everybody, share_params=shared, **how
        )

    seen = [(PLAYER, "observation")]
    logits = TensorDictModule(mlp(count, False), seen, [(PLAYER, "logits")])
    policy = ProbabilisticActor(
        logits,
        in_keys=[(PLAYER, "logits")],
        out_keys=[env.action_key],
        distribution_class=torch.distributions.Categorical,
        return_log_prob=True,
        log_prob_key=(PLAYER, "logp"),
    )
    return policy, TensorDictModule(mlp(1, central), seen, [(PLAYER, "state_value")])


def objective(policy, critic, env):
    """The clipped loss, told where our keys are."""
    loss = ClipPPOLoss(policy, critic, clip_epsilon=0.2, entropy_coeff=1e-2)
    loss.set_keys(
        reward=env.reward_key,
        action=env.action_key,
        value=(PLAYER, "state_value"),
        done=(PLAYER, "done"),
        terminated=(PLAYER, "terminated"),
        sample_log_prob=(PLAYER, "logp"),
    )
    loss.make_value_estimator(ValueEstimators.GAE, gamma=0.96, lmbda=0.95)
    return loss


def mean_rewards(env, *, shared, central, batches=15, frames=3200):
    """Of each batch of frames that was learned from."""
    collector = getattr(collectors, "Collector", None) or collectors.SyncDataCollector
    torch.manual_seed(0)
    policy, critic = networks(env, shared=shared, central=central)
    loss = objective(policy, critic, env)
    optimiser = torch.optim.Adam(loss.parameters(), 3e-3)

    found = []
    for batch in collector(env, policy, frames_per_batch=frames, total_frames=batches * frames):
        shape = batch["next", *env.reward_key].shape
        for key in ("done", "terminated"):  # one a player, as the tutorial has it
            batch["next", PLAYER, key] = batch["next", key].unsqueeze(-1).expand(shape)
        with torch.no_grad():
            loss.value_estimator(
                batch,
                params=loss.critic_network_params,
                target_params=loss.target_critic_network_params,
            )
        flat = batch.reshape(-1)
        for _ in range(8):
            parts = loss(flat)
            names = ("loss_objective", "loss_critic", "loss_entropy")
            total = sum(parts[name].sum() for name in names)
            optimiser.zero_grad()
            total.backward()
            nn.utils.clip_grad_norm_(loss.parameters(), 1.0)
            optimiser.step()
        found.append(batch["next", *env.reward_key].mean().item())
    return found


def main():
    """With a critic that sees everybody, and independent."""
    torch.set_num_threads(1)
    for name, kind in KINDS.items():
        means = mean_rewards(TorchRLEnv("ipd_v0", 64, seed=0), **kind)
        print(f"{name:6s} {means[0]:+.2f} a step at first, {means[-1]:+.2f} at last (defect: -2)")


if __name__ == "__main__":
    main()
