"""Proximal LOQA: LOQA's gradient as a weight of each own action, taken in proximal steps.

Paper   LOQA: Aghajohari, Duque, Cooijmans, Courville, ICLR 2024, https://arxiv.org/abs/2405.01035
Steps   PPO: Schulman et al. 2017, https://arxiv.org/abs/1707.06347, whose KL-penalised and clipped
        surrogates these are; POLA: Zhao et al. 2022, https://arxiv.org/abs/2210.10125, why policies
        and not parameters should move by little

LOQA's gradient (learners/loqa/loqa.py) is a sum of score functions. Sorted by our own action a_t it
is a policy gradient, mean_t W_t ∇log π_i(a_t | s_t), with

    W_t = A_t + Σ_{j≠i} γ Σ_{k<t} (γλ)^{t-k-1} δ_k (1 - π̂_j(b_k)) / temperature (R_t^j - V_j(s_t))

    A_t = δ_t + γλ' A_{t+1}                  (own advantage, GAE; λ' = `gae_decay`)
    δ_t = r_t + γ V(s_{t+1}) - V(s_t)        (own one-step advantage)
    R_t^j = r_t^j + γ R_{t+1}^j              (the opponent's return)
    π̂_j(b_k) = softmax_b(Q_j(s_k, b) / temperature) at b_k, R_k^j in the place of Q_j(s_k, b_k)

The past factor is the one-step advantage δ_k: what the opponent's action b_k has just done to us.
With GAE in its place (`past="gae"`) both factors hold the future that k and t share, and thieves
are answered worse (-.126 against always-defect, else -.034; benchmarks/loqa_proximal.py).

LOQA's own rule is one Adam step on W a batch; here each batch is used for several epochs of

    "kl"     - mean ρ_t W_t + c mean KL(π(. | s_t) ‖ π_old(. | s_t))       ρ_t = π(a_t) / π_old(a_t)
    "clip"   - mean min(ρ_t W_t, clip(ρ_t, 1 - ε, 1 + ε) W_t)
    "adam"   - mean W_t log π(a_t | s_t), one step

The nearest published relative is Advantage Alignment (https://arxiv.org/abs/2406.14662), whose
later code takes PPO's clipped surrogate of an aligned advantage: `weight="advantage_alignment"`
leaves out 1 - π̂_j, and with `step_rule="clip"` is its neighbour; "none" is naive learning.

Shapes  ... any batch, R runs, n games, T steps, J opponents, A actions. Time is the last axis but
        actions.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from agents.estimators import discounted_returns, gae
from agents.learners.loqa.advantage_alignment import discounted_past
from agents.learners.loqa.data import OpponentData
from agents.learners.loqa.loqa import standardised, td_advantages
from agents.shapes import check_shapes
from social_dilemmas_env.validation import above, at_least, between, one_of

WEIGHTS = ("loqa", "advantage_alignment", "none")
STEP_RULES = ("kl", "clip", "adam")
PASTS = ("one_step", "gae")


def opponent_policy(q: Tensor, actions: Tensor, returns: Tensor, temperature: float) -> Tensor:
    """π̂_j(b_t | s_t), the played action's value being its return.

    [..., T, A], [..., T], [..., T] -> [..., T].
    """
    check_shapes("q: ... T A, actions: ... T, returns: ... T", q, actions, returns)
    replaced = q.scatter(-1, actions[..., None], returns[..., None])
    return torch.softmax(replaced / temperature, -1).gather(-1, actions[..., None])[..., 0]


def opponent_returns(others: OpponentData, cfg: "ProximalConfig") -> Tensor:
    """R_t^j, which an episode's end cuts off, or V_j of the last state goes on from.

    -> [J, R, n, T].
    """
    if not cfg.bootstrap:
        return discounted_returns(others.rewards, cfg.gamma)
    last = others.values[..., -1:]
    before = discounted_returns(others.rewards[..., :-1], cfg.gamma, last[..., 0])
    return torch.cat((before, last), -1)


def shaping_weights(advantages: Tensor, others: OpponentData, cfg: "ProximalConfig") -> Tensor:
    """The second part of W_t: what our action does to those whose actions have done us good.

    Args:
        advantages: [R, n, T], δ_t, or A_t in its place.
        others: the opponents.
        cfg: γ, λ, the temperature, which weight.

    Returns:
        [R, n, T].
    """
    check_shapes("advantages: R n T, rewards: J R n T", advantages, others.rewards)
    if cfg.weight == "none":
        return torch.zeros_like(advantages)

    # How readily each opponent answers, by the derivative of log π̂_j by its value.
    returns = opponent_returns(others, cfg)
    answer = torch.full_like(returns, 1 / cfg.temperature)
    if cfg.weight == "loqa":
        played = opponent_policy(others.q, others.actions, returns, cfg.temperature)
        answer = answer * (1 - played)

    past = discounted_past(advantages * answer, cfg.gamma, cfg.decay)
    return cfg.shaping * (past * (returns - others.values)).sum(0)


def action_weights(
    rewards: Tensor, values: Tensor, others: OpponentData, cfg: "ProximalConfig"
) -> tuple[Tensor, Tensor]:
    """Both parts of W_t.

    Args:
        rewards: [R, n, T], own.
        values: [R, n, T + 1], V(s_t), own.
        others: the opponents.
        cfg: the settings.

    Returns:
        A_t [R, n, T] and the shaping part [R, n, T].
    """
    check_shapes("rewards: R n T, values: R n T+1", rewards, values)
    advantages = gae(rewards, values[..., :-1], cfg.gamma, cfg.gae_decay, values[..., -1])
    past = advantages if cfg.past == "gae" else td_advantages(rewards, values, cfg.gamma)
    return advantages, shaping_weights(past, others, cfg)


def divergence(log_policy: Tensor, old: Tensor) -> Tensor:
    """mean_{n,t} KL(π ‖ π_old).  [R, n, T, A] twice -> [R]."""
    return (log_policy.exp() * (log_policy - old)).sum(-1).mean((-2, -1))


def explored(logp: Tensor, num_actions: int, epsilon: float) -> Tensor:
    """Log-probability of an action that is uniform with probability ε.  [...] -> [...].

    The denominator of ρ: of games that explore, too, ρ_t W_t ∇log π is the policy's own gradient at
    each step, and ρ never exceeds A / ε.
    """
    return ((1 - epsilon) * logp.exp() + epsilon / num_actions).log() if epsilon else logp


def surrogate(logp: Tensor, old: Tensor, weights: Tensor, cfg: "ProximalConfig") -> Tensor:
    """What a step lowers, but for the divergence and the entropy.

    Args:
        logp: [R, n, T], log π(a_t | s_t), attached.
        old: [R, n, T], of the policy that played (`explored`).
        weights: [R, n, T], W_t.
        cfg: the rule, ε.

    Returns:
        [R].
    """
    check_shapes("logp: R n T, old: R n T, weights: R n T", logp, old, weights)
    if cfg.step_rule == "adam":
        return -(logp * weights).mean((-2, -1))

    gain = (ratio := (logp - old).exp()) * weights
    if cfg.step_rule == "clip":
        cut = ratio.clamp(1 - cfg.clip_range, 1 + cfg.clip_range) * weights
        gain = torch.minimum(gain, cut)
    return -gain.mean((-2, -1))


def scaled(weights: Tensor, cfg: "ProximalConfig") -> Tensor:
    """W as the steps take it: standardised for those whose size it decides.  [R, n, T]."""
    return weights if cfg.step_rule == "adam" else standardised(weights)


@dataclass(frozen=True)
class ProximalConfig:
    """Settings; LOQA's own where they have a name there, all others ours.

    The defaults are those of a GRU that sees the board only, on the Coin Game.

    Raises:
        ValueError: a size, rate or share outside its range, or an unknown word.
    """

    gamma: float = 0.96  # γ; LOQA's
    horizon: int = 50  # T, steps an episode; LOQA's
    batch: int = 512  # n, games an iteration; LOQA's
    step_rule: str = "kl"  # "kl", "clip" or "adam", above
    weight: str = "loqa"  # "loqa", "advantage_alignment" or "none", above
    shaping: float = 1.0  # factor of the shaping part; LOQA's `opponent_differentiation_weight`
    temperature: float = 1.0  # of the opponent model; LOQA's
    decay: float = 0.9  # λ, the extra discount of the past; LOQA's
    # An opponent's return goes on with its value where the episode is cut off; else it ends there,
    # as LOQA's, and near the end every action seems to hurt it
    bootstrap: bool = True
    gae_decay: float = 0.95  # λ' of the own advantage; PPO's
    past: str = "one_step"  # what others have done to us: δ, or "gae" for A in its place
    epochs: int = 6  # Adam steps on one batch; one where the rule is "adam"
    kl_weight: float = 1.0  # c, of "kl"
    clip_range: float = 0.2  # ε, of "clip"; PPO's
    actor_lr: float = 3e-3  # Adam's, on the policy
    critic_lr: float = 2e-3  # Adam's, on Q
    critic_epochs: int = 2  # its steps on one batch
    ema: float = 0.95  # share of the averaged critic that stays, an iteration
    entropy: float = 0.02  # weight of the policy's mean entropy
    max_norm: float | None = 1.0  # largest global norm of the actor's gradient; None for none
    payoff_shift: float = 0.0  # added to every reward learned from; see LoqaConfig
    # Opponents are earlier copies of the learner, `snapshots` of them an iteration, each for an
    # equal share of the games; without, always-defect is not answered
    past_selves: bool = True
    push_every: int = 5  # iterations between copies
    capacity: int = 10_000  # copies kept, the latest; LOQA's
    snapshots: int = 16  # opponents of an iteration
    # Of these, copies of an agent that learned naively in the run's first `thief_iterations`
    # iterations, after which the learner starts anew; an agent that never meets a thief answers
    # one worse (benchmarks/loqa_proximal.py)
    thieves: int = 4
    thief_iterations: int = 60
    # Chance of a uniform action instead, for each player and step: where mistakes happen, what
    # comes after them is learned. LOQA's, in the dilemma; here ρ allows for it
    epsilon: float = 0.0
    random_steps: int = 0  # the same with chance 1 in the first steps of every episode
    # In the Coin Game the network sees the torus from its own cell (views.py); else the observation
    # as it is
    centred: bool = True
    # What an MLP remembers by itself in the Coin Game whose observations do not show it: None, or
    # "pickups", who picked up whose coin last. It learns where they do (`memory=` of the game) and
    # plays where they do not, from two boards at a time
    remember: str | None = None
    actor: str = "gru"  # "gru" or "mlp"
    actor_hidden: int = 48  # units of each layer
    actor_layers: int = 1  # layers before its GRU (1 or 2), or hidden layers of an MLP
    critic: str = "gru"  # "gru" or "mlp"
    critic_hidden: int = 48  # as for the actor
    critic_layers: int = 1  # as for the actor
    runs: int = 1  # R, independent runs learned side by side

    def __post_init__(self) -> None:
        at_least(self, 1, "horizon", "batch", "epochs", "critic_epochs", "push_every", "capacity")
        at_least(self, 1, "snapshots", "runs", "thief_iterations")
        at_least(self, 0, "actor_lr", "critic_lr", "entropy", "shaping", "kl_weight", "thieves")
        at_least(self, 0, "random_steps")
        between(self, 0, 1, "gamma", "decay", "gae_decay", "ema", "clip_range", "epsilon")
        above(self, 0, "temperature", *(["max_norm"] if self.max_norm is not None else []))
        one_of("step_rule", self.step_rule, STEP_RULES)
        one_of("weight", self.weight, WEIGHTS)
        one_of("past", self.past, PASTS)
        self._check_networks()
        self._check_pool()

    def _check_networks(self) -> None:
        at_least(self, 1, "actor_hidden", "critic_hidden", "actor_layers", "critic_layers")
        for part in ("actor", "critic"):
            kind = one_of(part, getattr(self, part), ("gru", "mlp"))
            layers = getattr(self, f"{part}_layers")
            if kind == "gru" and layers > 2:
                raise ValueError(f"{part}_layers must be 1 or 2 before a GRU, not {layers}")
        if self.remember is not None and one_of("remember", self.remember, ("pickups",)):
            self._check_memory()

    def _check_memory(self) -> None:
        if self.actor == "gru" or not self.centred:
            raise ValueError(
                "remember is for actor='mlp' (a GRU remembers what it likes) and centred=True"
            )

    def _check_pool(self) -> None:
        if not self.past_selves:
            return
        if self.batch % self.snapshots:
            raise ValueError(
                f"batch ({self.batch}) must be a multiple of snapshots ({self.snapshots})"
            )

        kept = min(self.capacity, -(-self.thief_iterations // self.push_every))
        most = min(self.snapshots, kept)
        if self.thieves > most:
            raise ValueError(
                f"thieves ({self.thieves}) must be at most {most}: snapshots ({self.snapshots}), "
                f"and the copies kept in thief_iterations ({kept})"
            )

    @property
    def naive_until(self) -> int:
        """Iterations that make thieves."""
        return self.thief_iterations if self.past_selves and self.thieves else 0

    @property
    def steps_of_actor(self) -> int:
        """Adam steps an iteration."""
        return 1 if self.step_rule == "adam" else self.epochs


COIN = ProximalConfig()
# Boards whose observation remembers (`memory=`) need no recurrence: a cheaper policy.
MEMORY: dict[str, Any] = {
    "actor": "mlp",
    "critic": "mlp",
    "actor_hidden": 64,
    "critic_hidden": 64,
    "actor_layers": 2,
    "critic_layers": 2,
    "epochs": 8,
    "critic_lr": 3e-3,
    "critic_epochs": 4,
    "ema": 0.9,
}

# Centred payoffs (LoqaConfig.payoff_shift). Mutual defection must be met while it is not yet sure
# to go on, and the shaping, which punishes whoever has defected, must not outweigh what the own
# advantage says of leaving it: found in trials of one seed, where shaping=1 stayed in it.
DILEMMA: dict[str, Any] = {
    "payoff_shift": 1.5,
    "shaping": 0.3,
    "entropy": 0.03,
    "epsilon": 0.02,
    "random_steps": 1,
    "thieves": 2,
}


def default_config(env_id: str) -> ProximalConfig:
    """Default settings for a game: a GRU in the Coin Game, an MLP on the last joint action."""
    if env_id == "coin_game_v0":
        return COIN
    return replace(COIN, **MEMORY, **(DILEMMA if env_id == "ipd_v0" else {}))
