"""Self-play once more, from the papers' formulas: networks, games, Adam.

Nothing here is taken from `agents` but the order of numbers in θ, which is a format. One game at a
time through the single environments, one step at a time, float64, the network asked anew for the
whole history at each step: no batch, no tables of observations, no memory that could be kept.

Shapes  F features, A actions, T steps, P parameters.
"""

import itertools
import math
from typing import NamedTuple

import torch

import social_dilemmas_env as sde
from social_dilemmas_env.rng import draw


class Net(NamedTuple):
    """A network's form."""

    kind: str
    features: int
    hidden: int
    layers: int
    actions: int
    time: bool

    def shapes(self):
        f, h, a = self.features + self.time, self.hidden, self.actions
        if self.kind == "tabular":
            return [(self.features, a)]
        if self.kind == "mlp":
            sizes = [f, *[h] * self.layers, a]
            pairs = itertools.pairwise(sizes)
            return [shape for i, o in pairs for shape in ((i, o), (o,))]

        second = [(h, h), (h,)] if self.layers == 2 else []
        return [(f, h), (h,), *second, (h, 3 * h), (3 * h,), (h, 3 * h), (h,), (h, a), (a,)]

    def size(self):
        return sum(math.prod(shape) for shape in self.shapes())

    def __call__(self, theta, xs):
        """θ [P] and the observations [F] from the start of an episode -> [A] after each of them."""
        pieces = theta.split([math.prod(shape) for shape in self.shapes()])
        parts = [x.view(shape) for x, shape in zip(pieces, self.shapes(), strict=True)]
        if self.time:
            xs = [torch.cat((x, torch.tensor([float(t)]))) for t, x in enumerate(xs)]
        if self.kind == "tabular":
            return torch.stack([x @ parts[0] for x in xs])
        if self.kind == "mlp":
            return torch.stack([mlp(parts, x) for x in xs])
        return torch.stack(gru(parts, xs, self.layers))


def mlp(parts, x):
    for i in range(0, len(parts), 2):
        x = (torch.relu(x) if i else x) @ parts[i] + parts[i + 1]
    return x


def gru(parts, xs, layers):
    """Dense, ReLU, perhaps Dense; Flax's GRU cell; Dense."""
    dense, bias, *between = parts[:-6]
    gates, gates_bias, recurrent, candidate_bias, out, out_bias = parts[-6:]
    h = torch.zeros(len(recurrent))
    answers = []

    for x in xs:
        z = torch.relu(x @ dense + bias)
        if layers == 2:
            z = z @ between[0] + between[1]
        by_input = (z @ gates + gates_bias).chunk(3)
        by_memory = (h @ recurrent).chunk(3)
        reset, update = (torch.sigmoid(by_input[i] + by_memory[i]) for i in range(2))
        candidate = torch.tanh(by_input[2] + reset * (by_memory[2] + candidate_bias))
        h = (1 - update) * candidate + update * h
        answers.append(h @ out + out_bias)
    return answers


class Nets(NamedTuple):
    """The policy and the action values whose parameters lie one after the other in θ."""

    actor: Net
    critic: Net

    def logp(self, theta, xs):
        return torch.log_softmax(self.actor(theta[: self.actor.size()], xs), -1)

    def q(self, theta, xs):
        return self.critic(theta[self.actor.size() :], xs)


def nets_of(cfg, env):
    """The networks that settings ask for."""
    space, player = env.observation_space("player_0"), "player_0"
    features, actions = math.prod(space.shape), int(env.action_space(player).n)
    actor = Net(cfg.actor, features, cfg.actor_hidden, cfg.actor_layers, actions, False)
    critic = Net(cfg.critic, features, cfg.critic_hidden, cfg.critic_layers, actions, True)
    return Nets(actor, critic)


class Played(NamedTuple):
    """One game: views [N][T + 1] of [F], actions [N][T], rewards [N][T]."""

    views: list
    actions: list
    rewards: list


def play(env, seed, nets, thetas, uniforms, epsilon):
    """One episode; θ [P] of each seat, uniforms [1 or 2, T, N]."""
    agents = env.possible_agents
    found, _ = env.reset(seed=seed)
    views = [[features(found[name])] for name in agents]
    actions, rewards = [[] for _ in agents], [[] for _ in agents]

    for t in range(uniforms.shape[1]):
        chosen = {}
        for i, name in enumerate(agents):
            policy = nets.logp(thetas[i], views[i])[-1].exp().tolist()
            chosen[name] = choose(policy, uniforms[:, t, i].tolist(), epsilon)
        found, paid, *_ = env.step(chosen)
        for i, name in enumerate(agents):
            actions[i].append(chosen[name])
            rewards[i].append(float(paid[name]))
            views[i].append(features(found[name]))
    return Played(views, actions, rewards)


def features(observation):
    return torch.as_tensor(observation).double().flatten()


def choose(policy, uniforms, epsilon):
    """By inverting the distribution function; by the second uniform, sometimes at random."""
    if epsilon and uniforms[1] < epsilon:
        return int(uniforms[1] / epsilon * len(policy))
    total = 0.0
    for action, probability in enumerate(policy):
        total += probability
        if uniforms[0] < total:
            return action
    return len(policy) - 1


def games_of(env_id, game, cfg):
    return sde.make_env(env_id, max_cycles=cfg.horizon, **game)


def seed_of_game(seed, time, number):
    """Of one game of an iteration; 3 is the stream of games' seeds."""
    return draw(draw(seed, 3, time), number)


def generator_of(seed, time, index):
    """Of actions and of who is met; 2 is their stream."""
    return torch.Generator().manual_seed(draw(seed, 2, time, index))


class HandAdam:
    """Kingma and Ba's algorithm 1, with its two corrections."""

    def __init__(self, theta):
        self.m, self.v, self.t = torch.zeros_like(theta), torch.zeros_like(theta), 0

    def step(self, theta, gradient, rate):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        return theta - rate * m / (v.sqrt() + 1e-8)
