"""LOQA: Learning with Opponent Q-Learning Awareness.

Paper   Aghajohari, Duque, Cooijmans, Courville, ICLR 2024, https://arxiv.org/abs/2405.01035
Source  https://github.com/MiladInk/loqa, commit 32f50c9, coin_train.py and ipd.py

The opponent j is taken to choose by its own action values:

    π̂_j(b | s) = softmax_b(Q_j(s, b) / temperature)                            (opponent model)

Q_j depends on our policy, since we answer its actions. Player i differentiates through that:

    L_i = - mean_t A_t (log π_i(a_t | s_t) + w Σ_{j≠i} log π̂_j(b_t | s_t)) - β mean_t H(π_i)
                        actor-critic         opponent shaping                  entropy

    A_t = r_t + γ V(s_{t+1}) - V(s_t)                                          (own advantage)
    V(s) = Σ_a π_i(a | s) Q_i(s, a)                                            (own value)
    Q_j(s_t, b_t) = r_t^j + γ R̂_{t+1}^j                                        (its value of b_t)
    R̂_t = R_t + Σ_{k≥t} (γλ)^{k-t} ⊥(R_k - V_j(s_k)) log π_i(a_k | s_k)        (its return)

R̂_t is the opponent's return as a function of our policy: its value is R_t, its gradient loaded
DiCE's. Q_i is learned by SARSA on the same episodes, towards an exponential average of itself.

Shapes  ... any batch (players j, runs R, games n), T steps, A actions. Time is the last axis but
        actions.

Departures from the paper and from the authors' code are switches of `LoqaConfig`;
docs/learners/departures.md lists them.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from agents.estimators import discounted_returns
from agents.learners.loqa.data import ActorData
from agents.shapes import check_shapes
from social_dilemmas_env.validation import at_least, between, one_of


def state_values(policy: Tensor, q: Tensor) -> Tensor:
    """V(s) = Σ_a π(a | s) Q(s, a).  [..., A], [..., A] -> [...]."""
    check_shapes("policy: ... A, q: ... A", policy, q)
    return (policy * q).sum(-1)


def td_advantages(rewards: Tensor, values: Tensor, gamma: float) -> Tensor:
    """A_t = r_t + γ V(s_{t+1}) - V(s_t).  [..., T], [..., T + 1] -> [..., T]."""
    check_shapes("rewards: ... T, values: ... T+1", rewards, values)
    return rewards + gamma * values[..., 1:] - values[..., :-1]


def standardised(advantages: Tensor) -> Tensor:
    """Mean 0, standard deviation 1, over the games and steps of each run.

    [R, n, T] -> [R, n, T].
    """
    check_shapes("advantages: ... n T", advantages)
    mean = advantages.mean((-2, -1), keepdim=True)
    return (advantages - mean) / (advantages.std((-2, -1), keepdim=True, correction=0) + 1e-8)


def score_function(logp: Tensor) -> Tensor:
    """Value 0, gradient ∇log π.  [...] -> [...].

    The first derivative of □(Σ_{l≤k} log π_l) - □(Σ_{l<k} log π_l).
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
    check_shapes("logp: ... T, returns: ... T, values: ... T", logp, returns, values)
    weighted = score_function(logp) * (returns - values).detach()
    return returns + discounted_returns(weighted, discount)


def shaped_q(logp: Tensor, rewards: Tensor, values: Tensor, cfg: "LoqaConfig") -> Tensor:
    """Q_j(s_t, b_t) = r_t + γ R̂_{t+1}, and r_{T-1} at the last step.  [..., T] -> [..., T].

    Our action at t itself does not count (`current_reward` counts it: Q_j = R̂_t): it was chosen at
    the same time as b_t.
    """
    check_shapes("logp: ... T, rewards: ... T, values: ... T", logp, rewards, values)
    returns = discounted_returns(rewards, cfg.gamma)
    shaped = shaped_returns(logp, returns, values, cfg.gamma * cfg.decay)
    if cfg.current_reward:
        return shaped
    following = torch.cat((shaped[..., 1:], torch.zeros_like(shaped[..., :1])), -1)
    return rewards + cfg.gamma * following


