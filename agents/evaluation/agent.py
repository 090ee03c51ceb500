"""A trained agent that plays.

    agent = load_agent("bundled:loqa_coin_game_v0")            # evaluation/loading.py
    actions, hidden = agent.act(observations)                  # [B, *observation_shape] -> [B]
    actions, hidden = agent.act(observations, hidden)
    probabilities, hidden = agent.probabilities(observations)  # [B, A]

Shapes  B games, F features, A actions, H hidden units, K parameter sets, n games a set.
"""

import copy
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from agents.nn.gru import gru_step
from agents.nn.lstm import Lstm, lstm_step
from agents.nn.networks import ActorCritic, Gru, Mlp, Params
from agents.sampling import seeded_generator
from social_dilemmas_env.deprecation import moved_names
from social_dilemmas_env.registry import spec

Hidden = Tensor | None


class TrainedAgent:
    """What all trained agents share: how they choose an action.

    A subclass gives `logits`.

    Attributes:
        env_id: the game it was trained for.
        game_kwargs: that game's arguments.
        facts: what its checkpoint says of it.
        remark: what those who watch it play should know, a sentence; "" for nothing.
        finite_memory: whether it remembers boards and an automaton's state, and nothing else.
        critic: what it expected to earn (`Critic`), where its checkpoint has kept that.
    """

    finite_memory = False
    critic: Any = None
    # Of the uniform numbers that choose actions; part of what a seed means.
    uniform_dtype = torch.float32
    remark = ""

    def __init__(self, facts: dict[str, Any], seed: int = 0) -> None:
        self.env_id: str = facts["env_id"]
        self.game_kwargs: dict[str, Any] = facts["game"]
        self.facts = facts
        self._generator = seeded_generator(seed)

    @cached_property
    def rules(self) -> Any:
        """The game it was trained for."""
        return spec(self.env_id).game(**self.game_kwargs)

    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        """Log-probabilities but for a constant, and the memory.  [B, ...] -> [B, A].

        Raises:
            ValueError: observations of another game.
        """
        raise NotImplementedError

    @torch.no_grad()
    def probabilities(self, observations: Any, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        """The policy.

        Args:
            observations: [B, *observation_shape], of the player it is; torch or numpy.
            hidden: what the last call returned; None at the start of episodes.

        Returns:
            [B, A], probabilities; and what to pass next time.

        Raises:
            ValueError: observations of another game.
        """
        logits, hidden = self.logits(torch.as_tensor(observations), hidden)
        return torch.softmax(logits, -1), hidden

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
            observations: [B, *observation_shape], of the player it is; torch or numpy.
            hidden: what the last call returned; None at the start of episodes.
            greedy: take the likeliest action instead of drawing one.
            draws: the randomness, on the CPU; the agent's own if None.

        Returns:
            Actions, int64 [B], of the library of the observations; and what to pass next time.

        Raises:
            ValueError: observations of another game.
        """
        if greedy:
            logits, hidden = self.logits(torch.as_tensor(observations), hidden)
            actions = logits.argmax(-1)
        else:
            # Inverse of the distribution function, at one uniform number a game.
            chances, hidden = self.probabilities(observations, hidden)
            generator = draws or self._generator
            shape = (len(chances), 1)
            uniforms = torch.rand(shape, generator=generator, dtype=self.uniform_dtype)
            below = chances.cumsum(-1)[:, :-1]
            actions = (uniforms.to(chances.device) >= below).sum(-1)

        return (actions if isinstance(observations, Tensor) else actions.cpu().numpy()), hidden

    def precise(self) -> "TrainedAgent":
        """The same policy computed in float64, with the parameters shared or copied."""
        return self

    def shown_its_memory(self) -> "TrainedAgent":
        """The same policy of a game that shows what it remembers; itself, where there is none."""
        return self

    def check_batch(self, observations: Tensor) -> None:
        """Raises ValueError if these are one observation, and not those of B games."""
        one = self.rules.observation_shape
        if tuple(observations.shape) == one:
            raise ValueError(f"this is one observation, {one}: pass a batch: observation[None]")

    def seated(self, player: int, game_kwargs: Mapping[str, Any] | None = None) -> "TrainedAgent":
        """The agent in a seat of a game.  Most read nothing but observations, in any seat.

        Args:
            player: which player it is.
            game_kwargs: the game's arguments; None for those it was made for.

        Raises:
            ValueError: a game that it cannot play.
        """
        return self

    def check_features(self, x: Tensor, expected: int, shape: tuple[int, ...]) -> None:
        """Raises ValueError unless flat observations x [..., F] have the agent's F.

        Args:
            x: the observations, flat.
            expected: F.
            shape: of the observations as they came, for the message.
        """
        if x.shape[-1] != expected:
            raise ValueError(
                f"this agent plays {self.env_id} with {self.game_kwargs}: its observations have "
                f"{expected} numbers, these {shape} have {x.shape[-1]}"
            )


class Agent(TrainedAgent):
    """A network with its parameters.

    Args:
        net: the actor, and a critic that is not asked.
        theta: [1, P], the parameters of both.
        facts: what its checkpoint says of it.
        seed: of its random choices.

    Attributes:
        theta: the actor's parameters by name, [K, ...], as `forward` reads them.
        sets: K, more than 1 for several agents as one; see `beside`.
    """

    def __init__(
        self, net: ActorCritic, theta: Tensor, facts: dict[str, Any], seed: int = 0
    ) -> None:
        super().__init__(facts, seed)
        self._net, self.theta = net.actor, fold(net.actor, net.unpack(theta, "actor"))
        self._dtype, self.sets = self._net.table.dtype, 1

    @property
    def parameters(self) -> Params:
        """The policy's weights by name, [1, ...] each, without what `fold` adds."""
        return {name: self.theta[name] for name in self._net.shapes()}

    @override
    def precise(self) -> "Agent":
        twin = copy.copy(self)
        twin.convert(torch.float64)
        return twin

    def convert(self, dtype: torch.dtype) -> None:
        """Computes in another type of numbers from now on."""
        theta = {name: x.to(dtype) for name, x in self.theta.items()}
        self.theta, self._dtype = fold(self._net, theta), dtype

    @property
    def architecture(self) -> tuple[Any, ...]:
        """Equal for agents that can play side by side."""
        shapes = {name: (tuple(x.shape[1:]), str(x.dtype)) for name, x in self.theta.items()}
        return (type(self._net).__name__, *sorted(shapes.items()))

    def beside(self, others: Sequence["Agent"]) -> "Agent":
        """Itself and others of its architecture as one: of B games each has an equal share.

        Args:
            others: K - 1 agents; agent k plays the games k B / K to (k + 1) B / K - 1.
        """
        twin = copy.copy(self)
        twin.sets = 1 + len(others)
        twin.theta = {
            name: torch.cat([x, *[other.theta[name] for other in others]])
            for name, x in self.theta.items()
        }
        return twin

    @override
    def logits(self, observations: Tensor, hidden: Hidden = None) -> tuple[Tensor, Hidden]:
        self.check_batch(observations)

        # Of several sets of parameters each has its share of the games.
        x = observations.to(self._net.table.device, self._dtype).flatten(1)
        x = x.unflatten(0, (self.sets, -1))
        self.check_features(x, self._net.table.shape[1], tuple(observations.shape))
        logits, hidden = forward(self._net, self.theta, x, hidden)
        return logits.flatten(0, 1), hidden


class AgentPlayer:
    """An agent in the shape of a scripted player: it keeps the memory of its games.

    All games draw from one generator, as they did for the scores that are committed: a game
    depends on how many are played beside it.  `AgentPolicy` (agent_policy.py) has a draw a game.

    Args:
        agent: who plays.
        seed: of its random choices.
        greedy: take the likeliest action instead of drawing one.
    """

    def __init__(self, agent: TrainedAgent, seed: int = 0, greedy: bool = False) -> None:
        self.agent, self.greedy = agent, greedy
        self.hidden: Hidden = None
        self.generator = seeded_generator(seed)

    def reset(self, num_games: int, seed: int | None = None) -> None:
        """Begins episodes in all games.

        Raises:
            TypeError: a seed that is no integer.
        """
        if isinstance(seed, list | tuple):
            raise TypeError("AgentPlayer takes one seed; AgentPolicy takes one for each game")
        self.hidden = None
        if seed is not None:
            self.generator = seeded_generator(seed)

    def act(self, observations: Any, first: Any = None) -> Any:
        """[B, *observation_shape], and the games [B] whose episode has just begun -> [B]."""
        self.hidden = forget(self.hidden, first)
        actions, self.hidden = self.agent.act(
            observations, self.hidden, greedy=self.greedy, draws=self.generator
        )
        return actions


def forget(hidden: Hidden, first: Any) -> Hidden:
    """Games that begin anew start without memory, as after a reset.

    Args:
        hidden: [K, B, H], or None.
        first: [B] bool, the games whose episode has just begun; None: none.
    """
    if first is None or hidden is None:
        return hidden
    began = torch.as_tensor(first, device=hidden.device)[None, :, None]
    return torch.where(began, 0, hidden)


def fold(net: Any, params: Params) -> Params:
    """Weights as `forward` reads them: linear layers that follow one another as one."""
    if isinstance(net, Gru):
        folded = {"folded": net.folded(params), "folded_bias": net.folded_bias(params)}
        return {**params, **folded}
    return params


def forward(net: Any, params: Params, x: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
    """One step of a network, on observations.

    Args:
        net: it must not use the time step.
        params: its weights by name, [K, ...] each; of `fold`.
        x: [K, n, F].
        hidden: [K, n, H] (twice H of an LSTM), or None at the start of episodes.

    Returns:
        Logits [K, n, A], and the memory, None of a network without.
    """
    # Dense, then a GRU.
    if isinstance(net, Gru):
        h = x.new_zeros(*x.shape[:-1], net.hidden) if hidden is None else hidden
        inputs = torch.relu(x @ params["dense0"] + params["bias0"])
        gates = inputs @ params["folded"] + params["folded_bias"]
        h = gru_step(gates, h, params["recurrent"].contiguous(), params["candidate_bias"])
        return h @ params["out"] + params["out_bias"], h

    # Dense, then an LSTM, whose two memories are kept side by side.
    if isinstance(net, Lstm):
        state = x.new_zeros(*x.shape[:-1], 2 * net.hidden) if hidden is None else hidden
        inputs = torch.relu(x @ params["dense0"] + params["bias0"])
        gates = inputs @ params["gates"] + params["gates_bias"]
        h, c = state.chunk(2, -1)
        h, c = lstm_step(gates, (h, c), params["recurrent"])
        return h @ params["out"] + params["out_bias"], torch.cat((h, c), -1)

    # Dense layers, no memory.
    if isinstance(net, Mlp):
        x = x @ params["dense0"] + params["bias0"]
        for i in range(1, len(net.hidden) + 1):
            x = torch.relu(x) @ params[f"dense{i}"] + params[f"bias{i}"]
        return x, None

    # A table: observations are one-hot.
    return x @ params["zero_table"], None


# Names that were here before.
__getattr__ = moved_names(
    __name__,
    {
        "ALIASES": "agents.evaluation.loading.ALIASES",
        "BUNDLED": "agents.evaluation.cards.BUNDLED",
        "load_agent": "agents.evaluation.loading.load_agent",
        "load_agents": "agents.evaluation.loading.load_agents",
        "bundled": "agents.evaluation.cards.list_bundled",
        "find": "agents.evaluation.loading.find_checkpoint",
        "one_of": "agents.evaluation.loading.select_network",
        "agent_of": "agents.evaluation.loading.restore_agent",
        "agents_of": "agents.evaluation.loading.restore_agents",
    },
)
