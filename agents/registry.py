"""The learners by name.

Importing this imports no torch: a learner's module is imported when it is looked up.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from agents.learners.protocol import LearnerSpec as LearnerSpec

_WHERE = {
    "loqa": "agents.learners.loqa.learner:LOQA",
    "loqa_modelled": "agents.learners.loqa.learner:LOQA_MODELLED",
    "sb3_ppo": "agents.learners.sb3_ppo:SB3_PPO",
    "advantage_alignment": "agents.learners.loqa.learner:ADVANTAGE_ALIGNMENT",
    "pola_dice": "agents.learners.pola.learner:POLA_DICE",
    "pola_om": "agents.learners.pola.learner:POLA_OM",
    "lola_dice_gru": "agents.learners.pola.learner:LOLA_DICE_GRU",
    "naive_pg_gru": "agents.learners.pola.learner:NAIVE_PG_GRU",
    "naive_exact": "agents.learners.tabular:NAIVE_EXACT",
    "lola_exact": "agents.learners.tabular:LOLA_EXACT",
    "look_ahead": "agents.learners.tabular:LOOK_AHEAD",
    "sos": "agents.learners.tabular:SOS",
    "consensus": "agents.learners.tabular:CONSENSUS",
    "pola_exact": "agents.learners.tabular:POLA_EXACT",
    "naive_pg": "agents.learners.tabular:NAIVE_PG",
    "lola_pg": "agents.learners.tabular:LOLA_PG",
    "lola_dice": "agents.learners.tabular:LOLA_DICE",
    "meta_mapg": "agents.learners.meta_mapg.learner:META_MAPG",
    "meta_pg": "agents.learners.meta_mapg.learner:META_PG",
}


class Learners(Mapping[str, LearnerSpec[Any]]):
    """Name -> LearnerSpec, imported on demand."""

    def __getitem__(self, name: str) -> LearnerSpec[Any]:
        module, _, attribute = _WHERE[name].partition(":")
        spec: LearnerSpec[Any] = getattr(importlib.import_module(module), attribute)
        return spec

    def __iter__(self) -> Iterator[str]:
        return iter(_WHERE)

    def __len__(self) -> int:
        return len(_WHERE)


LEARNERS = Learners()


def register(name: str, where: str) -> None:
    """Adds a learner: `where` is "module:attribute" of its LearnerSpec."""
    _WHERE[name] = where