def n_step_q(logp: Tensor, rewards: Tensor, values: Tensor, cfg: "LoqaConfig") -> Tensor:
    """The other estimate of Q_j in the released code, n steps long.

        Q_j(s_t, b_t) = Σ_{k<n} γᵏ [r̄ + (r_{t+k} - r̄) □(Σ_{0<m≤k} log π(a_{t+m}))]
                        + γⁿ V_j(s_{t+n}),                        r̄ the rewards' mean

    It is cut off: what our policy does to V_j(s_{t+n}) does not count. The same arguments as
    `shaped_q`; [..., T] -> [..., T - n], the steps whose V_j(s_{t+n}) is known.
    """
    check_shapes("logp: ... n T, rewards: ... n T, values: ... n T", logp, rewards, values)
    steps, mean = rewards.shape[-1] - cfg.n_step, rewards.mean((-2, -1), keepdim=True)
    q = cfg.gamma**cfg.n_step * values[..., cfg.n_step :]
    score = torch.zeros_like(logp[..., :steps])  # Σ_{0<m≤k} ∇log π(a_{t+m})

    for k in range(cfg.n_step):
        if k:
            score = score + score_function(logp[..., k : k + steps])
        reward = rewards[..., k : k + steps]
        q = q + cfg.gamma**k * (reward + (reward - mean) * score)
    return q


def opponent_log_policy(q: Tensor, actions: Tensor, shaped: Tensor, cfg: "LoqaConfig") -> Tensor:
    """Log π̂_j(b_t | s_t), with the shaped value of the action that was played.  -> [..., T].

    It takes the place of the learned one. Differentiating the normaliser gives
    (1 - π̂_j(b_t)) ∇Q_j / temperature; not doing so, Advantage Alignment, ∇Q_j / temperature.

    Args:
        q: [..., T, A], Q_j(s_t, .), constants.
        actions: [..., T], b_t.
        shaped: [..., T], Q_j(s_t, b_t), attached.
        cfg: the switches.
    """
    check_shapes("q: ... T A, actions: ... T, shaped: ... T", q, actions, shaped)
    replaced = q.detach().scatter(-1, actions[..., None], shaped[..., None])
    normaliser = torch.logsumexp(replaced / cfg.temperature, -1)
    return shaped / cfg.temperature - (normaliser.detach() if cfg.stop_normaliser else normaliser)


def shaping_loss(advantages: Tensor, logp_opponents: Tensor) -> Tensor:
    """- mean_{b,t} A_t Σ_j log π̂_j(b_t | s_t).  [R, n, T], [J, R, n, T] -> [R]."""
    return -(advantages * logp_opponents).sum(0).mean((-2, -1))


def actor_loss(advantages: Tensor, logp: Tensor) -> Tensor:
    """- mean_{b,t} A_t log π_i(a_t | s_t).  [R, n, T] -> [R]."""
    return -(advantages * logp).mean((-2, -1))


def entropy(log_policy: Tensor) -> Tensor:
    """mean_{b,t} H(π_i(. | s_t)).  [R, n, T, A] -> [R]."""
    return -(log_policy.exp() * log_policy).sum(-1).mean((-2, -1))


def loss(data: ActorData, cfg: "LoqaConfig") -> Tensor:
    """Both terms of L_i but for the entropy.  -> [R]."""
    own, others = actor_loss(data.advantages, data.logp), data.others
    if not cfg.weight or not data.shaping:
        return own

    # Q_j of what the opponents did, as a function of our policy, and their answer to it.
    estimate = n_step_q if cfg.n_step else shaped_q
    shaped = estimate(data.logp, others.rewards, others.values, cfg)
    steps = shaped.shape[-1]
    q, actions = others.q[..., :steps, :], others.actions[..., :steps]
    answer = opponent_log_policy(q, actions, shaped, cfg)

    # The released code detaches A_t in the one estimate only.
    advantages = data.advantages[..., :steps].detach() if cfg.n_step else data.advantages
    return own + cfg.weight * shaping_loss(advantages, answer)


