"""The samples of `estimator_quality`: groups of sampled gradients, each beside the true one.

Shapes  R runs, M batches of each, D parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from agents.exact.pola import PolaConfig
from agents.learners.lola.lola_exact import LolaConfig
from agents.learners.loqa.advantage_alignment import AlignmentConfig
from agents.learners.loqa.loqa import LoqaConfig
from agents.learners.meta_mapg.config import MetaConfig
from agents.learners.pola.pola_dice import PolaDiceConfig
from agents.matrix_games.sampled import SampleConfig, SampledGame
from benchmarks import coin_gradients, dilemma_gradients
from benchmarks.coin_batches import Table, loqa_batches, pola_batches
from benchmarks.coin_gradients import alignment_mean, coin
from benchmarks.gradient_quality import Parts, quality
from benchmarks.harness.benchmark import Result, Settings, pick_settings


def score(settings: Settings, runs: int, seed: int) -> Result:
    """One number a run and quantity: each run is a group of independent batches."""
    generator = torch.Generator().manual_seed(seed)
    scorers: dict[str, Callable[[Settings, int, torch.Generator], dict[str, Tensor]]] = {
        "pola": score_pola,
        "loqa": score_loqa,
        "lola": score_lola,
        "meta_mapg": score_meta,
    }
    samples = scorers[settings["learner"]](settings, runs, generator)
    return {"samples": {key: x.double().numpy() for key, x in samples.items()}}


def compare(got: list[Parts], true: Parts) -> dict[str, Tensor]:
    """Quality of the shaping term, and of the whole gradient.  Parts [M, D] a run, Parts [D]."""
    of_whole = quality(torch.stack([parts.whole for parts in got]), true.whole)
    share = true.shaping.norm() / true.own.norm()
    return (
        quality(torch.stack([parts.shaping for parts in got]), true.shaping)
        | {f"whole {key}": x for key, x in of_whole.items()}
        | {"share": share.expand(len(got))}
    )


def score_pola(settings: Settings, runs: int, generator: torch.Generator) -> dict[str, Tensor]:
    """POLA-DiCE, and what the other's imagined steps gain it."""
    players = coin(settings["policies"], settings["gamma"])
    inner = coin_gradients.inner_config(settings["eta"], settings["steps"], settings["gamma"])
    true, after = coin_gradients.pola_gradient(players, inner)
    cfg = PolaDiceConfig(
        gamma=settings["gamma"],
        horizon=settings["horizon"],
        batch=settings["games"],
        inner_steps=settings["steps"],
        lr_in=settings["eta"],
        lr_v=0.0,
        beta_in=0.0,
        beta_out=0.0,
        gae_lambda=settings["lambda"],
        dice_decay=settings["dice_decay"],
        actor="tabular",
    )

    # The same, sampled.
    table, got, gains = Table(players, generator), [], []
    for _ in range(runs):
        parts, other = pola_batches(table, cfg, after, settings["batches"])
        got.append(parts)
        gains.append(coin_gradients.mean_gain(players, torch.softmax(other, -1)))
    _, mirrored = coin_gradients.pola_gradient(players, PolaConfig("mirror", 1, 1.0))
    exact = {"gain": after, "mirror gain": mirrored}
    gain = {key: coin_gradients.imagined_gain(players, x).expand(runs) for key, x in exact.items()}
    return compare(got, true) | gain | {"sampled gain": torch.stack(gains)}


def score_loqa(settings: Settings, runs: int, generator: torch.Generator) -> dict[str, Tensor]:
    """LOQA or Advantage Alignment; of the latter's loaded form also the exact expectation."""
    players = coin(settings["policies"], settings["gamma"])
    form, decay = settings.get("form"), settings.get("decay", 1.0)
    true = coin_gradients.loqa_gradient(players, "advantage_alignment" if form else "loqa")

    common: dict[str, Any] = pick_settings(settings, "gamma", "horizon")
    common |= {"batch": settings["games"], "past_selves": False, "decay": decay}
    cfg = (
        AlignmentConfig(form=form, **common)
        if form
        else LoqaConfig(n_step=settings.get("n_step", 0), **common)
    )
    table = Table(players, generator)
    samples = compare([loqa_batches(table, cfg, settings["batches"]) for _ in range(runs)], true)
    if form != "loaded":
        return samples

    # What infinitely many batches would say.
    for word, apart in (("exact", False), ("apart", True)):
        mean = alignment_mean(players, decay, settings["horizon"], apart)
        of_mean = quality(mean.expand(1, 2, -1), true.shaping)
        samples |= {f"{word} {key}": of_mean[key].expand(runs) for key in ("kept", "direction")}
    return samples


def score_lola(settings: Settings, runs: int, generator: torch.Generator) -> dict[str, Tensor]:
    """LOLA-DiCE's look-ahead on sampled games."""
    game = dilemma_gradients.dilemma(settings["gamma"])
    logit = dilemma_gradients.POLICIES[settings["policies"]]
    theta = torch.full((2, game.dim), logit, dtype=torch.float64)
    cfg = LolaConfig(form="lookahead", eta=settings["eta"])
    true = Parts(*(x[0] for x in dilemma_gradients.lola_parts(theta[None], game, cfg)))

    # The same formulas on games that are played.
    estimator, (games, steps) = settings["estimator"], (settings["games"], settings["horizon"])
    sampled = SampledGame(game, SampleConfig(games, steps, estimator))
    sampled.generator = generator
    batches = settings["batches"]
    got = [dilemma_gradients.lola_batches(sampled, theta, cfg, batches) for _ in range(runs)]
    return compare(got, true)


def score_meta(settings: Settings, runs: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Meta-MAPG's gradient by the start of the first player."""
    logit = dilemma_gradients.POLICIES[settings["policies"]]
    states = dilemma_gradients.dilemma(settings["gamma"]).num_states
    start = torch.tensor([logit, 0.0], dtype=torch.float64).repeat(2, states)
    rates = torch.full((settings["chain"], 2), settings["rate"], dtype=torch.float64)
    true = dilemma_gradients.meta_gradient(start, rates, settings["gamma"])

    cfg = MetaConfig(
        chain=settings["chain"],
        games=settings["games"],
        steps=settings["horizon"],
        gamma=settings["gamma"],
        entropy=0.0,
        inner=settings.get("inner", "loaded"),
        pairing=settings.get("pairing", "steps"),
    )
    batches = settings["batches"]
    got = [
        dilemma_gradients.meta_batches(start, rates, cfg, batches, generator) for _ in range(runs)
    ]
    return compare(got, true)
