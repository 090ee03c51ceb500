"""Independent PPO as `train` and `load_agent` know it.

    train("ippo", "commons_harvest_v0")

One iteration:

    play n games for T steps; those that end on the way begin anew
    advantages by GAE, aligned or not, standardised (ippo.py)
    `epochs` passes over the samples in `minibatches` steps of Adam

Players share one network or have one each (`shared`). Networks are MLPs of the observations
themselves, kept as `obs_mode="uint8"` has them, so that games may have any number of observations.
Everything random in iteration k follows from (seed, k): a resumed run continues bit for bit.

Shapes  N players, n games, T steps, K parameter sets, S = N n T / K samples of a set, P parameters,
        A actions, F' numbers of an observation as it is kept, F as a network reads it.
"""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.evaluation.agent import forward
from agents.execution.games import check_told_apart
from agents.execution.memory import check_memory
from agents.execution.rollout import sample
from agents.interruption import between_parts
from agents.learners.ippo.games import make_games
from agents.learners.ippo.ippo import (
    IppoConfig,
    advantages_of,
    aligned,
    clipped_surrogate,
    default_config,
)
from agents.learners.ippo.playing import by_player, class_count, networks, planes, restore_agent
from agents.learners.loqa.loqa import standardised
from agents.nn.adam import Adam, clip
from agents.nn.networks import log_softmax, of_actions
from agents.protocol import LearnerSpec
from social_dilemmas_env.rng import Stream, draw


class Play(NamedTuple):
    """What was played: everybody's side, constants.

    Attributes:
        seen: uint8 [N, n, T, F'].
        actions: [N, n, T].
        logp: [N, n, T], log-probability of the action.
        rewards: [N, n, T].
        ends: [N, n, T], 1 where the episode ended before the horizon.
        tails: [N, n, T], V of the last state of an episode that was cut off, else 0.
        values: [N, n, T + 1], V(s_t).
    """

    seen: Tensor
    actions: Tensor
    logp: Tensor
    rewards: Tensor
    ends: Tensor
    tails: Tensor
    values: Tensor


class Samples(NamedTuple):
    """What steps are taken on: [K, S], of observations [K, S, F']."""

    seen: Tensor
    actions: Tensor
    logp: Tensor
    advantages: Tensor
    targets: Tensor


