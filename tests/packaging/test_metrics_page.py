"""docs/reference/metrics.md explains what learners log, no more and no less."""

import re

import pytest

from agents.registry import LEARNERS
from tests.packaging.sources import ROOT

pytest.importorskip("torch")
pytestmark = pytest.mark.slow
# Learners of `train` by settings that make an update small.
SMALL = (
    (("loqa", "loqa_modelled", "advantage_alignment"), {"batch": 4, "horizon": 4}),
    (("ippo",), {"batch": 4, "horizon": 4}),
    (("loqa_proximal",), {"batch": 32, "horizon": 4}),
    (("pola_dice", "lola_dice_gru", "naive_pg_gru"), {"batch": 4, "horizon": 4}),
    (("pola_om",), {"batch": 4, "horizon": 4, "model_batches": 1}),
    (("pola_exact",), {"outer_steps": 2}),
    (("meta_mapg", "meta_pg"), {"games": 2, "steps": 4, "batch": 2}),
    (("naive_exact", "lola_exact", "look_ahead_exact", "sos_exact", "consensus_exact"), {}),
    (("naive_pg_tabular", "lola_pg_tabular", "lola_dice_tabular"), {"games": 4, "steps": 4}),
)
SETTINGS = {name: settings for names, settings in SMALL for name in names}
OWN_COMMANDS = {"sb3_ppo", "exact_policy", "exact_clone"}  # they have no metrics.jsonl


def explained(name):
    text = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    section = text.partition("## Logged by learners")[2]
    rows = re.findall(r"^\| `([^`]+)` \| ([\w, ]+) \|", section, re.MULTILINE)
    return {metric for metric, learners in rows if name in learners.split(", ")}


def test_all_learners_are_looked_at():
    assert set(SETTINGS) | OWN_COMMANDS == set(LEARNERS)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_it_logs_is_explained(name):
    from dataclasses import replace

    spec = LEARNERS[name]
    config = spec.settings("ipd_v0")
    learner = spec.make(replace(config, **SETTINGS[name]), "ipd_v0", {}, 0, "cpu")
    logged = {re.sub(r"after \d+ updates", "after K updates", key) for key in learner.update()}
    assert logged == explained(name)
