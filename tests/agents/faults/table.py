"""Prints what is tested of each learner: `python -m tests.agents.faults.table`.

Resume, kills and weights that are not finite follow from tiny_learners.py; the rest is named here.
Cells are a file of tests under tests/agents, or the reason why there is none; the last says what
came of the slow ones (record.py).
"""

from agents.registry import LEARNERS
from tests.agents.faults.record import load, said
from tests.agents.faults.tiny_learners import LOOPLESS, TINY

HEAD = ["learner", "exact gradient", "wiring", "resume", "kill", "NaN", "memory", "device"]
HEAD += ["faults tried"]
BY_HAND, TABULAR = "learners/loqa/test_by_hand.py", "learners/test_tabular.py"
POLA = "learners/pola/test_pola_dice_by_hand.py"
DIRECTIONS, SAMPLED = "exact/test_exact_directions.py", "exact/test_exact_sampled.py"
META = "exact/test_meta_mapg.py", "learners/meta_mapg/test_meta_update_by_hand.py"
CLONED = "none: it learns from labels"
# Learner -> exact gradient, wiring.
EVIDENCE = {
    "loqa": ("exact/test_loqa.py", BY_HAND),
    "loqa_modelled": ("none: LOQA's, with a model of rewards (exact/test_loqa.py)", BY_HAND),
    "loqa_proximal": ("exact/test_loqa_proximal.py", "learners/loqa_proximal/test_learning.py"),
    "ippo": ("learners/ippo/test_by_hand.py", "learners/ippo/test_learning.py"),
    "advantage_alignment": ("exact/test_advantage_alignment.py", BY_HAND),
    "pola_dice": ("exact/test_pola_dice.py", POLA),
    "pola_om": ("exact/test_pola_steps.py", "learners/pola/test_pola_dice_learning.py"),
    "lola_dice_gru": ("exact/test_pola_dice.py", "learners/pola/test_pola_dice_learning.py"),
    "naive_pg_gru": ("exact/test_pola_dice.py", "learners/pola/test_pola_dice_learning.py"),
    "naive_exact": (DIRECTIONS, TABULAR),
    "lola_exact": (DIRECTIONS, TABULAR),
    "look_ahead_exact": (DIRECTIONS, TABULAR),
    "sos_exact": (DIRECTIONS, TABULAR),
    "consensus_exact": (DIRECTIONS, TABULAR),
    "pola_exact": ("exact/test_pola_steps.py", "learners/pola/test_pola_exact.py"),
    "naive_pg_tabular": (SAMPLED, TABULAR),
    "lola_pg_tabular": (SAMPLED, TABULAR),
    "lola_dice_tabular": (SAMPLED, TABULAR),
    "meta_mapg": META,
    "meta_pg": META,
    "exact_policy": ("none: exact values (exact_games/test_solve.py)", "exact_games/test_solve.py"),
    "exact_clone": (CLONED, "learners/test_exact_clone.py"),
    "sb3_ppo": ("none: Stable-Baselines3's", "evaluation/test_bundled.py"),
}
FAULTS, EVERY = "faults/test_faults.py", "faults/test_every_learner.py"
MEMORY = {"pola_dice": "learners/pola/test_pola_dice_memory.py"}
NO_MEMORY = "no estimate; out of memory names what to lower (training/test_failures.py)"
SMALL = "no estimate: tables of a matrix game"


def row(name: str) -> list[str]:
    """The cells of a learner."""
    exact, wiring = EVIDENCE[name]
    tabular = name.endswith(("_exact", "_tabular"))
    memory = MEMORY.get(name, SMALL if tabular else NO_MEMORY)
    cuda = "CPU; CUDA graphs, not run" if LEARNERS[name].graphs else "CPU; CUDA not run"
    if name in LOOPLESS:
        why = f"none: {LOOPLESS[name]}"
        return [name, exact, wiring, why, why, EVERY, "no estimate: one fixed network", "CPU", why]
    tried = said(load().get(name, {}))
    return [name, exact, wiring, FAULTS, FAULTS, EVERY, memory, cuda, tried]


def rows() -> list[list[str]]:
    """All of them."""
    return [row(name) for name in (*TINY, *LOOPLESS)]


def table() -> str:
    """As Markdown."""
    ruled = [HEAD, ["---"] * len(HEAD), *rows()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in ruled)


if __name__ == "__main__":
    print(table())
