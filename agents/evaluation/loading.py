"""Trained agents from run folders, checkpoints, and those that come with the package.

    load_agent("bundled:loqa_3x3")               one agent
    load_agents("runs/x")                        one for every seat of its game
    load_policy_table("runs/x")                  P(action | observation) of policies without memory

Shapes  R independent runs, N seats, V observations of the game, A actions.
"""

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from agents.checkpoint import Checkpoint, load
from agents.errors import CheckpointError
from agents.evaluation import cards
from agents.evaluation.agent import TrainedAgent
from agents.execution.games import spaces
from agents.manifest import PROBLEMS, sentence
from agents.registry import LEARNERS, current_name
from social_dilemmas_env.deprecation import moved_names
from social_dilemmas_env.rng import check_seed

# The usual agent of a game.
ALIASES = {
    "loqa_coin_game_v0": "loqa_3x3",
    "loqa_ipd_v0": "loqa_ipd",
    "meta_mapg_ipd_v0": "meta_mapg_ipd",
    "pola_dice_ipd_v0": "pola_dice_ipd",
}

# What every agent's checkpoint says of it.
FACTS = {"learner": str, "env_id": str, "game": dict, "settings": dict}


def load_agent(
    source: str | Path, device: str = "cpu", seed: int = 0, *, player: int = 0, run: int = 0
) -> TrainedAgent:
    """An agent by name ("bundled:NAME"), run folder or checkpoint file (.json).

    Args:
        source: see above.
        device: where it computes.
        seed: of its random choices.
        player: which seat's network, where seats have networks of their own.
        run: which of several runs that were learned side by side.

    Raises:
        ValueError: there is no bundled agent of that name (the nearest are named), or no such
            player or run.
        CheckpointError: no checkpoint, or a damaged one, or one of another version.
    """
    checkpoint = load(find_checkpoint(source))
    if (player, run) != (0, 0):
        checkpoint = select_network(checkpoint, player, run)
    return restore_agent(checkpoint, device, seed)


def load_agents(
    source: str | Path, device: str = "cpu", seed: int = 0, *, run: int = 0
) -> list[TrainedAgent]:
    """An agent for every seat of its game: each seat's own network, where they have their own.

    Args:
        source: a name, run folder or checkpoint; see load_agent.
        device: where they compute.
        seed: of their random choices.
        run: which of several runs that were learned side by side.

    Raises:
        ValueError, CheckpointError: see load_agent.
    """
    return restore_agents(load(find_checkpoint(source)), device, seed, run=run)


@torch.no_grad()
def load_policy_table(source: str | Path, device: str = "cpu") -> Tensor:
    """The trained policies of all runs and seats, as probabilities: for agents without memory.

    Args:
        source: a name, run folder or checkpoint; see load_agent.
        device: where they are computed.

    Returns:
        [R, N, V, A].  Observations in the order of `make_vec_env(..., obs_mode="state")`; in a
        memory-one matrix game start, CC, CD, DC, DD, the own action first.

    Raises:
        ValueError: the agent remembers more than its last observation, so that it has no table; or
            see load_agent.
        CheckpointError: see load_agent.
    """
    checkpoint = load(find_checkpoint(source))

    # What can be seen in its game.
    first = restore_agent(checkpoint, device)
    refusal = f"{source} remembers: ask load_agents(...)[seat].probabilities"
    if first.finite_memory:
        raise ValueError(refusal)
    observations, _ = spaces(first.env_id, first.game_kwargs, device)

    # [N, V, A] of every run.
    runs = []
    for run in range(count_runs(checkpoint)):
        seats = []
        for seat in range(len(first.rules.num_actions)):
            agent = restore_agent(_select_own(checkpoint, seat, run), device)
            # All observations at once, each as the first of an episode.
            chances, hidden = agent.probabilities(observations)
            if hidden is not None:
                raise ValueError(refusal)
            seats.append(chances)
        runs.append(torch.stack(seats))
    return torch.stack(runs)


def _select_own(checkpoint: Checkpoint, seat: int, run: int) -> Checkpoint:
    """The checkpoint with the policy that a seat learned, its own or the one of all seats."""
    if "policies" in checkpoint.tensors or f"self{seat}.theta" in checkpoint.tensors:
        return select_network(checkpoint, seat, run)
    return select_network(checkpoint, 0, run) if run else checkpoint


def find_checkpoint(source: str | Path) -> Path:
    """Where an agent is: the path for `checkpoint.load`.

    Raises:
        ValueError: there is no bundled agent of that name (the nearest are named).
        TypeError: neither a name nor a path.
    """
    if not isinstance(source, str | os.PathLike):
        raise TypeError(f"an agent is bundled:NAME, a run folder or a file, got {source!r:.60}")
    kind, colon, name = str(source).partition(":")
    if kind != "bundled" or not colon:
        path = Path(source)
        if not path.exists() and kind in (*ALIASES, *cards.list_bundled()):
            raise ValueError(f"there is no {source}; did you mean 'bundled:{source}'?")
        return path / "checkpoints" if (path / "checkpoints").is_dir() else path

    return cards.bundled_manifest(ALIASES.get(name, name))


