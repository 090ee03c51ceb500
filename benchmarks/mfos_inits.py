"""The first parameters that M-FOS's authors ship for their M-MAML players: ten a game.

https://github.com/luchris429/Model-Free-Opponent-Shaping, data/mamaml_*.th (commit 3efb169), rounded to two decimals.
Their table is an average over these ten, which differ much from one another, so it can be checked only with them.
Order: start, CC, CD, DC, DD (own action first); in the one-shot game of chicken one number.
"""

INITS = {
    "IPD": (
        (4.33, 4.49, -4.73, 0.07, -3.23),
        (4.47, 4.32, -1.43, -0.1, -2.49),
        (3.31, 2.38, -3.53, -0.81, -2.1),
        (0.19, 1.12, 0.31, 6.36, -3.8),
        (3.91, 3.28, -0.44, -1.09, -3.09),
        (3.83, 3.1, -1.43, -2.32, -3.69),
        (1.69, 1.44, 0.09, 6.72, -6.2),
        (-1.06, -1.8, -1.06, 7.69, -4.76),
        (0.52, 0.94, 0.32, 0.86, -1.46),
        (4.03, 4.17, -3.22, -1.34, -1.06),
    ),
    "IMP": (
        (-0.22, 1.43, -0.17, -0.12, 2.19),
        (-0.79, -1.8, 1.15, -1.86, 1.71),
        (0.19, -0.91, -0.81, 0.88, -0.83),
        (-0.93, -0.94, -0.4, 0.72, -1.42),
        (1.45, 0.34, 0.98, 1.22, 1.58),
        (-1.73, 0.12, 1.3, 0.6, 0.56),
        (-0.15, 1.29, -1.25, 1.06, -0.21),
        (-1.44, 1.81, 1.7, -0.99, 1.62),
        (-2.12, 0.14, -0.22, -0.43, -0.49),
        (-0.17, -0.08, 0.58, -0.4, 0.52),
    ),
    "chicken": (
        (0.58,), (-3.53,), (0.59,), (0.57,), (-3.53,), (0.6,), (0.57,), (-3.54,), (0.56,), (0.56,),
    ),
}  # fmt: skip
