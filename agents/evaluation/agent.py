"""A trained agent that plays: from a run folder, a checkpoint, or those that come with the package.

    agent = load_agent("bundled:loqa_coin_game_v0")
    actions, hidden = agent.act(observations)                  # [B, *observation_shape] of one player -> [B]
    actions, hidden = agent.act(observations, hidden)

Shapes  B games, F features, A actions, H hidden units.
"""

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents.checkpoint import Checkpoint, CheckpointError, load
from agents.nn.gru import gru_step
from agents.nn.lstm import Lstm, lstm_step
from agents.nn.networks import (
    ActorCritic,
    Gru,
    Mlp,
    Params,
)

BUNDLED = Path(__file__).parents[1] / "bundled"
ALIASES = {
    "loqa_coin_game_v0": "loqa_3x3",
    "loqa_ipd_v0": "loqa_ipd",
    "meta_mapg_ipd_v0": "meta_mapg_ipd",
    "pola_dice_ipd_v0": "pola_dice_ipd",
}  # the usual agent of a game
Hidden = Tensor | None


class Agent:
    """A policy with its parameters.

    Attributes:
        env_id: the game it was trained for.
        game_kwargs: that game's arguments.
        facts: what its checkpoint says of it.
    """

    def __init__(
        self, net: ActorCritic, theta: Tensor, facts: dict[str, Any], seed: int = 0
    ) -> None:
        self.env_id, self.game_kwargs, self.facts = facts["env_id"], facts["game"], facts
        self._net, self._theta = net.actor, net.unpack(theta, "actor")
        self._draws = torch.Generator().manual_seed(seed)

    @torch.no_grad()
    def act(
        self,
        observations: Any,
        hidden: Hidden = None,
        *,
        greedy: bool = False,
        draws: torch.Generator | None = None,
    ) -> tuple[Any, Hidden]:
        """One step in B games.

        Args:
            observations: [B, *observation_shape], of the player it is; a torch tensor or a numpy
                array.
            hidden: what the last call returned; None at the start of episodes.
            greedy: take the likeliest action instead of drawing one.
            draws: the randomness, on the CPU; the agent's own if None.

        Returns:
            Actions, int64 [B], of the library of the observations; and what to pass next time.
        """
        logits, hidden = self.logits(torch.as_tensor(observations), hidden)
        if greedy:
            actions = logits.argmax(-1)
        else:
            uniforms = torch.rand(len(logits), 1, generator=draws or self._draws).to(logits.device)
            actions = (uniforms >= torch.softmax(logits, -1).cumsum(-1)[:, :-1]).sum(-1)
        return (actions if isinstance(observations, Tensor) else actions.cpu().numpy()), hidden

    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        """The same without drawing.  [B, ...] -> [B, A]."""
        x = observations.to(self._net.table).flatten(1)[None]
        if x.shape[-1] != self._net.table.shape[1]:
            raise ValueError(
                f"this agent plays {self.env_id} with {self.game_kwargs}: its observations have {self._net.table.shape[1]} "
                f"numbers, these {tuple(observations.shape)} have {x.shape[-1]}"
            )
        logits, hidden = forward(self._net, self._theta, x, hidden)
        return logits[0], hidden