def holds_policies(checkpoint: Checkpoint) -> bool:
    """Whether `select_network` can choose among what a checkpoint holds."""
    return bool({"policies", "self0.theta", "phi0"} & checkpoint.tensors.keys())


def count_runs(checkpoint: Checkpoint) -> int:
    """How many runs, learned side by side, a checkpoint holds policies of.  R."""
    there = [name for name in ("self0.theta", "policies", "phi0") if name in checkpoint.tensors]
    return len(checkpoint.tensors[there[0]]) if there else 1


def select_network(checkpoint: Checkpoint, player: int, run: int) -> Checkpoint:
    """The checkpoint with the policy of one seat and run alone.

    Raises:
        ValueError: it has no such seat or run.
    """
    policies = checkpoint.tensors.get("policies")  # [R, N, S, A], of a tabular learner
    if policies is not None and 0 <= run < len(policies) and 0 <= player < policies.shape[1]:
        chosen = policies[run : run + 1].roll(-player, 1)  # an agent plays the first one's
        return replace(checkpoint, tensors={"policies": chosen})

    theta = checkpoint.tensors.get(f"self{player}.theta")  # [R, P], of a deep learner
    if theta is not None and 0 <= run < len(theta):
        return replace(checkpoint, tensors={"self0.theta": theta[run : run + 1]})

    start = checkpoint.tensors.get("phi0")  # [R, P], of a meta-learner, which every seat plays
    if start is not None and 0 <= run < len(start) and player == 0:
        return _select_start(checkpoint, run)

    raise ValueError(f"{checkpoint.path} has no network of player {player} in run {run}")


def _select_start(checkpoint: Checkpoint, run: int) -> Checkpoint:
    """All that a meta-learner learned in one run: its agent can go on learning."""
    facts, settings = checkpoint.facts, checkpoint.facts.get("settings")
    if isinstance(settings, dict):  # else `restore_agent` says what is wrong with it
        facts = {**facts, "settings": {**settings, "runs": 1}}

    # All tensors but the state of its draws begin with the axis of runs.
    tensors = {
        name: x if name == "draws" else x[run : run + 1] for name, x in checkpoint.tensors.items()
    }
    return replace(checkpoint, facts=facts, tensors=tensors)


def restore_agents(
    checkpoint: Checkpoint, device: str = "cpu", seed: int = 0, *, run: int = 0
) -> list[TrainedAgent]:
    """The agents of a run that a checkpoint holds, by seat.

    Raises:
        ValueError: it has no such run.
        CheckpointError: see restore_agent.
    """
    first = restore_agent(select_network(checkpoint, 0, run) if run else checkpoint, device, seed)
    agents = [first]
    for seat in range(1, len(first.rules.num_actions)):
        # Tabular learners are judged by player 0's policy in every seat: what `evaluate` and the
        # metrics of a run say of them is of two copies.
        own = f"self{seat}.theta" in checkpoint.tensors
        chosen = select_network(checkpoint, seat, run) if own else None
        agent = first if chosen is None else restore_agent(chosen, device, seed)
        agents.append(agent.seated(seat))
    return agents


def restore_agent(checkpoint: Checkpoint, device: str = "cpu", seed: int = 0) -> TrainedAgent:
    """The agent that a checkpoint holds: the first run's policy of player 0.

    Raises:
        CheckpointError: it is not that of an agent, or that of another version.
        TypeError, ValueError: no such seed.
    """
    # Is it an agent at all?
    facts = checkpoint.facts
    for name, kind in FACTS.items():
        if name not in facts:
            raise CheckpointError(f"{checkpoint.path}: it says nothing of {name!r}: not an agent")
        if not isinstance(facts[name], kind):
            raise CheckpointError(f"{checkpoint.path}: its {name!r} is {facts[name]!r:.60}")

    # Whose?  Checkpoints keep the names of their day.
    learner = current_name(facts["learner"])
    if learner not in LEARNERS:
        raise CheckpointError(
            f"{checkpoint.path}: saved by the learner {learner!r}, which this version has not"
        )

    # What its facts and tensors make: whatever they may be, the error names the file.
    check_seed(seed)
    try:
        agent: TrainedAgent = LEARNERS[learner].agent(checkpoint, device, seed)
    except (ImportError, torch.OutOfMemoryError, CheckpointError):
        raise
    except (*PROBLEMS, RuntimeError) as error:  # torch's is for shapes, and for devices
        if not device.startswith("cpu"):
            raise
        raise CheckpointError(f"{checkpoint.path}: it makes no agent: {sentence(error)}") from error
    return agent


# What stands in cards.py now, which needs no torch.
_NAMES = ("BUNDLED", "list_bundled")
__getattr__ = moved_names(__name__, {name: f"agents.evaluation.cards.{name}" for name in _NAMES})