def sarsa_targets(rewards: Tensor, q_next: Tensor, v_last: Tensor, gamma: float) -> Tensor:
    """r_t + γ Q̄(s_{t+1}, a_{t+1}).  -> [..., T].

    V̄(s_T) after the last step, where the episode is cut off, not over.

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
    """Settings; the values are those of the published Coin Game agents (the README's command).

    Names in backquotes are the authors'.

    Raises:
        ValueError: a size, rate or share outside its range, or an unknown network.
    """

    gamma: float = 0.96  # γ
    horizon: int = 50  # T, steps an episode
    batch: int = 512  # n, games an iteration
    actor_lr: float = 1e-3  # Adam's, on the policy
    critic_lr: float = 1e-2  # Adam's, on Q
    ema: float = 0.99  # share of the averaged network that stays, an iteration
    entropy: float = 0.1  # β
    clip: float | None = 1.0  # largest global norm of the actor's gradient; None for none
    # λ, the extra discount of the shaping gradient; 1 is exact; `differentiable_opponent.discount`
    decay: float = 0.9
    weight: float = 1.0  # w; `opponent_differentiation_weight`
    temperature: float = 1.0  # of the opponent model
    # n of `n_step_q`, 2 or more, which ignores `decay` and `current_reward`; 0 is loaded DiCE,
    # `shaped_q`; `differentiable_opponent.method=n_step`
    n_step: int = 0
    # Our action at t counts in Q_j(s_t, b_t); `differentiable_current_reward`
    current_reward: bool = False
    # No gradient through the opponent model's normaliser; `stop_grad_normalizing_constant`
    stop_normaliser: bool = False
    # A_t is a constant of the actor's loss, as in the paper's pseudo-code. The released code leaves
    # it attached, so that the actor's optimiser also moves the critic; ours is the paper's, since
    # the leak ruins standardised advantages (departures.md)
    detach_advantage: bool = True
    # Advantages of a batch have mean 0, standard deviation 1. Not in the paper; for games whose
    # rewards are not centred
    standardise: bool = False
    payoff_shift: float = 0.0  # added to every reward learned from; another remedy for the same
    shaping_until: int = 1_000_000_000  # last iteration with the shaping term; `exclude_after_step`
    past_selves: bool = True  # opponents are earlier copies of it; `agent_replay_buffer.mode`
    push_every: int = 10  # iterations between copies
    capacity: int = 10_000  # copies kept, the latest
    # Different copies among the opponents of one iteration, drawn uniformly, each for an equal
    # share of the games; the authors draw one for every game, which only matters to speed and
    # (slightly) to variance
    snapshots: int = 32
    shared: bool = True  # one network for all players, else each its own; `just_self_play`
    max_q: bool = False  # critic's target is max_a Q̄, not Q̄(s', a'); `qvalue.mode=argmax`
    epsilon: float = 0.0  # chance of a uniform action (IPD only)
    # The networks, but not their optimisers, start again before the updates 2, k + 2, 2 k + 2, ...;
    # 0: never; `reset.every`
    reset_every: int = 0
    fresh_draws: bool = True  # new random numbers every iteration; the authors' IPD re-uses them
    actor: str = "gru"  # "gru", "mlp" or "tabular"
    actor_hidden: int = 128  # units of each layer
    actor_layers: int = 2  # layers before its GRU (1 or 2), or hidden layers of an MLP
    critic: str = "gru"  # "gru" or "mlp"
    critic_hidden: int = 64  # as for the actor
    critic_layers: int = 2  # as for the actor
    # Q starts at 0 instead of at a random network's values, which the raw step number makes large.
    # Not in the paper; in the dilemma random first values decide which runs learn to reciprocate
    zero_critic: bool = False
    runs: int = 1  # R, independent runs learned side by side

    def __post_init__(self) -> None:
        at_least(self, 1, "horizon", "batch", "push_every", "capacity", "snapshots", "runs")
        at_least(self, 0, "actor_lr", "critic_lr", "entropy", "weight", "reset_every")
        between(self, 0, 1, "gamma", "ema", "decay", "epsilon")
        self._check_networks()

        if self.temperature <= 0 or (self.clip is not None and self.clip <= 0):
            raise ValueError(
                f"temperature and clip must be positive, not {self.temperature} and {self.clip}"
            )
        if self.n_step and not 2 <= self.n_step < self.horizon:
            raise ValueError(
                "n_step must be 0, or at least 2 and less than horizon "
                f"({self.horizon}), not {self.n_step}"
            )
        if self.past_selves and self.batch % min(self.snapshots, self.batch):
            raise ValueError(
                f"batch ({self.batch}) must be a multiple of snapshots ({self.snapshots})"
            )

    def _check_networks(self) -> None:
        at_least(self, 1, "actor_hidden", "critic_hidden")
        one_of("actor", self.actor, ("gru", "mlp", "tabular"))
        one_of("critic", self.critic, ("gru", "mlp"))
        for name, kind in (("actor_layers", self.actor), ("critic_layers", self.critic)):
            layers = getattr(self, name)
            if layers < 1 or (kind == "gru" and layers > 2):
                raise ValueError(
                    f"{name} must be 1 or 2 before a GRU and at least 1 in an MLP, not {layers}"
                )


# The README's IPD command, but for the remedies named in docs/learners/departures.md.
IPD = LoqaConfig(
    batch=2048,
    entropy=0.0,
    clip=None,
    epsilon=0.2,
    past_selves=False,
    standardise=True,
    payoff_shift=1.5,
    zero_critic=True,
    actor="tabular",
    critic="mlp",
    critic_hidden=16,
    critic_layers=2,
)


def default_config(env_id: str) -> LoqaConfig:
    """Default settings for a game: the Coin Game's, or those of a matrix game.

    Of matrix games only the dilemma has its payoffs shifted.
    """
    if env_id == "coin_game_v0":
        return LoqaConfig()
    return IPD if env_id == "ipd_v0" else replace(IPD, payoff_shift=0.0)
