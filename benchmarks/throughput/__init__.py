"""How many games a second: `python -m benchmarks.throughput`.

loops       what is timed, and how
cpu_rows    the measurements on the CPU
cuda_rows   those on a GPU
figures     the figures that the project promises, and whether they were reached
picture     env-steps a second against the number of games
"""
