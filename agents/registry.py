"""The learners by name.

Importing this imports no torch: a learner's module is imported when it is looked up.

Names follow one scheme: `<algorithm>` for recurrent policies and networks, `<algorithm>_tabular`
for tables learned from sampled games, `<algorithm>_exact` for tables and exact values.
"""

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from typing_extensions import override

from agents.protocol import LearnerSpec as LearnerSpec
from social_dilemmas_env.deprecation import deprecated

# name -> "module:attribute" of its LearnerSpec.
_WHERE = {
    # Networks.
    "loqa": "agents.learners.loqa.learner:LOQA",
    "loqa_modelled": "agents.learners.loqa.learner:LOQA_MODELLED",
    "loqa_proximal": "agents.learners.loqa_proximal.learner:LOQA_PROXIMAL",
    "ippo": "agents.learners.ippo.learner:IPPO",
    "sb3_ppo": "agents.learners.sb3_ppo:SB3_PPO",
    "advantage_alignment": "agents.learners.loqa.learner:ADVANTAGE_ALIGNMENT",
    "pola_dice": "agents.learners.pola.learner:POLA_DICE",
    "pola_om": "agents.learners.pola.learner:POLA_OM",
    "lola_dice_gru": "agents.learners.pola.learner:LOLA_DICE_GRU",
    "naive_pg_gru": "agents.learners.pola.learner:NAIVE_PG_GRU",
    # Tables, exact values.
    "naive_exact": "agents.learners.tabular:NAIVE_EXACT",
    "lola_exact": "agents.learners.tabular:LOLA_EXACT",
    "look_ahead_exact": "agents.learners.tabular:LOOK_AHEAD",
    "sos_exact": "agents.learners.tabular:SOS",
    "consensus_exact": "agents.learners.tabular:CONSENSUS",
    "pola_exact": "agents.learners.tabular:POLA_EXACT",
    # Tables, sampled games.
    "naive_pg_tabular": "agents.learners.tabular:NAIVE_PG",
    "lola_pg_tabular": "agents.learners.tabular:LOLA_PG",
    "lola_dice_tabular": "agents.learners.tabular:LOLA_DICE",
    # Policies of exact games, and networks cloned from them.
    "exact_policy": "agents.learners.exact_policy:EXACT_POLICY",
    "exact_clone": "agents.learners.exact_clone:EXACT_CLONE",
    # Starts and rates for learning among learners.
    "meta_mapg": "agents.learners.meta_mapg.learner:META_MAPG",
    "meta_pg": "agents.learners.meta_mapg.learner:META_PG",
}

# What learners were called, for one release.  After it `lola_dice` and `naive_pg` become the names
# of the recurrent learners, `lola_dice_gru` and `naive_pg_gru` until then.
RENAMED = {
    "naive_pg": "naive_pg_tabular",
    "lola_pg": "lola_pg_tabular",
    "lola_dice": "lola_dice_tabular",
    "look_ahead": "look_ahead_exact",
    "sos": "sos_exact",
    "consensus": "consensus_exact",
}

# Settings that had another name when checkpoints and run folders were written.
RENAMED_SETTINGS = {"taste_hidden": "reward_hidden"}


class Learners(Mapping[str, LearnerSpec[Any]]):
    """Name -> LearnerSpec, imported on demand; old names work too, with a warning."""

    @override
    def __getitem__(self, name: str) -> LearnerSpec[Any]:
        new = current_name(name)
        if new != name:
            deprecated(f"the learner {name!r}", repr(new))
        module, _, attribute = _WHERE[new].partition(":")
        spec: LearnerSpec[Any] = getattr(importlib.import_module(module), attribute)
        return spec

    @override
    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and current_name(name) in _WHERE

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(_WHERE)

    @override
    def __len__(self) -> int:
        return len(_WHERE)


LEARNERS = Learners()


def current_name(name: str) -> str:
    """The name that a learner has now, without a warning; any other name as it is.

    For what was recorded: checkpoints and run folders keep the names of their day.
    """
    return name if name in _WHERE else RENAMED.get(name, name)


def register(name: str, where: str) -> None:
    """Adds a learner: `where` is "module:attribute" of its LearnerSpec."""
    _WHERE[name] = where