class Ippo:
    """A learner (protocol.py); see the module's docstring.

    Args:
        cfg: the settings.
        venv: n games on the learner's device, of `make_games`.
        seed: fixes everything.

    Attributes:
        theta: θ [K, P], actors and critics.
    """

    leaves_between_parts = True  # an iteration of the commons takes many seconds

    def __init__(self, cfg: IppoConfig, venv: Any, seed: int) -> None:
        self.cfg, self.venv, self.seed, self.iteration = cfg, venv, seed, 0
        self.num_players = len(venv.possible_agents)
        self.device = torch.device(venv.device)
        self.classes = class_count(venv.game)

        # One set of parameters, or one a player.
        self.net = networks(cfg, venv.game, str(self.device))
        generator = torch.Generator().manual_seed(draw(seed, Stream.INIT, 0))
        sets = 1 if cfg.shared else self.num_players
        self.theta = self.net.initial(sets, generator).to(self.device)
        self.adam = Adam.of(self.theta)

    def update(self) -> dict[str, Tensor]:
        """One iteration.

        Returns:
            Its metrics, 0-dimensional tensors.

        Raises:
            LeftHalfWay: the training was told to stop; what was changed is to be discarded.
        """
        play = self._play()
        metrics = self._learn(self._samples(play))
        self.iteration += 1
        return {"reward": play.rewards.mean(), **metrics}

    # Playing.

    @torch.no_grad()
    def _play(self) -> Play:
        """T steps of n games."""
        cfg, count = self.cfg, self.num_players
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.ROLLOUT, self.iteration))
        uniforms = torch.rand((cfg.horizon, count, cfg.batch), generator=generator)
        uniforms = uniforms.to(self.device)
        observed, _ = self.venv.reset(seed=draw(self.seed, Stream.ENV, self.iteration))

        # Step by step; the state after the last one has a value alone.
        steps = []
        for t in range(cfg.horizon):
            seen, (logits, values) = by_player(observed), self._think(observed)
            actions = sample(logits, uniforms[t])
            logp = of_actions(log_softmax(logits), actions)
            observed, *step = self._step(actions, last=t == cfg.horizon - 1)
            steps.append((seen, actions, logp, *step, values))
            if t % 64 == 0:
                between_parts()

        # Time last.
        parts = [torch.stack(part, 2) for part in zip(*steps, strict=True)]
        last = self._think(observed)[1]
        parts[-1] = torch.cat((parts[-1], last[..., None]), -1)
        return Play(*parts)

    def _think(self, observed: Tensor) -> tuple[Tensor, Tensor]:
        """Everybody's logits [N, n, A] and values [N, n].  Observed [n, N, ...]."""
        x = planes(by_player(observed), self.classes).reshape(len(self.theta), -1, self._features)
        logits, values = self._forward(self.theta, x)
        shape = self.num_players, self.cfg.batch
        return logits.reshape(*shape, -1), values.reshape(*shape)

    @property
    def _features(self) -> int:
        """F."""
        return self.net.actor.table.shape[1]

    def _forward(self, theta: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [K, S, A] and values [K, S] of observations [K, S, F]."""
        logits, _ = forward(self.net.actor, self.net.unpack(theta, "actor"), x, None)
        values, _ = forward(self.net.critic, self.net.unpack(theta, "critic"), x, None)
        return logits, values[..., 0]

    def _step(self, actions: Tensor, *, last: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """A joint move [N, n].

        Returns:
            What is seen next [n, N, ...]; rewards, ends and tails [N, n]: the value of the last
            state of an episode that was cut off, 0 elsewhere.
        """
        observed, rewards, terminated, truncated, _ = self.venv.step(actions.T.contiguous())
        rewards = rewards.T.clone()
        tails = torch.zeros_like(rewards)

        # Ended by the horizon alone, a game would go on.
        over = terminated if last else terminated | truncated
        if not last and bool(over.any()):
            # Cut off, it would too: its last state has a value, and another game begins.
            tails = self._think(observed)[1] * (truncated & ~terminated).T
            observed, _ = self.venv.reset(options={"reset_mask": over[:, 0]})
        return observed, rewards, over.T.to(rewards.dtype), tails

    # Learning.

    def _samples(self, play: Play) -> Samples:
        """What the steps of an iteration are taken on."""
        cfg, sets = self.cfg, len(self.theta)
        rewards = play.rewards + cfg.gamma * play.tails
        advantages = advantages_of(rewards, play.values, play.ends, cfg.gamma, cfg.gae_decay)
        targets = advantages + play.values[..., :-1]

        # Standardised over all samples of a network, and again where others' are in it.
        weights = standardised(advantages.reshape(sets, -1, cfg.horizon))
        if cfg.alignment:
            weights = aligned(weights.reshape(advantages.shape), play.ends, cfg.alignment)
            weights = standardised(weights.reshape(sets, -1, cfg.horizon))

        seen = play.seen.reshape(sets, -1, play.seen.shape[-1])
        rest = (x.reshape(sets, -1) for x in (play.actions, play.logp, weights, targets))
        return Samples(seen, *rest)

    def _learn(self, samples: Samples) -> dict[str, Tensor]:
        """All steps of an iteration; metrics are means over those of the last pass."""
        cfg, size = self.cfg, samples.actions.shape[1]
        seed = draw(self.seed, Stream.ROLLOUT, self.iteration, 1)
        generator = torch.Generator().manual_seed(seed)

        found: list[dict[str, Tensor]] = []
        for _ in range(cfg.epochs):
            order = torch.randperm(size, generator=generator).to(self.device)
            found = []
            for chosen in order.tensor_split(cfg.minibatches):
                gradient, metrics = self._gradient(Samples(*(x[:, chosen] for x in samples)))
                self.theta = self.adam.step(self.theta, clip(gradient, cfg.max_norm), cfg.lr)
                found.append({**metrics, "gradient": gradient.norm(dim=1)})
                between_parts()
        return {name: torch.stack([each[name] for each in found]).mean() for name in found[0]}

    def _gradient(self, part: Samples) -> tuple[Tensor, dict[str, Tensor]]:
        """∇L [K, P] on some samples, and its parts [K]."""
        cfg, theta = self.cfg, self.theta.detach().requires_grad_()
        logits, values = self._forward(theta, planes(part.seen, self.classes))
        log_policy = log_softmax(logits)
        logp = of_actions(log_policy, part.actions)

        gain = clipped_surrogate(logp, part.logp, part.advantages, cfg.clip_range)
        spread = -(log_policy.exp() * log_policy).sum(-1).mean(1)
        error = (values - part.targets).square().mean(1) / 2
        loss = cfg.value_weight * error - gain - cfg.entropy * spread
        (gradient,) = torch.autograd.grad(loss.sum(), theta)

        moved = (logp - part.logp).detach()
        distance = (moved.exp() - 1 - moved).mean(1)  # an estimate of KL(π_old ‖ π)
        parts = {"actor_loss": -gain, "entropy": spread, "critic_loss": error}
        found = {**parts, "divergence": distance}
        return gradient, {name: x.detach() for name, x in found.items()}

    # Saving and resuming.

    def state(self) -> dict[str, Tensor]:
        """Everything that changes, by name; a network each."""
        thetas = {f"self{k}.theta": self.theta[k : k + 1].detach() for k in range(len(self.theta))}
        return {**thetas, **self.adam.tensors("adam.")}

    def frozen(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """Continues from the state after `iteration` updates."""
        thetas = [tensors[f"self{k}.theta"] for k in range(len(self.theta))]
        self.adam.load(tensors, "adam.", iteration * self.cfg.epochs * self.cfg.minibatches)
        self.theta, self.iteration = torch.cat(thetas).to(self.device), iteration


def memory_needed(cfg: IppoConfig, game: Any) -> int:
    """Bytes that an iteration needs, about: what is played, and the graph of a minibatch."""
    samples = cfg.horizon * cfg.batch * len(game.num_actions)
    features: int = math.prod(game.observation_shape)
    stored = features // max(1, class_count(game)) + 8 * 8
    # Observations as a network reads them, with their mask; two graphs of its layers.
    read = 5 * features + 4 * 8 * cfg.layers * cfg.hidden
    return 3 * samples * stored + samples * read // cfg.minibatches


def make_ippo(cfg: IppoConfig, env_id: str, game: dict[str, Any], seed: int, device: str) -> Ippo:
    """A learner with its games.

    Raises:
        ValueError: a shared network in a view that all players see alike, or too little memory.
    """
    rules: Any = sde.spec(env_id).game(**game)
    if cfg.shared:
        check_told_apart(rules, " or shared=False")
    check_memory(memory_needed(cfg, rules), device, batch=cfg.batch, horizon=cfg.horizon)

    games = make_games(env_id, cfg.batch, device, max_cycles=cfg.horizon, **game)
    return Ippo(cfg, games, seed)


IPPO = LearnerSpec(
    "ippo",
    "independent PPO, one network for all players or one each",
    default_config,
    make_ippo,
    restore_agent,
)
