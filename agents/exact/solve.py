"""`solve`: a learner on a game of finite states, without sampling, R runs at once.

    game = sde.exact_game("coin_game_v0", memory="last_pickup", gamma=0.96)
    policies, curves = solve("loqa", game, runs=10)           # [R, N, S, A], [U + 1, R, N]

Where all seats are in the same situation they share one policy, as in the papers' self-play on
symmetric games; otherwise, or with `shared=False`, each has its own.  Tables are learned on one
state for all its mirror images (orbits of the symmetries that the rules name), which loses
nothing but policies that prefer left to right.

Runs on any device; above some thousand states linear systems are solved by iteration, on the CPU
(krylov.py).

Shapes  R runs, N players, M policies that learn (1 or N), S states, A actions, U updates, D
        parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from agents.exact import parametrisations
from agents.exact.learners import DTYPES, SolveConfig, with_settings
from agents.exact.markov_game import MarkovGame, Play
from agents.exact.models import Models, imagined
from agents.exact.pola import PolaConfig, outer_gradient
from agents.exact.rules import policy_gradient
from agents.exact.steps import Stepper
from social_dilemmas_env.exact.orbits import Orbits, orbits
from social_dilemmas_env.rng import draw
from social_dilemmas_env.validation import integer

if TYPE_CHECKING:
    from social_dilemmas_env.exact.game import ExactGame


MODELS = 1  # what `draw(seed, ...)` is for; part of every seeded result


class Solution(NamedTuple):
    """What learning came to.

    Attributes:
        policies: [R, N, S, A], each as its own seat sees the states of the game that was passed.
        curves: [U + 1, R, N], (1 - γ) μ · V before learning and after each update.
    """

    policies: Tensor
    curves: Tensor


def solve(
    learner: str | SolveConfig,
    game: ExactGame,
    *,
    runs: int = 1,
    seed: int = 0,
    symmetric: bool | None = None,
    device: str | torch.device = "cpu",
    on_update: Callable[[int, Tensor], None] | None = None,
    **settings: Any,
) -> Solution:
    """Learns a game without sampling.

    Args:
        learner: a name in LEARNERS (learners.py), with or without "_exact", or settings.
        game: of `social_dilemmas_env.exact_game`.
        runs: R, independent seeds; run r is the same however many there are.
        seed: of the initial parameters.
        symmetric: learn policies that are the same up to the symmetries of the rules, on orbits;
            None: tables where the game has such symmetries.
        device: where to compute.
        on_update: called with the number of updates made and the scores [R, N].
        **settings: of the learner, see `with_settings`.

    Raises:
        ValueError: an unknown learner or setting, runs below 1, players with different numbers of
            actions, `symmetric` or `shared` where the game is not.
        FloatingPointError: policies that are no longer numbers.
        NotConvergedError: a linear system was not solved.
    """
    cfg = with_settings(learner, **settings)
    integer("runs", runs, 1)
    folded = _folded(game, cfg, symmetric)
    learned_on = game if folded is None else folded.game
    markov = MarkovGame(
        learned_on, make_parametrisation(learned_on, cfg), device, DTYPES[cfg.precision]
    )
    shared = _shares(markov, cfg)
    seats = 1 if shared else markov.num_players

    # Learn; the last round only looks at what was learned.
    theta = markov.parametrisation.initial(runs, seats, seed).to(device)
    stepper, curves = Stepper(markov.parametrisation, cfg.step), []
    models = Models(markov.parametrisation, cfg.models, draw(seed, MODELS))
    for update in range(cfg.updates + 1):
        play = Play(markov, current_policies(theta, markov), alike=shared)
        curves.append(play.score)
        _check_finite(curves[-1], update)
        if on_update is not None:
            on_update(update, curves[-1])
        if update < cfg.updates:
            others = models.fit(play) if cfg.models.model_fits else None
            theta = stepper.step(theta, *gradients(play, seats, cfg, others))

    # Back to the states of the game that was passed.
    policies = play.policies
    if folded is not None:
        policies = torch.as_tensor(folded.lift(policies.cpu().numpy())).to(policies)
    return Solution(policies, torch.stack(curves))


def _folded(game: ExactGame, cfg: SolveConfig, symmetric: bool | None) -> Orbits | None:
    """The game with one state for all its mirror images, if asked for or of use."""
    wanted = cfg.policy == "tables" if symmetric is None else symmetric
    if not wanted or game.stabiliser is not None:  # it is such a game itself
        return None
    try:
        folded = orbits(game)
    except ValueError:
        if symmetric:
            raise
        return None
    return folded if folded.game.num_states < game.num_states else None


def _shares(game: MarkovGame, cfg: SolveConfig) -> bool:
    """Whether all seats share one policy."""
    if cfg.shared is None:
        return game.seats_alike
    if cfg.shared and not game.seats_alike:
        raise ValueError(
            "shared=True needs seats in the same situation, and in this game values differ "
            "between seats that play the same policy"
        )
    return cfg.shared


def _check_finite(score: Tensor, update: int) -> None:
    bad = (~torch.isfinite(score)).any(-1).nonzero().flatten().tolist()
    if bad:
        raise FloatingPointError(
            f"policies of run {bad[0]} are not numbers after {update} updates; take smaller steps"
        )


def gradients(
    play: Play, seats: int, cfg: SolveConfig, models: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """What the first seats climb, and how often they are asked where.

    Args:
        play: what is played.
        seats: M.
        cfg: the learner.
        models: [R, N, S, A], what the others take each seat to play; None: they know.

    Returns:
        [R, M, S, A], [R, M, S].
    """
    climbs = cfg.objective
    views = [imagined(play, seat, models) for seat in range(seats)]
    by_seat = [
        outer_gradient(view, seat, climbs)
        if isinstance(climbs, PolaConfig)
        else policy_gradient(view, seat, climbs)
        for seat, view in enumerate(views)
    ]
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
    if cfg.policy == "preconditioned":
        return parametrisations.preconditioned(game)
    return parametrisations.mlp(game)
