"""Networks cloned from policies of exact games: what the table does, from the board alone.

    python -m agents.learners.exact_clone cloned_3x3 agents/bundled/cloned_3x3.json

A GRU that sees no memory, only boards, learns to do what its teacher does (DAgger): it plays, the
teacher says what it would have done, and cross-entropy moves the one towards the other,

    loss = - mean over games and steps of Σ_a p(a | board, memory) log π_θ(a | boards so far)

on the states that the pupil itself visits; in the first rounds the teacher plays.  Partners are the
pupil itself (whose moves are learned from too) and scripted players, so that it sees what it has to
answer.  The checkpoint has scores of teacher and pupil side by side: the loss of cloning.

Paper   Ross, Gordon, Bagnell 2011, DAgger, https://arxiv.org/abs/1011.0686
Shapes  T steps, n games, F features, A actions, H hidden units, P parameters; one set: K = 1.
"""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

import social_dilemmas_env as sde
from agents import checkpoint
from agents.checkpoint import Checkpoint
from agents.evaluation.agent import Agent, AgentPlayer, TrainedAgent
from agents.evaluation.export import EPISODES, SEED
from agents.evaluation.loading import load_agent
from agents.evaluation.restore import first_theta, known_settings
from agents.evaluation.scoring import play_episodes, score_agent
from agents.execution.device import device_name
from agents.learners.bundling import (
    bundle_command,
    bundle_words,
    check_bundle,
    spec_without_loop,
)
from agents.learners.exact_policy import OPPONENTS
from agents.nn.adam import Adam, clip
from agents.nn.gru import gru
from agents.nn.networks import ActorCritic, Gru, Mlp, log_softmax
from agents.progress import ProgressBar

PARTNERS = ("always_defect", "always_cooperate", "random")


@dataclass(frozen=True)
class CloneConfig:
    """How a pupil learns; rounds is what `iterations` counts."""

    teacher: str = "bundled:exact_loqa_3x3"  # whose policy it learns
    hidden: int = 64  # H
    rounds: int = 80  # of playing and being corrected
    teacher_rounds: int = 5  # at first, when the teacher plays
    games: int = 128  # n a round, half of them with itself
    steps: int = 40  # Adam's a round, in turn on its games and on those of an earlier one
    batch: int = 48  # games a step
    replay: int = 10  # earlier rounds that are learned from again
    lr: float = 1e-2  # Adam's, falling to a tenth


# name -> settings.
RECIPES = {
    "cloned_3x3": CloneConfig(),
    "cloned_7x7": CloneConfig("bundled:exact_loqa_7x7", hidden=96, rounds=50),
}


class Labelled(NamedTuple):
    """Games and what the teacher would have done."""

    seen: Tensor  # [T, 1, n, F]
    wanted: Tensor  # [T, 1, n, A] probabilities


def network(env_id: str, game: dict[str, Any], hidden: int) -> ActorCritic:
    """A GRU; what stands for a critic is linear and never asked."""
    rules = sde.spec(env_id).game(**game)
    # The table of all observations is only asked for its width: on 7x7 it would take 300 MB.
    table, actions = torch.zeros(1, math.prod(rules.observation_shape)), rules.num_actions[0]
    return ActorCritic(Gru(table, actions, hidden), Mlp(table, actions, ()))


def logits_of(net: ActorCritic, theta: Tensor, seen: Tensor) -> Tensor:
    """Logits of whole episodes.  [1, P], [T, 1, n, F] -> [T, 1, n, A]."""
    actor, params = net.actor, net.unpack(theta, "actor")
    assert isinstance(actor, Gru)
    first = torch.relu(seen @ params["dense0"] + params["bias0"])
    x = first @ actor.folded(params) + actor.folded_bias(params)
    hidden = gru(x, params["recurrent"], params["candidate_bias"])
    return hidden @ params["out"] + params["out_bias"]


def cloning_loss(net: ActorCritic, theta: Tensor, labelled: Labelled) -> Tensor:
    """- mean Σ_a p log π, at least the teacher's own entropy."""
    return -(labelled.wanted * log_softmax(logits_of(net, theta, labelled.seen))).sum(-1).mean()


@torch.no_grad()
def correct(teacher: TrainedAgent, observations: np.ndarray, seat: int) -> Tensor:
    """What the teacher would do all along.  [T, n, ...] -> [T, 1, n, A]."""
    one, hidden, wanted = teacher.seated(seat), None, []
    for seen in observations:
        chances, hidden = one.probabilities(seen, hidden)
        wanted.append(chances)
    return torch.stack(wanted)[:, None]


