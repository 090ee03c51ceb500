"""`python -m benchmarks list | run NAME | report`, from the root of the repository."""

import os
import sys

from social_dilemmas_env.extras import explained, need

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: two threads are slower than one

# Looked for before anything that may itself look for it.
try:
    need("torch", extra="agents,benchmarks", what="python -m benchmarks")
    from benchmarks.harness.command import main
except ImportError as error:
    sys.exit(str(explained(error, "python -m benchmarks")))

if __name__ == "__main__":
    sys.exit(main())
