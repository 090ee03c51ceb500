"""What proximal LOQA has learned, as networks and as an agent that plays."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, check_tensors
from agents.evaluation.agent import Agent, Hidden, forward
from agents.evaluation.restore import known_settings, num_runs
from agents.learners.loqa_proximal.loqa_proximal import ProximalConfig
from agents.learners.loqa_proximal.views import View, Viewed, make_view
from agents.nn.networks import ActorCritic, Gru, Mlp, Network


def actor_critic(cfg: ProximalConfig, view: View, num_actions: int) -> ActorCritic:
    """The policy and the action values, as functions of what is shown."""

    def net(kind: str, hidden: int, layers: int) -> Network:
        if kind == "gru":
            return Gru(view.table, num_actions, hidden, layers)
        return Mlp(view.table, num_actions, (hidden,) * layers)

    return ActorCritic(
        net(cfg.actor, cfg.actor_hidden, cfg.actor_layers),
        net(cfg.critic, cfg.critic_hidden, cfg.critic_layers),
    )


def on_ids(net: ActorCritic, view: View) -> ActorCritic:
    """The same as functions of the game's observation ids."""

    def viewed(part: Network) -> Viewed:
        return Viewed(part.table, part.num_actions, part, view.index, isinstance(part, Mlp))

    return ActorCritic(viewed(net.actor), viewed(net.critic))


class ViewedAgent(Agent):
    """A network that is shown a view of the observations.

    Args:
        net: of what is shown.
        theta: [1, P].
        facts: what its checkpoint says of it.
        seed: of its random choices.
        view: what is shown.
    """

    def __init__(
        self, net: ActorCritic, theta: Tensor, facts: dict[str, Any], seed: int, view: View
    ) -> None:
        super().__init__(net, theta, facts, seed)
        self._view = view
        self._rules = sde.spec(self.env_id).game(**self.game_kwargs)

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        self.check_batch(observations)
        x = observations.to(self._net.table.device, self._dtype).flatten(1)
        numbers = int(torch.Size(self._rules.observation_shape).numel())
        self.check_features(x, numbers, tuple(observations.shape))

        logits, hidden = forward(self._net, self._theta, self._view.shown(x)[None], hidden)
        return logits[0], hidden


def restore_agent(saved: Checkpoint, device: str, seed: int) -> ViewedAgent:
    """The agent of a checkpoint: its first run's.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    facts, name = saved.facts, "self0.theta"
    cfg = ProximalConfig(**known_settings(saved, ProximalConfig))
    rules = sde.spec(facts["env_id"]).game(**facts["game"])
    view = make_view(rules, cfg.centred, device)
    net = actor_critic(cfg, view, rules.num_actions[0])

    expected = {name: torch.empty(num_runs(saved, name), net.size, device="meta")}
    check_tensors(saved.tensors, expected, saved.path)
    return ViewedAgent(net, saved.tensors[name][:1].to(device), facts, seed, view)