def play_labelled(
    player: TrainedAgent, teacher: TrainedAgent, cfg: CloneConfig, seed: int
) -> Labelled:
    """A round: half of the games with itself, the others with scripted partners, in both seats."""
    env_id, game = teacher.env_id, teacher.game_kwargs
    share = max(1, cfg.games // (2 * len(PARTNERS)))
    meetings: list[tuple[int, str | None, int]] = [(0, None, cfg.games // 4)]
    meetings += [(i % 2, name, share) for i, name in enumerate(PARTNERS, seed)]

    seen, wanted = [], []
    for k, (seat, partner, count) in enumerate(meetings):
        players: list[Any] = [AgentPlayer(player.seated(i)) for i in (0, 1)]
        if partner is not None:
            scripted = sde.make_strategy(partner, env_id, player=1 - seat, **game)
            players[1 - seat] = scripted
        played = play_episodes(env_id, players, count, sde.draw(seed, 2, k), **game)

        # With itself both seats are its own.
        for own in (0, 1) if partner is None else (seat,):
            observations = played["observations"][:-1, :, own]
            wanted.append(correct(teacher, observations, own))
            seen.append(torch.as_tensor(observations).flatten(2)[:, None])
    return Labelled(torch.cat(seen, 2), torch.cat(wanted, 2))


def clone(
    cfg: CloneConfig, seed: int = 0, bar: ProgressBar | None = None
) -> tuple[Tensor, list[float]]:
    """A pupil's parameters [1, P], and the loss of each round before it learned from it.

    Args:
        cfg: the settings.
        seed: fixes everything.
        bar: moved by one a round.
    """
    teacher = load_agent(cfg.teacher)
    net = network(teacher.env_id, teacher.game_kwargs, cfg.hidden)
    theta = net.initial(1, torch.Generator().manual_seed(seed))
    adam, earlier, losses = Adam.of(theta), list[Labelled](), []
    choice = np.random.default_rng(seed)

    for number in range(cfg.rounds):
        # Play, and be corrected.
        facts = {"env_id": teacher.env_id, "game": teacher.game_kwargs}
        pupil = Agent(net, theta, facts, sde.draw(seed, 3, number))
        player = teacher if number < cfg.teacher_rounds else pupil
        labelled = play_labelled(player, teacher, cfg, sde.draw(seed, 4, number))
        with torch.no_grad():
            losses.append(float(cloning_loss(net, theta, labelled)))

        # Learn from it, and from an earlier one.
        lr = cfg.lr * 0.1 ** (number / cfg.rounds)
        for step in range(cfg.steps):
            one = earlier[choice.integers(len(earlier))] if earlier and step % 2 else labelled
            some = torch.as_tensor(choice.integers(one.seen.shape[2], size=cfg.batch))
            part = Labelled(one.seen[:, :, some], one.wanted[:, :, some])
            theta = theta.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(cloning_loss(net, theta, part), theta)
            theta = adam.step(theta.detach(), clip(gradient, 1.0), lr)

        earlier = [*earlier, labelled][-cfg.replay :]
        if bar is not None:
            bar.advance(text=f"loss {losses[-1]:.3f}")
    return theta.detach(), losses


def restore_agent(saved: Checkpoint, device: str, seed: int) -> Agent:
    """The agent of a checkpoint.

    Raises:
        CheckpointError: settings or tensors of another version, game or size.
    """
    cfg = CloneConfig(**known_settings(saved, CloneConfig))
    net = network(saved.facts["env_id"], saved.facts["game"], cfg.hidden)
    theta = first_theta(saved, net).to(device)
    table = net.actor.table.to(device)
    net = ActorCritic(
        Gru(table, net.actor.num_actions, cfg.hidden), Mlp(table, net.actor.num_actions, ())
    )
    return Agent(net, theta, saved.facts, seed)


def make_bundle(name: str, path: str | Path, seed: int = 0) -> Path:
    """Clones one of RECIPES and writes it with its scores beside its teacher's.

    Args:
        name: which.
        path: NAME.json; NAME.safetensors is written beside it.
        seed: fixes everything.

    Returns:
        `path`, which `load_agent` takes.

    Raises:
        ValueError: an unknown name, or a path that does not end in .json.
        OSError: it could not be written.
    """
    path = check_bundle(name, path, RECIPES)

    # Learn.
    cfg = RECIPES[name]
    teacher, start = load_agent(cfg.teacher), time.process_time()
    with ProgressBar(name, cfg.rounds) as bar:
        theta, _ = clone(cfg, seed, bar)
    seconds = round(time.process_time() - start, 1)

    # Score pupil and teacher by the same games.
    facts: dict[str, Any] = {
        "learner": "exact_clone",
        "env_id": teacher.env_id,
        "game": teacher.game_kwargs,
        "settings": asdict(cfg),
        "seed": seed,
        "device": device_name("cpu"),
        "seconds": seconds,
        "iterations": cfg.rounds,
        "command": bundle_words("exact_clone", name, seed),
        "note": "A GRU that sees boards only, cloned from its teacher (DAgger); not selected.",
    }
    pupil = restore_agent(Checkpoint(path, cfg.rounds, facts, {"self0.theta": theta}), "cpu", 0)
    for key, agent in (("scores", pupil), ("teacher_scores", teacher)):
        found = score_agent(agent, episodes=EPISODES, seed=SEED, opponents=OPPONENTS)
        facts[key] = {name: round(value, 4) for name, value in found.items()}
    facts["cloning_loss"] = round(cloning_gap(pupil, teacher, cfg), 5)
    facts["evaluation"] = {"episodes": EPISODES, "seed": SEED, "greedy": False}
    return checkpoint.export(path, Checkpoint(path, cfg.rounds, facts, {"self0.theta": theta}))


@torch.no_grad()
def cloning_gap(pupil: TrainedAgent, teacher: TrainedAgent, cfg: CloneConfig) -> float:
    """Mean KL(teacher ‖ pupil) a step, nats, in fresh games that the pupil plays."""
    labelled = play_labelled(pupil, teacher, cfg, SEED)
    hidden, total = None, 0.0
    for seen, wanted in zip(labelled.seen[:, 0], labelled.wanted[:, 0], strict=True):
        chances, hidden = pupil.probabilities(seen, hidden)
        terms = torch.special.xlogy(wanted, wanted) - torch.special.xlogy(wanted, chances)
        total += float(terms.sum(-1).mean()) / len(labelled.seen)
    return total


EXACT_CLONE = spec_without_loop(
    "exact_clone",
    "a GRU cloned from a policy of an exact game",
    CloneConfig,
    restore_agent,
    "has a loop of its own: python -m agents.learners.exact_clone --help",
)

if __name__ == "__main__":
    bundle_command(__doc__.splitlines()[0], RECIPES, make_bundle)
