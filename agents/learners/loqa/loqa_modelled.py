"""LOQA without access to the opponents: their rewards and values are models, learned from play.

The LOQA paper names this as open: its learner is given the opponent's network Q_j and rewards. Here
it sees what a player of a fully observable game sees, the observations and the actions of everybody
and its own rewards, and learns

    r̂(s, s')     my own reward, as a function of what I saw before and after
                 (regression on my rewards)
    π̂_j(b | s)   what opponents do, with memory of the episode
                 (maximum likelihood)
    Q̂_j(s, b)    SARSA on the opponents' observations and actions, with the rewards r̂ that I would
                 have had in their place

and shapes with r̂, Q̂_j and V̂_j = Σ_b π̂_j Q̂_j instead of theirs. The one assumption is that
others value what I value: in a symmetric game, r̂ at the opponent's observation is its reward. One
model serves all opponents; being recurrent, it can tell them apart by what they have done.

Shapes  R runs, n games, T steps, J opponents, F features, H hidden units, P parameters.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from typing_extensions import override

from agents.execution.rollout import Trajectory, time_last
from agents.learners.loqa import loqa
from agents.learners.loqa.data import OpponentData, PlayerData, player_data
from agents.learners.loqa.player_state import ModelState
from agents.learners.loqa.self_play import Loss, SelfPlay
from agents.nn.networks import log_softmax, of_actions
from social_dilemmas_env.rng import Stream, draw
from social_dilemmas_env.validation import at_least


def predicted_rewards(theta: Tensor, before: Tensor, after: Tensor, hidden: int) -> Tensor:
    """r̂(s, s') by one hidden layer.

    θ [R, P], observations [..., R, n, F] twice -> [..., R, n].
    """
    size = before.shape[-1]
    sizes = (size * hidden, size * hidden, hidden, hidden, 1)
    first, second, bias, out, last = theta.split(sizes, 1)
    x = before @ first.unflatten(1, (size, hidden)) + after @ second.unflatten(1, (size, hidden))
    reward: Tensor = (torch.relu(x + bias[:, None]) @ out[..., None])[..., 0] + last
    return reward


def initial_reward_model(runs: int, size: int, hidden: int, generator: torch.Generator) -> Tensor:
    """Initial parameters of r̂ for observations of F = `size` numbers.  [R, P]."""
    layers = torch.randn(runs, 2 * size * hidden, generator=generator) * size**-0.5
    out = torch.randn(runs, hidden, generator=generator) * hidden**-0.5
    return torch.cat((layers, torch.zeros(runs, hidden), out, torch.zeros(runs, 1)), 1)


class OpponentModel(NamedTuple):
    """Parameters: θ of π̂ and Q̂ and their target [R, P], those of r̂ [R, P']."""

    theta: Tensor
    target: Tensor
    reward_model: Tensor


class ModelGradients(NamedTuple):
    """∇ by θ [R, P] and by r̂'s parameters [R, P']; losses [R] of r̂, of Q̂ and of π̂."""

    by_theta: Tensor
    by_reward_model: Tensor
    reward_loss: Tensor
    value_loss: Tensor
    cross_entropy: Tensor


class ModelledSelfPlay(SelfPlay):
    """`SelfPlay` whose learners do not look into their opponents."""

    cfg: "ModelledConfig"

    def __init__(self, cfg: "ModelledConfig", venv: Any, loss: Loss, seed: int) -> None:
        super().__init__(cfg, venv, loss, seed)
        self.models = [self._initial_model(i) for i in range(len(self.player_states))]

    def _initial_model(self, index: int) -> ModelState:
        generator = torch.Generator().manual_seed(draw(self.seed, Stream.MODELS, index))
        theta = self.net.initial(self.cfg.runs, generator)
        size = self.venv.observation_table.shape[1]
        reward_model = initial_reward_model(self.cfg.runs, size, self.cfg.reward_hidden, generator)
        return ModelState.of(theta.to(self.device), reward_model.to(self.device))

    @override
    def state(self) -> dict[str, Tensor]:
        models = {
            f"model{i}.{name}": x
            for i, model in enumerate(self.models)
            for name, x in model.tensors().items()
        }
        return super().state() | models

    @override
    def load(self, tensors: dict[str, Tensor], iteration: int) -> None:
        super().load(tensors, iteration)
        for i, model in enumerate(self.models):
            model.load(tensors, f"model{i}.", iteration)

    # What the learner makes of its opponents.

    @override
    def _opponent_data(
        self, games: Trajectory, seats: Sequence[int], thetas: Sequence[Tensor]
    ) -> OpponentData:
        me = next(i for i in range(self.num_players) if i not in seats)
        model = parameters(self.models[me % len(self.models)])
        parts = [self.compute(self._modelled_opponent, model, games, seat) for seat in seats]
        return OpponentData(*(torch.stack(part) for part in zip(*parts, strict=True)))

    @torch.no_grad()
    def _modelled_opponent(
        self, model: OpponentModel, games: Trajectory, seat: int
    ) -> OpponentData:
        """What the model makes of one opponent's observations and actions.

        Its networks and rewards are not looked at.
        """
        other = player_data(games, seat, self.cfg.runs)
        q = time_last(self.net.q(model.theta, other.obs_ids)[:-1])
        policy = time_last(log_softmax(self.net.logits(model.theta, other.obs_ids)[:-1])).exp()
        rewards = self.modelled_rewards(model.reward_model, other.obs_ids)
        return OpponentData(rewards, other.actions, q, loqa.state_values(policy, q))

    def modelled_rewards(self, theta: Tensor, obs_ids: Tensor) -> Tensor:
        """r̂ along observations [T + 1, R, n].  θ [R, P'] -> [R, n, T]."""
        seen = self.net.actor.table[obs_ids]
        return time_last(predicted_rewards(theta, seen[:-1], seen[1:], self.cfg.reward_hidden))

    # How the models learn.

    @override
    def _update_models(
        self, index: int, games: Trajectory, seats: Sequence[int]
    ) -> dict[str, Tensor]:
        cfg, model = self.cfg, self.models[index]
        gradients = self.compute(self._model_gradients, parameters(model), games, tuple(seats))

        # π̂ learns at one rate, Q̂ at the critic's.
        actors = torch.arange(self.net.size, device=self.device) < self.net.actor_size
        rates = torch.where(actors, cfg.model_lr, cfg.critic_lr)
        model.theta = model.adam.step(model.theta, gradients.by_theta, rates)
        model.reward_model = model.reward_adam.step(
            model.reward_model, gradients.by_reward_model, cfg.model_lr
        )
        model.target.lerp_(model.theta, 1 - cfg.ema)

        count = len(seats) - 1
        return {
            "reward_model_loss": gradients.reward_loss.mean(),
            "cross_entropy": gradients.cross_entropy.mean() / count,
            "model_loss": gradients.value_loss.mean() / count,
        }

    def _model_gradients(
        self, model: OpponentModel, games: Trajectory, seats: tuple[int, ...]
    ) -> ModelGradients:
        """What the games of the player in the first seat say about its models."""
        cfg, own = self.cfg, player_data(games, seats[0], self.cfg.runs)
        model = OpponentModel(*(x.detach().requires_grad_() for x in model))

        # Rewards: regression on one's own.
        predicted = self.modelled_rewards(model.reward_model, own.obs_ids)
        reward_loss = loqa.huber(predicted - own.rewards - cfg.payoff_shift)
        (by_reward_model,) = torch.autograd.grad(reward_loss.sum(), model.reward_model)

        # Policy and values: maximum likelihood and SARSA, summed over the opponents.
        value_loss = cross_entropy = torch.zeros(cfg.runs, device=self.device)
        for seat in seats[1:]:
            other = player_data(games, seat, cfg.runs)
            log_policy = time_last(log_softmax(self.net.logits(model.theta, other.obs_ids)[:-1]))
            q = of_actions(time_last(self.net.q(model.theta, other.obs_ids)[:-1]), other.actions)
            logp = of_actions(log_policy, other.actions)
            cross_entropy = cross_entropy - logp.mean((-2, -1))
            value_loss = value_loss + loqa.huber(q - self._model_targets(model, other))
        (by_theta,) = torch.autograd.grad((value_loss + cross_entropy).sum(), model.theta)

        losses = (reward_loss.detach(), value_loss.detach(), cross_entropy.detach())
        return ModelGradients(by_theta, by_reward_model, *losses)

    @torch.no_grad()
    def _model_targets(self, model: OpponentModel, other: PlayerData) -> Tensor:
        """SARSA targets of Q̂_j, with predicted rewards.  [R, n, T]."""
        q = time_last(self.net.q(model.target, other.obs_ids))
        last = log_softmax(self.net.logits(model.target, other.obs_ids)[-1]).exp()
        return loqa.sarsa_targets(
            self.modelled_rewards(model.reward_model, other.obs_ids),
            of_actions(q[..., 1:-1, :], other.actions[..., 1:]),
            loqa.state_values(last, q[..., -1, :]),
            self.cfg.gamma,
        )


def parameters(model: ModelState) -> OpponentModel:
    """The parameters of a model that learns."""
    return OpponentModel(model.theta, model.target, model.reward_model)


@dataclass(frozen=True)
class ModelledConfig(loqa.LoqaConfig):
    """LOQA's settings and those of the models; all of them ours.

    Raises:
        ValueError: see LoqaConfig.
    """

    model_lr: float = 3e-3  # Adam's, on the policy model π̂ and the rewards r̂; Q̂: `critic_lr`
    reward_hidden: int = 128  # hidden units of r̂

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "model_lr")
        at_least(self, 1, "reward_hidden")


def default_config(env_id: str) -> ModelledConfig:
    """Default settings for a game."""
    return ModelledConfig(**vars(loqa.default_config(env_id)))
