"""One whole iteration of self-play once more: who plays whom, what is learned from what, in order.

`Hand` is the learner of `agents/learners/loqa`, run by run and game by game; `HandModelled` the one
that sees only what opponents do.
"""

import itertools
from types import SimpleNamespace

import torch

from tests.agents.learners.loqa.by_hand import (
    HandAdam,
    games_of,
    generator_of,
    nets_of,
    play,
    seed_of_game,
)
from tests.agents.learners.loqa.by_hand_losses import (
    Mine,
    Other,
    alignment_loss,
    huber,
    loqa_loss,
    standardised,
)


class Hand:
    """A learner from given first parameters, [R, P] a network."""

    def __init__(self, cfg, env_id, game, seed, firsts):
        self.cfg, self.seed, self.iteration = cfg, seed, 0
        self.env = games_of(env_id, game, cfg)
        self.nets, self.players = nets_of(cfg, self.env), len(self.env.possible_agents)
        self.firsts = firsts
        self.selves = [
            SimpleNamespace(
                theta=first.clone(),
                target=first.clone(),
                actor_adam=HandAdam(first),
                critic_adam=HandAdam(first),
                past=[],
            )
            for first in firsts
        ]

    def update(self):
        cfg, number = self.cfg, self.iteration + 1
        if cfg.reset_every and number >= 2 and (number - 2) % cfg.reset_every == 0:
            for me, first in zip(self.selves, self.firsts, strict=True):
                me.theta = first.clone()
        if cfg.past_selves and self.iteration % cfg.push_every == 0:
            for me in self.selves:
                me.past = [*me.past, me.theta.clone()][-cfg.capacity :]

        metrics = [self.learn(index) for index in range(len(self.selves))]
        self.iteration += 1
        return {name: sum(m[name] for m in metrics) / len(metrics) for name in metrics[0]}

    # Playing.

    def play(self, index):
        """The games [R][n] of the player `index`, and who sat where: θ [R][n][N]."""
        cfg, n, runs = self.cfg, self.cfg.batch, self.cfg.runs
        time = self.iteration if cfg.fresh_draws else 0
        generator = generator_of(self.seed, time, index)
        seats = [(index + j) % self.players for j in range(self.players)]

        # Which past self is met in which game.
        met = {}
        groups = min(cfg.snapshots, n)
        for seat in seats[1:]:
            if cfg.past_selves:
                past = self.selves[seat % len(self.selves)].past
                which = torch.randint(len(past), (groups,), generator=generator).tolist()
                met[seat] = [past[which[i // (n // groups)]] for i in range(n)]
            else:
                met[seat] = [self.selves[seat % len(self.selves)].theta.clone()] * n

        kinds = 2 if cfg.epsilon else 1
        size = (kinds, cfg.horizon, runs * n, self.players)
        uniforms = torch.rand(size, generator=generator)
        games, thetas = [], []
        for r in range(runs):
            me = self.selves[index].theta[r]
            sat = [
                [me if s == index else met[s][i][r] for s in range(self.players)] for i in range(n)
            ]
            thetas.append(sat)
            numbers = [r * n + i for i in range(n)]
            games.append([self.one_game(time, b, sat[i], uniforms) for i, b in enumerate(numbers)])
        return games, thetas

    def one_game(self, time, number, thetas, uniforms):
        seed = seed_of_game(self.seed, time, number)
        drawn = uniforms[:, :, number]
        return play(self.env, seed, self.nets, thetas, drawn, self.cfg.epsilon)

    # Learning.

    def learn(self, index):
        cfg, me = self.cfg, self.selves[index]
        games, thetas = self.play(index)
        rows = [self.of_run(index, r, games[r], thetas[r]) for r in range(cfg.runs)]

        # The actor's step, the critic's (from the same θ, or after the actor's), the average.
        theta = me.theta
        actor = torch.stack([clipped(row.gradient, cfg.clip) for row in rows])
        stepped = me.actor_adam.step(theta, actor, cfg.actor_lr)
        at = theta if cfg.detach_advantage else stepped
        found = [
            self.critic_gradient(index, at[r], games[r], rows[r].targets) for r in range(cfg.runs)
        ]
        critic = torch.stack([gradient for gradient, _ in found])
        me.theta = me.critic_adam.step(stepped, critic, cfg.critic_lr)
        me.target = cfg.ema * me.target + (1 - cfg.ema) * me.theta

        own = torch.tensor([[g.rewards[index] for g in games[r]] for r in range(cfg.runs)])
        every = torch.tensor([[g.rewards for g in games[r]] for r in range(cfg.runs)])
        metrics = {
            "reward": own.mean(),
            "reward_others": (every.sum() - own.sum()) / (own.numel() * (self.players - 1)),
            "advantage": torch.stack([row.advantage for row in rows]).mean(),
            "entropy": torch.stack([row.entropy for row in rows]).mean(),
            "actor_loss": torch.stack([row.loss for row in rows]).mean(),
            "actor_gradient": torch.stack([row.gradient.norm() for row in rows]).mean(),
            "critic_loss": torch.stack([loss for _, loss in found]).mean(),
        }
        return metrics | self.learn_models(index, games)

    def of_run(self, index, r, games, thetas):
        """Gradient of the actor's loss and the critic's targets in one run."""
        cfg = self.cfg
        theta = self.selves[index].theta[r].detach().requires_grad_()
        mine, entropy = [], torch.tensor(0.0)
        for game in games:
            logp, q = (f(theta, game.views[index]) for f in (self.nets.logp, self.nets.q))
            values = (logp.exp() * q).sum(-1)
            values = values.detach() if cfg.detach_advantage else values
            paid = [reward + cfg.payoff_shift for reward in game.rewards[index]]
            advantages = torch.stack(
                [paid[t] + cfg.gamma * values[t + 1] - values[t] for t in range(cfg.horizon)]
            )
            taken = torch.stack([logp[t, a] for t, a in enumerate(game.actions[index])])
            mine.append(Mine(taken, advantages, values, paid))
            spread = sum(-(logp[t].exp() * logp[t]).sum() for t in range(cfg.horizon))
            entropy = entropy + spread / (len(games) * cfg.horizon)
        if cfg.standardise:
            flat = standardised([m.advantages for m in mine])
            mine = [m._replace(advantages=a) for m, a in zip(mine, flat, strict=True)]

        # In the order of the seats after mine.
        seats = [(index + j) % self.players for j in range(1, self.players)]
        others = [
            [self.other(index, r, game, sat, seat) for seat in seats]
            for game, sat in zip(games, thetas, strict=True)
        ]
        policy_gradient = getattr(cfg, "form", "loaded") != "loaded"
        form = alignment_loss if policy_gradient else loqa_loss
        loss = form(mine, others, cfg, self.iteration <= cfg.shaping_until)
        loss = loss - cfg.entropy * entropy
        (gradient,) = torch.autograd.grad(loss, theta)
        return SimpleNamespace(
            gradient=gradient,
            loss=loss.detach(),
            entropy=entropy.detach(),
            advantage=torch.stack([m.advantages.detach() for m in mine]).mean(),
            targets=[self.targets(index, r, game) for game in games],
        )

    @torch.no_grad()
    def other(self, index, r, game, thetas, seat):
        """What is known of one opponent: its own networks and rewards."""
        theta, views = thetas[seat], game.views[seat][:-1]
        q, policy = self.nets.q(theta, views), self.nets.logp(theta, views).exp()
        paid = [reward + self.cfg.payoff_shift for reward in game.rewards[seat]]
        return Other(paid, game.actions[seat], q, (policy * q).sum(-1))

    @torch.no_grad()
    def targets(self, index, r, game):
        """r_t + γ Q̄(s_{t+1}, a_{t+1}); V̄ at the end."""
        paid = [reward + self.cfg.payoff_shift for reward in game.rewards[index]]
        target = self.selves[index].target[r]
        return sarsa(self.nets, target, game.views[index], game.actions[index], paid, self.cfg)

    def critic_gradient(self, index, theta, games, targets):
        theta = theta.detach().requires_grad_()
        loss = torch.tensor(0.0)
        for game, goal in zip(games, targets, strict=True):
            q = self.nets.q(theta, game.views[index])
            for t, a in enumerate(game.actions[index]):
                loss = loss + huber(q[t, a] - goal[t]) / (len(games) * self.cfg.horizon)
        return torch.autograd.grad(loss, theta)[0], loss.detach()

    def learn_models(self, index, games):
        return {}


def sarsa(nets, theta, views, actions, paid, cfg):
    """The targets of action values along one game."""
    steps, q = len(actions), nets.q(theta, views)
    policy = nets.logp(theta, views).exp()
    goals = []
    for t in range(steps):
        if cfg.max_q:
            following = q[t + 1].max()
        elif t + 1 < steps:
            following = q[t + 1, actions[t + 1]]
        else:
            following = (policy[steps] * q[steps]).sum()
        goals.append(paid[t] + cfg.gamma * following)
    return goals


def clipped(gradient, norm):
    if norm is None or gradient.norm() <= norm:
        return gradient
    return gradient * norm / gradient.norm()


class HandModelled(Hand):
    """With models of rewards, of policies and of values in place of the opponents' own."""

    def __init__(self, cfg, env_id, game, seed, firsts, models):
        super().__init__(cfg, env_id, game, seed, firsts)
        self.models = [
            SimpleNamespace(
                theta=theta.clone(),
                target=theta.clone(),
                adam=HandAdam(theta),
                reward=reward.clone(),
                reward_adam=HandAdam(reward),
            )
            for theta, reward in models
        ]

    def predicted(self, theta, views):
        """r̂ along a game: one hidden layer on what was seen before and after."""
        f, h = self.nets.actor.features, self.cfg.reward_hidden
        before, after, bias, out, last = theta.split((f * h, f * h, h, h, 1))
        found = []
        for s, s_next in itertools.pairwise(views):
            hidden = torch.relu(s @ before.view(f, h) + s_next @ after.view(f, h) + bias)
            found.append(hidden @ out + last[0])
        return found

    @torch.no_grad()
    def other(self, index, r, game, thetas, seat):
        model, views = self.models[index], game.views[seat]
        q = self.nets.q(model.theta[r], views[:-1])
        policy = self.nets.logp(model.theta[r], views[:-1]).exp()
        paid = [float(reward) for reward in self.predicted(model.reward[r], views)]
        return Other(paid, game.actions[seat], q, (policy * q).sum(-1))

    def learn_models(self, index, games):
        cfg, model = self.cfg, self.models[index]
        rows = [self.model_gradients(index, r, games[r]) for r in range(cfg.runs)]
        by_theta, by_reward, *losses = (torch.stack(each) for each in zip(*rows, strict=True))

        # π̂'s numbers come first in θ.
        rates = torch.full_like(by_theta[0], cfg.critic_lr)
        rates[: self.nets.actor.size()] = cfg.model_lr
        model.theta = model.adam.step(model.theta, by_theta, rates)
        model.reward = model.reward_adam.step(model.reward, by_reward, cfg.model_lr)
        model.target = cfg.ema * model.target + (1 - cfg.ema) * model.theta
        opponents = self.players - 1
        return {
            "reward_model_loss": losses[0].mean(),
            "model_loss": losses[1].mean() / opponents,
            "cross_entropy": losses[2].mean() / opponents,
        }

    def model_gradients(self, index, r, games):
        cfg, model, count = self.cfg, self.models[index], len(games) * self.cfg.horizon
        theta = model.theta[r].detach().requires_grad_()
        reward = model.reward[r].detach().requires_grad_()
        regression = values = likelihood = torch.tensor(0.0)

        for game in games:
            mine = self.predicted(reward, game.views[index])
            for guess, paid in zip(mine, game.rewards[index], strict=True):
                regression = regression + huber(guess - (paid + cfg.payoff_shift)) / count
            for seat in range(self.players):
                if seat == index:
                    continue
                views, actions = game.views[seat], game.actions[seat]
                logp, q = self.nets.logp(theta, views), self.nets.q(theta, views)
                with torch.no_grad():
                    paid = self.predicted(model.reward[r], views)
                    plain = SimpleNamespace(gamma=cfg.gamma, max_q=False)
                    goals = sarsa(self.nets, model.target[r], views, actions, paid, plain)
                for t, b in enumerate(actions):
                    likelihood = likelihood - logp[t, b] / count
                    values = values + huber(q[t, b] - goals[t]) / count

        (by_reward,) = torch.autograd.grad(regression, reward)
        (by_theta,) = torch.autograd.grad(likelihood + values, theta)
        losses = (regression.detach(), values.detach(), likelihood.detach())
        return by_theta, by_reward, *losses
