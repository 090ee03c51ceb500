"""Settings of Meta-MAPG and Meta-PG: the inner loop and its estimator; what is meta-learned."""

import math
from dataclasses import dataclass
from typing import Literal

from social_dilemmas_env.validation import at_least, between, one_of


@dataclass(frozen=True)
class MetaConfig:
    """Inner loop and estimator; the authors' ipd.yaml but for the sizes.

    Raises:
        ValueError: sizes below 1, a discount outside [0, 1), an unknown pairing or opponent.
    """

    chain: int = 7  # L; ipd.yaml
    games: int = 64  # K; ipd.yaml
    steps: int = 150  # T; ipd.yaml
    gamma: float = 0.96  # γ; ipd.yaml
    gae_lambda: float = 0.95  # λ; ipd.yaml
    entropy: float = 0.5  # w_H on φ_0; ipd.yaml
    shaping: bool = True  # the authors' --opponent-shaping; without it: Meta-PG
    pairing: Literal["steps", "theorem"] = "steps"  # the authors' code; the paper's theorem
    inner: Literal["loaded", "dice"] = "loaded"  # ours; the authors' dice.py
    opponent: Literal["known", "modelled"] = "known"  # what i knows of the others' φ; ours
    baseline: bool = True  # the linear feature baseline; linear_baseline.py
    create_graph: bool = True  # False at meta-test, where nothing is differentiated

    def __post_init__(self) -> None:
        at_least(self, 1, "chain", "games", "steps")
        between(self, 0, 1, "gae_lambda")
        if not 0 <= self.gamma < 1:
            raise ValueError(f"gamma must lie in [0, 1), not {self.gamma!r}")
        one_of("pairing", self.pairing, ("steps", "theorem"))
        one_of("inner", self.inner, ("loaded", "dice"))
        one_of("opponent", self.opponent, ("known", "modelled"))


@dataclass(frozen=True)
class MetaLearnerConfig(MetaConfig):
    """What is meta-learned, among whom, and how fast.

    Raises:
        ValueError: see MetaConfig; also an unknown actor, and exact values of a network with
            memory.
    """

    runs: int = 1  # R, independent runs learned side by side
    batch: int = 8  # B, chains a run and update; ours: the authors' five workers draw one each
    chain: int = 3  # ours; 7 in ipd.yaml
    games: int = 32  # ours; 64
    steps: int = 50  # ours; 150
    entropy: float = 0.0  # ours; .5
    # "meta": both meta-learn (student abstract); else a persona's kind, or "all" (ICML paper)
    peers: str = "meta"
    actor: Literal["tabular", "lstm"] = "tabular"  # ours; the authors' is an LSTM
    values: Literal["samples", "exact"] = "samples"  # "exact": closed form, tabular policies only
    hidden: int = 64  # units of the LSTM; authors'
    lr_inner: float = 1.0  # α at first; .1 in ipd.yaml
    lr_peer: float = 1.0  # of personas; hard-coded in base.py
    lr_outer: float = 0.05  # Adam, of φ_0 and α; ours (1e-4 for the LSTM)
    max_grad_clip: float = 10.0  # ipd.yaml
    init_std: float = 0.5  # of tabular φ_0; ours

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 1, "runs", "batch", "hidden")
        for name in ("lr_inner", "lr_peer", "lr_outer", "max_grad_clip", "init_std"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be finite, not {getattr(self, name)}")
        one_of("actor", self.actor, ("tabular", "lstm"))
        one_of("values", self.values, ("samples", "exact"))

        if self.values == "exact" and self.actor == "lstm":
            raise ValueError(
                "exact values are those of policies without memory: actor must be 'tabular'"
            )
        if self.opponent == "modelled" and (self.peers == "meta" or self.values == "exact"):
            raise ValueError(
                "a modelled opponent is a persona, seen through samples: "
                "set peers, and values='samples'"
            )
