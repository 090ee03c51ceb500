"""Plots of one's own runs and agents: `social-dilemmas plot runs/a runs/b`.

runs.py       run folders, grouped by what was asked for: runs of a group differ in their seeds
conduct.py    what agents do: cooperation or thefts, memory-one policies, reactions
figure.py     the panels, drawn with matplotlib
"""
