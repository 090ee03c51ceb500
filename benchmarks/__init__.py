"""The tables and figures of the papers, computed again.

One file each, with the paper's numbers beside ours:
`python -m benchmarks list | run NAME | report`.
"""
