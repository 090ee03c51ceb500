"""Policies of exact games as agents: made by linear algebra, played from observations.

    python -m agents.learners.exact_policy exact_loqa_3x3 agents/bundled/exact_loqa_3x3.json

made the agents of these names that come with the package: `solve` (agents/exact/solve.py) learns a
table on the game as `exact_game` enumerates it, without a sampled game, and the checkpoint says how
good it is, exactly: a certificate against every strategy, and scores beside those of games played.
`load_agent` gives a `MemoryAgent` (evaluation/memory_agent.py).
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents import checkpoint
from agents.checkpoint import Checkpoint, CheckpointError, check_tensors
from agents.evaluation.export import EPISODES, SEED
from agents.evaluation.memory_agent import MemoryAgent
from agents.evaluation.restore import known_settings
from agents.evaluation.scoring import score_agent
from agents.exact.solve import solve
from agents.execution.device import device_name
from agents.learners.bundling import (
    bundle_command,
    bundle_words,
    check_bundle,
    spec_without_loop,
)
from social_dilemmas_env.exact import ExactGame

OPPONENTS = ("always_cooperate", "always_defect", "tit_for_tat")


@dataclass(frozen=True)
class ExactPolicyConfig:
    """How a table was learned, and of which game it is."""

    learner: str = "loqa"  # a name in agents/exact/learners.py, with its settings there
    updates: int = 60  # U
    gamma: float = 0.96  # γ; the Coin Game's, in all papers
    memory: str | None = "last_pickup"  # what it reads besides the board; see `exact_game`
    symmetry: Literal["translations", "all"] = "all"  # boards that are one row of the table


# name -> settings, arguments of the game.
RECIPES: dict[str, tuple[ExactPolicyConfig, dict[str, Any]]] = {
    "exact_loqa_3x3": (ExactPolicyConfig(), {}),
    "exact_loqa_5x5": (ExactPolicyConfig(), {"grid_size": 5}),
    "exact_loqa_7x7": (ExactPolicyConfig(), {"grid_size": 7}),
    "exact_pola_3x3": (ExactPolicyConfig("pola"), {}),
    "exact_naive_3x3": (ExactPolicyConfig("naive"), {}),
}


def enumerated(cfg: ExactPolicyConfig, env_id: str, game: dict[str, Any]) -> ExactGame:
    """The game that a table belongs to."""
    return sde.exact_game(env_id, memory=cfg.memory, gamma=cfg.gamma, symmetry=cfg.symmetry, **game)


def restore_agent(saved: Checkpoint, device: str, seed: int) -> MemoryAgent:
    """The agent of a checkpoint.

    Raises:
        CheckpointError: settings or a table of another version or game.
    """
    facts = saved.facts
    cfg = ExactPolicyConfig(**known_settings(saved, ExactPolicyConfig))
    exact = enumerated(cfg, facts["env_id"], facts["game"])

    shape = (exact.num_states, exact.num_actions[0])
    check_tensors(saved.tensors, {"policy": torch.empty(shape)}, saved.path)
    try:
        policy = saved.tensors["policy"].double().numpy()
        return MemoryAgent(exact, policy, facts, seed, device)
    except ValueError as error:
        raise CheckpointError(f"{saved.path}: {error}") from None


def learn_policy(cfg: ExactPolicyConfig, exact: ExactGame, seed: int) -> Tensor:
    """The table of a learner that plays all seats.  [S, A] in float32."""
    found = solve(cfg.learner, exact, seed=seed, updates=cfg.updates)
    return found.policies[0, 0].float()


def exact_facts(exact: ExactGame, policy: Any, opponents: tuple[str, ...]) -> dict[str, Any]:
    """What is known of a policy without playing: a certificate, and scores of a whole episode.

    Args:
        exact: the game.
        policy: [S, A], played in every seat.
        opponents: scripted players, in all other seats.
    """
    table = exact.check(policy, 0)
    seats = range(exact.num_agents)
    certificate = exact.certificate([table for _ in seats])
    episode = exact.finite(exact.origin.game.max_cycles)

    def score(name: str | None) -> np.ndarray:
        return episode.score([table, *[name or table for _ in seats[1:]]])

    scores = {"self": float(score(None).mean())}
    for name in opponents:
        found = score(name)
        scores |= {f"vs {name}": float(found[0]), f"{name} vs it": float(found[1:].mean())}
    return {
        "certificate": str(certificate),
        "epsilon": round(certificate.epsilon, 6),
        "steps": episode.steps,
        "scores": {name: round(value, 6) for name, value in scores.items()},
    }


def make_bundle(name: str, path: str | Path, seed: int = 0) -> Path:
    """Learns one of RECIPES and writes it with what it is worth.

    Args:
        name: which.
        path: NAME.json; NAME.safetensors is written beside it.
        seed: of the initial table.

    Returns:
        `path`, which `load_agent` takes.

    Raises:
        ValueError: an unknown name, or a path that does not end in .json.
        OSError: it could not be written.
    """
    path = check_bundle(name, path, RECIPES)

    # Learn.
    cfg, game = RECIPES[name]
    start = time.process_time()
    exact = enumerated(cfg, "coin_game_v0", game)
    policy = learn_policy(cfg, exact, seed)
    seconds = round(time.process_time() - start, 2)

    # Say how, and what it is worth.
    facts: dict[str, Any] = {
        "learner": "exact_policy",
        "env_id": "coin_game_v0",
        "game": game,
        "settings": asdict(cfg),
        "seed": seed,
        "device": device_name("cpu"),
        "seconds": seconds,
        "iterations": cfg.updates,
        "command": bundle_words("exact_policy", name, seed),
        "note": "Learned without sampling, by linear algebra on the rules; not selected: seed 0.",
        "exact": exact_facts(exact, policy, OPPONENTS),
    }
    agent = MemoryAgent(exact, policy.double().numpy(), facts)
    scores = score_agent(agent, episodes=EPISODES, seed=SEED, opponents=OPPONENTS)
    facts["scores"] = {key: round(value, 4) for key, value in scores.items()}
    facts["evaluation"] = {"episodes": EPISODES, "seed": SEED, "greedy": False}
    return checkpoint.export(path, Checkpoint(path, cfg.updates, facts, {"policy": policy}))


EXACT_POLICY = spec_without_loop(
    "exact_policy",
    "a policy of an exact game, learned without sampling",
    ExactPolicyConfig,
    restore_agent,
    "samples no games: python -m agents.learners.exact_policy --help, or agents.solve",
)

if __name__ == "__main__":
    bundle_command(__doc__.splitlines()[0], RECIPES, make_bundle, seed="of the initial table")
