"""The learners by name.

Importing this imports no torch: a learner's module is imported when it is looked up.
"""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class LearnerSpec:
    """A learner that `train` can run.

    Attributes:
        name: the key in LEARNERS.
        title: one line.
        settings: env_id -> the default settings, a frozen dataclass.
        make: (settings, env_id, game arguments, seed, device) -> a `Learner` (training.py).
        agent: (checkpoint, device, seed) -> a trained player with `act`; see agent.py.
        graphs: whether the learner computes through its attribute `compute`, which graphs may
            replace (compute.py).
    """

    name: str
    title: str
    settings: Callable[[str], Any]
    make: Callable[[Any, str, dict[str, Any], int, str], Any]
    agent: Callable[[Any, str, int], Any]
    graphs: bool = False


class Learners(Mapping[str, LearnerSpec]):
    """Name -> LearnerSpec, imported on demand."""

    def __getitem__(self, name: str) -> LearnerSpec:
        module, _, attribute = _WHERE[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(_WHERE)

    def __len__(self) -> int:
        return len(_WHERE)


LEARNERS = Learners()


def register(name: str, where: str) -> None:
    """Adds a learner: `where` is "module:attribute" of its LearnerSpec."""
    _WHERE[name] = where
