"""How good sampled gradients of opponent shaping are: bias and noise beside the true gradient.

The truth is linear algebra: agents/exact on the 3x3 Coin Game (tables over board and last
pick-ups) for LOQA, Advantage Alignment and POLA-DiCE, MatrixGame and meta_mapg_exact on the
iterated prisoner's dilemma for LOLA-DiCE and Meta-MAPG.  Sampled gradients come from the deep
learners' own formulas on tables over the same states, with critics that know the values
(coin_batches.py, dilemma_gradients.py).  Rows are about the shaping term, what goes through the
other's answer, unless they say "whole".

No paper prints these numbers.  Targets are what theory says: an unbiased estimator keeps 1 of the
truth.  POLA-DiCE is unbiased up to the noise of its own inner step, LOLA-DiCE up to the cut at T.
"""

from __future__ import annotations

from typing import Any

from benchmarks import coin_gradients, dilemma_gradients
from benchmarks.estimator_quality_plot import plot
from benchmarks.estimator_quality_scores import score
from benchmarks.harness.benchmark import Benchmark, Cell, Row, Settings, pick_settings

SETTINGS = {
    "runs": 10,
    "batches": 8,  # of a run
    # POLA-DiCE in the Coin Game; what a cell does not change.
    "pola_gamma": 0.9,
    "pola_games": 1000,
    "pola_horizon": 32,
    "pola_eta": 50.0,
    "pola_lambda": 0.9,
    # LOQA and Advantage Alignment: the published Coin Game agents'.
    "loqa_gamma": 0.96,
    "loqa_games": 512,
    "loqa_horizon": 50,
    # LOLA-DiCE: the authors'.
    "lola_games": 64,
    "lola_horizon": 150,
    "lola_eta": 0.3,
    # Meta-MAPG: ours.
    "meta_chain": 3,
    "meta_games": 32,
    "meta_horizon": 50,
    "meta_rate": 1.0,
    "dilemma_gamma": 0.96,
}
SMALL = {
    "runs": 2,
    "batches": 2,
    "pola_games": 8,
    "pola_horizon": 4,
    "loqa_games": 8,
    "loqa_horizon": 6,
    "lola_games": 4,
    "lola_horizon": 6,
    "meta_games": 4,
    "meta_horizon": 6,
}
WORDS = {  # of a quantity, and decimals
    "norm": ("squared norm of the true term", 12),
    "share": ("true term over own gradient, norms", 4),
    "kept": ("kept along the truth", 3),
    "bias": ("squared bias over squared norm", 3),
    "direction": ("cosine of the mean", 3),
    "deviation": ("deviation of a batch over norm", 2),
    "cosine": ("cosine of a batch", 3),
    "signal": ("signal to noise of a batch", 3),
    "whole kept": ("whole gradient, kept along the truth", 3),
    "whole cosine": ("whole gradient, cosine of a batch", 3),
    "gain": ("the other's imagined gain a step, exact step", 5),
    "sampled gain": ("the other's imagined gain a step, sampled steps", 5),
    "mirror gain": ("the other's imagined gain a step, mirror step of beta 1", 5),
    "exact kept": ("kept along the truth, exact expectation", 3),
    "exact direction": ("cosine of the mean, exact expectation", 3),
    "apart kept": ("same, other's future of another game, kept", 3),
    "apart direction": ("same, other's future of another game, cosine", 3),
}
SHORT: tuple[str, ...] = ("kept", "deviation", "cosine", "signal", "whole cosine")
# The mean's direction, where batches are few enough times as noisy as long.
WITH_DIRECTION = ("direction", *SHORT)
UNBIASED = {"kept": (0.8, 1.2), "whole kept": (0.9, 1.1)}
COIN = tuple(coin_gradients.POLICIES)
ENDS = (COIN[0], COIN[-1])  # the two that all estimators are looked at
POLA: dict[str, dict[str, Any]] = {  # what differs from the settings, and quantities more
    "dice_decay .95": {"dice_decay": 0.95},
    "dice_decay .9": {"dice_decay": 0.9},
    "dice_decay .8": {"dice_decay": 0.8},
    "dice_decay .6": {"dice_decay": 0.6},
    "lambda .5": {"lambda": 0.5},
    "lambda 1": {"lambda": 1.0},
    "a quarter of the games": {"times": 0.25},
    "four times the games": {"times": 4},
    "eta 1": {"eta": 1.0},
    "eta 10": {"eta": 10.0},
    "eta 200": {"eta": 200.0},
    "K 2": {"steps": 2},
    "K 4": {"steps": 4},
}
LOQA: dict[str, dict[str, Any]] = {
    "LOQA, lambda .9": {"decay": 0.9},
    "LOQA, lambda 1": {"decay": 1.0},
    "LOQA, n_step 2": {"n_step": 2},
    "Advantage Alignment, lambda .9": {"form": "loaded", "decay": 0.9},
    "Advantage Alignment, lambda 1": {"form": "loaded", "decay": 1.0},
    "Advantage Alignment, form mean": {"form": "mean"},
}
LOLA: dict[str, dict[str, Any]] = {
    "dice": {"estimator": "dice"},
    # Its critic is fitted on the games that it is subtracted from.
    "loaded": {"estimator": "loaded"},
    "loaded, eight times the games": {"estimator": "loaded", "times": 8},
    "surrogate": {"estimator": "surrogate"},
}
META: dict[str, dict[str, Any]] = {
    "loaded": {},
    "DiCE inside": {"inner": "dice"},
    "theorem": {"pairing": "theorem"},
}


