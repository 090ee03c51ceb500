"""The published numbers of POLA's one-step IPD, and the rates of its authors.

Zhao et al. 2022, https://arxiv.org/abs/2210.10125.
"""

from collections.abc import Sequence

FACTORS = (1.1, 1.25, 1.33, 1.4, 1.6)  # contribution factors f
STATES = ("DD", "DC", "CD", "CC", "s0")  # own action first


def read_table(text: str) -> dict[str, tuple[tuple[float, ...], ...]]:
    """Lines of numbers below their titles, by title."""
    found: dict[str, tuple[tuple[float, ...], ...]] = {}
    title = ""
    for line in text.split("\n")[1:-1]:
        if line.startswith("  "):
            found[title] += (tuple(float(word) for word in line.split()),)
        else:
            title, found[line] = line, ()
    return found


# Table 1: P(C) in STATES, a line for each f; means of 20 runs and both agents.
PAPER = read_table("""
NL tabular
     0  0.06  0.06  0.16  0.01
     0  0.07  0.07  0.18  0.02
     0  0.07  0.07  0.19  0.02
     0  0.07  0.07   0.2  0.02
     0  0.09  0.09  0.23  0.05
LOLA tabular
     0     1     0     1     1
     0     1     0     1     1
     0     1     0     1     1
     0     1     0     1     1
     0     1     0     1     1
LOLA network
     0  0.01     0  0.03  0.02
     0  0.02  0.01  0.06  0.02
  0.03  0.35  0.06  0.41  0.15
  0.25  0.87  0.37  0.88  0.65
  0.15  0.98  0.41  0.97  0.67
LOLA preconditioned
     0     0  0.97     0     0
     0     0  0.96     0     0
     0     0  0.96     0     0
     0     0  0.96     0     0
   0.1   0.1  0.87   0.1   0.1
POLA tabular
     0  0.97  0.45     1  0.94
  0.08  0.97  0.18     1  0.95
  0.13  0.96  0.08     1  0.94
  0.13  0.96  0.12     1  0.95
  0.05   0.9  0.07     1  0.91
POLA network
     0  0.94  0.49     1  0.94
  0.01  0.87  0.47     1  0.85
  0.02  0.85  0.45  0.99  0.68
  0.02  0.87  0.44  0.99  0.76
  0.03  0.95  0.28  0.99  0.87
POLA preconditioned
  0.01  0.29  0.26  0.87   0.6
  0.12  0.97  0.23     1  0.77
  0.18  0.99   0.3     1  0.76
  0.21  0.98  0.33     1  0.75
  0.08  0.98   0.2     1     1
""")
# Figure 3 has no numbers in the text. "network": runs of 20 measured with the authors' code, in %.
FIGURE_3 = {
    "NL tabular": (0,) * 5,
    "LOLA tabular": (100,) * 5,
    "LOLA network": (0, 0, 30, 65, 60),
    "LOLA preconditioned": (0,) * 5,
}
# Table 2, f = 1.33, tabular agents, by the parametrisation of the opponent model.
PAPER_OM: dict[str, tuple[float, ...]] = {
    "LOLA-OM tabular": (0.02, 0.99, 0.17, 1, 0.93),
    "LOLA-OM network": (0, 0.99, 0.03, 1, 0.97),
    "LOLA-OM preconditioned": (0, 0.10, 0.07, 0.23, 0.08),
    "POLA-OM tabular": (0.01, 0.97, 0.05, 1, 0.97),
    "POLA-OM network": (0.01, 0.97, 0.05, 1, 0.97),
    "POLA-OM preconditioned": (0.12, 0.94, 0.02, 1, 0.85),
}

# README commands: by f (lr_in, lr_out, beta_out), then updates.
Rates = Sequence[tuple[float | None, float | None, float]]
RATES: dict[str, tuple[Rates, int]] = {
    "NL tabular": ([(0, 2, 0)] * 5, 100),
    "LOLA tabular": ([(3, 25, 0)] * 5, 30),
    "LOLA network": ([(0.4, 0.05, 0)] * 3 + [(0.3, 0.1, 0), (0.12, 0.05, 0)], 100),
    "LOLA preconditioned": ([(None, None, 0)] * 5, 30),
    "POLA tabular": ([(5, 0.3, 0.1)] * 3 + [(4, 0.3, 0.1), (2.5, 0.3, 0.1)], 2),
    "POLA network": (
        [
            (0.3, 0.03, 0.1),
            (0.25, 0.03, 0.13),
            (0.25, 0.02, 0.13),
            (0.2, 0.03, 0.1),
            (0.12, 0.03, 0.05),
        ],
        2,
    ),
    "POLA preconditioned": (
        [
            (0.4, 0.05, 0.5),
            (0.5, 0.05, 0.5),
            (0.4, 0.05, 0.5),
            (0.3, 0.05, 0.5),
            (0.3, 0.05, 0.5),
        ],
        10,
    ),
}
# Where the README has no rates: all of these are tried, (lr_in, lr_out).
GRID: list[tuple[float, float]] = [
    (lr_in, lr_out) for lr_in in (0.1, 0.4, 1, 3) for lr_out in (0.05, 0.3, 1, 5, 25)
]
# With opponent models: (lr_in, lr_out, inner steps, beta_in).
RATES_OM: dict[str, tuple[float, float, int, float]] = {
    "LOLA-OM tabular": (3, 1, 1, 0),
    "LOLA-OM network": (0.2, 1, 1, 0),
    "LOLA-OM preconditioned": (1, 1, 1, 0),
    "POLA-OM tabular": (0.2, 1, 100, 3),
    "POLA-OM network": (0.05, 1, 100, 3),
    "POLA-OM preconditioned": (0.15, 1, 200, 3),
}
