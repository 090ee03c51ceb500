"""The learners by name.  Importing this imports no torch: a learner's module is imported when it is looked up."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_WHERE = {
    "loqa": "agents.deep_learners:LOQA",
    "loqa_modelled": "agents.deep_learners:LOQA_MODELLED",
    "sb3_ppo": "agents.sb3_ppo:SB3_PPO",
    "advantage_alignment": "agents.deep_learners:ADVANTAGE_ALIGNMENT",
    "pola_dice": "agents.pola_dice_learner:POLA_DICE",
    "pola_om": "agents.pola_dice_learner:POLA_OM",
    "lola_dice_gru": "agents.pola_dice_learner:LOLA_DICE_GRU",
    "naive_pg_gru": "agents.pola_dice_learner:NAIVE_PG_GRU",
    "naive_exact": "agents.tabular_runs:NAIVE_EXACT",
    "lola_exact": "agents.tabular_runs:LOLA_EXACT",
    "look_ahead": "agents.tabular_runs:LOOK_AHEAD",
    "sos": "agents.tabular_runs:SOS",
    "consensus": "agents.tabular_runs:CONSENSUS",
    "pola_exact": "agents.tabular_runs:POLA_EXACT",
    "naive_pg": "agents.tabular_runs:NAIVE_PG",
    "lola_pg": "agents.tabular_runs:LOLA_PG",
    "lola_dice": "agents.tabular_runs:LOLA_DICE",
    "meta_mapg": "agents.meta_learner:META_MAPG",
    "meta_pg": "agents.meta_learner:META_PG",
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
        graphs: whether the learner computes through its attribute `compute`, which graphs may replace (compute.py).
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