def cells(settings: Settings) -> list[Cell]:
    """POLA-DiCE, LOQA and Advantage Alignment, LOLA-DiCE, Meta-MAPG."""
    dilemma = tuple(dilemma_gradients.POLICIES)
    return [
        *(build_pola_cell(policies, "base", {}, settings) for policies in COIN),
        *(
            build_pola_cell(policies, word, change, settings)
            for word, change in POLA.items()
            for policies in (COIN if "dice_decay" in change else ENDS)
        ),
        *(build_loqa_cell(policies, word, settings) for word in LOQA for policies in ENDS),
        *(build_lola_cell(policies, word, settings) for word in LOLA for policies in dilemma),
        *(build_meta_cell(policies, word, settings) for word in META for policies in dilemma),
    ]


def build_rows(
    cell: str, names: tuple[str, ...], unbiased: tuple[str, ...] = ()
) -> tuple[Row, ...]:
    """A row for each quantity, with a target where theory has one."""
    return tuple(
        Row(
            f"{cell}: {WORDS[name][0]}",
            None,
            name,
            target=UNBIASED[name] if name in unbiased else None,
            digits=WORDS[name][1] - 1,
        )
        for name in names
    )


def build_pola_cell(policies: str, word: str, change: dict[str, Any], settings: Settings) -> Cell:
    """POLA-DiCE at the base setting, or with one thing changed."""
    own = pick_settings(settings, "gamma", "games", "horizon", "eta", "lambda", prefix="pola_")
    own |= {"learner": "pola", "policies": policies, "batches": settings["batches"]}
    own |= {"dice_decay": 1.0, "steps": 1} | change
    own["games"] = max(1, int(own["games"] * own.pop("times", 1)))
    name = f"POLA-DiCE, {policies}, {word}"

    # Decay is the table in agents/README.md; gains say whether the imagined steps lead anywhere.
    names = SHORT if policies == "two thieves" else WITH_DIRECTION
    if word == "base" or "dice_decay" in change:
        names = ("norm", "share", "bias", *names)
    if word == "base" or "eta" in change or "steps" in change:
        names = (*names, "gain", "sampled gain")
    if word == "base":
        names = (*names, "mirror gain")
    unbiased = ("kept",) if own["dice_decay"] == 1 and policies != "two thieves" else ()
    cost = 3.5e-4 * own["games"] * own["steps"]
    return Cell(name, own, settings["runs"], build_rows(name, names, unbiased), cost=cost)


def build_loqa_cell(policies: str, word: str, settings: Settings) -> Cell:
    """LOQA or Advantage Alignment."""
    own = pick_settings(settings, "gamma", "games", "horizon", prefix="loqa_")
    own |= {"learner": "loqa", "policies": policies, "batches": settings["batches"]} | LOQA[word]
    name = f"{word}, {policies}"
    names = SHORT if policies == "two thieves" else WITH_DIRECTION
    if own.get("form") == "loaded":
        names = (*names, "exact kept", "exact direction", "apart kept", "apart direction")
    return Cell(name, own, settings["runs"], build_rows(name, names), cost=0.1)


def build_lola_cell(policies: str, word: str, settings: Settings) -> Cell:
    """LOLA-DiCE with one of the estimators."""
    own = pick_settings(settings, "games", "horizon", "eta", prefix="lola_")
    own |= {"learner": "lola", "policies": policies} | LOLA[word]
    own["games"] *= own.pop("times", 1)
    own |= {"gamma": settings["dilemma_gamma"], "batches": settings["batches"]}
    name = f"LOLA-DiCE, {word}, {policies}"
    unbiased = () if word == "surrogate" else tuple(UNBIASED)
    rows = build_rows(name, (*SHORT, "whole kept"), unbiased)
    return Cell(name, own, settings["runs"], rows, cost=0.05)


def build_meta_cell(policies: str, word: str, settings: Settings) -> Cell:
    """Meta-MAPG's peer-learning term."""
    own = pick_settings(settings, "chain", "games", "horizon", "rate", prefix="meta_") | META[word]
    own |= {"learner": "meta_mapg", "policies": policies}
    own |= {"gamma": settings["dilemma_gamma"], "batches": settings["batches"]}
    name = f"Meta-MAPG, {word}, {policies}"
    names = WITH_DIRECTION if (word, policies) == ("loaded", "uniform") else SHORT
    return Cell(name, own, settings["runs"], build_rows(name, names), cost=0.1)


BENCHMARK = Benchmark(
    name="estimator_quality",
    title="Sampled gradients of opponent shaping beside the true ones",
    source="no published numbers; estimators: LOQA https://arxiv.org/abs/2405.01035, Advantage "
    "Alignment https://arxiv.org/abs/2406.14662, POLA https://arxiv.org/abs/2210.10125, DiCE "
    "https://arxiv.org/abs/1802.05098, Meta-MAPG https://arxiv.org/abs/2011.00382",
    settings=SETTINGS,
    small=SMALL,
    cells=cells,
    score=score,
    plot=plot,
)
