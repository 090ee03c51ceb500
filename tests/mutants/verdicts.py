"""What became of every mutant: `verdicts.json`, and the table of it that people read, SCORES.md.

A verdict belongs to a mutant as it was when it was tried: where its text changes, it counts as not
tried, until `python -m tests.mutants --new` has tried it.
"""

import json
from collections import Counter
from pathlib import Path

VERDICTS = Path(__file__).with_name("verdicts.json")
SCORES = Path(__file__).with_name("SCORES.md")
FLOOR = 0.9  # of the mutants of each area that were tried must be killed
# Area -> where its sources begin; the first that fits counts.
AREAS = {
    "rules": ("social_dilemmas_env/games/",),
    "random numbers": ("social_dilemmas_env/rng.py", "agents/sampling.py"),
    "tables": ("social_dilemmas_env/engine/",),
    "estimators": ("agents/estimators.py",),
    "exact solvers": ("social_dilemmas_env/exact/", "agents/exact/"),
    "SelfPlay": ("agents/learners/loqa/", "agents/execution/", "agents/nn/"),
    "other learners": ("agents/learners/",),
}
HEAD = """# Mutants

Written by `python -m tests.mutants`, which puts each mistake of `catalogue/` into a copy of the
sources and runs the tests that guard it. Some change nothing that is promised, for the reasons
below; the share is of the others that were tried. `--new` tries those that were not.

| area | mutants | killed | survived | change nothing | not tried | share killed |
|---|---:|---:|---:|---:|---:|---:|
"""


def area_of(mutant):
    """The area of a mutant's source."""
    return next(area for area, starts in AREAS.items() if mutant.source.startswith(starts))


def load(path=VERDICTS):
    """By mutant's name: [digest, "killed" or "survived"]."""
    return json.loads(path.read_text()) if path.exists() else {}


def save(verdicts, mutants, path=VERDICTS):
    """Keeps those of mutants that there are."""
    names = {str(mutant) for mutant in mutants}
    lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(verdicts.items()) if k in names]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def verdict_of(mutant, verdicts):
    """Killed, survived, "changes nothing" (it survived, for a reason) or "not tried"."""
    digest, word = verdicts.get(str(mutant), ("", ""))
    if digest != mutant.digest:
        return "not tried"
    return "changes nothing" if word == "survived" and mutant.reason else word


def is_open(mutant, verdicts):
    """Whether it was not tried, or survived and nobody has said why."""
    return verdict_of(mutant, verdicts) in ("not tried", "survived")


def share_killed(counts):
    """Of the mutants that were tried and change anything; 0 if none was."""
    return counts["killed"] / max(1, counts["killed"] + counts["survived"])


def count(mutants, verdicts):
    """Area -> how many of each verdict."""
    counts = {area: Counter() for area in AREAS}
    for mutant in mutants:
        counts[area_of(mutant)][verdict_of(mutant, verdicts)] += 1
    return counts


def page(mutants, verdicts):
    """SCORES.md: a line an area, then who survived and why."""
    lines = []
    counts = count(mutants, verdicts)
    for area, found in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        if not found:
            continue
        words = [found[w] for w in ("killed", "survived", "changes nothing", "not tried")]
        cells = " | ".join(str(word) for word in (found.total(), *words))
        lines.append(f"| {area} | {cells} | {100 * share_killed(found):.1f} % |")

    survivors = [m for m in mutants if verdict_of(m, verdicts) in ("survived", "changes nothing")]
    text = HEAD + "\n".join(lines) + "\n"
    if survivors:
        text += "\nSurvivors:\n\n"
        text += "".join(f"* {m}: {m.reason or 'NOT EXPLAINED'}\n" for m in survivors)
    return text
