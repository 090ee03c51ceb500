"""What proximal LOQA has learned, as networks and as an agent that plays."""

from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint
from agents.evaluation.agent import Agent, Hidden, forward
from agents.evaluation.restore import first_theta, known_settings
from agents.learners.loqa_proximal.loqa_proximal import ProximalConfig
from agents.learners.loqa_proximal.views import Shown, make_view
from agents.nn.networks import ActorCritic, Gru, Mlp, Network
from agents.nn.symmetry import UpToSymmetry
from social_dilemmas_env.games.coin_boards import board_columns, board_of
from social_dilemmas_env.games.coin_memory import pickups_after
from social_dilemmas_env.games.coin_rules import CoinGame


def actor_critic(cfg: ProximalConfig, view: Shown, num_actions: int) -> ActorCritic:
    """The policy and the action values, as functions of what is shown."""

    def net(kind: str, hidden: int, layers: int) -> Network:
        if kind == "gru":
            return Gru(view.table, num_actions, hidden, layers)
        return Mlp(view.table, num_actions, (hidden,) * layers)

    return ActorCritic(
        net(cfg.actor, cfg.actor_hidden, cfg.actor_layers),
        net(cfg.critic, cfg.critic_hidden, cfg.critic_layers),
    )


def on_ids(net: ActorCritic, view: Shown) -> ActorCritic:
    """The same as functions of the game's observation ids."""

    def viewed(part: Network) -> UpToSymmetry:
        return UpToSymmetry(part.table, part.num_actions, part, view.classes, by_samples=True)

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
        self, net: ActorCritic, theta: Tensor, facts: dict[str, Any], seed: int, view: Shown
    ) -> None:
        super().__init__(net, theta, facts, seed)
        self._view = view

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        shown = self._view.shown(self._flat(observations))
        logits, hidden = forward(self._net, self.theta, shown[None], hidden)
        return logits[0], hidden

    def _flat(self, observations: Tensor) -> Tensor:
        """Observations of the game that is played.  -> [B, F]."""
        self.check_batch(observations)
        x = observations.to(self._net.table.device, self._dtype).flatten(1)
        numbers = int(torch.Size(self.rules.observation_shape).numel())
        self.check_features(x, numbers, tuple(observations.shape))
        return x


class RememberingAgent(ViewedAgent):
    """A network without memory that is shown who picked up what last, as seen from two boards.

    `hidden` [1, B, C] is 1, the last board and the memory; 0 means that nothing was seen yet.
    """

    def __init__(
        self, net: ActorCritic, theta: Tensor, facts: dict[str, Any], seed: int, view: Shown
    ) -> None:
        super().__init__(net, theta, facts, seed, view)
        self._parts = (net, theta)

    @override
    def shown_its_memory(self) -> ViewedAgent:
        net, theta = self._parts
        game = {**self.game_kwargs, "memory": self.facts["settings"]["remember"]}
        return ViewedAgent(net, theta, {**self.facts, "game": game}, 0, self._view)

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        x = self._flat(observations)
        now = self._remember(x, None if hidden is None else hidden[0])

        shown = self._view.of_columns(tuple(now[:, 1:].T)).to(self._dtype)
        logits, _ = forward(self._net, self.theta, shown[None], None)
        return logits[0], now[None]

    def _remember(self, x: Tensor, before: Tensor | None) -> Tensor:
        """Boards from the player's own seat and the memory after them.  -> [B, C]."""
        rules = self.rules
        board, places = board_of(rules, x), board_columns(rules)
        memory = [torch.zeros_like(board[0])] * rules.num_agents
        # Games that begin anew have a row of zeros behind them.
        if before is not None:
            last = list(before.T[1:])
            found = pickups_after(rules, last[places:], tuple(last[:places]), board)
            memory = [column * before[:, 0] for column in found]
        return torch.stack([torch.ones_like(board[0]), *board, *memory], 1)


def learned_game(cfg: ProximalConfig, env_id: str, game: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the game that is learned, whose observations show what is remembered.

    Raises:
        ValueError: a game in which that cannot be, or where it is shown already.
    """
    if cfg.remember is None:
        return game
    rules = sde.spec(env_id).game(**game)
    # Where the lowest seat wins ties, what was picked up depends on the seat.
    if not isinstance(rules, CoinGame) or rules.ties == "red" or "memory" in game:
        raise ValueError(
            f"remember={cfg.remember!r} is for the Coin Game without memory= and with ties that "
            "look the same from every seat"
        )
    return {**game, "memory": cfg.remember}


def restore_agent(saved: Checkpoint, device: str, seed: int) -> ViewedAgent:
    """The agent of a checkpoint: its first run's.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    facts = saved.facts
    cfg = ProximalConfig(**known_settings(saved, ProximalConfig))
    learned = sde.spec(facts["env_id"]).game(**learned_game(cfg, facts["env_id"], facts["game"]))
    view = make_view(learned, cfg.centred, device)
    net = actor_critic(cfg, view, learned.num_actions[0])
    kind = ViewedAgent if cfg.remember is None else RememberingAgent
    return kind(net, first_theta(saved, net).to(device), facts, seed, view)