class AgentPlayer:
    """An agent in the shape of a scripted player: `reset(B)`, `act(observations, first=None) ->
    actions`.
    """

    def __init__(self, agent: Agent, seed: int = 0, greedy: bool = False) -> None:
        self.agent, self.greedy = agent, greedy
        self.hidden: Hidden = None
        self.draws = torch.Generator().manual_seed(seed)

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes in all games."""
        self.hidden = None
        if seed is not None:
            self.draws.manual_seed(seed)

    def act(self, observations: Any, first: Any = None) -> Any:
        """[B, *observation_shape], and the games [B] whose episode has just begun -> [B]."""
        if first is not None and self.hidden is not None:
            self.hidden = torch.where(torch.as_tensor(first)[None, :, None], 0, self.hidden)
        actions, self.hidden = self.agent.act(
            observations, self.hidden, greedy=self.greedy, draws=self.draws
        )
        return actions


def forward(net: Any, params: Params, x: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
    """One step of a network that ignores time, on observations.

    [K, n, F], [K, n, H] -> [K, n, A], [K, n, H].
    """
    if isinstance(net, Gru):
        h = x.new_zeros(*x.shape[:-1], net.hidden) if hidden is None else hidden
        gates = torch.relu(x @ params["dense0"] + params["bias0"]) @ net.folded(
            params
        ) + net.folded_bias(params)
        h = gru_step(gates, h, params["recurrent"].contiguous(), params["candidate_bias"])
        return h @ params["out"] + params["out_bias"], h
    if isinstance(net, Lstm):
        state = x.new_zeros(*x.shape[:-1], 2 * net.hidden) if hidden is None else hidden
        gates = (
            torch.relu(x @ params["dense0"] + params["bias0"]) @ params["gates"]
            + params["gates_bias"]
        )
        h, c = state.chunk(2, -1)
        h, c = lstm_step(gates, (h, c), params["recurrent"])
        return h @ params["out"] + params["out_bias"], torch.cat((h, c), -1)
    if isinstance(net, Mlp):
        x = x @ params["dense0"] + params["bias0"]
        for i in range(1, len(net.hidden) + 1):
            x = torch.relu(x) @ params[f"dense{i}"] + params[f"bias{i}"]
        return x, None
    return x @ params["zero_table"], None


def bundled() -> list[str]:
    """Names of the agents that come with the package."""
    return sorted(path.stem for path in BUNDLED.glob("*.json"))


def load_agent(
    source: str | Path, device: str = "cpu", seed: int = 0, *, player: int = 0, run: int = 0
) -> Agent:
    """An agent by name ("bundled:NAME"), run folder or checkpoint file (.json).

    Args:
        source: see above.
        device: where it computes.
        seed: of its random choices.
        player: which player's network, where players have networks of their own.
        run: which of several runs that were learned side by side.

    Raises:
        ValueError: there is no bundled agent of that name (the nearest are named), or no such
            player or run.
        CheckpointError: no checkpoint, or a damaged one, or one of another version.
    """
    checkpoint = load(find(source))
    return agent_of(
        checkpoint if (player, run) == (0, 0) else one_of(checkpoint, player, run), device, seed
    )


def load_agents(source: str | Path, device: str = "cpu", seed: int = 0) -> list[Agent]:
    """An agent for every seat of its game: each player's own network, where they have their own.

    See load_agent.
    """
    return agents_of(load(find(source)), device, seed)


def one_of(checkpoint: Checkpoint, player: int, run: int) -> Checkpoint:
    """The checkpoint of a deep learner with the network of one player and run alone.

    Raises:
        ValueError: it has no such player or run.
    """
    theta = checkpoint.tensors.get(f"self{player}.theta")
    if theta is None or not 0 <= run < len(theta):
        raise ValueError(f"{checkpoint.path} has no network of player {player} in run {run}")
    return replace(checkpoint, tensors={"self0.theta": theta[run : run + 1]})


def agents_of(
    checkpoint: Checkpoint, device: str = "cpu", seed: int = 0, *, run: int = 0
) -> list[Agent]:
    """The agents of a run that a checkpoint holds, by seat."""
    first = agent_of(one_of(checkpoint, 0, run) if run else checkpoint, device, seed)
    seats = range(1, len(sde.spec(first.env_id).game(**first.game_kwargs).num_actions))
    own = {i: one_of(checkpoint, i, run) for i in seats if f"self{i}.theta" in checkpoint.tensors}
    return [first, *(agent_of(own[i], device, seed) if i in own else first for i in seats)]


def find(source: str | Path) -> Path:
    """Where an agent is: see load_agent."""
    kind, colon, name = str(source).partition(":")
    if kind != "bundled" or not colon:
        path = Path(source)
        return path / "checkpoints" if (path / "checkpoints").is_dir() else path
    name = ALIASES.get(name, name)
    if name not in bundled():
        near = difflib.get_close_matches(name, bundled(), n=3, cutoff=0.3) or bundled()
        raise ValueError(f"there is no bundled agent {name!r}; there are {', '.join(near)}")
    return BUNDLED / f"{name}.json"


def agent_of(checkpoint: Checkpoint, device: str = "cpu", seed: int = 0) -> Agent:
    """The agent that a checkpoint holds."""
    from agents.registry import LEARNERS

    facts = checkpoint.facts
    for name in ("learner", "env_id", "game", "settings"):
        if name not in facts:
            raise CheckpointError(f"{checkpoint.path}: it says nothing of {name!r}: not an agent")
    if facts["learner"] not in LEARNERS:
        raise CheckpointError(
            f"{checkpoint.path}: saved by the learner {facts['learner']!r}, which this version has not"
        )
    return LEARNERS[facts["learner"]].agent(checkpoint, device, seed)
