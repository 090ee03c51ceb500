"""Learners by name: what each player climbs, and how its parameters move.

    name                  climbs                                           moves     source
    naive                 V_i                                              Adam      policy gradient
    lola                  V_i(π_i, q), q a ∇-step ahead in its logits      Adam      [1]
    loqa                  V_i + Σ_j w_j · V_j, opponent model softmax Q    Adam      [2]
    advantage_alignment   V_i + Σ_j w_j · V_j, advantages aligned          Adam      [3]
    pola                  V_i(π_i, q), q a proximal step ahead             mirror    [4]
    pola_om               the same, from models of the others (models.py)  mirror    [4]

    naive_proximal, loqa_proximal, advantage_alignment_proximal            mirror    [4] on the rest

[1] Foerster et al. 2018, LOLA, https://arxiv.org/abs/1709.04326
[2] Aghajohari et al. 2024, LOQA, https://arxiv.org/abs/2405.01035
[3] Duque et al. 2024, Advantage Alignment, https://arxiv.org/abs/2406.14662; its clipped-surrogate
    form is the nearest published relative of the proximal learners
[4] Zhao et al. 2022, POLA, https://arxiv.org/abs/2210.10125

Equations: rules.py (naive, loqa, advantage_alignment), pola.py (lola, pola), steps.py (Adam,
mirror).  "loqa_exact" and the like name the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import torch

from agents.exact.models import ModelConfig
from agents.exact.pola import PolaConfig
from agents.exact.rules import ShapingConfig
from agents.exact.steps import StepConfig
from social_dilemmas_env.validation import integer, nearest, one_of

DTYPES = {"float64": torch.float64, "float32": torch.float32}


@dataclass(frozen=True)
class SolveConfig:
    """A learner.

    Raises:
        ValueError: an unknown word, fewer than 0 updates.
    """

    objective: ShapingConfig | PolaConfig = field(default_factory=ShapingConfig)  # what each climbs
    step: StepConfig = field(default_factory=StepConfig)  # how parameters move
    models: ModelConfig = field(default_factory=ModelConfig)  # what is known of the others
    updates: int = 60  # U
    policy: Literal["tables", "mlp", "preconditioned"] = "tables"  # parametrisations.py
    shared: bool | None = None  # one policy for all seats; None: where the seats are alike
    precision: Literal["float64", "float32"] = "float64"  # of values; networks are float32

    def __post_init__(self) -> None:
        integer("updates", self.updates, 0)
        one_of("policy", self.policy, ("tables", "mlp", "preconditioned"))
        one_of("precision", self.precision, tuple(DTYPES))


MIRROR = StepConfig("mirror")
LEARNERS: dict[str, SolveConfig] = {
    "naive": SolveConfig(ShapingConfig("none")),
    # At 240 updates the weakest of 64 seeds earned .305 of .347 with itself on 3x3 (eta 300 and
    # rate .1, which these replaced: .086 on average after 120 updates).
    "lola": SolveConfig(PolaConfig(inner="gradient"), StepConfig(tables_lr=0.3), updates=320),
    "loqa": SolveConfig(ShapingConfig("loqa")),
    "advantage_alignment": SolveConfig(ShapingConfig("advantage_alignment")),
    "pola": SolveConfig(PolaConfig(), MIRROR),
    "pola_om": SolveConfig(PolaConfig(), MIRROR, ModelConfig(model_fits=10)),
    "naive_proximal": SolveConfig(ShapingConfig("none"), MIRROR),
    "loqa_proximal": SolveConfig(ShapingConfig("loqa"), MIRROR),
    "advantage_alignment_proximal": SolveConfig(ShapingConfig("advantage_alignment"), MIRROR),
}


def with_settings(learner: str | SolveConfig, **settings: Any) -> SolveConfig:
    """A learner's settings, some of them changed: `with_settings("loqa", policy="mlp", decay=0.9)`.

    Args:
        learner: a name in LEARNERS, or settings.
        **settings: fields of SolveConfig, of its `objective`, `step` (but their `kind`) or
            `models`.

    Raises:
        ValueError: an unknown learner, an unknown setting, a value out of range.
    """
    cfg = learner if isinstance(learner, SolveConfig) else _by_name(learner)
    # Which part has a setting of that name.
    parts = {"objective": cfg.objective, "step": cfg.step, "models": cfg.models}
    owner = {f.name: part for part, of in parts.items() for f in fields(of) if f.name != "kind"}
    own = [f.name for f in fields(SolveConfig)]

    # Changes of parts, and of the whole.
    changes: dict[str, Any] = {}
    for name, value in settings.items():
        if name in own:
            changes[name] = value
        elif name in owner:
            part = owner[name]
            changes[part] = replace(changes.get(part, parts[part]), **{name: value})
        else:
            raise ValueError(f"no setting {name!r}; {nearest(name, [*own, *owner])}")
    return replace(cfg, **changes)


def _by_name(learner: str) -> SolveConfig:
    name = learner.removesuffix("_exact")
    if name not in LEARNERS:
        raise ValueError(f"no exact learner {learner!r}; {nearest(name, LEARNERS)}")
    return LEARNERS[name]
