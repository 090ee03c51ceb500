"""The losses of LOQA and of Advantage Alignment once more, game by game, in plain loops.

An opponent here is `Other`: what the learner knows of one opponent in one game.
"""

from typing import NamedTuple

import torch


class Other(NamedTuple):
    """Rewards [T], actions [T], Q [T, A] and V [T] of an opponent in one game; constants."""

    rewards: list
    actions: list
    q: torch.Tensor
    values: torch.Tensor


class Mine(NamedTuple):
    """Own side of one game: log π(a_t) [T], attached, A_t [T], V [T + 1] and rewards [T]."""

    logp: torch.Tensor
    advantages: torch.Tensor
    values: torch.Tensor
    rewards: list


def returns(rewards, gamma):
    """Σ_{k≥t} γ^{k-t} r_k for every t."""
    steps = len(rewards)
    return [sum(gamma ** (k - t) * rewards[k] for k in range(t, steps)) for t in range(steps)]


def huber(x):
    return x * x / 2 if abs(float(x)) <= 1 else abs(x) - 0.5


def box(x):
    return torch.exp(x - x.detach())


def loqa_loss(mine, others, cfg, shaping):
    """- mean A_t (log π + w Σ_j log π̂_j) over the games; others: a list a game."""
    count = len(mine) * cfg.horizon
    total = -sum((m.advantages * m.logp).sum() for m in mine) / count
    if not (cfg.weight and shaping):
        return total

    steps = cfg.horizon - cfg.n_step
    for j in range(len(others[0])):
        paid = [reward for other in others for reward in other[j].rewards]
        mean = sum(paid) / len(paid)
        for m, other in zip(mine, (o[j] for o in others), strict=True):
            for t in range(steps):
                advantage = m.advantages[t].detach() if cfg.n_step else m.advantages[t]
                q = n_steps(m, other, t, mean, cfg) if cfg.n_step else shaped(m, other, t, cfg)
                answer = log_answer(q, other, t, cfg)
                total = total - cfg.weight * advantage * answer / (len(mine) * steps)
    return total


def shaped(m, other, t, cfg):
    """Q_j(s_t, b_t) as a function of our later actions."""
    steps, ret = len(m.logp), returns(other.rewards, cfg.gamma)
    so_far = m.logp.cumsum(0)

    def return_from(start):
        value = torch.tensor(ret[start] if start < steps else 0.0)
        for k in range(start, steps):
            before = so_far[k] - m.logp[k]
            ours = box(so_far[k]) - box(before)
            gain = ret[k] - other.values[k]
            value = value + (cfg.gamma * cfg.decay) ** (k - start) * gain * ours
        return value

    if cfg.current_reward:
        return return_from(t)
    return other.rewards[t] + cfg.gamma * return_from(t + 1)


def n_steps(m, other, t, mean, cfg):
    """The released code's other estimate: n rewards, then V_j."""
    q = cfg.gamma**cfg.n_step * other.values[t + cfg.n_step]
    for k in range(cfg.n_step):
        between = sum((m.logp[t + i] for i in range(1, k + 1)), torch.tensor(0.0))
        reward = other.rewards[t + k]
        q = q + cfg.gamma**k * (mean + (reward - mean) * box(between))
    return q


def log_answer(q, other, t, cfg):
    """log π̂_j(b_t), with that Q in the place of the learned one."""
    b = other.actions[t]
    entries = [q if a == b else other.q[t, a] for a in range(other.q.shape[1])]
    normaliser = torch.logsumexp(torch.stack(entries) / cfg.temperature, 0)
    return q / cfg.temperature - (normaliser.detach() if cfg.stop_normaliser else normaliser)


def alignment_loss(mine, others, cfg, shaping):
    """- mean A*_t log π, the two forms that are written as a policy gradient."""
    own = [m.advantages.detach() for m in mine]
    pairs = len(others[0])
    if cfg.form == "mean":
        own = standardised([gae(m.rewards, m.values.detach(), cfg) for m in mine])
        theirs = []
        for j in range(pairs):
            sides = [other[j] for other in others]
            values = [torch.cat((s.values, s.values[-1:])) for s in sides]
            raw = [gae(s.rewards, v, cfg) for s, v in zip(sides, values, strict=True)]
            theirs.append(standardised(raw))
    else:
        theirs = [
            [torch.tensor(returns(o[j].rewards, cfg.gamma)) - o[j].values for o in others]
            for j in range(pairs)
        ]

    total = torch.tensor(0.0)
    for b, m in enumerate(mine):
        for t in range(cfg.horizon):
            gain = sum(theirs[j][b][t] for j in range(pairs))
            star = own[b][t] + (cfg.weight * past(own[b], t, cfg) * gain if shaping else 0.0)
            total = total - star * m.logp[t] / (len(mine) * cfg.horizon)
    return total


def past(own, t, cfg):
    """How well I have been treated until t."""
    if t == 0:
        return 0.0
    if cfg.form == "mean":
        return sum(own[k] for k in range(t)) / t
    return cfg.gamma * sum((cfg.gamma * cfg.decay) ** (t - k - 1) * own[k] for k in range(t))


def gae(rewards, values, cfg):
    """Σ_{k≥t} (γλ)^{k-t} δ_k, λ the `gae_decay`; values [T + 1]."""
    steps = len(rewards)
    delta = [rewards[t] + cfg.gamma * values[t + 1] - values[t] for t in range(steps)]
    discount = cfg.gamma * cfg.gae_decay
    return torch.stack(
        [sum(discount ** (k - t) * delta[k] for k in range(t, steps)) for t in range(steps)]
    )


def standardised(advantages):
    """Mean 0, standard deviation 1 over all games and steps."""
    every = torch.cat(advantages)
    mean = every.mean()
    spread = ((every - mean) ** 2).mean().sqrt() + 1e-8
    return [(a - mean) / spread for a in advantages]
