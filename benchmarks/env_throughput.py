"""The old name of `python -m benchmarks.throughput`, which goes in the next release."""

import sys

if __name__ == "__main__":
    # Not at the top: the catalogue of benchmarks imports every module here.
    from benchmarks.throughput.__main__ import main
    from social_dilemmas_env.deprecation import deprecated

    deprecated("python -m benchmarks.env_throughput", "python -m benchmarks.throughput", 2)
    sys.exit(main())
