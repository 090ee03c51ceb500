"""LOQA: Learning with Opponent Q-Learning Awareness.

Paper   Aghajohari, Duque, Cooijmans, Courville, ICLR 2024, https://arxiv.org/abs/2405.01035
Source  https://github.com/MiladInk/loqa, commit 32f50c9, coin_train.py and ipd.py

The opponent j is taken to choose by its own action values:

    π̂_j(b | s) = softmax_b(Q_j(s, b) / temperature)                            (opponent model)

Q_j depends on our policy, since we answer its actions. Player i differentiates through that:

    L_i = - mean_t A_t (log π_i(a_t | s_t) + w Σ_{j≠i} log π̂_j(b_t | s_t)) - β mean_t H(π_i)
                        actor-critic         opponent shaping                  entropy

    A_t  = r_t + γ V(s_{t+1}) - V(s_t),   V(s) = Σ_a π_i(a | s) Q_i(s, a)       (own advantage)
    Q_j(s_t, b_t) = r_t^j + γ R̂_{t+1}^j                                        (opponent's value of what it did)
    R̂_t  = R_t + Σ_{k≥t} (γλ)^{k-t} ⊥(R_k - V_j(s_k)) log π_i(a_k | s_k)       (its return as a function of our policy;
                                                                                  value R_t,
                                                                                  gradient loaded
                                                                                  DiCE's)

and learns Q_i by SARSA on the same episodes, towards an exponential average of itself.

Shapes  ... any batch (players j, runs R, games n), T steps, A actions. Time is the last axis but
actions. Departures from the paper and from the authors' code are switches of `LoqaConfig`;
agents/README.md lists them.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from agents.estimators import discounted_returns


def state_values(policy: Tensor, q: Tensor) -> Tensor:
    """V(s) = Σ_a π(a | s) Q(s, a).  [..., A], [..., A] -> [...]."""
    return (policy * q).sum(-1)


def td_advantages(rewards: Tensor, values: Tensor, gamma: float) -> Tensor:
    """A_t = r_t + γ V(s_{t+1}) - V(s_t).  [..., T], [..., T + 1] -> [..., T]."""
    return rewards + gamma * values[..., 1:] - values[..., :-1]


def standardised(advantages: Tensor) -> Tensor:
    """Mean 0, standard deviation 1, over the games and steps of each run.

    [R, n, T] -> [R, n, T].
    """
    mean = advantages.mean((-2, -1), keepdim=True)
    return (advantages - mean) / (advantages.std((-2, -1), keepdim=True, correction=0) + 1e-8)


def scores(logp: Tensor) -> Tensor:
    """Value 0, gradient ∇log π: the first derivative of □(Σ_{l≤k} log π_l) - □(Σ_{l<k} log π_l).

    [...] -> [...].
    """
    return logp - logp.detach()


def shaped_returns(logp: Tensor, returns: Tensor, values: Tensor, discount: float) -> Tensor:
    """R̂_t: the opponent's return, as a function of our policy.

        value     R_t
        gradient  Σ_{k≥t} discount^{k-t} (R_k - V_k) ∇log π(a_k | s_k)

    Args:
        logp: [..., T], log π_i(a_t | s_t), ours, attached.
        returns: [..., T], R_t of the opponent.
        values: [..., T], V_j(s_t) of the opponent, the baseline.
        discount: γλ.
    """
    return returns + discounted_returns(scores(logp) * (returns - values).detach(), discount)


def shaped_q(logp: Tensor, rewards: Tensor, values: Tensor, cfg: "LoqaConfig") -> Tensor:
    """Q_j(s_t, b_t) = r_t + γ R̂_{t+1}, and r_{T-1} at the last step.  [..., T] -> [..., T].

    Our action at t itself does not count (`current_reward` counts it: Q_j = R̂_t): it was chosen at
    the same time as b_t.
    """
    returns = shaped_returns(
        logp, discounted_returns(rewards, cfg.gamma), values, cfg.gamma * cfg.decay
    )
    if cfg.current_reward:
        return returns
    return rewards + cfg.gamma * torch.cat(
        (returns[..., 1:], torch.zeros_like(returns[..., :1])), -1
    )


def n_step_q(logp: Tensor, rewards: Tensor, values: Tensor, cfg: "LoqaConfig") -> Tensor:
    """Q_j(s_t, b_t) = Σ_{k<n} γᵏ [r̄ + (r_{t+k} - r̄) □(Σ_{0<m≤k} log π(a_{t+m}))] + γⁿ
    V_j(s_{t+n}), r̄ the rewards' mean.

    The other estimate in the released code. It is cut off: what our policy does to V_j(s_{t+n})
    does not count. The same arguments as `shaped_q`; [..., T] -> [..., T - n], the steps whose
    V_j(s_{t+n}) is known.
    """
    steps, mean = rewards.shape[-1] - cfg.n_step, rewards.mean((-2, -1), keepdim=True)
    q, through = (
        cfg.gamma**cfg.n_step * values[..., cfg.n_step :],
        torch.zeros_like(logp[..., :steps]),
    )
    for k in range(cfg.n_step):
        if k:
            through = through + scores(logp[..., k : k + steps])
        paid = rewards[..., k : k + steps]
        q = q + cfg.gamma**k * (paid + (paid - mean) * through)
    return q


def opponent_log_policy(q: Tensor, taken: Tensor, q_taken: Tensor, cfg: "LoqaConfig") -> Tensor:
    """Log π̂_j(b_t | s_t), the learned value of the action b_t that was played replaced by the
    shaped one.

    Differentiating the normaliser gives (1 - π̂_j(b_t)) ∇Q_j / temperature; not doing so, Advantage
    Alignment, ∇Q_j / temperature.

    Args:
        q: [..., T, A], Q_j(s_t, .), constants.
        taken: [..., T], b_t.
        q_taken: [..., T], Q_j(s_t, b_t), attached.
        cfg: the switches.
    """
    replaced = q.detach().scatter(-1, taken[..., None], q_taken[..., None])
    normaliser = torch.logsumexp(replaced / cfg.temperature, -1)
    return q_taken / cfg.temperature - (normaliser.detach() if cfg.stop_normaliser else normaliser)


def shaping_loss(advantages: Tensor, logp_opponents: Tensor) -> Tensor:
    """- mean_{b,t} A_t Σ_j log π̂_j(b_t | s_t).  [R, n, T], [J, R, n, T] -> [R]."""
    return -(advantages * logp_opponents).sum(0).mean((-2, -1))


def actor_loss(advantages: Tensor, logp: Tensor) -> Tensor:
    """- mean_{b,t} A_t log π_i(a_t | s_t).  [R, n, T] -> [R]."""
    return -(advantages * logp).mean((-2, -1))


def entropy(log_policy: Tensor) -> Tensor:
    """mean_{b,t} H(π_i(. | s_t)).  [R, n, T, A] -> [R]."""
    return -(log_policy.exp() * log_policy).sum(-1).mean((-2, -1))


def loss(play: Any, cfg: "LoqaConfig") -> Tensor:
    """Both terms of L_i but for the entropy.  play: self_play.Play.  -> [R]."""
    own, others = actor_loss(play.advantages, play.logp), play.others
    if not cfg.weight or not play.shaping:
        return own
    q_taken = (n_step_q if cfg.n_step else shaped_q)(play.logp, others.rewards, others.values, cfg)
    steps = q_taken.shape[-1]
    answer = opponent_log_policy(
        others.q[..., :steps, :], others.actions[..., :steps], q_taken, cfg
    )
    advantages = (
        play.advantages[..., :steps].detach() if cfg.n_step else play.advantages
    )  # attached in the one only
    return own + cfg.weight * shaping_loss(advantages, answer)


def sarsa_targets(rewards: Tensor, q_next: Tensor, v_last: Tensor, gamma: float) -> Tensor:
    """r_t + γ Q̄(s_{t+1}, a_{t+1}); V̄(s_T) after the last step, where the episode is cut off, not
    over.

    Args:
        rewards: [..., T].
        q_next: [..., T - 1], Q̄(s_t, a_t) for t = 1 .. T - 1, by the averaged network.
        v_last: [...], V̄(s_T).
        gamma: γ.
    """
    return rewards + gamma * torch.cat((q_next, v_last[..., None]), -1)


def huber(error: Tensor) -> Tensor:
    """mean_{b,t} of x²/2 where |x| ≤ 1, |x| - 1/2 beyond.  [R, n, T] -> [R]."""
    size = error.abs()
    return torch.where(size <= 1, 0.5 * error * error, size - 0.5).mean((-2, -1))


@dataclass(frozen=True)
class LoqaConfig:
    """Settings; the values are those of the README's Coin Game command, which are those of the
    published agents.

    Attributes:
        gamma: γ.
        horizon: T, steps an episode.
        batch: n, games an iteration.
        actor_lr: Adam's, on the policy.
        critic_lr: Adam's, on Q.
        ema: share of the averaged network that stays, an iteration.
        entropy: β.
        clip: largest global norm of the actor's gradient; None for none.
        decay: λ, the extra discount of the shaping gradient (`differentiable_opponent.discount`); 1
            is exact.
        weight: w (`opponent_differentiation_weight`).
        temperature: of the opponent model.
        n_step: n of `n_step_q`, 2 or more (`differentiable_opponent.method=n_step`), which ignores
            `decay` and `current_reward`; 0 is loaded DiCE, `shaped_q`.
        current_reward: let our action at t count in Q_j(s_t, b_t)
            (`differentiable_current_reward`).
        stop_normaliser: no gradient through the opponent model's normaliser
            (`stop_grad_normalizing_constant`).
        detach_advantage: A_t is a constant of the actor's loss, as in the paper's pseudo-code. The
            released code leaves it attached, so that the actor's optimiser also moves the critic;
            ours is the paper's, since the leak ruins standardised advantages (agents/README.md).
        standardise: make the advantages of a batch mean 0, standard deviation 1. Not in the paper;
            for games whose rewards are not centred.
        payoff_shift: added to every reward that is learned from; another remedy for the same.
        shaping_until: last iteration with the shaping term (`exclude_after_step`).
        past_selves: opponents are earlier copies of the learner (`agent_replay_buffer.mode`).
        push_every: iterations between copies.
        capacity: copies kept, the latest.
        snapshots: different copies among the opponents of one iteration, drawn uniformly, each for
            an equal share of the games; the authors draw one for every game, which only matters to
            speed and (slightly) to variance.
        shared: one network for all players (`just_self_play`); else each player has its own.
        max_q: critic's target is max_a Q̄ instead of Q̄(s', a') (`qvalue.mode=argmax`).
        epsilon: chance of a uniform action (IPD only).
        reset_every: the networks, but not their optimisers, start again before the updates 2, k +
            2, 2 k + 2, ... (`reset.every`); 0: never.
        fresh_draws: new random numbers every iteration; the authors' IPD re-uses the first ones.
        actor: "gru", "mlp" or "tabular".
        actor_hidden: units of the actor's layers.
        actor_layers: layers before its GRU (1 or 2), or hidden layers of an MLP.
        critic: "gru" or "mlp".
        critic_hidden: units of the critic's layers.
        critic_layers: as for the actor.
        zero_critic: Q starts at 0 instead of at a random network's values, which the raw step
            number makes large. Not in the paper; in the dilemma random first values decide which
            runs learn to reciprocate.
        runs: R, independent runs learned side by side.
    """

    gamma: float = 0.96
    horizon: int = 50
    batch: int = 512
    actor_lr: float = 1e-3
    critic_lr: float = 1e-2
    ema: float = 0.99
    entropy: float = 0.1
    clip: float | None = 1.0
    decay: float = 0.9
    weight: float = 1.0
    temperature: float = 1.0
    n_step: int = 0
    current_reward: bool = False
    stop_normaliser: bool = False
    detach_advantage: bool = True
    standardise: bool = False
    payoff_shift: float = 0.0
    shaping_until: int = 1_000_000_000
    past_selves: bool = True
    push_every: int = 10
    capacity: int = 10_000
    snapshots: int = 32
    shared: bool = True
    max_q: bool = False
    epsilon: float = 0.0
    reset_every: int = 0
    fresh_draws: bool = True
    actor: str = "gru"
    actor_hidden: int = 128
    actor_layers: int = 2
    critic: str = "gru"
    critic_hidden: int = 64
    critic_layers: int = 2
    zero_critic: bool = False
    runs: int = 1

    def __post_init__(self) -> None:
        for name in (
            "horizon",
            "batch",
            "push_every",
            "capacity",
            "snapshots",
            "actor_hidden",
            "critic_hidden",
            "runs",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("actor_lr", "critic_lr", "entropy", "weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")
        if self.temperature <= 0 or (self.clip is not None and self.clip <= 0):
            raise ValueError(
                f"temperature and clip must be positive, not {self.temperature} and {self.clip}"
            )
        if self.reset_every < 0:
            raise ValueError(f"reset_every must be at least 0, not {self.reset_every}")
        if self.n_step and not 2 <= self.n_step < self.horizon:
            raise ValueError(
                f"n_step must be 0, or at least 2 and less than horizon ({self.horizon}), not {self.n_step}"
            )
        for name in ("gamma", "ema", "decay", "epsilon"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in [0, 1], not {getattr(self, name)}")
        for name, known in (("actor", ("gru", "mlp", "tabular")), ("critic", ("gru", "mlp"))):
            kind, layers = getattr(self, name), getattr(self, f"{name}_layers")
            if kind not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {kind!r}")
            if layers < 1 or (kind == "gru" and layers > 2):
                raise ValueError(
                    f"{name}_layers must be 1 or 2 before a GRU and at least 1 in an MLP, not {layers}"
                )
        if self.past_selves and self.batch % min(self.snapshots, self.batch):
            raise ValueError(
                f"batch ({self.batch}) must be a multiple of snapshots ({self.snapshots})"
            )


IPD = LoqaConfig(  # the README's IPD command, but for the remedies named in agents/README.md
    batch=2048, entropy=0.0, clip=None, epsilon=0.2, past_selves=False, standardise=True, payoff_shift=1.5, zero_critic=True,
    actor="tabular", critic="mlp", critic_hidden=16, critic_layers=2,
)  # fmt: skip


def settings(env_id: str) -> LoqaConfig:
    """Default settings for a game: the Coin Game's, or those of a matrix game (whose payoffs only
    the IPD's are shifted).
    """
    if env_id == "coin_game_v0":
        return LoqaConfig()
    return IPD if env_id == "ipd_v0" else replace(IPD, payoff_shift=0.0)
