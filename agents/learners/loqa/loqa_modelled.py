"""LOQA without access to the opponents: their rewards and action values are models, learned from
play.

The LOQA paper names this as open: its learner is given the opponent's network Q_j and rewards. Here
it sees what a player of a fully observable game sees, the views and the actions of everybody and
its own rewards, and learns

    r̂(s, s')      my own reward, as a function of what I saw before and after            (regression on my rewards)
    π̂_j(b | s)    what opponents do, with memory of the episode                          (maximum likelihood)
    Q̂_j(s, b)     SARSA on the opponents' views and actions with the rewards r̂ that I would have had in their place

and shapes with r̂, Q̂_j and V̂_j = Σ_b π̂_j Q̂_j instead of theirs. The one assumption is that
others value what I value: in a symmetric game, r̂ at the opponent's view is its reward. One model
serves all opponents; being recurrent, it can tell them apart by what they have done.

Shapes  R runs, n games, T steps, J opponents, F features, H hidden units, P parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.execution.rollout import Trajectory
from agents.learners.loqa import loqa
from agents.learners.loqa.self_play import (
    Opponents,
    SelfPlay,
    attributes,
    of_player,
    restore,
    taken,
    time_last,
)
from agents.nn.adam import Adam
from agents.nn.networks import log_softmax


def predicted_rewards(taste: Tensor, before: Tensor, after: Tensor, hidden: int) -> Tensor:
    """r̂(s, s') by one hidden layer.

    θ [R, P], observations [..., R, n, F] twice -> [..., R, n].
    """
    size = before.shape[-1]
    sizes = (size * hidden, size * hidden, hidden, hidden, 1)
    first, second, bias, out, last = taste.split(sizes, 1)
    x = (
        before @ first.unflatten(1, (size, hidden))
        + after @ second.unflatten(1, (size, hidden))
        + bias[:, None]
    )
    return (torch.relu(x) @ out[..., None])[..., 0] + last


def fresh_taste(runs: int, size: int, hidden: int, draws: torch.Generator) -> Tensor:
    """Initial parameters of r̂.  [R, P]."""
    layers = torch.randn(runs, 2 * size * hidden, generator=draws) * size**-0.5
    return torch.cat((layers, torch.zeros(runs, hidden), torch.randn(runs, hidden, generator=draws) * hidden**-0.5,
                      torch.zeros(runs, 1)), 1)  # fmt: skip


class Beliefs(NamedTuple):
    """θ and target [R, P] as a learner's, taste [R, P'] of r̂."""

    theta: Tensor
    target: Tensor
    taste: Tensor


@dataclass
class Model:
    """What one learner believes of the others, and how it learns it."""

    theta: Tensor
    target: Tensor
    adam: Adam
    taste: Tensor
    taste_adam: Adam

    def tensors(self) -> dict[str, Tensor]:
        """What changes with every update."""
        names = (
            "theta",
            "target",
            "adam.first",
            "adam.second",
            "taste",
            "taste_adam.first",
            "taste_adam.second",
        )
        return attributes(self, names)

    def beliefs(self) -> Beliefs:
        """What is believed now."""
        return Beliefs(self.theta, self.target, self.taste)


class ModelledSelfPlay(SelfPlay):
    """`SelfPlay` whose learners do not look into their opponents."""

    cfg: "ModelledConfig"

    def __init__(self, cfg: "ModelledConfig", venv: Any, loss: Any, seed: int) -> None:
        super().__init__(cfg, venv, loss, seed)
        self.models = [self._fresh_model(i) for i in range(len(self.selves))]

    def _fresh_model(self, index: int) -> Model:
        draws = torch.Generator().manual_seed(sde.draw(self.seed, 4, index))
        theta = self.net.initial(self.cfg.runs, draws).to(self.device)
        size = self.venv.observation_table.shape[1]
        taste = fresh_taste(self.cfg.runs, size, self.cfg.taste_hidden, draws).to(self.device)
        return Model(theta, theta.clone(), Adam.of(theta), taste, Adam.of(taste))

    def state(self) -> dict[str, Tensor]:
        """See SelfPlay."""
        models = {
            f"model{i}.{name}": x
            for i, each in enumerate(self.models)
            for name, x in each.tensors().items()
        }
        return super().state() | models

    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        """See SelfPlay."""
        super().load(tensors, iteration)
        for i, each in enumerate(self.models):
            restore(each, each.tensors(), f"model{i}.", tensors)
            each.adam.steps = each.taste_adam.steps = iteration

    def _opponents(
        self, games: Trajectory, seats: Sequence[int], thetas: Sequence[Tensor]
    ) -> Opponents:
        me = next(i for i in range(self.players) if i not in seats)
        model = self.models[me % len(self.models)]
        parts = [self.compute(self._believed, model.beliefs(), games, seat) for seat in seats]
        return Opponents(*(torch.stack(part) for part in zip(*parts, strict=True)))

    @torch.no_grad()
    def _believed(self, model: Beliefs, games: Trajectory, seat: int) -> Opponents:
        """What the model makes of one opponent's views and actions.

        Its networks and rewards are not looked at.
        """
        of = of_player(games, seat, self.cfg.runs)
        q = time_last(self.net.q(model.theta, of.views)[:-1])
        policy = time_last(log_softmax(self.net.logits(model.theta, of.views)[:-1])).exp()
        return Opponents(self._taste(model, of.views), of.actions, q, loqa.state_values(policy, q))

    def _taste(self, model: Beliefs, views: Tensor) -> Tensor:
        """r̂ along views [T + 1, R, n] -> [R, n, T]."""
        seen = self.net.actor.table[views]
        return time_last(predicted_rewards(model.taste, seen[:-1], seen[1:], self.cfg.taste_hidden))

    def _study(self, index: int, games: Trajectory, seats: Sequence[int]) -> dict[str, Tensor]:
        """One step of each model."""
        cfg, model = self.cfg, self.models[index]
        found = self.compute(self._corrections, model.beliefs(), games, tuple(seats))
        split = self.net.actor_size
        rates = torch.where(
            torch.arange(self.net.size, device=self.device) < split, cfg.model_lr, cfg.critic_lr
        )
        model.theta = model.adam.step(model.theta, found.by_theta, rates)
        model.taste = model.taste_adam.step(model.taste, found.by_taste, cfg.model_lr)
        model.target.lerp_(model.theta, 1 - cfg.ema)
        count = len(seats) - 1
        return {"taste_loss": found.errors.mean(), "surprise": found.surprise.mean() / count,
                "model_loss": found.loss.mean() / count}  # fmt: skip

    def _corrections(
        self, model: Beliefs, games: Trajectory, seats: tuple[int, ...]
    ) -> "Corrections":
        """What the games of the player in the first seat say about its beliefs."""
        cfg, own = self.cfg, of_player(games, seats[0], self.cfg.runs)
        model = Beliefs(*(x.detach().requires_grad_() for x in model))
        errors = loqa.huber(self._taste(model, own.views) - own.rewards - cfg.payoff_shift)
        (by_taste,) = torch.autograd.grad(errors.sum(), model.taste)
        theta = model.theta
        loss = surprise = torch.zeros(cfg.runs, device=self.device)
        for seat in seats[1:]:
            of = of_player(games, seat, cfg.runs)
            logp = taken(time_last(log_softmax(self.net.logits(theta, of.views)[:-1])), of.actions)
            q = taken(time_last(self.net.q(theta, of.views)[:-1]), of.actions)
            surprise = surprise - logp.mean((-2, -1))
            loss = loss + loqa.huber(q - self._model_targets(model, of))
        (by_theta,) = torch.autograd.grad((loss + surprise).sum(), theta)
        return Corrections(by_theta, by_taste, errors.detach(), loss.detach(), surprise.detach())

    @torch.no_grad()
    def _model_targets(self, model: Beliefs, of: Any) -> Tensor:
        """SARSA targets of Q̂_j, with predicted rewards.  [R, n, T]."""
        q = time_last(self.net.q(model.target, of.views))
        last = log_softmax(self.net.logits(model.target, of.views)[-1]).exp()
        return loqa.sarsa_targets(
            self._taste(model, of.views), taken(q[..., 1:-1, :], of.actions[..., 1:]),
            loqa.state_values(last, q[..., -1, :]), self.cfg.gamma,
        )  # fmt: skip


class Corrections(NamedTuple):
    """∇ by θ [R, P] and by taste [R, P']; losses [R] of r̂, of Q̂ and of π̂."""

    by_theta: Tensor
    by_taste: Tensor
    errors: Tensor
    loss: Tensor
    surprise: Tensor


def settings(env_id: str) -> "ModelledConfig":
    """Default settings for a game."""
    return ModelledConfig(**vars(loqa.settings(env_id)))


@dataclass(frozen=True)
class ModelledConfig(loqa.LoqaConfig):
    """LOQA's settings and those of the models.

    Attributes:
        model_lr: Adam's, on the policy model π̂ and the rewards r̂; Q̂ uses `critic_lr`.
        taste_hidden: hidden units of r̂.
    """

    model_lr: float = 3e-3
    taste_hidden: int = 128
