"""`solve`: a learner on a game of finite states, without sampling, R runs at once.

    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)
    policies, curves = solve("loqa", game, runs=10)           # [R, N, S, A], [U + 1, R, N]

A learner is what each player climbs (rules.py, pola.py) and how its parameters move (steps.py).  By
default all seats share one policy, as in the papers' self-play on symmetric games; with
`shared=False` each has its own.

Shapes  R runs, N players, M policies that learn (1 or N), S states, A actions, U updates, D parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from agents.exact import parametrisations
from agents.exact.markov_game import MarkovGame, Play
from agents.exact.pola import PolaConfig, outer_gradient
from agents.exact.rules import ShapingConfig, policy_gradient
from agents.exact.steps import StepConfig, Stepper
from social_dilemmas_env.validation import choice, integer

if TYPE_CHECKING:
    from social_dilemmas_env.exact import ExactGame

DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class SolveConfig:
    """A learner.

    Raises:
        ValueError: an unknown word, fewer than 0 updates.
    """

    objective: ShapingConfig | PolaConfig = ShapingConfig()  # what each player climbs
    step: StepConfig = StepConfig()  # how parameters move
    updates: int = 60  # U
    policy: Literal["tables", "mlp", "preconditioned"] = "tables"  # parametrisations.py
    shared: bool = True  # one policy for all seats
    precision: Literal["float64", "float32"] = "float64"  # of values; networks are float32

    def __post_init__(self) -> None:
        integer("updates", self.updates, 0)
        choice("policy", self.policy, ("tables", "mlp", "preconditioned"))
        choice("precision", self.precision, tuple(DTYPES))


MIRROR = StepConfig("mirror")
LEARNERS: dict[str, SolveConfig] = {
    "naive": SolveConfig(ShapingConfig("none")),
    "lola": SolveConfig(PolaConfig(inner="gradient"), updates=120),
    "loqa": SolveConfig(ShapingConfig("loqa")),
    "advantage_alignment": SolveConfig(ShapingConfig("advantage_alignment")),
    "pola": SolveConfig(PolaConfig(), MIRROR),
    "loqa_proximal": SolveConfig(ShapingConfig("loqa"), MIRROR),
    "naive_proximal": SolveConfig(ShapingConfig("none"), MIRROR),
}


class Solution(NamedTuple):
    """What learning came to.

    Attributes:
        policies: [R, N, S, A], each as its own seat sees the states.
        curves: [U + 1, R, N], (1 - γ) V at the start, before learning and after each update.
    """

    policies: Tensor
    curves: Tensor


def solve(
    learner: str,
    game: ExactGame,
    *,
    runs: int = 1,
    seed: int = 0,
    config: SolveConfig | None = None,
    device: str = "cpu",
    on_update: Callable[[int, Tensor], None] | None = None,
) -> Solution:
    """Learns a game without sampling.

    Args:
        learner: a name in LEARNERS; "loqa_exact" and the like name the same.
        game: of `social_dilemmas_env.exact_game`.
        runs: R, independent seeds; run r is the same however many there are.
        seed: of the initial parameters.
        config: the learner's settings; its defaults if None.
        device: where to compute.
        on_update: called with the number of updates made and the scores [R, N].

    Raises:
        ValueError: an unknown learner, runs below 1, players with different numbers of actions.
        NotConvergedError: a linear system was not solved.
    """
    name = choice("learner", learner.removesuffix("_exact"), tuple(LEARNERS))
    cfg = config or LEARNERS[name]
    markov = MarkovGame(game, make_parametrisation(game, cfg), device, DTYPES[cfg.precision])
    seats = 1 if cfg.shared else markov.num_players
    theta = markov.parametrisation.initial(integer("runs", runs, 1), seats, seed).to(device)
    stepper, curves = Stepper(markov.parametrisation, cfg.step), []
    for update in range(cfg.updates + 1):
        play = Play(markov, current_policies(theta, markov))
        curves.append(play.score)
        if on_update is not None:
            on_update(update, curves[-1])
        if update < cfg.updates:
            theta = stepper.step(theta, *gradients(play, seats, cfg.objective))
    return Solution(play.policies, torch.stack(curves))


def gradients(
    play: Play, seats: int, objective: ShapingConfig | PolaConfig
) -> tuple[Tensor, Tensor]:
    """What the first seats climb, and how often they are asked where.  -> [R, M, S, A], [R, M, S]."""
    rule = outer_gradient if isinstance(objective, PolaConfig) else policy_gradient
    by_seat = [rule(play, seat, objective) for seat in range(seats)]  # type: ignore[arg-type]
    gradient, visits = zip(*by_seat, strict=True)
    return torch.stack(gradient, 1), torch.stack(visits, 1)


@torch.no_grad()
def current_policies(theta: Tensor, game: MarkovGame) -> Tensor:
    """Every seat's policy.  [R, M, D] -> [R, N, S, A]."""
    policies = parametrisations.softmax(game.parametrisation.logits(theta).to(game.dtype))
    return policies.expand(-1, game.num_players, -1, -1)


def make_parametrisation(game: ExactGame, cfg: SolveConfig) -> parametrisations.Parametrisation:
    """The parametrisation that the settings name."""
    if cfg.policy == "tables":
        return parametrisations.tables(game, dtype=DTYPES[cfg.precision])
    return {"mlp": parametrisations.mlp, "preconditioned": parametrisations.preconditioned}[
        cfg.policy
    ](game)


def with_settings(name: str, **changes: object) -> SolveConfig:
    """A learner's default settings, some of them changed."""
    return replace(LEARNERS[name], **changes)  # type: ignore[arg-type]
