"""R independent runs of learners at once.

Every player updates simultaneously, θ_i ← θ_i + δ f_i(θ).  Each may use another learner: any
function `direction(theta, game) -> [R, N, D]`, of which player i's slice is taken.  Runs never mix:
a run whose parameters would become non-finite stops where it was, and the others go on.

    sgd     θ ← θ + δ f
    adam    θ ← θ + δ m̂ / (√v̂ + ε)            moments kept from update to update
    sign    θ ← θ + δ f / (|f| + ε)            Adam created anew before every update

Papers  Adam: Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, β = .9, .999 sign: what POLA's
        LOLA-DiCE baseline does, Zhao et al. 2022, https://arxiv.org/abs/2210.10125

Shapes  R independent runs, N players, D parameters a player, T updates.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import torch
from torch import Tensor

from agents.matrix_games.differentiable import DifferentiableGame, check_theta
from agents.nn.adam import EPSILON
from agents.nn.adam import adam_direction as adam
from agents.sampling import seeded_generator
from agents.shapes import check_shapes

Game = TypeVar("Game", bound=DifferentiableGame)
Direction = Callable[[Tensor, DifferentiableGame], Tensor]  # of a learner of any game
DirectionOn = Callable[[Tensor, Game], Tensor]  # of one that needs more of its game
Step = Callable[[Tensor], Tensor]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stopped:
    """A run that was frozen because an update made its parameters non-finite."""

    run: int  # index of the run
    step: int  # the update, counted from 1; 0 if it began so

    def __str__(self) -> str:
        return f"run {self.run} stopped at step {self.step}: its parameters became non-finite"


@dataclass
class History:
    """What a batch of runs leaves."""

    # [T + 1, R, N], payoff a step before learning and after each update (`game.report`)
    values: Tensor
    # [R, N, D], final parameters; a stopped run keeps its last finite ones
    theta: Tensor
    # the runs that were frozen, in order of time
    stopped: list[Stopped] = field(default_factory=list)
    # [T + 1, ...], what `observe` returned, or None
    observed: Tensor | None = None


def initial_theta(game: DifferentiableGame, cfg: RunConfig) -> Tensor:
    """θ ~ N(0, init_std²), the same on every device.  [R, N, D]."""
    generator = seeded_generator(cfg.seed)
    shape = (cfg.runs, game.num_players, game.dim)
    theta = torch.randn(shape, dtype=torch.float64, generator=generator)
    return (cfg.init_std * theta).to(game.device)


def joint_direction(theta: Tensor, game: Game, learners: Sequence[DirectionOn[Game]]) -> Tensor:
    """Player i's slice of learner i's direction.  [R, N, D] -> [R, N, D].

    A learner that several players share is called once.
    """
    directions = {learner: learner(theta, game) for learner in dict.fromkeys(learners)}
    return torch.stack([directions[learner][:, i] for i, learner in enumerate(learners)], 1)


def optimizer(name: str) -> Step:
    """The rule called `name`: direction [R, N, D] -> step [R, N, D], before δ."""
    rules: dict[str, Step] = {
        "sgd": lambda f: f,
        "adam": adam(),
        "sign": lambda f: f / (f.abs() + EPSILON),
    }
    return rules[name]


def ascend(theta: Tensor, step: Tensor, lr: Tensor, active: Tensor) -> tuple[Tensor, Tensor]:
    """θ + δ step for the active runs.

    [R, N, D], [R, N, D], [N], [R] -> new θ, and the runs [R] that remain finite.
    """
    check_shapes("theta: R N D, step: R N D, lr: N, active: R", theta, step, lr, active)
    new = theta + lr[:, None] * step
    finite = active & torch.isfinite(new).all(-1).all(-1)
    return torch.where(finite[:, None, None], new, theta), finite


def run(
    game: Game,
    learners: DirectionOn[Game] | Sequence[DirectionOn[Game]],
    cfg: RunConfig | None = None,
    theta: Tensor | None = None,
    observe: Callable[[Tensor], Tensor] | None = None,
) -> History:
    """Let the learners play and learn `cfg.steps` times in `cfg.runs` independent runs.

    Args:
        game: the game.
        learners: one for all players, or one a player.
        cfg: runs, steps, learning rate, optimiser, seed.
        theta: [R, N, D] to start from (R replaces `cfg.runs`); drawn from N(0, init_std²) if None.
        observe: anything to record of θ before learning and after each update.

    Returns:
        Payoffs of every update and the last θ.

    Raises:
        ValueError: learners or θ that do not fit the game.
    """
    cfg = cfg or RunConfig()
    learners = (learners,) * game.num_players if callable(learners) else tuple(learners)
    if len(learners) != game.num_players:
        raise ValueError(f"{len(learners)} learners for a game of {game.num_players} players")
    theta = initial_theta(game, cfg) if theta is None else theta.detach().clone()
    check_theta(theta, game)

    lr = torch.as_tensor(cfg.lr, dtype=theta.dtype, device=theta.device).expand(game.num_players)
    rule, active = optimizer(cfg.optimizer), torch.isfinite(theta).all(-1).all(-1)
    values, alive = [game.report(theta)], [active]
    observations = [observe(theta)] if observe else []

    for _ in range(cfg.steps):
        step = rule(joint_direction(theta, game, learners).detach())
        theta, active = ascend(theta, step, lr, active)
        values.append(game.report(theta))
        alive.append(active)
        if observe:
            observations.append(observe(theta))

    observed = torch.stack(observations) if observe else None
    return History(torch.stack(values), theta, report_stopped(torch.stack(alive)), observed)


def report_stopped(alive: Tensor) -> list[Stopped]:
    """The first step at which each run was no longer finite, also written to the log.

    [T + 1, R] -> list, in order of time.
    """
    dead = (~alive).int()
    steps = dead.argmax(0).tolist()  # the first 1 of each run
    runs = dead[-1].nonzero()[:, 0].tolist()
    stopped = sorted((Stopped(r, steps[r]) for r in runs), key=lambda s: (s.step, s.run))

    for each in stopped:
        warn_stopped(each)
    return stopped


def warn_stopped(stopped: Stopped) -> None:
    """Writes to the log that a run was frozen."""
    log.warning("%s; the other runs go on", stopped)


@dataclass(frozen=True)
class RunConfig:
    """How the learners are run.

    Raises:
        ValueError: counts below 1 (steps below 0), a step size or spread that is not finite, an
            unknown optimiser.
    """

    # R; ours, the papers show 50 (authors' run_lola.py: num_episodes)
    runs: int = 1000
    # T; authors' run_lola.py: trace_length is the number of updates in the exact trainer
    steps: int = 200
    # δ, one for all or one a player; authors' run_lola.py
    lr: float | tuple[float, ...] = 1.0
    # spread of the first θ; authors' train_exact.py: 5 logits from N(0, 1)
    init_std: float = 1.0
    # of the first θ
    seed: int = 0
    # see the top of this file; the exact trainer's is "sgd"
    optimizer: Literal["sgd", "adam", "sign"] = "sgd"
    # read by `exact_table`; `run` follows the game
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.runs < 1 or self.steps < 0:
            raise ValueError(f"runs must be >= 1 and steps >= 0, not {self.runs} and {self.steps}")
        rates = torch.as_tensor(self.lr).flatten().tolist()
        if not all(math.isfinite(number) for number in (self.init_std, *rates)):
            raise ValueError(f"lr and init_std must be finite, not {self.lr} and {self.init_std}")
        if self.optimizer not in ("sgd", "adam", "sign"):
            raise ValueError(f"optimizer must be 'sgd', 'adam' or 'sign', not {self.optimizer!r}")
