"""`python -m benchmarks list | run NAME | report`, from the root of the repository."""

import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: two threads are slower than one

try:
    from benchmarks.harness.command import main
except ModuleNotFoundError as error:
    sys.exit(
        f"python -m benchmarks needs {error.name}: pip install -e '.[agents,benchmarks]' from a "
        "checkout"
    )

if __name__ == "__main__":
    sys.exit(main())
